"""One file for each way in: a kernel of one's own; the gradient of a PyTorch or a JAX function."""

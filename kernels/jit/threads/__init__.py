"""The team of threads that computes the shares of a pass."""

"""Small functions, right and wrong gradients, and the verdict that a gradient checker ought to give on each."""

"""What the two pytest suites share: the options that select kernels and networks, run folders, numbers as text."""

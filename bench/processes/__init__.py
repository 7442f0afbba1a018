"""Processes of their own for the kernels, so that one that hangs or dies does not end the run."""

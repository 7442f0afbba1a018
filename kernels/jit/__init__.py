"""Numba: forward and backward pass in one compiled call, with register tiles and a team of threads."""

from deltacheck.kernels.jit.kernel import NumbaKernel

__all__ = ["NumbaKernel"]

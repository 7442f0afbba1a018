"""Numba: placeholder while the compiled kernel is written."""
from kernels.vectorised import NumpyKernel


class NumbaKernel(NumpyKernel):
    """To be replaced."""

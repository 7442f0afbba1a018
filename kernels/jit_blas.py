"""Where compiled code finds a matrix product: in the BLAS that NumPy brings; else in the one that Numba calls, SciPy's.

The two are different builds of OpenBLAS, and NumPy's is the newer: at 1024 × 1024, float32 and 32 rows SciPy's takes 1.3 × as long
(OpenBLAS 0.3.31 against 0.3.30, measured). Compiled code refers to it by a name that LLVM resolves when it loads the code, so
code kept on disk stays valid: ``GEMM`` belongs into the key under which it is kept.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np
from threadpoolctl import threadpool_info

NAME = "deltacheck_{letter}gemm"  # s for float32, d for float64


def numpy_gemm(letter: str) -> int | None:
    """The address of NumPy's xGEMM with 64-bit whole numbers; None where NumPy has another BLAS, or hides it."""
    beside = Path(np.__file__).parent.parent  # its libraries lie in numpy.libs (Linux) or in numpy/.dylibs
    for library in threadpool_info():
        path = Path(library["filepath"])
        if library["internal_api"] != "openblas" or not path.is_relative_to(beside) or "numpy" not in path.relative_to(beside).parts[0]:
            continue
        for symbol in (f"scipy_{letter}gemm_64_", f"{letter}gemm_64_"):
            try:
                return ctypes.cast(getattr(ctypes.CDLL(str(path)), symbol), ctypes.c_void_p).value
            except (AttributeError, OSError):
                continue
    return None


def _register() -> str:
    """Which BLAS is taken: ``numpy`` or ``scipy``."""
    addresses = {letter: numpy_gemm(letter) for letter in "sd"}
    if None in addresses.values():
        return "scipy"
    for letter, address in addresses.items():
        llvm.add_symbol(NAME.format(letter=letter), address)
    return "numpy"


GEMM = _register()

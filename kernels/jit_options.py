"""How compiled functions are compiled: a decorator for each kind of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, update_wrapper
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, TypeVar, cast

from numba import config, njit
from numba.extending import intrinsic

from kernels.jit_blas import GEMM

F = TypeVar("F", bound=Callable[..., Any])

JIT_DISABLED = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]

# "contract" (fused multiply-add) and nothing more: the flags that let sums be reassociated and signs of zero be lost fold
# `z / ln 2 + shift - shift` of e^z away, and those that rule NaN out hide it.
# error_model="numpy": a division that may raise is a branch, and ends vector code.
ELEMENT_WISE: Any = {"fastmath": {"contract"}, "error_model": "numpy"}

# Sums may be taken in any order, which is what vector code needs. The functions called from such a loop keep their own flags.
SUMS: Any = {"fastmath": {"contract", "reassoc"}, "error_model": "numpy"}


def instructions(function: Callable[..., Any]) -> Any:
    """Functions written in LLVM's terms."""
    return intrinsic(function)


def element_wise(function: F) -> F:
    """Loops over independent numbers, and what is called from them."""
    return cast(F, njit(**ELEMENT_WISE)(function))


def sums(function: F) -> F:
    """Loops that add up."""
    return cast(F, njit(**SUMS)(function))


def thin(function: F) -> F:
    """Functions that only call others, pasted into their callers: LLVM optimises every level of calls anew, with all that is below it."""
    return cast(F, njit(inline="always", error_model="numpy")(function))


def entry(function: F) -> F:
    """What Python calls; kept on disk, everything that it calls included.

    Numba throws a kept one away when the function's own file has changed, and only then. But it looks at what the function closes
    over too, so each closes over a digest of all the compiled files and of the BLAS they call: a change in any of them counts.
    """
    if JIT_DISABLED:
        return function
    code = function.__code__.replace(co_freevars=("compiled_files",))
    closed = FunctionType(code, function.__globals__, function.__name__, None, (CellType(_digest()),))
    return cast(F, njit(cache=True, error_model="numpy")(update_wrapper(closed, function)))


@cache
def _digest() -> str:
    files = sorted(Path(__file__).parent.glob("jit*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files) + GEMM.encode()).hexdigest()

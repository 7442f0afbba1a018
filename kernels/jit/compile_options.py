"""How compiled functions are compiled: a decorator for each kind of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial, update_wrapper, wraps
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, TypeVar, cast

from numba import cfunc, njit
from numba.extending import intrinsic, overload

from deltacheck.kernels.jit.cpu_target import JIT_DISABLED

F = TypeVar("F", bound=Callable[..., Any])

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


def compiled_once(function: F) -> F:
    """``element_wise``, but the same code whichever arguments are constants in a call: Numba would compile it anew for each of them."""

    @overload(function, jit_options=ELEMENT_WISE)
    @wraps(function)
    def implementation(*arguments: Any, **named: Any) -> Any:
        return function

    return function


def sums(function: F) -> F:
    """Loops that add up."""
    return cast(F, njit(**SUMS)(function))


def thin(function: F) -> F:
    """Functions that only call others, pasted into their callers: LLVM optimises every level of calls anew, with all that is below it."""
    return cast(F, njit(inline="always", error_model="numpy")(function))


def entry(function: F) -> F:
    """What Python calls; kept on disk (``_kept``)."""
    return function if JIT_DISABLED else cast(F, _kept(njit, function, "entry", error_model="numpy"))


def entry_without_gil(function: F) -> F:
    """The same, and other threads of Python run meanwhile."""
    return function if JIT_DISABLED else cast(F, _kept(njit, function, "without gil", error_model="numpy", nogil=True))


def callback(signature: Any, function: Callable[..., Any]) -> Any:
    """A function with an address, of C's types; compiled at once, kept on disk (``_kept``)."""
    return _kept(partial(cfunc, signature), function, "callback", error_model="numpy")


def _kept(compiler: Callable[..., Any], function: Callable[..., Any], kind: str, **options: Any) -> Any:
    """Compiled, and kept on disk where there is a place that can be written to; where there is none, compiled in each process."""
    keepable = _keepable(function, kind)
    try:
        return compiler(cache=True, **options)(keepable)
    except RuntimeError as error:
        if "locator" not in str(error):
            raise
        return compiler(**options)(keepable)


def _keepable(function: F, kind: str) -> F:
    """The function, as Numba may keep it on disk, everything that it calls included.

    Numba throws a kept one away when the function's own file has changed, and only then. But it looks at what the function closes
    over too, so each closes over a digest of all the compiled files: a change in any of them counts.
    """
    code = function.__code__.replace(co_freevars=("compiled_files",))
    closed = FunctionType(code, function.__globals__, function.__name__, None, (CellType((_digest(), kind)),))
    return cast(F, update_wrapper(closed, function))


@cache
def _digest() -> str:
    files = sorted(file for file in Path(__file__).parent.rglob("*.py") if not file.name.startswith("test_"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

"""BLAS on one thread, for work of the verifier's own.

Its products are small: shared by several threads they take no less time, and many times as long where other programs want the same CPUs.
Kernels are called with as many threads as they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
T = TypeVar("T")


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries of the process, looked for once: NumPy's is among them."""
    return ThreadpoolController()


def on_one_thread(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with BLAS on one thread while it runs."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with _libraries().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return run

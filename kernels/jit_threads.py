"""How many threads there are, and whose: Numba's threading layer, and what it cannot bear."""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Callable
from typing import Any

import numba

_forked = False  # from a process whose OpenMP threads had been started: GNU's are not there any more, and Numba ends who calls them
_one_at_a_time = threading.Lock()


def checked(threads: int | None) -> int | None:
    """``threads`` as a kernel is given it: None, or a whole number of 1 or more. Raises ``TypeError`` and ``ValueError``."""
    if threads is None:
        return None
    expected = "expected None or a whole number of 1 or more"
    try:
        count = operator.index(threads)
    except TypeError:
        raise TypeError(f"threads: got {threads!r}; {expected}") from None
    if count < 1:
        raise ValueError(f"threads: got {count}; {expected}")
    return count


def available(asked: int | None) -> int:
    """As many as are asked for; by default as many as Numba would use now, and one where its layer takes too long to start them.

    One, whatever is asked for, in a process forked from one whose threads are not there any more.
    """
    if _forked:
        return 1
    if asked is not None:
        return asked
    threads = numba.get_num_threads()
    return 1 if layer() == "workqueue" else threads


def layer() -> str | None:
    """Numba's threading layer, None before it has been started: tbb, omp or workqueue."""
    try:
        return str(numba.threading_layer())
    except ValueError:
        return None


def guarded(run: Callable[..., Any]) -> Callable[..., Any]:
    """``run``, one at a time where the threading layer must not be called by two threads at once (workqueue)."""
    numba.get_num_threads()  # starts the layer
    if layer() != "workqueue":
        return run

    def waiting(*arguments: Any) -> Any:
        with _one_at_a_time:
            return run(*arguments)

    return waiting


def about() -> dict[str, Any]:
    """The threading layer and how many threads it would use now."""
    return {"threading_layer": layer(), "threads": numba.get_num_threads()}


def _after_fork() -> None:
    global _forked
    _forked = _forked or layer() == "omp"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""How many threads there are, and the one team of them in a process (``team``): threads of Python that sleep where there is no work."""

from __future__ import annotations

import ctypes
import operator
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from deltacheck.kernels.jit.compile_options import entry_without_gil
from deltacheck.kernels.jit.threads.work_sharing import ACQUIRE, HELPERS, LINE, MOST, N_HELPERS, N_WORDS, OFFER_CPU, RELEASE, TICKET, serve


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
    """As many as are asked for, up to 1024; by default as many as Numba would use now."""
    return min(MOST, numba.get_num_threads() if asked is None else asked)


def usable_cpus() -> int:
    """The CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


NO_CPU = -1  # where the system does not tell on which CPU a thread runs


class Team:
    """The process's threads for passes: one caller at a time, and as many helpers as it wants and CPUs are there for."""

    def __init__(self) -> None:
        self._words = np.zeros(N_WORDS, np.int64)
        self._words[[OFFER_CPU, ACQUIRE, RELEASE]] = [_address(f) for f in (_offer_cpu(), _python("acquire_lock"), _python("release_lock"))]
        self.address = self._words.ctypes.data
        self.begin_anew()

    def begin_anew(self) -> None:
        """Without helpers: in a process that was forked there are none, and whoever called in the other one is not here."""
        self._lock = threading.RLock()  # a signal's handler that comes while its thread holds it may call a kernel too
        self._helpers: list[threading.Thread] = []
        self._locks: list[int] = []  # one for each helper, and perhaps one for the next
        self._cleared = NO_CPU
        self._words[[TICKET, N_HELPERS]] = 0

    def joined(self, run: Callable[..., Any], threads: int) -> Callable[..., Any]:
        """``run``, with so many threads at it, the caller's among them; as many as there are CPUs, at most."""
        helpers = min(threads, MOST, usable_cpus()) - 1

        def call(*arguments: Any) -> Any:
            with self._lock:
                with suppress(RuntimeError):  # the system has no more threads: then it goes with fewer
                    while len(self._helpers) < helpers:
                        self._add_helper()
                self._make_way(_this_cpu())
                return run(*arguments)

        return call

    def _make_way(self, cpu: int) -> None:
        """Keep helpers off the caller's CPU: Linux often wakes a thread where it last ran, though that is busy and others are not."""
        if cpu != self._cleared and self._helpers:
            others = os.sched_getaffinity(0) - {cpu}
            if not others:  # as long as the caller may run nowhere else
                return
            self._cleared = cpu
            for helper in self._helpers:
                with suppress(OSError):  # a sandbox may forbid it
                    os.sched_setaffinity(helper.native_id or 0, others)

    def _add_helper(self) -> None:
        n = len(self._helpers)
        if n == len(self._locks):  # else the last one did not start
            self._locks.append(_new_lock())
        self._words[HELPERS + n * LINE : HELPERS + n * LINE + 2] = 0, self._locks[n]  # ASLEEP and LOCK
        helper = threading.Thread(target=self._help, args=(_serve(), n), name=f"deltacheck helper {n}", daemon=True)
        helper.start()
        self._cleared = NO_CPU
        self._words[N_HELPERS] = len(self._helpers) + 1
        self._helpers.append(helper)  # at last: where a signal ends this before, all of it is done again

    def _help(self, run: Callable[[int, int], None], n: int) -> None:
        run(self.address, n)  # for ever; the words live as long as this method of theirs runs


def about() -> dict[str, Any]:
    """How many threads there would be by default now."""
    return {"threads": numba.get_num_threads()}


def _python(name: str) -> Any:
    """A function of the interpreter's own locks, which can be called without the interpreter (C API, PyThread)."""
    return getattr(ctypes.pythonapi, f"PyThread_{name}")


def _new_lock() -> int:
    """The address of a lock that is held: it is there to be waited for."""
    allocate = _python("allocate_lock")
    allocate.restype = ctypes.c_void_p
    lock: int = allocate()
    _python("acquire_lock")(ctypes.c_void_p(lock), 1)
    return lock


def _offer_cpu() -> Any:
    """The system's function that lets another thread run."""
    return ctypes.CDLL("kernel32").SwitchToThread if sys.platform == "win32" else ctypes.CDLL(None).sched_yield


def _no_cpu() -> int:
    return NO_CPU


_this_cpu: Callable[[], int] = getattr(ctypes.CDLL(None), "sched_getcpu", _no_cpu) if sys.platform == "linux" else _no_cpu


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@cache
def _serve() -> Callable[[int, int], None]:
    """``serve``, compiled, or read from the disk."""
    compiled: Any = entry_without_gil(_serve_team)
    compiled.compile((types.intp, types.intp))
    run: Callable[[int, int], None] = compiled.overloads[types.intp, types.intp].entry_point
    return run


def _serve_team(team: int, n: int) -> None:
    serve(team, n)


TEAM = Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TEAM.begin_anew)

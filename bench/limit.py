"""A time limit for a contender that hangs: it gets a status, and the run goes on."""

from __future__ import annotations

import faulthandler
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LIMIT_S = 120.0  # a library's compiler may need a minute for a cell
AGAIN_S = 1.0  # where code swallowed the alarm
PATIENCE = 2  # times the limit: what has not come back to the interpreter by then never will

_patience_s = math.inf  # of ``last_resort``, within its block
_seen_alive = 0.0
_stderr = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2  # where the last words go (``speak_to``)


class HungError(BaseException):
    """Still running at the end of its time. No ``Exception``: a kernel that catches all of those does not catch this."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises ``HungError`` in the block once it has run for so long; only where the system has SIGALRM, and in the main thread.

    An alarm reaches what comes back to the interpreter; for a C loop that never does there is ``last_resort``. Time in which the
    process was halted (Ctrl-Z) does not count. An earlier timer is set again afterwards; one that ends sooner is left to itself.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    _live()
    if 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        yield
        return
    tick = min(AGAIN_S, seconds / 10)
    began = last = time.monotonic()
    spent = 0.0

    def ring(number: int, frame: FrameType | None) -> None:
        nonlocal last, spent
        _live()
        now = time.monotonic()
        spent += min(now - last, 2 * tick)  # far more than a tick went by where somebody had halted the process
        last = now
        if spent >= seconds:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)  # time enough to clear up
            raise HungError(f"still running after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    left, interval = 0.0, 0.0
    try:
        left, interval = signal.setitimer(signal.ITIMER_REAL, tick, tick)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-6), interval)


@contextmanager
def last_resort(seconds: float) -> Iterator[None]:
    """The end of the process, with the stack of what hangs, where nothing in the block has come back to the interpreter for so long.

    A sign of life is a limit (``limited``) that begins in it, or a second that passes under one. Time after Ctrl-Z does not count.
    """
    global _patience_s
    _patience_s = PATIENCE * seconds
    _live(always=True)
    halts = hasattr(signal, "SIGTSTP") and threading.current_thread() is threading.main_thread()
    halts = halts and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL
    if halts:
        signal.signal(signal.SIGTSTP, _halt)
    try:
        yield
    finally:
        _patience_s = math.inf
        faulthandler.cancel_dump_traceback_later()
        if halts:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def _live(always: bool = False) -> None:
    """A sign of life: the end is as far off as at first. Only once a second, for it takes a new thread."""
    global _seen_alive
    now = time.monotonic()
    if math.isfinite(_patience_s) and (always or now - _seen_alive > AGAIN_S):
        _seen_alive = now
        faulthandler.dump_traceback_later(_patience_s, exit=True, file=_stderr)


def _halt(number: int, frame: FrameType | None) -> None:
    """Stop as Ctrl-Z would, without the clock that would end the process as soon as it goes on."""
    faulthandler.cancel_dump_traceback_later()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.signal(number, _halt)
    _live(always=True)


def speak_to(stderr: int) -> None:
    """The file descriptor of the standard error, past whoever captures it."""
    global _stderr
    _stderr = stderr


def limit_of(text: str | None) -> float | None:
    """The value of ``--cell-limit`` in seconds, None without one. Raises ``ValueError`` in one line."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"--cell-limit: got {text!r}; expected a number of seconds, more than 0")
    return seconds


def usual_limit(call_limit_s: float) -> float:
    """Two minutes, or longer where calls may take long: enough for first calls and their verification, some 20 calls, twice over."""
    return max(LIMIT_S, 40 * call_limit_s)

"""A time limit for a contender that hangs: it gets a status, and the run goes on."""

from __future__ import annotations

import faulthandler
import math
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

_stderr = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2  # where the last words go (``speak_to``)


class HungError(BaseException):
    """Still running at the end of its time. No ``Exception``: a kernel that catches all of those does not catch this."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises ``HungError`` in the block once it has run for so long; only where the system has SIGALRM, and in the main thread.

    An alarm reaches what comes back to the interpreter. Code that never does, a C loop, ends the process after twice the time: its
    stack is written to the standard error, and what was measured before is on the disk. Time in which the process was halted (Ctrl-Z)
    does not count. An earlier timer is set again afterwards; one that ends sooner is left to itself.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    if 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        yield
        return
    tick = min(AGAIN_S, seconds / 10)
    began = last = time.monotonic()
    spent = 0.0

    def ring(number: int, frame: FrameType | None) -> None:
        nonlocal last, spent
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
    """The end of the process, with the stack of what hangs, where the block runs for so much longer than anything in it may."""
    faulthandler.dump_traceback_later(PATIENCE * seconds, exit=True, file=_stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def speak_to(stderr: int) -> None:
    """The file descriptor of the standard error, past whoever captures it."""
    global _stderr
    _stderr = stderr


def limit_of(text: str | None) -> float:
    """The value of ``--cell-limit`` in seconds; two minutes without one. Raises ``ValueError`` in one line."""
    if text is None:
        return LIMIT_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"--cell-limit: got {text!r}; expected a number of seconds, more than 0")
    return seconds

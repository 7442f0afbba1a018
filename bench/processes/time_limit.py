"""The time limit of a kernel: waiting for a process's answer, no longer than the kernel in hand may take, and where it hangs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Literal

TICK_S = 1.0
PATIENCE_S = 2.0  # for the stack of what hangs to be written


def wait(pipe: Connection, n_turns: Callable[[], int], alive: Callable[[], bool], limit_s: float) -> Literal["answered", "died", "hangs"]:
    """Wait until the process has answered or died, or until one turn has taken longer than ``limit_s`` seconds.

    ``n_turns``: how many turns have begun there. Time in which this process was halted (Ctrl-Z) does not count: far more than a tick goes
    by then.
    """
    tick = min(TICK_S, limit_s / 10)
    spent, turns, last = 0.0, -1, time.monotonic()
    while not pipe.poll(tick):
        now = time.monotonic()
        spent, turns = (spent, turns) if turns == n_turns() else (0.0, n_turns())
        spent += min(now - last, 2 * tick)
        last = now
        if not alive() and not pipe.poll(0):  # a child of its own may hold the other end
            return "died"
        if spent >= limit_s:
            return "hangs"
    return "answered"


def place_of(pid: int | None, stack: IO[str]) -> str:
    """The file and line that a process is at, ``(kernel.py, line 3 in backward)``, as far as it can still tell.

    ``stack``: the file that it writes its stack to when it gets SIGUSR1.
    """
    if pid is None or not hasattr(signal, "SIGUSR1"):
        return ""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGUSR1)
    frames: list[list[str]] = []
    end = time.monotonic() + PATIENCE_S
    while not frames and time.monotonic() < end:  # it writes when it is let on, and says nothing
        time.sleep(0.1)
        frames = [line.split('"') for line in stack.read().splitlines() if line.startswith('  File "')]
    return f" ({Path(frames[0][1]).name}{frames[0][2]})" if frames else ""

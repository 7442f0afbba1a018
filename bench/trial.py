"""A user's kernel makes its first calls in a process of its own: what never returns there, or dies, does not take the run with it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from bench.first_call import name_of
from bench.grid import Cell
from bench.passes import first_calls, unwarned
from bench.peers import peer_of
from bench.threads import threads_held
from bench.verified import KernelClass
from kernels import load
from kernels.protocol import BUILT_IN


class DiedError(Exception):
    """The process ended, and not by itself."""


class Trial:
    """One process for all trials of a run, started when the first is due, and anew after one that it did not survive."""

    def __init__(self) -> None:
        self._process: Any = None  # multiprocessing's classes for the ways to start one have no common type
        self._pipe: Connection | None = None

    def of(self, label: str, kernel_class: KernelClass) -> Callable[[Cell], None]:
        """A function that makes the kernel's first calls at a cell, there; what they return or raise is for the calls here to show.

        It does nothing for built-in kernels and peers, for what no other process could load, and where there can be no other process.
        Otherwise it raises ``DiedError``, and what interrupts its waiting, ``HungError`` of a limit around it, ends the process.
        """
        name = None if label in BUILT_IN or peer_of(kernel_class) else name_of(label, kernel_class)
        try:
            if name is not None:
                self._ready()
                return partial(self._try, name)
        except (EOFError, OSError):  # it died as it began, or the system has no room for it
            self.close()
        return lambda cell: None

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None

    def _try(self, name: str, cell: Cell) -> None:
        try:
            pipe = self._ready()
            pipe.send((name, cell))
            pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            raise DiedError(f"its process died in the first calls: {_fate(self._process.exitcode)}") from None
        except BaseException:
            self.close()
            raise

    def _ready(self) -> Connection:
        """The way to the process, which has imported what it needs."""
        if self._pipe is None or not self._process.is_alive():
            spawn = multiprocessing.get_context("spawn")  # a fork would have this one's locks and threads half
            self._pipe, theirs = spawn.Pipe()
            self._process = spawn.Process(target=_serve, args=(theirs,), name="deltacheck trial", daemon=True)
            self._process.start()
            theirs.close()
            self._pipe.recv()
        return self._pipe


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run
    pipe.send(None)
    while True:
        try:
            name, cell = pipe.recv()
        except EOFError:
            return
        with suppress(BaseException), threads_held(cell.threads), unwarned():
            first_calls(load(name), cell)
        pipe.send(None)


def _fate(exitcode: int) -> str:
    return signal.Signals(-exitcode).name if exitcode < 0 else f"exit status {exitcode}"

"""A process that kernels run in, as the run sees it: what hangs or dies there does not take the run with it."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.processes.time_limit import place_of, wait
from deltacheck.bench.processes.worker import NOBODY, in_hand, serve

PATIENCE_S = 2.0


class LostError(Exception):
    """A process that is no more, and who was in hand, or "": ``status`` is what that one gets, ``timeout`` or ``error``."""

    def __init__(self, name: str, status: str, what: str, detail: str) -> None:
        super().__init__(f"{what}{detail}")
        self.name = name
        self.status = status
        self.detail = detail  # where it hung, or how it ended
        self._what = what

    def said(self, during: str) -> str:
        """What happened, when, and what more there is to say."""
        return " ".join(filter(None, (self._what, during))) + self.detail


class Process:
    """One of them. What its kernels print goes where the output of the run goes."""

    def __init__(self, number: int, contenders: Contenders, labels: Sequence[str]) -> None:
        self.held: tuple[Cell, Budget] | None = None  # what it has begun with
        self.entered: set[str] = set()  # the kernels that can be timed there
        self._labels = in_hand(labels)
        self._stack = tempfile.NamedTemporaryFile("r", prefix="deltacheck-", encoding="utf-8", delete=False)  # noqa: SIM115, lives as long
        spawn = multiprocessing.get_context("spawn")  # a fork would have this one's locks, and its luck
        self._hand = spawn.RawArray("q", [NOBODY, 0])
        self._pipe, theirs = spawn.Pipe()
        arguments = theirs, number, contenders, self._hand, self._stack.name
        self._process = spawn.Process(target=serve, args=arguments, name=f"deltacheck {number}", daemon=True)
        with without_main():
            self._process.start()
        theirs.close()

    def ready(self, limit_s: float) -> None:
        """Wait until it has loaded the kernels. Raises ``RuntimeError`` where it cannot."""
        try:
            self._answer(limit_s)
        except (LostError, RuntimeError) as error:
            self.end()
            raise RuntimeError(f"no process for the kernels could begin: {error}") from None
        self._unlink()  # both have it open

    def call(self, request: str, *arguments: Any, limit_s: float) -> Any:
        """What a method of ``deltacheck.bench.processes.worker.Worker`` returns.

        Raises ``LostError`` where the process died, or was ended because somebody took longer than the limit; ``RuntimeError`` with its
        traceback where the suite itself failed there.
        """
        with suppress(OSError):  # it may have died since; then there is no answer
            self._pipe.send((request, arguments))
        return self._answer(limit_s)

    def alive(self) -> bool:
        """Whether it still answers; somebody may have killed it."""
        return bool(self._process.is_alive())

    def end(self, patience_s: float = PATIENCE_S) -> None:
        """Have it end by itself, for kernels may have something to clear up; kill it where it does not."""
        self._pipe.close()
        self._process.join(patience_s)
        self._process.kill()
        self._process.join()
        self._stack.close()
        self._unlink()

    def _unlink(self) -> None:
        with suppress(OSError):  # some systems keep what is open
            Path(self._stack.name).unlink(missing_ok=True)

    def _answer(self, limit_s: float) -> Any:
        outcome = wait(self._pipe, lambda: int(self._hand[1]), self.alive, limit_s)
        if outcome == "hangs":
            raise self._lost("timeout", f"still running after {limit_s:g} s", self._where())
        try:
            if outcome == "died":
                raise EOFError
            answer, failure = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(PATIENCE_S)
            raise self._lost("error", "its process died", f": {fate(self._process.exitcode)}") from None
        if failure:
            raise RuntimeError(failure)
        return answer

    def _lost(self, status: str, what: str, detail: str) -> LostError:
        place = self._hand[0]
        self.end(0)
        return LostError("" if place == NOBODY else self._labels[place], status, what, detail)

    def _where(self) -> str:
        return place_of(self._process.pid, self._stack)


@contextmanager
def without_main() -> Iterator[None]:
    """Let a process begin without running the main script once more, which may have no guard; nothing of it is needed there."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def fate(exitcode: int | None) -> str:
    """How a process ended, by its exit code."""
    return signal.Signals(-exitcode).name if exitcode is not None and exitcode < 0 else f"exit status {exitcode}"

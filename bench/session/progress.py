"""How far the run is, live in the terminal; a line for each network and batch where the output goes to a file."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from deltacheck.bench.cells.result import Clock


class Progress:
    """Writes through pytest's own terminal reporter, and begins lines rather than ending them: pytest goes on where it was."""

    def __init__(self, config: pytest.Config, total: int, cells: int, clock: Clock = time.monotonic) -> None:
        self.total = total
        self.cells = cells
        self._took: list[float] = []  # seconds, of each cell and phase that is done, in each process
        self._admissions: list[float] = []  # of verifying the kernels of a cell
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._clock = clock
        self._since = clock()
        self._over = False  # the line at the cursor is one to be written over
        tty = self._reporter is not None and self._reporter.isatty and self._reporter.verbosity <= 0
        # With -s what kernels print would land on the line; a dumb terminal cannot go back on one.
        self._live = tty and config.getoption("capture", "no") != "no" and os.environ.get("TERM") != "dumb"

    @property
    def done(self) -> int:
        """How many cells and phases, in each process."""
        return len(self._took)

    def advance(self) -> None:
        """One more is done."""
        self._lap(self._took)

    def admitted(self) -> None:
        """The kernels of one more cell are verified."""
        self._lap(self._admissions)

    def _lap(self, times: list[float]) -> None:
        now = self._clock()
        times.append(now - self._since)
        self._since = now

    def say(self, text: str) -> None:
        """What is being done right now: on a terminal only, one line that is written over and over."""
        if self._live:
            self._write([f"{standing}: {text}" for standing in self.standings()], over=True)

    def finished(self, place: str) -> None:
        """A network and batch is through: a line that stays."""
        if self._reporter is not None:
            self._write([f"{place:<{pad}} {standing}" for standing in self.standings() for pad in (28, 0)], over=False)

    def _write(self, texts: list[str], over: bool) -> None:
        """The first of them that fits on the terminal's line: what wraps cannot be written over."""
        assert self._reporter is not None
        uncaptured = self._capture.global_and_fixture_disabled() if self._capture else nullcontext()
        with uncaptured:
            if self._reporter.verbosity > 0:
                self._reporter.write_line(texts[0])
            elif self._live:
                if not self._over:
                    self._reporter.write("\n")
                # Asked for here: where output is captured, there is no terminal to tell. Its last column may begin a new line, and
                # pytest's own erase=True takes one of less than 40 columns for one of 80.
                room = shutil.get_terminal_size().columns - 1
                self._reporter.rewrite(next((text for text in texts if len(text) <= room), texts[-1][:room]).ljust(room))
            else:
                self._reporter.write("\n" + texts[0])
            self._reporter.flush()
        self._over = over

    def standings(self) -> list[str]:
        """``12 of 108 done, 96 to go, about 2 min 10 s left``, and in fewer words.

        The longest of each kind does not count: at the first of all, whatever has to be compiled is, and constants are taken.
        """
        to_go = self.total - self.done
        seconds = [n * usual(times) for n, times in ((to_go, self._took), (self.cells - len(self._admissions), self._admissions)) if n]
        left = f", about {duration(sum(seconds))} left" if self.done > 1 and to_go else ""
        count = f"{self.done} of {self.total}"
        return [f"{count} done, {to_go} to go{left}", f"{count} done{left}", f"{count}{left}", count]


def usual(times: Sequence[float]) -> float:
    """Their mean but for the longest; 0 where that leaves nothing."""
    return sum(sorted(times)[:-1]) / max(1, len(times) - 1)


def duration(seconds: float) -> str:
    """``2 min 10 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

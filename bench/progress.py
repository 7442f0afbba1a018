"""How far the run is, live in the terminal; a line for each network and batch where the output goes to a file."""

from __future__ import annotations

import shutil
import time
from contextlib import nullcontext
from typing import Any

import pytest

from bench.measure import Clock


class Progress:
    """Writes through pytest's own terminal reporter, and begins lines rather than ending them: pytest goes on where it was."""

    def __init__(self, config: pytest.Config, total: int, clock: Clock = time.monotonic) -> None:
        self.total = total
        self._took: list[float] = []  # seconds, of each cell and phase that is done
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._clock = clock
        self._since = clock()
        self._live = False  # the line at the cursor is one to be written over

    @property
    def done(self) -> int:
        """How many cells and phases."""
        return len(self._took)

    def advance(self) -> None:
        """One more is done."""
        now = self._clock()
        self._took.append(now - self._since)
        self._since = now

    def say(self, text: str) -> None:
        """What is being done right now: on a terminal only, one line that is written over and over."""
        if self._reporter is not None and self._reporter.isatty and self._reporter.verbosity <= 0:
            self._write(f"{self.standing()}: {text}", live=True)

    def finished(self, place: str) -> None:
        """A network and batch is through: a line that stays."""
        if self._reporter is not None:
            self._write(f"{place:<28} {self.standing()}", live=False)

    def _write(self, text: str, live: bool) -> None:
        assert self._reporter is not None
        uncaptured = self._capture.global_and_fixture_disabled() if self._capture else nullcontext()
        with uncaptured:
            if self._reporter.verbosity > 0:
                self._reporter.write_line(text)
            elif self._reporter.isatty:
                if not self._live:
                    self._reporter.write("\n")
                self._reporter.rewrite(text[: shutil.get_terminal_size().columns - 1], erase=True)
            else:
                self._reporter.write("\n" + text)
            self._reporter.flush()
        self._live = live

    def standing(self) -> str:
        """``12 of 108 done, 96 to go, about 2 min 10 s left``.

        The longest of them does not count: at the first of all, whatever has to be compiled is, and yardsticks are taken.
        """
        to_go = self.total - self.done
        usual = sorted(self._took)[:-1]
        left = f", about {duration(to_go * sum(usual) / len(usual))} left" if usual and to_go else ""
        return f"{self.done} of {self.total} done, {to_go} to go{left}"


def duration(seconds: float) -> str:
    """``2 min 10 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

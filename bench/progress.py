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
        self.done = 0
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._clock = clock
        self._started = clock()
        self._live = False  # the line at the cursor is one to be written over

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
        """``12 of 108 done, 96 to go, about 2 min 10 s left``."""
        to_go = self.total - self.done
        left = f", about {duration((self._clock() - self._started) / self.done * to_go)} left" if self.done and to_go else ""
        return f"{self.done} of {self.total} done, {to_go} to go{left}"


def duration(seconds: float) -> str:
    """``2 min 10 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

"""How far the run is, live in the terminal; a line for each network and batch where the output goes to a file."""

from __future__ import annotations

import time

import pytest

from bench.measure import Clock


class Progress:
    """Writes through pytest's own terminal reporter, and begins lines rather than ending them: pytest goes on where it was."""

    def __init__(self, reporter: pytest.TerminalReporter | None, total: int, clock: Clock = time.monotonic) -> None:
        self.total = total
        self.done = 0
        self._reporter = reporter
        self._clock = clock
        self._started = clock()
        self._live = False

    def say(self, text: str) -> None:
        """What is being done right now: on a terminal only, one line that is written over and over."""
        if self._reporter is None or not self._reporter.isatty or self._reporter.verbosity > 0:
            return
        if not self._live:
            self._reporter.write("\n")
            self._live = True
        width = self._reporter._tw.fullwidth - 1
        self._reporter.rewrite(f"{self.standing()}: {text}"[:width], erase=True)
        self._reporter.flush()

    def finished(self, place: str) -> None:
        """A network and batch is through: a line that stays."""
        self.line(f"{place:<28} {self.standing()}")

    def line(self, text: str) -> None:
        """A line that stays."""
        if self._reporter is None:
            return
        if self._reporter.verbosity > 0:
            self._reporter.write_line(text)
        elif self._live:
            self._reporter.rewrite(text, erase=True)
            self._live = False
        else:
            self._reporter.write("\n" + text)
        self._reporter.flush()

    def standing(self) -> str:
        """``12 of 108 done, 96 to go, about 2 min 10 s left``."""
        to_go = self.total - self.done
        left = f", about {duration((self._clock() - self._started) / self.done * to_go)} left" if self.done and to_go else ""
        return f"{self.done} of {self.total} done, {to_go} to go{left}"


def duration(seconds: float) -> str:
    """``2 min 10 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

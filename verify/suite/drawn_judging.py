"""A kernel judged at drawn configurations: the verdict of each, and what a failure comes down to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.judging.judge_laid_out import judge_laid_out
from deltacheck.verify.suite.configurations import Configuration
from deltacheck.verify.suite.drawn_points import point_of, telling
from deltacheck.verify.suite.shrinking import Smallest
from deltacheck.verify.verdict.report import Report

LONG_S = 0.5  # a configuration that would take a kernel longer is left out, and listed so
RECENT = 30  # judgements that tell how long the next will take
SMALLEST = Configuration((1, 1), 1, ("tanh",))
SHOWN = 6  # lines of a report


@dataclass(frozen=True)
class Judged:
    """A configuration, and the verdict at it: ``pass``, ``fail``, ``inconclusive``, ``unsupported`` or ``too_slow``."""

    configuration: Configuration
    verdict: str
    seconds: float = 0.0
    message: str = ""
    report: Report | None = field(default=None, compare=False)


def judged(kernel_class: KernelClass, configurations: Iterable[Configuration]) -> Iterator[Judged]:
    """The verdicts, the cheap ones first."""
    expected = expected_of(kernel_class)
    for configuration in sorted(map(telling, configurations), key=lambda one: one.multiply_adds):
        expected_s = expected.seconds(configuration)
        if expected_s > LONG_S:
            yield Judged(configuration, "too_slow", message=f"by smaller ones it would take {expected_s:.2g} s")
            continue
        started = time.perf_counter()
        try:
            report = judge_at(kernel_class, configuration)
        except NotImplementedError as error:
            yield Judged(configuration, "unsupported", message=str(error))
            continue
        seconds = time.perf_counter() - started
        expected.took(configuration, seconds)
        yield Judged(configuration, report.verdict, seconds, report.message, report)


@lru_cache(8)
def expected_of(kernel_class: KernelClass) -> Expected:
    """What is known of the kernel by all that it was judged at, of whatever dimension."""
    return Expected(kernel_class)


class Expected:
    """How long a kernel will take at a configuration, by those that it was judged at before.

    The fastest of the last ones tells, for many may have compiled something, or met with a busy machine. Before a kernel is taken for
    slow, the last one is judged once more.
    """

    def __init__(self, kernel_class: KernelClass) -> None:
        self._kernel_class = kernel_class
        self._recent: deque[tuple[float, int]] = deque(maxlen=RECENT)  # seconds and multiply-adds
        self._last: Configuration | None = None
        self._at_least: float | None = None  # seconds that it takes however small the network is

    def took(self, configuration: Configuration, seconds: float) -> None:
        """Take note of a judgement."""
        self._recent.append((seconds, configuration.multiply_adds))
        self._last = configuration

    def seconds(self, configuration: Configuration) -> float:
        """The seconds that are to be expected; 0 where nothing is known."""
        if self._by_recent(configuration) > LONG_S and self._at_least is None:
            self._at_least = min(self._judged_again(SMALLEST), self._judged_again(SMALLEST))
        if self._by_recent(configuration) > LONG_S and self._last is not None:
            self._recent.append((self._judged_again(self._last), self._last.multiply_adds))
            self._last = None
        return self._by_recent(configuration)

    def _by_recent(self, configuration: Configuration) -> float:
        """What takes no more than twice as long as the smallest network says nothing of size."""
        least = self._at_least or 0.0
        each_s = ((seconds - least) / count if seconds > 2 * least else 0.0 for seconds, count in self._recent)
        return min(each_s, default=0.0) * configuration.multiply_adds

    def _judged_again(self, configuration: Configuration) -> float:
        started = time.perf_counter()
        with suppress(NotImplementedError):
            judge_at(self._kernel_class, configuration)
        return time.perf_counter() - started


def judge_at(kernel_class: KernelClass, configuration: Configuration) -> Report:
    """The report at one configuration. Lets ``NotImplementedError`` through."""
    point = point_of(configuration)
    return judge_laid_out(kernel_class, configuration.network, point.inputs, point.reference, configuration.earlier, configuration.between)


def explained(kernel_class: KernelClass, found: Sequence[Judged]) -> list[str]:
    """What the failures among the verdicts come down to, line by line: how many, the smallest that could be made of one, and where."""
    bad = [one for one in found if one.verdict in ("fail", "inconclusive")]
    first = min(bad, key=lambda one: (one.verdict != "fail", one.configuration.multiply_adds, one.configuration))

    def fails(configuration: Configuration) -> bool:
        try:
            return judge_at(kernel_class, configuration).verdict == first.verdict
        except NotImplementedError:
            return False

    smallest = Smallest(first.configuration, fails)
    configuration = smallest.shrink()
    report = judge_at(kernel_class, configuration)
    lines = [f"at {len(bad)} of {len(found)} drawn configurations; the smallest that fails so: {configuration}"]
    return [*lines, *smallest.where(), *str(report).splitlines()[:SHOWN]]

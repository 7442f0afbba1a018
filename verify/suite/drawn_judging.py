"""A kernel judged at drawn configurations: the verdict of each, and what a failure comes down to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.judging.judge_laid_out import judge_laid_out
from deltacheck.verify.suite.configurations import Configuration
from deltacheck.verify.suite.drawn_points import point_of, telling
from deltacheck.verify.suite.shrinking import Smallest
from deltacheck.verify.verdict.report import Report

LONG_S = 1.0  # a configuration that would take a kernel longer is left out, and listed so
RECENT = 30  # judgements that tell how long the next will take: the fastest of them, for many may have compiled something
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
    recent: deque[tuple[float, int]] = deque(maxlen=RECENT)  # seconds and multiply-adds of the last ones judged
    least_s = inf  # what a call takes however small the network is
    for configuration in sorted(map(telling, configurations), key=lambda one: one.multiply_adds):
        each_s = min(((seconds - least_s) / count for seconds, count in recent), default=0.0)
        expected_s = each_s * configuration.multiply_adds
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
        least_s = min(least_s, seconds)
        recent.append((seconds, configuration.multiply_adds))
        yield Judged(configuration, report.verdict, seconds, report.message, report)


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

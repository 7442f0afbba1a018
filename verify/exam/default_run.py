"""What a usual run of ``pytest verify/ --kernel`` says of a kernel, up to the first thing that fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.judging.contract_checks import TooSlow, all_violations
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.suite.cases import CASES, CONTRACT_CASES, CONTRACT_S, point, reference_of
from deltacheck.verify.suite.covering import covering
from deltacheck.verify.suite.drawn_judging import judged

DTYPES = ("float64", "float32")


class Caught(NamedTuple):
    """By what a kernel was caught, or ``nothing``; the first line that is said, and after how many seconds."""

    by: str
    message: str
    seconds: float


def default_run(kernel_class: KernelClass, seed: int = 0) -> Caught:
    """Judge the kernel as the suite does: the contract, the cases, the drawn configurations."""
    started = time.perf_counter()
    with np.errstate(all="ignore"):
        for by, message in _failures(kernel_class, seed):
            return Caught(by, message, time.perf_counter() - started)
    return Caught("nothing", "", time.perf_counter() - started)


def _failures(kernel_class: KernelClass, seed: int) -> Iterator[tuple[str, str]]:
    for case in CONTRACT_CASES:
        for dtype in DTYPES:
            try:
                found = all_violations(kernel_class, case.network, *point(case, dtype), at_most_s=CONTRACT_S)
            except (NotImplementedError, TooSlow):
                continue
            if found:
                yield "contract", found[0].text
    for case in sorted(CASES, key=lambda case: case.network.n_parameters * case.batch):
        for dtype in DTYPES:
            try:
                report = judge(kernel_class, case.network, *point(case, dtype), against=reference_of(case, dtype))
            except NotImplementedError:
                continue
            if report.verdict != "pass":
                yield "cases", f"{case.name}: {report.message}"
    for one in judged(kernel_class, [configuration for _, configuration in covering(seed)]):
        if one.verdict in ("fail", "inconclusive"):
            yield "drawn", f"{one.configuration}: {one.message}"

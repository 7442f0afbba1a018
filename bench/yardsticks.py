"""What a run's times are held against beside each other, measured once before its cells: the peak, first calls, calls of no size."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.contest import NAN, NO_CONTENDERS
from bench.first_call import cold_and_cached
from bench.grid import Cell
from bench.measure import Budget
from bench.peak import peak_gflops
from bench.processes import Processes
from bench.reach import Reach
from kernels import Network

SMALLEST = Network((1, 1))  # next to no arithmetic: what a step of it takes is taken by any
DISPATCH_S = 0.1  # of timing, all kernels together


@dataclass(frozen=True)
class Yardsticks:
    """``peak_gflops``: by dtype and threads, None without a JIT compiler. ``first_calls_s``: by kernel and dtype, cold and cached.

    ``dispatch_s``: by kernel, dtype and threads, what a step costs whatever the size.
    """

    peak_gflops: dict[tuple[str, int], float | None] = field(default_factory=dict)
    first_calls_s: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    dispatch_s: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def first_calls(self, kernel: str | None, dtype: str) -> tuple[float, float]:
        """Seconds of a kernel's first call, cold and cached; NaN where it was not measured."""
        return self.first_calls_s.get((kernel or "", dtype), (NAN, NAN))

    def told(self) -> dict[str, Any]:
        """As run.json has them: a dtype's peaks by the number of threads; a record for each first call and dispatch, null for NaN."""
        peaks: dict[str, dict[str, float | None]] = {}
        for (dtype, threads), peak in self.peak_gflops.items():
            peaks.setdefault(dtype, {})[str(threads)] = peak
        return {
            "peak_gflops": peaks,
            "first_calls": [
                {"kernel": kernel, "dtype": dtype, "cold_s": none_for_nan(cold), "cached_s": none_for_nan(cached)}
                for (kernel, dtype), (cold, cached) in self.first_calls_s.items()
            ],
            "dispatch": [
                {"kernel": kernel, "dtype": dtype, "threads": threads, "dispatch_s": none_for_nan(seconds)}
                for (kernel, dtype, threads), seconds in self.dispatch_s.items()
            ],
        }

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Yardsticks:
        """Those that a run.json tells of. Raises ``KeyError`` and ``TypeError`` where it is none."""
        first = ((told["kernel"], told["dtype"], told["cold_s"], told["cached_s"]) for told in about["first_calls"])
        steps = ((told["kernel"], told["dtype"], told["threads"], told["dispatch_s"]) for told in about["dispatch"])
        return cls(
            {(dtype, int(n)): peak for dtype, peaks in about["peak_gflops"].items() for n, peak in peaks.items()},
            {(kernel, dtype): (nan_for_none(cold), nan_for_none(cached)) for kernel, dtype, cold, cached in first},
            {(kernel, dtype, threads): nan_for_none(seconds) for kernel, dtype, threads, seconds in steps},
        )


NONE = Yardsticks()


def none_for_nan(value: float) -> float | None:
    """None for NaN, which JSON does not have."""
    return None if value != value else value


def nan_for_none(value: float | None) -> float:
    """NaN for None."""
    return NAN if value is None else float(value)


def yardsticks(
    cells: Iterable[Cell],
    kernels: Collection[tuple[str, str]],
    names: Mapping[str, str],
    processes: Processes,
    budget: Budget,
    say: Callable[[str], None],
) -> Yardsticks:
    """Measure them for these cells, and for kernels by label and dtype; first calls of those that have names to be loaded by."""
    found = Yardsticks()
    for dtype, threads in dict.fromkeys((cell.dtype, cell.threads) for cell in cells):
        say(f"the machine's peak, {dtype}, {threads} threads")
        found.peak_gflops[dtype, threads] = peak_gflops(dtype, threads)
        entered = [label for label, of_dtype in kernels if of_dtype == dtype]
        say(f"a step of the smallest network, {dtype}, {threads} threads")
        for label, step_s in dispatch(entered, dtype, threads, budget, processes).items():
            found.dispatch_s[label, dtype, threads] = step_s
    for label, dtype in kernels:
        if label in names:
            say(f"the first call of {label}, {dtype}, in a fresh process")
            found.first_calls_s[label, dtype] = cold_and_cached(names[label], dtype, budget.limit_s)
    return found


def dispatch(kernels: Collection[str], dtype: str, threads: int, budget: Budget, processes: Processes) -> dict[str, float]:
    """The median seconds of a step of a 1-1 network on one sample, by kernel, verified and timed in turns as any cell; NaN: no time."""
    short = replace(budget, total_s=min(DISPATCH_S, budget.total_s))
    cell = Cell(SMALLEST, 1, dtype, threads)
    admitted = processes.admit(cell, kernels, short, Reach())
    results = processes.time(cell, "step", {name: of["step"] for name, of in admitted.items()}, short, kept=False)
    return {
        name: float(np.median([turn.seconds for turn in result.turns])) if result.turns else NAN
        for name, result in results.items()
        if name not in NO_CONTENDERS
    }

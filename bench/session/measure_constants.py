"""What a run's times are held against beside each other, measured once before its cells: the peak, first calls, calls of no size."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import NAN, NOT_CONTENDERS
from deltacheck.bench.cells.run_constants import RunConstants
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.machine.peak_flops import peak_gflops
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.timing.first_call import cold_and_cached
from deltacheck.bench.timing.step_time_estimates import StepTimes
from deltacheck.kernels import Network

SMALLEST = Network((1, 1))  # next to no arithmetic: what a step of it takes is taken by any
DISPATCH_S = 0.1  # of timing, all kernels together


def measured_constants(
    cells: Iterable[Cell],
    kernels: Collection[tuple[str, str]],
    names: Mapping[str, str],
    processes: Processes,
    budget: Budget,
    say: Callable[[str], None],
) -> RunConstants:
    """Measure them for these cells, and for kernels by label and dtype; first calls of those that have names to be loaded by."""
    found = RunConstants()
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
    admitted = processes.admit(cell, kernels, short, StepTimes())
    results = processes.time(cell, "step", {name: of["step"] for name, of in admitted.items()}, short, kept=False)
    return {
        name: float(np.median([turn.seconds for turn in result.turns])) if result.turns else NAN
        for name, result in results.items()
        if name not in NOT_CONTENDERS
    }

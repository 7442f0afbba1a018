"""From the samples of a contest to pytest-benchmark's table: it is handed durations that were measured in turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import Admitted, Result
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.session.run import Plan, Run, kernels_of
from deltacheck.bench.timing.step_time_estimates import StepTimes

SHOWN = (
    *("run_id", "status", "verdict", "max_rel_error", "baseline", "speedup", "speedup_ci_low", "speedup_ci_high", "speedup_vs_numpy"),
    *("gflops", "share_of_peak", "share_of_gemm", "first_call_s", "dispatch_s", "peak_bytes"),
)


class Replay:
    """A timer that has seen it all before: pytest-benchmark reads it twice a round, and gets the round's own duration."""

    __name__ = "deltacheck.bench.session.replay.Replay"  # pytest-benchmark writes it into its JSON

    def __init__(self, seconds: list[float]) -> None:
        self._readings = iter([reading for duration in seconds for reading in (0.0, duration)])

    def __call__(self) -> float:
        """The next reading, in seconds."""
        return next(self._readings)


class KernelFailedError(Exception):
    """A kernel that raised, or has no passing verdict."""


@dataclass(frozen=True)
class Entry:
    """A contender in a timed test: its result, and what goes beside it into pytest-benchmark's JSON."""

    result: Result
    extra: dict[str, Any] = field(default_factory=dict)

    def play(self, benchmark: Any) -> None:
        """Skip, fail, or replay the samples."""
        if self.result.status in ("too_slow", "unsupported"):
            pytest.skip(f"{self.result.status}: {self.result.message}")
        benchmark.extra_info.update(self.extra)
        turns = self.result.turns
        failed = ""
        try:
            benchmark.pedantic(self._once, rounds=max(1, len(turns)), iterations=turns[0].iterations if turns else 1)
        except KernelFailedError as failure:  # raised inside pytest-benchmark, so that it knows of an error and keeps no row
            failed = str(failure)
        if failed:  # not while that is handled: both would be shown
            pytest.fail(failed, pytrace=False)

    def _once(self) -> None:
        if self.result.status != "ok":
            raise KernelFailedError(f"{self.result.status}: {self.result.message}")


def measured(run: Run, cell: Cell, phase: str, kernel: str) -> tuple[Entry, Replay]:
    """The contender with its samples, and the timer that replays them."""
    result = run.result(cell, phase, kernel)
    row = run.row(cell, phase, kernel)
    extra = {name: None if row[name] != row[name] else row[name] for name in SHOWN}  # JSON has no NaN
    # pytest-benchmark knows of one number of iterations for all rounds
    return Entry(result, extra), Replay([turn.seconds * result.turns[0].iterations for turn in result.turns] or [0.0])


class Smoke:
    """What --benchmark-disable runs: each contender makes one call of each phase, unless that would take too long.

    ``plan``: what the tests will ask for.
    """

    def __init__(self, processes: Processes, plan: Plan, budget: Budget) -> None:
        self._processes = processes
        self._plan = plan
        self._budget = budget
        self._step_times = StepTimes()
        self._admitted: dict[Cell, dict[str, Admitted]] = {}

    def entry(self, cell: Cell, phase: str, kernel: str) -> Entry:
        """The contender, which has made its calls."""
        if cell not in self._admitted:
            names = kernels_of(self._plan, cell)
            self._admitted[cell] = self._processes.admit(cell, names, self._budget, self._step_times, verified=False)
        return Entry(self._admitted[cell][kernel][phase])

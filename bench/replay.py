"""From the samples of a contest to pytest-benchmark's table: it is handed durations that were measured in turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bench.contest import Result
from bench.grid import Cell
from bench.limit import HungError, limited
from bench.measure import Budget, Call
from bench.passes import first_calls, passes, unwarned
from bench.peers import NO_BACKWARD, peer_of
from bench.reach import Reach, too_far
from bench.run import Run
from bench.verified import KernelClass
from kernels.protocol import one_line, one_line_and_place

SHOWN = (
    *("run_id", "status", "verdict", "max_rel_error", "baseline", "speedup", "speedup_ci_low", "speedup_ci_high", "speedup_vs_numpy"),
    *("gflops", "share_of_peak", "share_of_gemm", "first_call_s", "dispatch_s", "peak_bytes"),
)


class Replay:
    """A timer that has seen it all before: pytest-benchmark reads it twice a round, and gets the round's own duration."""

    __name__ = "bench.replay.Replay"  # pytest-benchmark writes it into its JSON

    def __init__(self, seconds: list[float]) -> None:
        self._readings = iter([reading for duration in seconds for reading in (0.0, duration)])

    def __call__(self) -> float:
        """The next reading, in seconds."""
        return next(self._readings)


class KernelFailedError(Exception):
    """A kernel that raised, or has no passing verdict."""


@dataclass(frozen=True)
class Entry:
    """A contender in a timed test: its result, what goes beside it into pytest-benchmark's JSON, and perhaps a call to make."""

    result: Result
    extra: dict[str, Any] = field(default_factory=dict)
    call: Call | None = None

    def play(self, benchmark: Any) -> None:
        """Skip, fail, or replay the samples (make the call, where there is one)."""
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
        if self.call is not None:
            try:
                self.call()
            except NotImplementedError as error:
                pytest.skip(f"unsupported: {one_line(error)}")
            except HungError as error:
                raise KernelFailedError(f"timeout: {error}") from None
            except (Exception, SystemExit) as error:
                raise KernelFailedError(f"error: {one_line_and_place(error)}") from error


def measured(run: Run, cell: Cell, phase: str, kernel: str) -> tuple[Entry, Replay]:
    """The contender with its samples, and the timer that replays them."""
    result = run.result(cell, phase, kernel)
    row = run.row(cell, phase, kernel)
    extra = {name: None if row[name] != row[name] else row[name] for name in SHOWN}  # JSON has no NaN
    return Entry(result, extra), Replay([turn.seconds * turn.iterations for turn in result.turns] or [0.0])


def smoke(cell: Cell, phase: str, kernel: str, kernel_class: KernelClass, budget: Budget, reach: Reach) -> Entry:
    """The contender with one call to make, unless that would take too long: what --benchmark-disable runs."""
    limit_s = budget.call_limit_s
    peer = peer_of(kernel_class)
    try:
        with unwarned(), limited(budget.limit_s):
            predicted = None if peer else reach.explore(kernel, cell, limit_s, lambda smaller: first_calls(kernel_class, smaller)[2])
    except HungError as error:
        return Entry(Result("timeout", message=str(error)))
    if predicted is not None and predicted > limit_s:
        return Entry(Result("too_slow", message=too_far(predicted, limit_s)))

    def call() -> None:
        with unwarned(), limited(budget.limit_s):
            found = next((call for name, call in passes(kernel_class, cell) if name == phase), None)
            if found is None:
                raise NotImplementedError(NO_BACKWARD)
            found()

    return Entry(Result("ok"), call=call)

"""Nothing that would take too long is run to find that out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.timing.step_time_estimates import StepTimes, rungs

BIG = Cell.of("1024-1024-1024", "sigmoid", "squared_error", 256, "float64")
LIMIT_S = 1.0


class Trial:
    """Seconds of a step by a formula, and what was run."""

    def __init__(self, seconds: Callable[[Cell], float]) -> None:
        self.seconds = seconds
        self.run: list[float] = []

    def __call__(self, cell: Cell) -> float:
        self.run.append(self.seconds(cell))
        return self.run[-1]


def test_rungs_lead_up_to_the_cell() -> None:
    sizes = [rung.multiply_adds for rung in rungs(BIG)]
    assert sizes == sorted(sizes)
    factors = [b / a for a, b in zip(sizes, [*sizes[1:], BIG.multiply_adds], strict=True)]
    assert max(factors) <= 64
    assert not list(rungs(Cell.of("2-3-1", "sigmoid", "squared_error", 1, "float64")))


@pytest.mark.parametrize("ns", [1000.0, 200.0, 10.0])
def test_a_monster_is_foretold_and_not_run(ns: float) -> None:
    trial = Trial(lambda cell: ns * 1e-9 * cell.multiply_adds)
    assert StepTimes().explore("k", BIG, LIMIT_S, trial) == pytest.approx(ns * 1e-9 * BIG.multiply_adds)
    assert max(trial.run) <= LIMIT_S


@pytest.mark.parametrize("constant_s", [2e-3, 0.1, 0.7])
@pytest.mark.parametrize("cell", [BIG, Cell.of("2-3-1", "sigmoid", "squared_error", 256, "float64")])
def test_calls_that_cost_much_whatever_their_size_are_no_monsters(constant_s: float, cell: Cell) -> None:
    noise = iter([1.0, 1.02, 0.99, 1.01, 0.98] * 9)
    trial = Trial(lambda cell: constant_s * next(noise) + 0.1e-9 * cell.multiply_adds)
    predicted = StepTimes().explore("k", cell, LIMIT_S, trial)
    assert predicted is not None
    assert predicted <= LIMIT_S


def test_what_is_known_spares_the_rungs() -> None:
    step_times = StepTimes()
    step_times.note("k", Cell.of("784-128-10", "sigmoid", "squared_error", 32, "float64"), 1e-3)
    trial = Trial(lambda cell: 0.0)
    assert step_times.explore("k", BIG, LIMIT_S, trial) == pytest.approx(1e-3 * BIG.multiply_adds / (32 * (784 * 128 + 1280)))
    assert trial.run == []
    assert step_times.predicted("k", Cell.of("2-3-1", "sigmoid", "squared_error", 1, "float64")) == 1e-3  # no more than a larger one
    assert step_times.predicted("other", BIG) is None
    assert step_times.predicted("k", Cell.of("2-3-1", "sigmoid", "squared_error", 1, "float32")) is None


def test_a_kernel_may_refuse_sizes_that_nobody_asked_for() -> None:
    def only_the_networks_own(cell: Cell) -> float:
        if cell.network != BIG.network:
            raise ValueError("not made for these sizes")
        return 1e-9 * cell.multiply_adds

    assert StepTimes().explore("k", BIG, LIMIT_S, only_the_networks_own) == pytest.approx(1e-9 * BIG.multiply_adds)

    def refuses(cell: Cell) -> float:
        raise ValueError("never")

    assert StepTimes().explore("k", BIG, LIMIT_S, refuses) is None

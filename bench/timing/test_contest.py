"""Planted kernels in one cell: the wrong, the raising and the slow get no time, and nobody else is hurt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.cells.result import AA_INSTANCE, FLOOR, Result, Turn
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.timing.contest import Contest
from deltacheck.bench.timing.rounds import Keep
from deltacheck.bench.timing.step_time_estimates import StepTimes
from deltacheck.kernels import Network, load
from deltacheck.kernels.network import Array
from deltacheck.kernels.vectorised import NumpyKernel

CELL = Cell.of("3-4-2", "sigmoid", "squared_error", 5, "float64")
QUICK = Budget(total_s=0.01)


class WrongKernel(NumpyKernel):
    def _backward(self, theta: Array, a: Any, y: Array) -> Array:
        return super()._backward(theta, a, y) * 1.001


class RaisingKernel(NumpyKernel):
    def _backward(self, theta: Array, a: Any, y: Array) -> Array:
        raise ZeroDivisionError("planted,\n   over two lines")


class UnsupportedKernel(NumpyKernel):
    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        raise NotImplementedError("no sigmoid")


class SpoilingKernel(NumpyKernel):
    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        a = super().forward(theta, x)
        theta += 1.0
        x[:] = np.nan
        return a


class TiringKernel(NumpyKernel):
    """Right for as long as anybody looks, then it raises."""

    calls = 0

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        self.calls += 1
        if self.calls > 40:
            raise RuntimeError("tired")
        return super().forward(theta, x)


class CountedKernel(NumpyKernel):
    """Right; each instance counts its calls."""

    made: ClassVar[list[CountedKernel]] = []
    calls = 0

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        CountedKernel.made.append(self)

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        self.calls += 1
        return super().forward(theta, x)

    def backward(self, theta: Array, a: Any, y: Array) -> Array:
        self.calls += 1
        return super().backward(theta, a, y)


class HungryKernel(NumpyKernel):
    """Asks for 8 MB and lets them go, in each pass."""

    def _forward(self, *arguments: Any) -> Any:
        np.ones(1_000_000)
        return super()._forward(*arguments)

    def _backward(self, *arguments: Any) -> Array:
        np.ones(1_000_000)
        return super()._backward(*arguments)


class Held:
    """A contest, all of whose kernels were let try, and the results of its phases as a run puts them together."""

    def __init__(self, kernels: Mapping[str, Any], cell: Cell = CELL, budget: Budget = QUICK, baseline: str | None = None) -> None:
        self.contest = Contest(cell, kernels, budget, baseline)
        step_times = StepTimes()
        self.admitted = {name: self.contest.admit(name, step_times) for name in kernels}

    def run(self, phase: str, kernels: Sequence[str] | None = None, keep: Keep = lambda turns: None) -> dict[str, Result]:
        results = {name: of[phase] for name, of in self.admitted.items() if kernels is None or name in kernels}
        for name, result in self.contest.run(phase, kernels, keep).items():
            before = results.get(name, result)
            results[name] = replace(before, status=result.status, message=result.message, turns=result.turns)
        return results


def contest(*kernels: Any, cell: Cell = CELL, budget: Budget = QUICK) -> dict[str, dict[str, Result]]:
    held = Held({kernel.__name__: kernel for kernel in kernels} | {"numpy": load("numpy")}, cell, budget)
    return {phase: held.run(phase) for phase in PHASES}


@pytest.mark.parametrize(
    ("kernel", "status", "verdict"),
    [
        (WrongKernel, "failed_verification", "fail"),
        (RaisingKernel, "error", ""),
        (UnsupportedKernel, "unsupported", ""),
        (SpoilingKernel, "failed_verification", "fail"),
    ],
)
def test_no_time_without_a_passing_verdict(kernel: type[NumpyKernel], status: str, verdict: str) -> None:
    for results in contest(kernel).values():
        bad, good = results[kernel.__name__], results["numpy"]
        assert (bad.status, bad.verdict, bad.turns) == (status, verdict, ())
        assert bad.message
        assert "\n" not in bad.message
        assert (good.status, good.verdict, good.message) == ("ok", "pass", "")
        assert len(good.turns) >= 7
        assert good.first_call_s > 0


def test_a_kernel_that_raises_later_loses_the_times_of_that_phase() -> None:
    results = contest(TiringKernel, budget=Budget(total_s=0.01, round_s=0.001))
    assert results["forward"]["TiringKernel"].status == "error"
    assert results["forward"]["TiringKernel"].message == "RuntimeError: tired (test_contest.py, line 57)"
    assert results["forward"]["TiringKernel"].turns == ()
    assert results["backward"]["TiringKernel"].status == "ok"


def test_too_slow_is_a_status() -> None:
    cell = Cell.of("64-64-64", "sigmoid", "squared_error", 256, "float64")
    results = contest(load("naive"), cell=cell, budget=Budget(total_s=0.01, call_limit_s=0.05))
    for phase in PHASES:
        naive = results[phase]["NaiveKernel"]
        assert (naive.status, naive.verdict, naive.turns) == ("too_slow", "", ())
        assert "by smaller cells, a step could take" in naive.message
        assert results[phase]["numpy"].status == "ok"


def test_the_floor_shares_the_turns() -> None:
    for results in contest().values():
        floor, numpy = results[FLOOR], results["numpy"]
        assert [turn.round for turn in floor.turns] == [turn.round for turn in numpy.turns]
        assert len({turn.position for turn in floor.turns}) > 1
        assert floor.verdict == ""


@pytest.mark.parametrize(("baseline", "first"), [("numpy", "numpy"), (None, "counted"), ("wrong", "counted"), ("counted", "counted")])
def test_the_baseline_is_entered_twice_or_else_the_first_that_has_a_time(baseline: str | None, first: str) -> None:
    held = Held({"wrong": WrongKernel, "counted": CountedKernel, "numpy": load("numpy")}, baseline=baseline)
    entered = len(CountedKernel.made)
    for phase in PHASES:
        results = held.run(phase)
        assert [turn.round for turn in results[AA_INSTANCE].turns] == [turn.round for turn in results[first].turns]
        assert {turn.position for turn in results[AA_INSTANCE].turns} > {0}  # shuffled as all are
        assert results[AA_INSTANCE].verdict == ""
    seconds = CountedKernel.made[entered:]
    assert len(seconds) == (first == "counted")  # an instance of its own, one for the cell
    assert all(second.calls > sum(turn.iterations for turn in results[AA_INSTANCE].turns) for second in seconds)


def test_without_its_first_the_second_entry_has_no_turns() -> None:
    held = Held({"tiring": TiringKernel, "numpy": load("numpy")})
    results = held.run("forward")
    assert (results["tiring"].status, results[AA_INSTANCE].status, results[AA_INSTANCE].turns) == ("error", "error", ())
    assert len(results["numpy"].turns) >= 7


def test_only_those_asked_for_take_turns_and_each_round_is_handed_over() -> None:
    rounds: list[Mapping[str, Turn]] = []
    held = Held({"naive": load("naive"), "numpy": load("numpy")}, baseline="numpy")
    results = held.run("step", ["naive"], rounds.append)
    assert list(results) == ["naive", AA_INSTANCE, FLOOR]
    for name, result in results.items():
        assert result.turns == tuple(turns[name] for turns in rounds)


def test_the_bytes_of_a_call_are_those_it_holds_at_once() -> None:
    cell = Cell.of("400-400", "sigmoid", "squared_error", 50, "float64")
    held = Held({"numpy": load("numpy"), "hungry": HungryKernel}, cell)
    output, gradient = 50 * 400 * 8, (400 * 400 + 400) * 8
    for phase, least in (("forward", output), ("backward", gradient), ("step", output + gradient)):
        results = held.run(phase)
        numpy, hungry = (results[name].peak_bytes or 0 for name in ("numpy", "hungry"))
        assert least <= numpy <= least + 4 * output
        assert 8_000_000 <= hungry <= 8_000_000 + numpy
    assert contest(WrongKernel)["step"]["WrongKernel"].peak_bytes is None


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_a_kernel_that_raises_what_ends_programs_ends_none(raised: type[BaseException]) -> None:
    class EndingKernel(NumpyKernel):
        def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
            raise raised

    assert contest(EndingKernel)["step"]["EndingKernel"].status == "error"


def test_one_that_was_admitted_elsewhere_only_makes_its_first_calls() -> None:
    CountedKernel.made.clear()
    entered = Contest(CELL, {"counted": CountedKernel, "raising": RaisingKernel, "none": UnsupportedKernel}, QUICK)
    assert entered.enter("counted") == Result("ok")
    assert [kernel.calls for kernel in CountedKernel.made] == [3]  # forward; forward, backward
    assert entered.enter("none").status == "unsupported"
    assert entered.enter("raising").message == "ZeroDivisionError: planted, over two lines (test_contest.py, line 33)"
    assert set(entered.run("step")) == {"counted", AA_INSTANCE, FLOOR}


def test_no_floor_where_nobody_was_timed() -> None:
    held = Held({"wrong": WrongKernel})
    assert list(held.run("step")) == ["wrong"]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("activation", ["tanh", "relu,sigmoid"])
def test_a_cell_is_its_key_columns(activation: str, cost: str, threads: int) -> None:
    cell = Cell.of("3-4-2", activation, cost, 5, "float32", threads)
    assert Cell.of(cell.layers, cell.activation, cell.network.cost, cell.batch, cell.dtype, cell.threads) == cell
    assert str(cell).endswith("float32" if threads == 1 else "float32 2 threads")  # ids of one thread stay what they were
    theta, x, y = cell.data()
    cell.network.checked(theta, x, y)
    assert all((a == b).all() for a, b in zip(cell.data(), (theta, x, y), strict=True))

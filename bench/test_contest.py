"""Planted kernels in one cell: the wrong, the raising and the slow get no time, and nobody else is hurt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.contest import Contest, Result
from bench.floor import FLOOR
from bench.grid import PHASES, Cell
from bench.measure import Budget
from bench.reach import Reach
from kernels import load
from kernels.network import Array
from kernels.vectorised import NumpyKernel

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


def contest(*kernels: Any, cell: Cell = CELL, budget: Budget = QUICK) -> dict[str, dict[str, Result]]:
    entered = {kernel.__name__: kernel for kernel in kernels} | {"numpy": load("numpy")}
    held = Contest(cell, entered, budget, Reach())
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
    assert results["forward"]["TiringKernel"].message == "RuntimeError: tired"
    assert results["forward"]["TiringKernel"].turns == ()
    assert results["backward"]["TiringKernel"].status == "ok"


def test_too_slow_is_a_status() -> None:
    cell = Cell.of("64-64-64", "sigmoid", "squared_error", 256, "float64")
    results = contest(load("naive"), cell=cell, budget=Budget(total_s=0.01, call_limit_s=0.05))
    for phase in PHASES:
        naive = results[phase]["NaiveKernel"]
        assert (naive.status, naive.verdict, naive.turns) == ("too_slow", "", ())
        assert "would take about" in naive.message
        assert results[phase]["numpy"].status == "ok"


def test_the_floor_shares_the_turns() -> None:
    for results in contest().values():
        floor, numpy = results[FLOOR], results["numpy"]
        assert [turn.round for turn in floor.turns] == [turn.round for turn in numpy.turns]
        assert any(turn.position == 0 for turn in floor.turns)
        assert any(turn.position == 1 for turn in floor.turns)
        assert floor.verdict == ""


def test_no_floor_where_nobody_was_timed() -> None:
    held = Contest(CELL, {"wrong": WrongKernel}, QUICK, Reach())
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

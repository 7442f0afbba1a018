"""Threads are held to a cell's number, let go, and looked at."""

from __future__ import annotations

import numba
import pytest
import threadpoolctl

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.machine.threads import foreseen, stray_pools, threads_held
from deltacheck.bench.timing.contest import Contest
from deltacheck.kernels import load


def pools() -> list[int]:
    numba.get_num_threads()  # loads its pool
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] + [numba.get_num_threads()]


@pytest.mark.parametrize("n", [1, 2])
def test_every_pool_is_held_and_let_go(n: int) -> None:
    before = pools()
    with threads_held(n):
        assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} == {n}
        assert numba.get_num_threads() == min(n, numba.config.NUMBA_NUM_THREADS)
        assert stray_pools(n) == []
    assert pools() == before


def test_pytorch_s_pool_is_held_and_let_go() -> None:
    torch = pytest.importorskip("torch", reason="torch is an optional peer")
    before = torch.get_num_threads()
    for n in (1, 2):
        with threads_held(n):
            assert torch.get_num_threads() == n
            assert stray_pools(n) == []
            torch.set_num_threads(3)
            assert "torch ran 3 threads, not" in " ".join(stray_pools(n))
    assert torch.get_num_threads() == before


def test_a_pool_that_does_not_keep_to_it_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for n, text in (
        (1, "float64 forward: libplanted ran 3 threads, not 1"),
        (2, "float64 2 threads forward: libplanted ran 3 threads, not 2"),
    ):
        held = Contest(Cell.of("3-4-2", "sigmoid", "squared_error", 5, "float64", n), {"numpy": load("numpy")}, Budget(total_s=0.01))
        held.enter("numpy")
        held.run("forward")
        assert held.warnings == []
        with monkeypatch.context() as planted:
            planted.setattr("threadpoolctl.threadpool_info", lambda: [{"prefix": "libplanted", "num_threads": 3}])
            held.run("forward")
        assert held.warnings == [f"3-4-2 x 5 {text}"]


def test_what_numba_runs_is_looked_at() -> None:
    with threads_held(2):
        numba.set_num_threads(1)
        found = stray_pools(2)
    assert found == (["numba ran 1 threads, not 2"] if numba.config.NUMBA_NUM_THREADS > 1 else [])


def test_more_threads_than_there_are_is_said_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert foreseen([1], n_cpus=1) == []
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 2)
    assert foreseen([1, 2], n_cpus=2) == []
    assert foreseen([4], n_cpus=2) == [
        "4 threads were asked for, and 2 CPUs are usable: threads wait for each other",
        "4 threads were asked for, and NUMBA_NUM_THREADS allows Numba 2",
    ]
    with threads_held(1):
        assert stray_pools(1) == []

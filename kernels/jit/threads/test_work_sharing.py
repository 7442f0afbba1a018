"""The team: every share is done once, whoever comes; helpers come, sleep, and come again."""

from __future__ import annotations

import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numba import cfunc, njit, types

from deltacheck.kernels.jit.cpu_target import JIT_DISABLED
from deltacheck.kernels.jit.kernel import NumbaKernel
from deltacheck.kernels.jit.test_kernel import case
from deltacheck.kernels.jit.threads.team import Team, _new_lock
from deltacheck.kernels.jit.threads.work_sharing import (
    ASLEEP,
    HELPERS,
    JOB,
    MOST,
    N_ARGUMENTS,
    N_HELPERS,
    _offer_cpu,
    _one_more,
    _seen,
    share_out,
)

pytestmark = pytest.mark.skipif(JIT_DISABLED, reason="without a compiler there is no team")

SIGNATURE = types.float64(*[types.intp] * (1 + N_ARGUMENTS))


@njit
def run(team, shares):
    return share_out(team, shares)


@cfunc(SIGNATURE)
def counted(share, counts, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11):
    """How often each share was done, at the address ``counts``; its cost is its number."""
    _one_more(counts, share)
    return share


@cfunc(SIGNATURE)
def met(share, count, patience, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11):
    """1 if another thread does another share at the same time, for which it waits a while; ``count`` is where they meet."""
    _one_more(count, 0)
    while patience > 0 and _seen(count, 0) < 2:
        patience -= 1
        _offer_cpu(a2)
    return 1.0 if _seen(count, 0) == 2 and patience > 0 else 0.0


def team_at(function, *arguments: int, helpers: int = 0) -> Team:
    team = Team()
    for _ in range(helpers):
        team._add_helper()
    team._words[JOB : JOB + 1 + len(arguments)] = [function.address, *arguments]
    return team


def meetings(team: Team, patience: int) -> float:
    """How many of two shares met the other."""
    count = np.zeros(1, np.int64)
    team._words[JOB + 1 : JOB + 4] = count.ctypes.data, patience, team.address
    return run(team.address, 2)


@pytest.mark.parametrize("helpers", [0, 1, 3])
@pytest.mark.parametrize("shares", [1, 2, 7, MOST])
def test_every_share_is_done_once_with_and_without_helpers(shares: int, helpers: int) -> None:
    counts = np.zeros(shares, np.int64)
    team = team_at(counted, counts.ctypes.data, helpers=helpers)
    for done in range(1, 20):
        assert run(team.address, shares) == shares * (shares - 1) / 2
        assert set(counts) == {done}


def test_a_helper_works_beside_the_caller_and_after_a_sleep_again() -> None:
    alone = team_at(met)
    assert meetings(alone, 1000) == 1  # the planted fault: nobody comes, and the first share waits in vain for the second
    team = team_at(met, helpers=1)
    for _ in range(3):
        assert meetings(team, 10**8) == 2
        end = time.monotonic() + 30
        while not team._words[HELPERS + ASLEEP]:
            assert time.monotonic() < end, "it never sleeps"
            time.sleep(1e-3)


def test_python_threads_share_a_kernel() -> None:
    network, theta, x, y = case((784, 60, 10), 100, "float32")
    kernel = NumbaKernel(network, threads=2)
    expected = kernel.value_and_grad(theta, x, y)[1]
    wrong = []

    def work() -> None:
        for _ in range(100):
            if not np.array_equal(kernel.value_and_grad(theta, x, y)[1], expected):
                wrong.append(1)

    started = [threading.Thread(target=work) for _ in range(3)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(120)
    assert not any(thread.is_alive() for thread in started)
    assert not wrong


def test_a_thread_that_has_the_team_may_call_again() -> None:
    """As the handler of a signal does that came while a kernel computed: it runs before the team is free."""
    team = Team()
    called: list[int] = []
    twice = team.joined(team.joined(lambda: called.append(1), 1), 1)
    caller = threading.Thread(target=twice, daemon=True)
    caller.start()
    caller.join(30)
    assert called, "it waits for itself"


def test_a_helper_that_does_not_start_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def new_lock() -> int:
        made.append(0)
        return _new_lock()

    def refused(thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("deltacheck.kernels.jit.threads.team.usable_cpus", lambda: 3)
    monkeypatch.setattr("deltacheck.kernels.jit.threads.team._new_lock", new_lock)
    team = Team()
    call = team.joined(lambda: None, 3)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        for _ in range(5):
            call()
    assert (len(made), len(team._helpers), team._words[N_HELPERS]) == (1, 0, 0)
    call()
    assert (len(made), len(team._helpers), team._words[N_HELPERS]) == (2, 2, 2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads are not kept off a CPU here")
def test_helpers_make_way_once_the_caller_may_run_elsewhere_too(monkeypatch: pytest.MonkeyPatch) -> None:
    team, kept = Team(), []
    team._helpers = [SimpleNamespace(native_id=7)]  # type: ignore[list-item]
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, cpus: kept.append((thread, cpus)))
    for cpus in ({0}, {0, 1}, {0, 1}):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cpus=cpus: cpus)
        team._make_way(0)
    assert kept == [(7, {1})]

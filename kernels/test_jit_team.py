"""The team: every share is done once, whoever comes; helpers come, sleep, and come again."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from numba import cfunc, njit, types

from kernels.jit import NumbaKernel
from kernels.jit_target import JIT_DISABLED
from kernels.jit_team import ASLEEP, HELPERS, JOB, MOST, N_ARGUMENTS, _offer_cpu, _one_more, _seen, share_out
from kernels.jit_threads import Team
from kernels.test_jit import case

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

"""How far processes differ, and what follows for two runs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from deltacheck.bench.statistics.process_variance import LEAST_SPREAD, Sampled, _table, changes, undisturbed

KERNELS = ("naive", "numpy", "numba", "floor")


def run(rng: np.random.Generator, processes: int, spread: dict[str, float], shared: float = 0.0, factor: float = 1.0) -> dict[str, Sampled]:
    """Contenders' samples: each process has its luck, that of a contender and that of all; 9 rounds in each."""
    ids = np.repeat(np.arange(processes), 9)
    of_all = shared * rng.standard_normal(processes)
    luck = {name: of_all + spread[name] * rng.standard_normal(processes) for name in spread}
    return {name: Sampled(factor * np.exp(of[ids] + 1e-4 * rng.standard_normal(len(ids))), ids) for name, of in luck.items()}


def coverage(spread: dict[str, float], shared: float, shrink: float = 1.0) -> dict[str, float]:
    """How often the 95 % interval of a change, less the median of the others', holds the true one; made narrower by ``shrink``."""
    rng, held = np.random.default_rng(0), dict.fromkeys(spread, 0)
    for _ in range(300):
        found = changes(run(rng, 3, spread, shared), run(rng, 3, spread, shared, factor=1.3))
        for name, change in found.items():
            drift = np.median([other.estimate for other_name, other in found.items() if other_name != name])
            half = special.stdtrit(change.freedom, 0.975) * change.error * np.sqrt(1.5)  # and what the others' median is uncertain by
            held[name] += abs(change.estimate - drift) <= shrink * half
    return {name: n / 300 for name, n in held.items()}


def test_intervals_hold_what_they_say() -> None:
    alike = dict.fromkeys(KERNELS, 0.02)
    assert min(coverage(alike, shared=0.01).values()) > 0.9
    assert max(coverage(alike, shared=0.01, shrink=0.4).values()) < 0.85  # the planted fault: intervals of less than half the width


def test_one_that_differs_more_than_the_others_has_a_wider_one() -> None:
    spread = {"naive": 0.15, "numpy": 0.02, "numba": 0.02, "floor": 0.02}
    assert coverage(spread, shared=0.0)["naive"] > 0.88
    errors = [changes(run(np.random.default_rng(n), 5, spread), run(np.random.default_rng(99 + n), 5, spread)) for n in range(20)]
    assert np.median([of["naive"].error for of in errors]) > 0.06
    assert np.median([of["numpy"].error for of in errors]) < 0.02  # and leaves those of the others as they are


def test_of_two_the_wilder_is_told_too() -> None:
    spread = {"naive": 0.2, "floor": 0.005}
    errors = [changes(run(np.random.default_rng(n), 5, spread), run(np.random.default_rng(99 + n), 5, spread)) for n in range(20)]
    assert np.median([of["floor"].error for of in errors]) < 0.01


def test_the_estimate_is_the_mean_over_processes() -> None:
    ids = np.array([0, 0, 0, 1, 1, 1])
    older, newer = {"numpy": Sampled(np.array([1.0, 1, 9, 1, 1, 9]), ids)}, {"numpy": Sampled(np.array([2.0, 2, 9, 8, 8, 1]), ids)}
    (change,) = changes(older, newer).values()
    assert np.exp(change.estimate) == pytest.approx(4.0)  # of medians 2 and 8; a wild round counts for nothing
    assert change.freedom == 2
    assert change.error == pytest.approx(np.sqrt(2 * np.log(2) ** 2 / 2))  # of 0 and 2 (ln 2)^2, by two degrees of freedom; 1/2 + 1/2


def test_no_spread_is_luck() -> None:
    same = {"numpy": Sampled(np.ones(4), np.array([0, 0, 1, 1]))}
    assert changes(same, same)["numpy"].error == LEAST_SPREAD


def test_processes_may_be_others_and_of_another_number() -> None:
    rng = np.random.default_rng(0)
    spread = dict.fromkeys(KERNELS, 0.02)
    older, newer = run(rng, 2, spread), run(rng, 5, spread)
    assert {change.freedom for change in changes(older, newer).values()} == {3 * (1 + 4)}
    lost = newer["numpy"]
    newer["numpy"] = Sampled(lost.seconds[9:], lost.processes[9:])  # one that it was lost in
    assert {change.freedom for change in changes(older, newer).values()} == {3 * (1 + 4) - 1}


def test_where_something_disturbed_all_a_process_does_not_count() -> None:
    spread = dict.fromkeys(KERNELS, 0.01)
    for n in range(20):
        rng = np.random.default_rng(n)
        older, newer = run(rng, 5, spread), run(rng, 5, spread)
        clean = changes(older, newer)
        for name, factor in zip(KERNELS, (1.3, 1.5, 1.8, 1.2), strict=True):  # not alike
            newer[name].seconds[newer[name].processes == 3] *= factor
        hit = changes(older, newer)
        assert max(abs(hit[name].estimate - clean[name].estimate) for name in KERNELS) < 0.03  # 0.05 to 0.12 were it counted
        assert max(hit[name].error for name in KERNELS) < 0.02


def test_three_processes_are_kept_however_disturbed() -> None:
    rng = np.random.default_rng(3)
    wild = run(rng, 5, dict.fromkeys(KERNELS, 0.01))
    for of in wild.values():
        of.seconds[:] *= np.array([1.8, 1.0, 1.4, 1.6, 1.2])[of.processes]
    assert list(undisturbed(_table(wild)).columns) == [1, 2, 4]
    pair = {name: wild[name] for name in KERNELS[:2]}
    assert len(undisturbed(_table(pair)).columns) == 5  # of two nobody knows who was disturbed

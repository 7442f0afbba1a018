"""Intervals of medians and of ratios."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.bench.statistics.intervals import median_interval, ratio_interval


def test_the_interval_of_a_median_lies_between_order_statistics() -> None:
    # 40th and 61st of 100: the tables of the binomial distribution (Conover 1999, section 3.2)
    assert median_interval([float(n) for n in range(1, 101)]) == (50.5, 40.0, 61.0)
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]) == (4.0, 1.0, 7.0)
    assert np.isnan(median_interval([1.0, 2.0, 3.0, 4.0, 5.0])[1:]).all()
    assert np.isnan(median_interval([])).all()


def of_processes(together: bool) -> tuple[float, float]:
    """How often the intervals of a median and of a ratio hold the true one where processes differ; ``together``: as if they were one."""
    rng = np.random.default_rng(0)
    held = np.zeros(2)
    ids = np.repeat(np.arange(5), 20)
    for _ in range(200):
        luck = np.exp(0.05 * rng.standard_normal((2, 5)))[:, ids] * np.exp(0.01 * rng.standard_normal((2, 100)))
        processes = np.zeros(100, int) if together else ids
        _, low, high = median_interval(luck[0], processes.tolist())
        held[0] += low <= 1 <= high
        _, low, high = ratio_interval(1.1 * luck[0], luck[1], processes.tolist())
        held[1] += low <= 1.1 <= high
    return held[0] / 200, held[1] / 200


def test_where_processes_differ_intervals_know_of_it() -> None:
    assert min(of_processes(together=False)) > 0.92
    assert max(of_processes(together=True)) < 0.7  # the planted fault


def coverage(shrink: float) -> float:
    """How often the interval of a ratio, made narrower by ``shrink``, holds the true one (1.1)."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        noise = np.exp(0.1 * rng.standard_normal((2, 50)))
        ratio, low, high = ratio_interval(1.1 * noise[0], noise[1])
        held += ratio + (low - ratio) * shrink <= 1.1 <= ratio + (high - ratio) * shrink
    return held / 200


def test_the_interval_of_a_ratio_holds_the_true_one_as_often_as_it_says() -> None:
    assert coverage(1.0) > 0.9
    assert coverage(0.5) < 0.8  # the planted fault: an interval of half the width is found out


def test_the_ratio_is_of_pairs() -> None:
    assert ratio_interval([2.0, 20.0, 200.0] * 2, [1.0, 10.0, 100.0] * 2) == pytest.approx((2.0, 2.0, 2.0))
    ratio, low, high = ratio_interval([200.0, 20.0, 2.0] * 2, [1.0, 10.0, 100.0] * 2)  # pair by pair 200, 2 and 0.02
    assert ratio == pytest.approx(2.0)
    assert low < 0.5 < 2.0 < 10.0 < high


def test_a_few_pairs_have_no_interval() -> None:
    ratio, low, high = ratio_interval([2.0, 2.0], [1.0, 1.0])
    assert ratio == pytest.approx(2.0)
    assert np.isnan([low, high]).all()

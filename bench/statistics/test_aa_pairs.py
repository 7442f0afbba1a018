"""Equal kernels stay within the band, about as often as it says; unequal ones do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltacheck.bench.cells.contenders import aa_kernel
from deltacheck.bench.statistics.aa_pairs import LEAST, Pair, band, bands, called_different, different, pairs

NAN = float("nan")


def drawn(rng: np.random.Generator, n: int, spread: float, heavy: bool = False) -> list[Pair]:
    """Pairs of equal kernels: log-ratios about 0, with the 95 % interval of a normal one."""
    logs = spread * (rng.standard_t(2, n) if heavy else rng.standard_normal(n))
    return [Pair(*np.exp([value, value - 2 * spread, value + 2 * spread]).tolist()) for value in logs]


def summary(of: list[Pair], threads: int = 1) -> list[dict[str, Any]]:
    """Two kernels' rows in as many cells as there are pairs."""
    place = {"layers": "2-3-1", "activation": "sigmoid", "cost": "squared_error", "dtype": "float64", "threads": threads, "phase": "step"}
    return [
        place | {"kernel": kernel, "batch": n, "aa_ratio": pair.ratio, "aa_ci_low": pair.low, "aa_ci_high": pair.high}
        for n, pair in enumerate(of)
        for kernel in ("numpy", "numba")
    ]


def test_who_is_entered_twice() -> None:
    assert aa_kernel(["naive", "numpy"], "numpy") == "numpy"
    assert aa_kernel(["naive", "numba"], "numpy") == "naive"
    assert aa_kernel(["naive", "numba"], None) == "naive"
    assert aa_kernel([], "numpy") is None


@pytest.mark.parametrize("n", [1, 3, 12, 18])
@pytest.mark.parametrize("shrink", [1.0, 0.5])
def test_of_few_pairs_the_next_stays_within_as_often_as_it_says(n: int, shrink: float) -> None:
    rng = np.random.default_rng(0)
    within = np.mean([abs(np.log(drawn(rng, 1, 1.0)[0].ratio)) <= shrink * np.log1p(band(drawn(rng, n, 1.0))) for _ in range(2000)])
    assert (0.93 < within < 0.97) == (shrink == 1.0)  # half as wide, and it would be seen


@pytest.mark.parametrize("n", [19, 60, 108])
def test_of_many_pairs_too_and_whatever_their_distribution(n: int) -> None:
    rng = np.random.default_rng(0)
    within = np.mean([abs(np.log(drawn(rng, 1, 0.05, True)[0].ratio)) <= np.log1p(band(drawn(rng, n, 0.05, True))) for _ in range(2000)])
    assert 0.935 < within < 0.975


def test_a_band_by_hand() -> None:
    assert band([]) == band([Pair(1.001, 1.0, 1.0)]) == LEAST
    assert band([Pair(1.01, NAN, NAN)]) == pytest.approx(1.01**12.7062 - 1, rel=1e-3)  # t of one degree of freedom
    assert band([Pair(1 + n / 100, NAN, NAN) for n in range(1, 20)]) == pytest.approx(0.19)  # of 19 the largest
    assert band([Pair(1 / (1 + n / 1000), NAN, NAN) for n in range(1, 100)]) == pytest.approx(0.095)  # of 99 the 95th


def test_different_is_wholly_beyond() -> None:
    assert [different(*ends, 0.05) for ends in ((1.06, 1.2), (1.04, 1.2), (0.5, 0.95), (0.5, 0.96), (0.9, 1.1), (NAN, NAN))] == [
        *(True, False, True, False, False, False)
    ]


def test_bands_are_of_a_number_of_threads() -> None:
    rows = summary([Pair(1.01, 1.0, 1.02)] * 30) + summary([Pair(1.2, 1.1, 1.3)] * 30, threads=2)
    assert bands(rows) == {1: LEAST, 2: pytest.approx(0.2)}
    assert len(pairs(rows)) == 60
    assert bands(summary([Pair(NAN, NAN, NAN)])) == {1: LEAST}


def test_a_pair_is_judged_by_the_others() -> None:
    quiet = [Pair(1.001, 0.999, 1.003)] * 9
    told = called_different(summary([*quiet, Pair(1.3, 1.19, 1.4)]))
    assert list(told.values()) == [False] * 9 + [True]
    rows = summary([*quiet, Pair(1.3, 1.19, 1.4)])
    assert not different(1.19, 1.4, bands(rows)[1])  # by a band that it is in itself, it would not be
    assert list(called_different(summary([Pair(1.03, 1.025, 1.035)])).values()) == [True]  # no others: 2 %


def test_equal_kernels_are_called_different_in_one_of_twenty_at_most() -> None:
    rng = np.random.default_rng(1)
    told = [differs for _ in range(20) for differs in called_different(summary(drawn(rng, 108, 0.03, heavy=True))).values()]
    assert np.mean(told) < 0.05

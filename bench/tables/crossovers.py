"""Where one kernel overtakes another: the sizes at which the ratio of their times is 1, and how far they are uncertain."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.bench.cells.result import NAN
from deltacheck.bench.tables.size_series import Point, series
from deltacheck.kernels.network import Array

COLUMNS = [
    *("run_id", "faster_below", "faster_above", "phase", "layers", "activation", "cost", "batch", "dtype", "threads", "along"),
    *("crossover", "crossover_low", "crossover_high", "size_below", "size_above"),
]


def crossovers(summary: pd.DataFrame) -> pd.DataFrame:
    """A row for each crossover of each two kernels, along the batch size and along the work; none where one is faster throughout.

    ``summary``: a run's summary.csv. Sizes are rows of x along the batch, multiply-adds of a forward pass along the work. Only sizes
    at which both have a time are compared; networks of the same work count as one, by their mean log-ratio. Raises ``ValueError`` as
    ``deltacheck.bench.tables.size_series.series`` does.
    """
    rows: list[dict[str, Any]] = []
    for line, kernels in series(summary).items():
        for one, other in combinations(kernels, 2):
            size, ratio, low, high = log_ratios(kernels[one], kernels[other])
            for before, after in changes_of_sign(ratio):
                below, above = (one, other) if ratio[before] < 0 else (other, one)
                rows.append(
                    {"faster_below": below, "faster_above": above}
                    | line._asdict()
                    | dict(zip(COLUMNS[-5:-2], crossover(np.log(size), ratio, low, high, before, after), strict=True))
                    | {"size_below": size[before], "size_above": size[after]}
                )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"batch": "Int64"})


def log_ratios(one: Mapping[tuple[str, int], Point], other: Mapping[tuple[str, int], Point]) -> tuple[Array, Array, Array, Array]:
    """Sizes in ascending order, the logs of ``one``'s time by ``other``'s, and the ends of their 95 % intervals (NaN: none).

    The interval of a difference from the intervals of its terms, independent of one another: on either side the root of the sum of
    squares of the distances that matter there (Zou and Donner 2008, Statistics in Medicine 27, 1693). The medians come from the same
    rounds, so that what slows both widens it needlessly: the uncertainty is rather too large.
    """
    places = [place for place in one if place in other]
    a, a_low, a_high = np.log([one[place][1:] for place in places]).reshape(-1, 3).T
    b, b_low, b_high = np.log([other[place][1:] for place in places]).reshape(-1, 3).T
    ends = (a - b, a - b - np.hypot(a - a_low, b_high - b), a - b + np.hypot(a_high - a, b - b_low))
    size, place = np.unique([one[place].size for place in places], return_inverse=True)
    ratio, low, high = (np.bincount(place, values, len(size)) / np.bincount(place, minlength=len(size)) for values in ends)
    return size, ratio, low, high


def changes_of_sign(ratio: Array) -> list[tuple[int, int]]:
    """Neighbours, by index, of which one is above 0 and the other below; those that are exactly 0 are passed over."""
    return [(i, j) for i, j in pairwise(np.flatnonzero(ratio).tolist()) if (ratio[i] < 0) != (ratio[j] < 0)]


def crossover(at: Array, ratio: Array, low: Array, high: Array, before: int, after: int) -> tuple[float, float, float]:
    """The size at which the ratio is 1 between two points, and the range of sizes around it in which its interval contains 1.

    ``at``: log sizes; ``ratio``, ``low``, ``high``: log-ratio and interval there, straight lines between them. A bound is NaN where
    the interval still contains 1 at the last size on that side, or has no end there.
    """
    zero = float(np.mean(at[before + 1 : after])) if after > before + 1 else root(at, ratio, before, after)
    down = leaves(at, low, high, range(after - 1, -1, -1), 1)
    up = leaves(at, low, high, range(before + 1, len(at)), -1)
    return float(np.exp(zero)), float(np.exp(down)), float(np.exp(up))


def leaves(at: Array, low: Array, high: Array, points: range, back: int) -> float:
    """The log size at which, point by point, the interval first leaves 0 behind, above or below. ``back``: the step to the point before."""
    for j in points:
        for edge in (low, -high):
            if edge[j] > 0:
                return root(at, edge, j + back, j)
    return NAN


def root(at: Array, values: Array, i: int, j: int) -> float:
    """Where the straight line through two points is 0."""
    return float(at[i] + (at[j] - at[i]) * values[i] / (values[i] - values[j]))

"""One kernel entered twice: how far two that are equal seem to differ in a run, and so what is no difference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from scipy import special

LEAST = 0.02  # identical builds differ by 2 to 3 %
SHARE = 0.95  # of pairs that stay within the band
PLACE = ("threads", "layers", "activation", "cost", "batch", "dtype", "phase")  # columns that rows of one contest share
Rows = Iterable[Mapping[Any, Any]]  # of a summary


class Pair(NamedTuple):
    """The time of a kernel's second instance by that of its first, and the 95 % interval (NaN: none)."""

    ratio: float
    low: float
    high: float


def pairs(rows: Rows) -> dict[tuple[Any, ...], Pair]:
    """The A/A pairs in a summary's rows, by their number of threads, cell and phase (``PLACE``)."""
    found = {tuple(row[name] for name in PLACE): Pair(row["aa_ratio"], row["aa_ci_low"], row["aa_ci_high"]) for row in rows}
    return {place: pair for place, pair in found.items() if pair.ratio == pair.ratio}


def bands(rows: Rows) -> dict[int, float]:
    """The band of each number of threads in a summary's rows."""
    rows = list(rows)
    found = pairs(rows)
    return {n: band([pair for place, pair in found.items() if place[0] == n]) for n in dict.fromkeys(row["threads"] for row in rows)}


def band(of: Collection[Pair]) -> float:
    """How far, a fraction, two equal kernels may seem to differ: 95 of 100 further pairs would stay within it. At least 2 %.

    From 19 pairs on the ⌈0.95 (n + 1)⌉-th smallest |log ratio|, whatever its distribution: one more pair is as likely to come at any
    place among the others. The largest of fewer is no such bound; there the log-ratios count as normal about 0, and Student's t with n
    degrees of freedom makes up for a spread that is known from n of them (2.4 times their root mean square for 6, 12.7 times for one).
    Source: Hahn and Meeker 1991, Statistical Intervals, prediction intervals (chapters 4 and 5).
    """
    sizes = np.sort(np.abs(np.log([pair.ratio for pair in of])))
    n = len(sizes)
    if not n:
        return LEAST
    rank = ceil(SHARE * (n + 1))
    bound = sizes[rank - 1] if rank <= n else special.stdtrit(n, (1 + SHARE) / 2) * np.sqrt(np.mean(sizes**2))
    return max(LEAST, float(np.expm1(bound)))


def different(low: float, high: float, width: float) -> bool:
    """Whether a ratio's interval lies wholly beyond the band; one that has no interval (NaN) is not told from 1."""
    return low > 1 + width or high < 1 / (1 + width)


def called_different(rows: Rows) -> dict[tuple[Any, ...], bool]:
    """Of each A/A pair, whether it would be called different by the band of the other pairs on as many threads: an honest count.

    ``rows``: those of a summary. Keys as those of ``pairs``.
    """
    found = pairs(rows)
    return {
        place: different(pair.low, pair.high, band([other for p, other in found.items() if p != place and p[0] == place[0]]))
        for place, pair in found.items()
    }

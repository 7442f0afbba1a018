"""Derivatives from values alone, each with a bound on its own error. Knows no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

RATIO = 4.0  # between the rungs of the ladder; a power of two keeps every step exactly representable


@dataclass(frozen=True)
class Estimate:
    """Derivatives and a bound on the error of each, arrays of one shape; an infinite error where nothing is known."""

    value: Array
    error: Array


def central_differences(difference: Callable[[Array], Array], steps: Iterable[Array], noise: Array | float) -> Estimate:
    """f′(0) by central differences on a ladder of steps, extrapolated (Richardson 1911; Ridders 1982).

    ``difference(h)``: f(h) − f(−h), an array with a derivative in each entry; NaN says that this rung tells nothing
    (a kink lies between). ``steps``: arrays or floats h, each ``RATIO`` times smaller than the one before.
    ``noise``: a bound on the absolute rounding error of ``difference``.

    Each extrapolated value carries two errors: the truncation, estimated as its greatest distance from the two values that
    it was made of and from the value above it, of the same order at the coarser rung (one of these alone is small by
    accident once in some thousand entries), and the round-off, carried through the tableau beside it. Every entry takes
    the value for which their sum is least.
    """
    best, least = None, None
    above: list[tuple[Array, Array]] = []
    for h in steps:
        value = difference(h) / (2 * h)
        row = [(value, np.broadcast_to(noise / (2 * h), np.shape(value)))]
        best = np.full(np.shape(value), np.nan) if best is None else best
        least = np.full(np.shape(value), np.inf) if least is None else least
        for m, (coarse, coarse_noise) in enumerate(above, start=1):
            fine, fine_noise = row[-1]
            weight = 1 / (RATIO ** (2 * m) - 1)  # the error is even in h, so each column removes one power of h²
            value = fine + (fine - coarse) * weight
            round_off = fine_noise * (1 + weight) + coarse_noise * weight
            row.append((value, round_off))
            if m == len(above):  # nothing stands above it yet
                break
            error = np.maximum.reduce([abs(value - fine), abs(value - coarse), abs(value - above[m][0])]) + round_off
            better = error < least  # False where NaN, so a rung across a kink is never taken
            best, least = np.where(better, value, best), np.where(better, error, least)
        above = row
    if best is None or least is None:
        raise ValueError("steps: got none; expected at least three")
    return Estimate(best, least)

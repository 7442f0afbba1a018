"""Noise of equally spaced values: what their differences of high order hold (Moré & Wild 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DECIMALS = 7  # of the largest value
DIFFERENT = 3  # multiples that must be among the values
LEAST_ORDER = 3  # of differences that hold no more of a smooth function


def noise_of_line(values: Array) -> Array:
    """The size of the noise of ``values`` (n, ...) along the first axis: the least that differences of any order give.

    The k-th differences of independent noise have its variance times binomial(2k, k); a smooth part only adds to them. Of each order
    the largest is taken, for there are few.
    """
    found, gamma = [], 1.0
    for k in range(1, len(values) - 1):
        values = np.diff(values, axis=0)
        gamma *= 2 * (2 * k - 1) / k  # binomial(2k, k)
        if k >= LEAST_ORDER:
            size = np.max(abs(values), axis=0) / np.sqrt(gamma)
            found.append(np.where(size > 0, size, np.inf))  # exactly 0 is luck of rounded values, unless it is so in every order
    least = np.min(found, axis=0)
    return np.where(np.isfinite(least), least, 0.0)


def decimal_grain(values: Array, unit: float) -> float:
    """The largest power of ten of which ``values`` are multiples, as those of a cost that is rounded; 0 where there is none.

    Values of the decade of the first one count.
    ``unit``: the spacing of the values' numbers, relative to 1. Powers below the single precision of the values are no evidence.
    """
    values = values[np.isfinite(values) & (values != 0)]
    if not values.size:
        return 0.0
    decades = np.floor(np.log10(abs(values)))
    values = values[decades == decades[0]]  # a number of digits means another grain in each decade
    top = int(decades[0]) + 1
    for exponent in range(top, top - DECIMALS - 1, -1):
        counts = values / 10.0**exponent
        whole = np.round(counts)
        if (abs(counts - whole) <= 4 * unit * np.maximum(1.0, abs(counts))).all():
            return 10.0**exponent if len(np.unique(whole)) >= DIFFERENT else 0.0
    return 0.0


def is_power_of_ten(step: float) -> bool:
    """Whether a plateau's step is a decimal's: that of a cost that is rounded or printed."""
    exponent = np.log10(step)
    return bool(abs(exponent - np.round(exponent)) < 1e-6)

"""Noise of equally spaced values: what their differences of high order hold (Moré & Wild 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DECIMALS = 6  # of the largest value
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
            found.append(np.max(abs(values), axis=0) / np.sqrt(gamma))
    return np.asarray(np.min(found, axis=0))


def decimal_grain(values: Array) -> float:
    """The largest power of ten of which all ``values`` are multiples, as those of a cost that is rounded; 0 where there is none.

    Powers below the single precision of the values are no evidence.
    """
    values = values[np.isfinite(values)]
    if len(np.unique(values)) < 2:
        return 0.0
    largest = float(np.max(abs(values)))
    for exponent in range(int(np.ceil(np.log10(largest))), int(np.floor(np.log10(largest))) - DECIMALS, -1):
        counts = values / 10.0**exponent
        if (abs(counts - np.round(counts)) <= 2.0**-40 * np.maximum(1.0, abs(counts))).all():
            return 10.0**exponent
    return 0.0

"""Jumps of a cost close to theta, as a solver makes them that stops at a tolerance, or a series that is cut off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.cost import Cost

Array = NDArray[Any]

ORDER = 6  # of the differences in which a smooth function is gone and a jump is left
GAMMA = 924.0  # binomial(12, 6): their variance, of noise
SPACING, LEAST = 2.0**-9, 2.0**-26  # of the points, relative to theta
FIRST, LATER = 65, 33  # points
LINES = 4
NOTICED = 16.0  # times the noise is more than noise
SLIGHT = 2.0**-8  # of the cost: a larger jump is no tolerance


def jump_near(cost: Cost, sizes: Array, noise: float, rng: np.random.Generator) -> float:
    """The size of a jump found along random lines through theta, 0 where there is none."""
    return next((found for _ in range(LINES) if (found := _jump_along(cost, sizes, noise, rng))), 0.0)


def _jump_along(cost: Cost, sizes: Array, noise: float, rng: np.random.Generator) -> float:
    """Where differences of high order stand out of the ``noise``, the points are set closer, again and again: those of a smooth
    function, however fast, vanish; those of a jump stay.
    """
    direction = rng.choice([-1.0, 1.0], cost.size) * rng.uniform(0.5, 1.0, cost.size) * sizes
    spacing, start, count = SPACING, -(FIRST // 2) * SPACING, FIRST
    before = 0.0
    while True:
        values = np.array([cost(cost.flat + (start + n * spacing) * direction) for n in range(count)])
        if not np.isfinite(values).all():
            return 0.0
        high = abs(np.diff(values, ORDER)) / np.sqrt(GAMMA)
        if high.max() <= max(NOTICED * noise, before / 2):  # at a kink it shrinks with the spacing
            return 0.0
        if spacing < LEAST:
            break
        before = float(high.max()) if spacing < SPACING else 0.0
        start += int(np.argmax(high)) * spacing
        spacing, count = ORDER * spacing / (LATER - 1), LATER
    changes = np.diff(values)
    second, found = map(float, np.sort(abs(changes - np.median(changes)))[-2:])
    alone = second <= found / 4  # else it is noise
    return found if alone and NOTICED * noise < found <= SLIGHT * abs(cost.value) else 0.0

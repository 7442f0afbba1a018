"""Kinks of several entries at once: a subgradient must lie between the one-sided slopes along every direction through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.cost import Cost
from deltacheck.verify.functions.gradient import ROUNDING
from deltacheck.verify.functions.ladder import Ladder
from deltacheck.verify.functions.screening import sizes_of

Array = NDArray[Any]

RANDOM_DIRECTIONS = 6


def no_subgradient(cost: Cost, got: Array, kinks: Array, unit: float, rng: np.random.Generator) -> str:
    """Where ``got`` (P,) is outside of the slopes along a direction through the entries ``kinks``, in words; empty when it never is."""
    size = float(np.median(sizes_of(cost.flat)))
    for what, part in _directions(got[kinks], rng):
        direction = np.zeros(got.size)
        direction[kinks] = part
        ladder = Ladder(cost.along(direction), 0.0, cost.value, size, np.float64, 4 * cost.wobble)
        right, left = ladder.slope(+1), ladder.slope(-1)
        if not (right.known and left.known):
            continue
        low, high = sorted((right.value, left.value))
        along = float(got @ direction)
        allowed = right.error + left.error + ROUNDING * unit * float(abs(got) @ abs(direction))
        if not low - allowed <= along <= high + allowed:
            return (
                f"no subgradient: {len(kinks)} entries lie on a kink; along {what} the gradient has slope {along:.6g}, "
                f"the cost from {low:.6g} to {high:.6g}"
            )
    return ""


def _directions(got: Array, rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    count = len(got)
    yield f"all {count} at once", np.ones(count)
    length = float(np.max(abs(got)))
    if length > 0:
        yield "the gradient itself", got / length
    for _ in range(RANDOM_DIRECTIONS):
        yield "a random direction of signs", rng.choice([-1.0, 1.0], count)

"""Kinks of several entries at once: a subgradient must lie between the one-sided slopes along every direction through them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.cost import Cost
from deltacheck.verify.functions.gradient import ROUNDING
from deltacheck.verify.functions.ladder import Ladder
from deltacheck.verify.functions.screening import sizes_of

Array = NDArray[Any]

RANDOM_DIRECTIONS = 6
MOST = 64  # entries on a kink that are compared with each other
STEP = 2.0**-20  # relative to the entry
ALONE = 1e-3  # of the single kinks: what two may differ from their sum


def no_subgradient(cost: Cost, got: Array, kinks: Array, unit: float, rng: np.random.Generator) -> str:
    """Where ``got`` (P,) is outside of the slopes along a direction through entries that share a kink, in words; empty when it never is.

    ``kinks``: the entries on a kink. Those that do not share one may take any slope each on its own.
    """
    for tied in _shared(cost, kinks, sizes_of(cost.flat), rng):
        text = _outside(cost, got, tied, unit, rng)
        if text:
            return text
    return ""


def _shared(cost: Cost, kinks: Array, sizes: Array, rng: np.random.Generator) -> list[Array]:
    """The groups of entries whose kinks are not the sum of single ones: moved two at a time they bend the cost otherwise."""
    if len(kinks) > MOST:
        kinks = np.sort(rng.choice(kinks, MOST, replace=False))

    def bend(entries: list[int]) -> float:
        move = np.zeros(cost.size)
        move[entries] = STEP * sizes[entries]
        return cost(cost.flat + move) + cost(cost.flat - move) - 2 * cost.value

    single = {int(entry): bend([int(entry)]) for entry in kinks}
    group = {entry: entry for entry in single}
    for first, second in combinations(single, 2):
        together, apart = bend([first, second]), single[first] + single[second]
        if abs(together - apart) > ALONE * (abs(single[first]) + abs(single[second])):
            old, new = group[second], group[first]
            group = {entry: new if of == old else of for entry, of in group.items()}
    found = [np.array([entry for entry, of in group.items() if of == name]) for name in set(group.values())]
    return [entries for entries in found if len(entries) > 1]


def _outside(cost: Cost, got: Array, kinks: Array, unit: float, rng: np.random.Generator) -> str:
    size, text, bends = float(np.median(sizes_of(cost.flat))), "", []
    for what, part in _directions(got[kinks], rng):
        direction = np.zeros(got.size)
        direction[kinks] = part
        ladder = Ladder(cost.along(direction), 0.0, cost.value, size, np.float64, 4 * cost.wobble)
        right, left = ladder.slope(+1), ladder.slope(-1)
        if not (right.known and left.known):
            continue
        low, high = sorted((right.value, left.value))
        if high - low > right.error + left.error:
            bends.append(np.sign(right.value - left.value))
        along = float(got @ direction)
        allowed = right.error + left.error + ROUNDING * unit * float(abs(got) @ abs(direction))
        if not text and not low - allowed <= along <= high + allowed:
            text = (
                f"no subgradient: {len(kinks)} entries lie on a kink; along {what} the gradient has slope {along:.6g}, "
                f"the cost from {low:.6g} to {high:.6g}"
            )
    return text if abs(sum(bends)) == len(bends) else ""  # bent both ways, the slopes along a direction bound no gradient


def _directions(got: Array, rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    count = len(got)
    yield f"all {count} at once", np.ones(count)
    length = float(np.max(abs(got)))
    if length > 0:
        yield "the gradient itself", got / length
    for _ in range(RANDOM_DIRECTIONS):
        yield "a random direction of signs", rng.choice([-1.0, 1.0], count)

"""Slopes to one side: at a kink, and at the edge of a domain."""

from __future__ import annotations

import numpy as np

from deltacheck.verify.functions.ladder import UNKNOWN, Ladder, Slope
from deltacheck.verify.verdict.entries import ONE_SIDED

EDGE = "one-sided differences"
KINK = 1e-3  # slopes that differ by less, relative to the larger, are no kink


def is_kink(right: Slope, left: Slope) -> bool:
    """Whether the slopes to the right and to the left differ beyond their errors."""
    if not (right.known and left.known):
        return False
    return abs(right.value - left.value) > 2 * (right.error + left.error) + KINK * max(abs(right.value), abs(left.value))


def at_an_edge(ladder: Ladder, right: Slope, left: Slope) -> tuple[Slope, str]:
    """The slope on the one side where the function is there, at the edge of its domain."""
    if right.known and left.known:
        middle = (right.value + left.value) / 2
        return Slope(middle, abs(right.value - left.value) / 2 + max(right.error, left.error), right.step), ONE_SIDED
    if right.known and not np.isfinite(ladder.minus[-2:]).any():
        return right, EDGE
    if left.known and not np.isfinite(ladder.plus[-2:]).any():
        return left, EDGE
    return UNKNOWN, "no reference"

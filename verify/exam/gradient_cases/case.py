"""A case: a function, a gradient, a point, and the verdicts that are right there; and how a wrong gradient is made from a right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Cost = Callable[[Array], Any]
Gradient = Callable[[Array], Any]
Triple = tuple[Cost, Gradient, Array]
Make = Callable[[], Triple]
Change = Callable[[Array, Array], Any]

PASS = ("pass",)
FAIL = ("fail",)
UNSURE = ("pass", "inconclusive")  # right, but the cost may be too coarse for anyone to tell
NOT_PASS = ("fail", "inconclusive")


@dataclass(frozen=True)
class Case:
    """``source`` is a public report of the same kind of trouble, or empty. ``make`` gives a fresh cost, gradient and theta at each call."""

    name: str
    source: str
    accepted: tuple[str, ...]
    make: Make


def changed(make: Make, change: Change) -> Make:
    """The same cost with another gradient: what ``change`` makes of the right gradient and theta."""

    def other() -> Triple:
        cost, gradient, theta = make()
        return cost, lambda t: change(np.array(gradient(t)), t), theta

    return other


def entry(index: int, value: float) -> Change:
    """A change: one entry, counted in C order, is ``value``."""

    def change(g: Array, _: Array) -> Array:
        g.flat[index] = value
        return g

    return change


def entry_times(index: int, factor: float) -> Change:
    """A change: one entry is multiplied."""

    def change(g: Array, _: Array) -> Array:
        g.flat[index] *= factor
        return g

    return change


def times(factors: float | Sequence[float]) -> Change:
    """A change: all entries are multiplied, by one factor or each by its own."""
    return lambda g, _: (g * np.asarray(factors)).astype(g.dtype)

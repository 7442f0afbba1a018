"""One entry of many, or a few at regular places, is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Functions, PlantedBug, changed, generator

SIZE = 300


def _at(entries: Any, factor: float = 1.001, size: int = SIZE) -> Functions:
    """Neighbours and their products; the gradient is ``factor`` times too large at ``entries``."""
    theta = 1.5 + 0.3 * generator(51).standard_normal(size)
    return _cost, _gradient, changed(_gradient, entries, factor), theta


def _cost(t: Array) -> Any:
    return np.sum(np.sin(t)) + np.sum(t[1:] * t[:-1])


def _gradient(t: Array) -> Array:
    g = np.cos(t)
    g[1:] += t[:-1]
    g[:-1] += t[1:]
    return np.asarray(g)


def _no_end() -> Functions:
    """The last entry has one neighbour; the gradient takes the first for its other, as a ring."""

    def wrong(t: Array) -> Array:
        return np.asarray(np.cos(t) + np.roll(t, 1) + np.roll(t, -1))

    theta = 1.5 + 0.3 * generator(52).standard_normal(40)
    return _cost, _gradient, wrong, theta


def _tail() -> Functions:
    """Steps of eight, and what is left over is forgotten."""
    whole = 8 * (61 // 8)
    return _at(slice(whole, None), 0.0, 61)


def _swapped() -> Functions:
    theta = 1.5 + 0.3 * generator(53).standard_normal(50)

    def wrong(t: Array) -> Array:
        g = _gradient(t)
        g[[20, 21]] = g[[21, 20]]
        return g

    return _cost, _gradient, wrong, theta


def _diagonal() -> Functions:
    """The diagonal of a symmetric product is counted once, not twice."""
    theta = generator(54).standard_normal((6, 6))

    def wrong(t: Array) -> Array:
        g = 4 * (t @ t.T) @ t
        g[np.diag_indices(6)] /= 2
        return np.asarray(g)

    return lambda t: np.sum((t @ t.T) ** 2), lambda t: 4 * (t @ t.T) @ t, wrong, theta


def _corner() -> Functions:
    """The last row and column of a matrix whose sides are no multiple of four are 1 % off where they meet."""
    theta = generator(55).standard_normal((9, 13))

    def right(t: Array) -> Array:
        return np.asarray(np.cos(t))

    return lambda t: np.sum(np.sin(t)), right, changed(right, (8, 12), 1.01), theta


def _repeated_index() -> Functions:
    """Rows looked up twice are counted once: g[index] += … keeps the last."""
    at = np.array([0, 3, 3, 5, 1, 3])
    theta = generator(56).standard_normal((6, 2))

    def right(t: Array) -> Array:
        g = np.zeros_like(t)
        np.add.at(g, at, np.cos(t[at]))
        return g

    def wrong(t: Array) -> Array:
        g = np.zeros_like(t)
        g[at] += np.cos(t[at])
        return g

    return lambda t: np.sum(np.sin(t[at])), right, wrong, theta


def _transposed() -> Functions:
    b = generator(57).standard_normal((5, 5))
    theta = generator(58).standard_normal((5, 5))
    return lambda t: np.trace(t @ t @ b), lambda t: (t @ b + b @ t).T, lambda t: t @ b + b @ t, theta


BUGS = [
    PlantedBug("first of 300", "entries", lambda: _at(0)),
    PlantedBug("last of 300", "entries", lambda: _at(-1)),
    PlantedBug("one in the midst of 300", "entries", lambda: _at(137)),
    PlantedBug("one of 300 is 1e-6 off", "entries", lambda: _at(211, 1 + 2e-6)),
    PlantedBug("one of 300 has the other sign", "entries", lambda: _at(64, -1.0)),
    PlantedBug("one of 300 is 0", "entries", lambda: _at(255, 0.0)),
    PlantedBug("every 64th", "entries", lambda: _at(slice(63, None, 64))),
    PlantedBug("edge of a tile of 32", "entries", lambda: _at(slice(32, 34))),
    PlantedBug("what is left over after steps of eight", "entries", _tail),
    PlantedBug("line taken for a ring", "entries", _no_end),
    PlantedBug("two neighbours exchanged", "entries", _swapped),
    PlantedBug("diagonal counted once", "entries", _diagonal),
    PlantedBug("corner of a matrix", "entries", _corner),
    PlantedBug("rows looked up twice counted once", "entries", _repeated_index),
    PlantedBug("transpose of a matrix", "entries", _transposed),
]

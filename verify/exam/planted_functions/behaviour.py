"""Gradients that keep a state or break what a caller may expect of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Functions, PlantedBug, generator


def _cost(t: Array) -> Any:
    return np.sum(np.sin(t)) + np.sum(t**3)


def _right(t: Array) -> Array:
    return np.asarray(np.cos(t) + 3 * t * t)


def _planted(wrong: Callable[[Array], Any], shape: tuple[int, ...] = (6,)) -> Functions:
    return _cost, _right, wrong, generator(31).standard_normal(shape)


def _accumulates() -> Functions:
    total = np.zeros(6)

    def wrong(t: Array) -> Array:
        nonlocal total
        total = total + _right(t)
        return total.copy()

    return _planted(wrong)


def _buffer() -> Functions:
    """Each call returns the same array, filled anew."""
    buffer = np.empty(6)

    def wrong(t: Array) -> Array:
        buffer[:] = _right(t)
        return buffer

    return _planted(wrong)


def _first_only() -> Functions:
    """The gradient of the first theta for ever: cached by shape."""
    known: dict[tuple[int, ...], Array] = {}

    def wrong(t: Array) -> Array:
        return known.setdefault(t.shape, _right(t)).copy()

    return _planted(wrong)


def _by_identity() -> Functions:
    """Cached for the array itself, whatever it holds by now."""
    known: list[tuple[Array, Array]] = []

    def wrong(t: Array) -> Array:
        for key, value in known:
            if key is t:
                return value.copy()
        known.append((t, _right(t)))
        return _right(t)

    return _planted(wrong)


def _by_rounded_values() -> Functions:
    """Cached for theta rounded to one decimal."""
    known: dict[bytes, Array] = {}

    def wrong(t: Array) -> Array:
        return known.setdefault(np.round(t, 1).tobytes(), _right(t)).copy()

    return _planted(wrong)


def _every_second() -> Functions:
    calls = 0

    def wrong(t: Array) -> Array:
        nonlocal calls
        calls += 1
        return _right(t) * (1.0 if calls % 2 else 1.01)

    return _planted(wrong)


def _after_third() -> Functions:
    calls = 0

    def wrong(t: Array) -> Array:
        nonlocal calls
        calls += 1
        return _right(t) * (1.0 if calls < 3 else 0.5)

    return _planted(wrong)


def _previous() -> Functions:
    """The gradient at the theta of the call before."""
    before: list[Array] = []

    def wrong(t: Array) -> Array:
        before.append(t.copy())
        return _right(before[-2] if len(before) > 1 else t)

    return _planted(wrong)


def _moving_average() -> Functions:
    average: Array | None = None

    def wrong(t: Array) -> Array:
        nonlocal average
        average = _right(t) if average is None else 0.9 * average + 0.1 * _right(t)
        return average.copy()

    return _planted(wrong)


def _after_the_cost() -> Functions:
    """It uses what the last call of the cost has left."""
    last: list[Array] = []

    def cost(t: Array) -> Any:
        last[:] = [np.asarray(t).real.copy()]
        return _cost(t)

    return cost, _right, lambda t: _right(last[0] if last else t), generator(32).standard_normal(6)


def _random() -> Functions:
    """Dropout left on."""
    rng = generator(33)
    return _planted(lambda t: _right(t) * (rng.random(t.shape) < 0.9) / 0.9)


def _grows() -> Functions:
    """Momentum: something of the gradient before."""
    velocity = np.zeros(6)

    def wrong(t: Array) -> Array:
        nonlocal velocity
        velocity = 1e-3 * velocity + _right(t)
        return velocity.copy()

    return _planted(wrong)


def _writes(change: Callable[[Array], None]) -> Functions:
    def wrong(t: Array) -> Array:
        g = _right(t)
        change(t)
        return g

    return _planted(wrong)


def _set_last(t: Array) -> None:
    t[-1] = 0.0


def _scale(t: Array) -> None:
    t *= 0.5


def _sort(t: Array) -> None:
    t.sort()


def _masked(t: Array) -> Any:
    g = np.ma.array(_right(t), mask=np.arange(t.size) == 2)
    g.data[2] = 0.0
    return g


def _with_none(t: Array) -> Any:
    g = _right(t).astype(object)
    g[3] = None
    return g


def _complex(t: Array) -> Any:
    return _right(t) + 0.5j


BUGS = [
    PlantedBug("adds to the gradients before", "state", _accumulates),
    PlantedBug("returns its own buffer", "state", _buffer),
    PlantedBug("cached by shape", "state", _first_only),
    PlantedBug("cached by identity", "state", _by_identity),
    PlantedBug("cached by rounded values", "state", _by_rounded_values),
    PlantedBug("every second call is 1 % off", "state", _every_second),
    PlantedBug("half from the third call on", "state", _after_third),
    PlantedBug("gradient of the call before", "state", _previous),
    PlantedBug("moving average over calls", "state", _moving_average),
    PlantedBug("takes what the cost has left", "state", _after_the_cost),
    PlantedBug("dropout left on", "state", _random),
    PlantedBug("momentum of 1e-3", "state", _grows),
    PlantedBug("writes 0 into the last of theta", "contract", lambda: _writes(_set_last)),
    PlantedBug("scales theta", "contract", lambda: _writes(_scale)),
    PlantedBug("sorts theta", "contract", lambda: _writes(_sort)),
    PlantedBug("returns a column", "contract", lambda: _planted(lambda t: _right(t)[:, None])),
    PlantedBug("returns a row", "contract", lambda: _planted(lambda t: _right(t)[None])),
    PlantedBug("returns one number", "contract", lambda: _planted(lambda t: _right(t).sum())),
    PlantedBug("leaves out the last entry", "contract", lambda: _planted(lambda t: _right(t)[:-1])),
    PlantedBug("flattens a matrix", "contract", lambda: _planted(lambda t: _right(t).ravel(), (2, 3))),
    PlantedBug("masks an entry", "contract", lambda: _planted(_masked)),
    PlantedBug("has None among its numbers", "contract", lambda: _planted(_with_none)),
    PlantedBug("has imaginary parts", "contract", lambda: _planted(_complex)),
    PlantedBug("returns text", "contract", lambda: _planted(lambda t: np.array([f"{v:.6f}" for v in _right(t)]))),
    PlantedBug("returns None", "contract", lambda: _planted(lambda t: None)),
]

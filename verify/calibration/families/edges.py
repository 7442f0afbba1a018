"""Near the edge of the function's domain or near a pole."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Draw, Rng, count, drawn, families, normal, powers, signs, wide


def _log(rng: Rng, dtype: Any) -> Draw:
    return drawn(lambda t: -np.sum(np.log(t)), lambda t: -1 / t, powers(rng, -8, 0, count(rng), dtype))


def _sqrt(rng: Rng, dtype: Any) -> Draw:
    return drawn(lambda t: np.sum(np.sqrt(t)), lambda t: 0.5 / np.sqrt(t), powers(rng, -wide(dtype, 12, 6), 0, count(rng), dtype))


def _entropy(rng: Rng, dtype: Any) -> Draw:
    return drawn(lambda t: -np.sum(t * np.log(t)), lambda t: -np.log(t) - 1, powers(rng, -10, 0, count(rng), dtype))


def _below_one(rng: Rng, dtype: Any, depth: float) -> Any:
    n = count(rng)
    return ((1 - 10.0 ** rng.uniform(-depth, -0.1, n)) * rng.choice([-1.0, 1.0], n)).astype(dtype)


def _arcsin(rng: Rng, dtype: Any) -> Draw:
    theta = _below_one(rng, dtype, wide(dtype, 8, 4))
    return drawn(lambda t: np.sum(np.arcsin(t)), lambda t: 1 / np.sqrt(1 - t * t), theta, exact=lambda t: 1 / np.sqrt((1 - t) * (1 + t)))


def _box_barrier(rng: Rng, dtype: Any) -> Draw:
    theta = _below_one(rng, dtype, wide(dtype, 8, 4))
    return drawn(lambda t: -np.sum(np.log(1 - t * t)), lambda t: 2 * t / (1 - t * t), theta, exact=lambda t: 2 * t / ((1 - t) * (1 + t)))


def _power(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    p = rng.choice([0.5, 1.5, 2.5, -1.0, -0.5, 0.25], n).astype(dtype)
    return drawn(lambda t: np.sum(t**p), lambda t: p * t ** (p - 1), powers(rng, -6, 0, n, dtype))


def _arccosh(rng: Rng, dtype: Any) -> Draw:
    theta = (1 + powers(rng, -wide(dtype, 8, 4), 0, count(rng), np.float64)).astype(dtype)
    return drawn(lambda t: np.sum(np.arccosh(t)), lambda t: 1 / np.sqrt(t * t - 1), theta, exact=lambda t: 1 / np.sqrt((t - 1) * (t + 1)))


def _pole(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = (1 + powers(rng, -wide(dtype, 6, 3), 0, n, np.float64) * signs(rng, n, np.float64)).astype(dtype)
    return drawn(lambda t: np.sum(1 / (1 - t)), lambda t: 1 / (1 - t) ** 2, theta)


def _close_poles(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    width = powers(rng, -wide(dtype, 4, 2), 0, n, dtype)
    theta = (width * normal(rng, n, np.float64, 2.0)).astype(dtype)
    return drawn(lambda t: np.sum(width * t / (t * t + width * width)), lambda t: _witch(t, width), theta)


def _witch(t: Any, width: Any) -> Any:
    square = t * t + width * width
    return width * (width * width - t * t) / (square * square)


def _tan(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = ((np.pi / 2 - 10.0 ** rng.uniform(-wide(dtype, 5, 2.5), 0.1, n)) * rng.choice([-1.0, 1.0], n)).astype(dtype)
    return drawn(lambda t: np.sum(np.tan(t)), lambda t: 1 + np.tan(t) ** 2, theta)


def _log1p(rng: Rng, dtype: Any) -> Draw:
    theta = (-1 + powers(rng, -wide(dtype, 8, 4), 0, count(rng), np.float64)).astype(dtype)
    return drawn(lambda t: np.sum(np.log1p(t)), lambda t: 1 / (1 + t), theta)


def _binary_entropy(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    small = 10.0 ** rng.uniform(-wide(dtype, 8, 4), -0.3, n)
    theta = np.where(rng.random(n) < 0.5, small, 1 - small).astype(dtype)
    return drawn(
        lambda t: np.sum(t * np.log(t) + (1 - t) * np.log(1 - t)),
        lambda t: np.log(t / (1 - t)),
        theta,
        exact=lambda t: np.log(t) - np.log1p(-t),
    )


def _steep_wall(rng: Rng, dtype: Any) -> Draw:
    theta = powers(rng, -1, 0.5, count(rng), dtype)
    return drawn(lambda t: np.sum(1 / t**6 - 1 / t**3), lambda t: 3 / t**4 - 6 / t**7, theta)


FAMILIES = families(
    "edges",
    {
        "log near 0": _log,
        "sqrt near 0": _sqrt,
        "entropy near 0": _entropy,
        "arcsin near 1": _arcsin,
        "log barrier of a box": _box_barrier,
        "powers near 0": _power,
        "arccosh near 1": _arccosh,
        "pole at 1": _pole,
        "pair of complex poles": _close_poles,
        "tan near its pole": _tan,
        "log1p near -1": _log1p,
        "binary entropy": _binary_entropy,
        "repulsion and attraction": _steep_wall,
    },
)

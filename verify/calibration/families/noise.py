"""Costs that are less accurate than their dtype: rounded, computed in less precision, or solved up to a tolerance."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, uniform, wide

MLP_ROWS = 6


def _smooth(rng: Rng, dtype: Any) -> tuple[Callable[[Array], Any], Callable[[Array], Any], Array]:
    """One of three smooth functions, its gradient, and a point."""
    n = count(rng, 5, 25)
    w, a = normal(rng, n, dtype), normal(rng, (n, n), dtype) / dtype(np.sqrt(n))
    choices: list[tuple[Callable[[Array], Any], Callable[[Array], Any]]] = [
        (lambda t: np.sum(w * np.sin(t)) + np.sum(t * t), lambda t: w * np.cos(t) + 2 * t),
        (lambda t: np.sum((a @ t) ** 4), lambda t: a.T @ (4 * (a @ t) ** 3)),
        (lambda t: np.sum(np.exp(a @ t)), lambda t: a.T @ np.exp(a @ t)),
    ]
    cost, gradient = choices[int(rng.integers(3))]
    return cost, gradient, normal(rng, n, dtype)


def _few_digits(rng: Rng, dtype: Any) -> Draw:
    smooth, gradient, theta = _smooth(rng, dtype)
    digits = int(rng.integers(6, 13)) if dtype == np.float64 else int(rng.integers(4, 7))
    return drawn(lambda t: float(f"{float(smooth(t)):.{digits}g}"), gradient, theta, smooth=smooth)


def _fixed_decimals(rng: Rng, dtype: Any) -> Draw:
    smooth, gradient, theta = _smooth(rng, dtype)
    decimals = int(rng.integers(5, 10)) if dtype == np.float64 else int(rng.integers(2, 4))
    return drawn(lambda t: np.round(smooth(t), decimals), gradient, theta, smooth=smooth)


def _float32_inside(rng: Rng, dtype: Any) -> Draw:
    smooth, gradient, theta = _smooth(rng, np.float32)
    return drawn(lambda t: float(smooth(t.astype(np.float32))), gradient, theta.astype(dtype), smooth=smooth)


def _float32_network(rng: Rng, dtype: Any) -> Draw:
    hidden = int(rng.integers(3, 8))
    x, v, y = normal(rng, (MLP_ROWS, 3), np.float32), normal(rng, hidden, np.float32), normal(rng, MLP_ROWS, np.float32)

    def smooth(w: Array) -> Any:
        r = np.tanh(x @ w) @ v - y
        return r @ r * 0.5

    def gradient(w: Array) -> Any:
        a = np.tanh(x @ w)
        return x.T @ ((a @ v - y)[:, None] * v * (1 - a * a))

    theta = normal(rng, (3, hidden), np.float32).astype(dtype)
    return drawn(lambda w: float(smooth(w.astype(np.float32))), gradient, theta, smooth=smooth)


def _pseudo_random(rng: Rng, dtype: Any) -> Draw:
    """Noise that is the same at the same point, as an unordered sum of a simulation may have it."""
    smooth, gradient, theta = _smooth(rng, dtype)
    level = 10.0 ** rng.uniform(-wide(dtype, 12, 6), -wide(dtype, 5, 3))

    def cost(t: Array) -> Any:
        noise = zlib.crc32(np.ascontiguousarray(t).tobytes()) / 2.0**32 - 0.5
        return float(smooth(t)) * (1 + level * noise)

    return drawn(cost, gradient, theta, smooth=smooth)


def _fixed_point(rng: Rng, dtype: Any) -> Draw:
    """x = b − tanh(t x)/2, iterated until it stays; the gradient by the implicit function."""
    n = count(rng, 5, 15)
    b, w = normal(rng, n, dtype), normal(rng, n, dtype)

    def solve(t: Array) -> Any:
        x = b + t * 0
        most = 60 if t.dtype in (np.float32, np.float64, np.complex128) else 120
        least = 4 * np.finfo(t.dtype).eps if t.dtype != object else 1e-60
        for _ in range(most):
            new = b - 0.25 * np.tanh(t * x)
            step, x = np.max(abs(new - x)), new
            if step <= least:
                break
        return x

    def gradient(t: Array) -> Any:
        x = solve(t)
        slope = 0.25 * (1 - np.tanh(t * x) ** 2)
        return -w * slope * x / (1 + slope * t)

    def cost(t: Array) -> Any:
        return np.sum(w * solve(t))

    return drawn(cost, gradient, uniform(rng, -1.5, 1.5, n, dtype), smooth=cost)


def _bisection(rng: Rng, dtype: Any) -> Draw:
    """x + x³ = t by bisection to some tolerance: the cost is a staircase."""
    n = count(rng, 5, 15)
    w = normal(rng, n, dtype)
    halvings = int(rng.integers(20, 36)) if dtype == np.float64 else int(rng.integers(12, 17))

    def solve(t: Array, times: int) -> Any:
        x, h = t * 0, 2.0
        for _ in range(times):
            x = np.where(x + x**3 > t, x - h, x + h)
            h /= 2
        return x

    def gradient(t: Array) -> Any:
        x = solve(t, 60)
        for _ in range(4):
            x = x - (x + x**3 - t) / (1 + 3 * x * x)
        return w / (1 + 3 * x * x)

    def smooth(t: Array) -> Any:
        return np.sum(w * solve(t, 220))

    return drawn(lambda t: np.sum(w * solve(t, halvings)), gradient, uniform(rng, -3, 3, n, dtype), smooth=smooth)


def _long_running_sum(rng: Rng, dtype: Any) -> Draw:
    """A sum of 500 terms, one after another as a loop would: its rounding grows with its length."""
    n, rows = count(rng, 5, 10), 500
    a = normal(rng, (rows, n), dtype)

    def cost(t: Array) -> Any:
        return np.cumsum(np.cos(a @ t) + 1)[-1]

    return drawn(cost, lambda t: -a.T @ np.sin(a @ t), normal(rng, n, dtype), smooth=cost)


FAMILIES = families(
    "noise",
    {
        "cost of few digits": _few_digits,
        "cost of fixed decimals": _fixed_decimals,
        "pseudo-random noise": _pseudo_random,
        "fixed point to tolerance": _fixed_point,
        "bisection to tolerance": _bisection,
        "long running sum": _long_running_sum,
    },
)
FAMILIES += families("noise", {"float32 inside": _float32_inside, "float32 network inside": _float32_network}, ("float64",))

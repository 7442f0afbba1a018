"""Costs or gradients that are small differences of large numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers, signs, wide


def _sum_near_zero(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    t = rng.standard_normal(n)
    theta = (t - t.mean() + 10.0 ** rng.uniform(-wide(dtype, 6, 3), 0)).astype(dtype)
    return drawn(lambda t: np.sum(t) ** 2 * 0.5, lambda t: np.sum(t) * np.ones_like(t), theta)


def _least_squares_near_optimum(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 20)
    a = normal(rng, (3 * n, n), dtype)
    best = rng.standard_normal(n)
    theta = (best + 10.0 ** rng.uniform(-wide(dtype, 7, 3), 0) * rng.standard_normal(n)).astype(dtype)
    noise = rng.choice([0.0, 0.1]) * rng.standard_normal(3 * n)
    b = (a.astype(np.float64) @ best + noise).astype(dtype)

    def cost(t: Array) -> Any:
        r = a @ t - b
        return r @ r * 0.5

    return drawn(cost, lambda t: a.T @ (a @ t - b), theta)


def _variance(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = (rng.standard_normal(n) + 10.0 ** rng.uniform(0, wide(dtype, 6, 2.5))).astype(dtype)

    def cost(t: Array) -> Any:
        r = t - np.sum(t) / n
        return r @ r / n

    return drawn(cost, lambda t: 2 * (t - np.sum(t) / n) / n, theta)


def _exp_minus_its_start(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = powers(rng, -wide(dtype, 4, 2), 0, n, dtype) * signs(rng, n, dtype)
    return drawn(lambda t: np.sum(np.exp(t) - 1 - t), lambda t: np.exp(t) - 1, theta, exact=np.expm1)


def _cosine_distance(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    b = normal(rng, n, dtype)
    length = np.sqrt(b @ b)
    theta = (b + 10.0 ** rng.uniform(-wide(dtype, 4, 2), 0) * rng.standard_normal(n)).astype(dtype)

    def cost(t: Array) -> Any:
        return 1 - (t @ b) / (np.sqrt(t @ t) * length)

    def gradient(t: Array) -> Any:
        norm = np.sqrt(t @ t)
        return (t @ b) / (norm**3 * length) * t - b / (norm * length)

    return drawn(cost, gradient, theta)


def _shifted_log_sum_exp(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    shift = powers(rng, 0, wide(dtype, 6, 2.5), 1, np.float64)[0]
    theta = (shift + 2 * rng.standard_normal(n)).astype(dtype)

    def cost(t: Array) -> Any:
        top = np.max(t)
        return top + np.log(np.sum(np.exp(t - top)))

    def gradient(t: Array) -> Any:
        e = np.exp(t - np.max(t))
        return e / np.sum(e)

    return drawn(cost, gradient, theta)


def _differences_of_neighbours(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = (10.0 ** rng.uniform(0, wide(dtype, 5, 2)) + np.cumsum(0.1 * rng.standard_normal(n))).astype(dtype)

    def gradient(t: Array) -> Any:
        d = t[1:] - t[:-1]
        g = np.zeros_like(t)
        g[1:] += d
        g[:-1] -= d
        return g

    return drawn(lambda t: np.sum((t[1:] - t[:-1]) ** 2) * 0.5, gradient, theta)


def _alternating_series(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    sign = np.where(np.arange(n) % 2 == 0, 1, -1).astype(dtype)
    theta = (1 + 10.0 ** rng.uniform(-wide(dtype, 5, 3), 0) * rng.standard_normal(n)).astype(dtype)
    return drawn(lambda t: np.sum(sign * t**3), lambda t: sign * 3 * t**2, theta)


FAMILIES = families(
    "cancellation",
    {
        "square of a sum near 0": _sum_near_zero,
        "least squares near its optimum": _least_squares_near_optimum,
        "variance of a large offset": _variance,
        "exp less its start": _exp_minus_its_start,
        "cosine distance": _cosine_distance,
        "log-sum-exp with a shift": _shifted_log_sum_exp,
        "differences of neighbours": _differences_of_neighbours,
        "alternating cubes": _alternating_series,
    },
)

"""Polynomials, exponentials, waves and rational functions of ordinary size; gradients that are 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, uniform


def _rosenbrock(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)

    def cost(t: Array) -> Any:
        return np.sum(100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2)

    def gradient(t: Array) -> Any:
        g = np.zeros_like(t)
        g[:-1] = -400 * t[:-1] * (t[1:] - t[:-1] ** 2) - 2 * (1 - t[:-1])
        g[1:] += 200 * (t[1:] - t[:-1] ** 2)
        return g

    theta = normal(rng, n, dtype) if rng.random() < 0.7 else (1 + 0.01 * rng.standard_normal(n)).astype(dtype)
    return drawn(cost, gradient, theta)


def _polynomial(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    c = normal(rng, (6, n), dtype)

    def cost(t: Array) -> Any:
        return np.sum(c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5])))))

    return drawn(cost, lambda t: c[1] + t * (2 * c[2] + t * 3 * c[3] + t * t * (4 * c[4] + t * 5 * c[5])), normal(rng, n, dtype, 1.5))


def _quartic_of_sums(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 20)
    a = normal(rng, (n, n), dtype)
    return drawn(lambda t: np.sum((a @ t) ** 4), lambda t: a.T @ (4 * (a @ t) ** 3), normal(rng, n, dtype))


def _log_sum_exp(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 20), 15
    a = normal(rng, (rows, n), dtype)

    def cost(t: Array) -> Any:
        return np.log(np.sum(np.exp(a @ t)))

    def gradient(t: Array) -> Any:
        e = np.exp(a @ t)
        return a.T @ (e / np.sum(e))

    return drawn(cost, gradient, normal(rng, n, dtype))


def _exp_of_sums(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 20)
    a = normal(rng, (n, n), dtype)
    return drawn(lambda t: np.sum(np.exp(a @ t)), lambda t: a.T @ np.exp(a @ t), normal(rng, n, dtype))


def _waves(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    a, b = uniform(rng, 0.5, 4, n - 1, dtype), uniform(rng, 0.5, 4, n - 1, dtype)

    def gradient(t: Array) -> Any:
        left, right = a * t[:-1], b * t[1:]
        g = np.zeros_like(t)
        g[:-1] = a * np.cos(left) * np.cos(right)
        g[1:] -= b * np.sin(left) * np.sin(right)
        return g

    return drawn(lambda t: np.sum(np.sin(a * t[:-1]) * np.cos(b * t[1:])), gradient, normal(rng, n, dtype, 2.0))


def _rational(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w = normal(rng, n, dtype)
    return drawn(lambda t: np.sum(w * t / (1 + t * t)), lambda t: w * (1 - t * t) / (1 + t * t) ** 2, normal(rng, n, dtype, 2.0))


def _rastrigin(rng: Rng, dtype: Any) -> Draw:
    turn = dtype(2 * np.pi)
    return drawn(
        lambda t: np.sum(t * t - 10 * np.cos(turn * t) + 10),
        lambda t: 2 * t + 10 * (turn * np.sin(turn * t)),
        uniform(rng, -5, 5, count(rng), dtype),
    )


def _ignored_half(rng: Rng, dtype: Any) -> Draw:
    """Entries that the cost does not look at."""
    n = count(rng, 6, 30)
    used = (rng.random(n) < 0.5).astype(dtype)
    used[0] = 1
    return drawn(lambda t: np.sum(used * t**3), lambda t: used * 3 * t**2, normal(rng, n, dtype))


def _at_the_optimum(rng: Rng, dtype: Any) -> Draw:
    """A gradient that is 0 in every entry, at a minimum that every precision holds exactly."""
    n = count(rng, 5, 20)
    best = rng.integers(-4, 5, n).astype(dtype)
    return drawn(lambda t: np.sum((t - best) ** 2) + np.sum((t - best) ** 4), lambda t: 2 * (t - best) + 4 * (t - best) ** 3, best.copy())


def _product(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 4, 10)

    def gradient(t: Array) -> Any:
        return np.array([np.prod(np.delete(t, i)) for i in range(n)])

    return drawn(lambda t: np.prod(t), gradient, uniform(rng, 0.5, 1.8, n, dtype))


def _hyperbolic(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    return drawn(lambda t: np.sum(np.cosh(t) + np.sinh(t / 2)), lambda t: np.sinh(t) + np.cosh(t / 2) / 2, normal(rng, n, dtype, 3.0))


FAMILIES = families(
    "smooth",
    {
        "Rosenbrock": _rosenbrock,
        "polynomial of degree 5": _polynomial,
        "quartic of sums": _quartic_of_sums,
        "log-sum-exp": _log_sum_exp,
        "exp of sums": _exp_of_sums,
        "products of waves": _waves,
        "rational": _rational,
        "Rastrigin": _rastrigin,
        "half of the entries ignored": _ignored_half,
        "gradient 0 everywhere": _at_the_optimum,
        "product of all": _product,
        "hyperbolic": _hyperbolic,
    },
)

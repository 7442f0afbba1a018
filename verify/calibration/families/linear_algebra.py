"""Quadratic forms, determinants, inverses, products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, uniform, wide
from deltacheck.verify.calibration.precise_functions import inverse, log_determinant, solve


def _conditioned(rng: Rng, n: int, dtype: Any) -> Array:
    """A symmetric positive definite matrix of some condition number."""
    q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    a = (q * 10.0 ** rng.uniform(-wide(dtype, 4, 1.5), 0, n)) @ q.T
    return np.asarray((a + a.T) / 2, dtype)


def _quadratic_form(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 30)
    a = _conditioned(rng, n, dtype)
    a = (a + a.T) / 2
    b = normal(rng, n, dtype)
    return drawn(lambda t: t @ (a @ t) * 0.5 - b @ t, lambda t: a @ t - b, normal(rng, n, dtype))


def _log_determinant(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 3, 6)
    one = np.eye(n, dtype=dtype)
    theta = normal(rng, (n, n), dtype)
    return drawn(lambda t: log_determinant(t @ t.T + one), lambda t: 2 * inverse(t @ t.T + one) @ t, theta)


def _determinant_of_conditioned(rng: Rng, dtype: Any) -> Draw:
    return drawn(log_determinant, lambda t: inverse(t).T, _conditioned(rng, count(rng, 3, 6), dtype))


def _trace_of_inverse(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 4, 7)
    a = _conditioned(rng, n, dtype)

    def gradient(t: Array) -> Any:
        inner = inverse(a + np.diag(t))
        return -np.sum(inner * inner.T, axis=1)

    return drawn(lambda t: np.trace(inverse(a + np.diag(t))), gradient, uniform(rng, 0.1, 2, n, dtype))


def _bilinear_solve(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 3, 6)
    b, c = normal(rng, n, dtype), normal(rng, n, dtype)
    theta = (2 * np.eye(n) + rng.standard_normal((n, n)) / np.sqrt(n)).astype(dtype)
    return drawn(lambda t: b @ solve(t, c), lambda t: -np.outer(solve(t.T, b), solve(t, c)), theta)


def _rayleigh(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 20)
    a = _conditioned(rng, n, dtype)
    a = (a + a.T) / 2

    def gradient(t: Array) -> Any:
        square = t @ t
        return 2 * (a @ t - (t @ (a @ t)) / square * t) / square

    return drawn(lambda t: t @ (a @ t) / (t @ t), gradient, normal(rng, n, dtype))


def _factorisation(rng: Rng, dtype: Any) -> Draw:
    n, k = count(rng, 4, 9), 3
    theta = normal(rng, (n, k), dtype)
    near = theta + 10.0 ** rng.uniform(-3, 0) * rng.standard_normal((n, k))
    m = (near @ near.T).astype(dtype)
    m = (m + m.T) / 2

    def cost(t: Array) -> Any:
        r = t @ t.T - m
        return np.sum(r * r) * 0.25

    return drawn(cost, lambda t: (t @ t.T - m) @ t, theta)


def _trace_of_cube(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 3, 7)
    return drawn(lambda t: np.trace(t @ t @ t), lambda t: 3 * (t @ t).T, normal(rng, (n, n), dtype))


def _ridge(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 20)
    a, b = normal(rng, (2 * n, n), dtype), normal(rng, 2 * n, dtype)
    weight = dtype(10.0 ** rng.uniform(-6, 1))

    def cost(t: Array) -> Any:
        r = a @ t - b
        return r @ r + weight * (t @ t)

    return drawn(cost, lambda t: 2 * (a.T @ (a @ t - b)) + 2 * weight * t, normal(rng, n, dtype))


FAMILIES = families(
    "linear algebra",
    {
        "quadratic form": _quadratic_form,
        "log-determinant": _log_determinant,
        "log-determinant, ill-conditioned": _determinant_of_conditioned,
        "trace of an inverse": _trace_of_inverse,
        "bilinear form of an inverse": _bilinear_solve,
        "Rayleigh quotient": _rayleigh,
        "symmetric factorisation": _factorisation,
        "trace of a cube": _trace_of_cube,
        "ridge regression": _ridge,
    },
)

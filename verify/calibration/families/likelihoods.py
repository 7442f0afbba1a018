"""Negative log-likelihoods of statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers, uniform


def _normal(rng: Rng, dtype: Any) -> Draw:
    """By the means and the logarithms of the deviations of some groups."""
    groups, rows = count(rng, 3, 10), 15
    x = (rng.uniform(-100, 100, groups) + 10.0 ** rng.uniform(-1, 1, groups) * rng.standard_normal((rows, groups))).astype(dtype)
    theta = np.stack([x.mean(axis=0), np.log(x.std(axis=0))]) + 0.1 * rng.standard_normal((2, groups))

    def cost(t: Array) -> Any:
        z = (x - t[0]) * np.exp(-t[1])
        return np.sum(z * z) * 0.5 + rows * np.sum(t[1])

    def gradient(t: Array) -> Any:
        z = (x - t[0]) * np.exp(-t[1])
        return np.stack([-np.sum(z, axis=0) * np.exp(-t[1]), rows - np.sum(z * z, axis=0)])

    return drawn(cost, gradient, theta.astype(dtype))


def _poisson_regression(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 15), 40
    x = normal(rng, (rows, n), dtype, 1 / np.sqrt(n))
    theta = normal(rng, n, dtype)
    y = rng.poisson(np.exp(np.clip(x @ theta, -5, 5))).astype(dtype)
    return drawn(lambda t: np.sum(np.exp(x @ t)) - y @ (x @ t), lambda t: x.T @ (np.exp(x @ t) - y), theta)


def _logistic_regression(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 15), 40
    yx = normal(rng, (rows, n), dtype, 10.0 ** rng.uniform(-1, 1))

    def cost(t: Array) -> Any:
        z = yx @ t
        return np.sum(np.log1p(np.exp(-abs(z))) + np.maximum(-z, 0))

    return drawn(cost, lambda t: -yx.T @ (0.5 - 0.5 * np.tanh(0.5 * (yx @ t))), normal(rng, n, dtype))


def _student(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 12), 30
    x, y = normal(rng, (rows, n), dtype), (3 * rng.standard_t(2, rows)).astype(dtype)

    def gradient(t: Array) -> Any:
        r = y - x @ t
        return -5 * (x.T @ (r / (4 + r * r)))

    return drawn(lambda t: np.sum(np.log1p((y - x @ t) ** 2 / 4)) * 2.5, gradient, normal(rng, n, dtype))


def _mixture(rng: Rng, dtype: Any) -> Draw:
    """The means of a mixture of normal distributions with equal weights."""
    k = count(rng, 3, 8)
    x = normal(rng, 30, dtype, 3.0)

    def shares(t: Array) -> tuple[Any, Any, Any]:
        e = -0.5 * (x[:, None] - t) ** 2
        top = np.max(e, axis=1)
        p = np.exp(e - top[:, None])
        return p, top, np.sum(p, axis=1)

    def cost(t: Array) -> Any:
        _, top, total = shares(t)
        return -np.sum(top + np.log(total))

    def gradient(t: Array) -> Any:
        p, _, total = shares(t)
        return -np.sum(p / total[:, None] * (x[:, None] - t), axis=0)

    return drawn(cost, gradient, normal(rng, k, dtype, 2.0))


def _autoregression(rng: Rng, dtype: Any) -> Draw:
    lags = count(rng, 2, 6)
    x = np.cumsum(rng.standard_normal(60) * 0.3).astype(dtype)
    past = np.stack([x[lags - 1 - lag : x.size - 1 - lag] for lag in range(lags)], axis=1)
    now = x[lags:]

    def cost(t: Array) -> Any:
        r = now - past @ t
        return r @ r * 0.5

    return drawn(cost, lambda t: -past.T @ (now - past @ t), normal(rng, lags, dtype, 0.5))


def _proportional_hazards(rng: Rng, dtype: Any) -> Draw:
    """Cox's partial likelihood, the rows in the order of their times, the last first."""
    n, rows = count(rng, 4, 10), 30
    x = normal(rng, (rows, n), dtype)
    event = rng.random(rows) < 0.7

    def cost(t: Array) -> Any:
        z = x @ t
        return -np.sum((z - np.log(np.cumsum(np.exp(z))))[event])

    def gradient(t: Array) -> Any:
        e = np.exp(x @ t)
        means = np.cumsum(e[:, None] * x, axis=0) / np.cumsum(e)[:, None]
        return -np.sum((x - means)[event], axis=0)

    return drawn(cost, gradient, normal(rng, n, dtype, 0.5))


def _weibull(rng: Rng, dtype: Any) -> Draw:
    """By the logarithms of scale and shape, for a few groups."""
    groups = count(rng, 3, 8)
    log_x = normal(rng, (groups, 12), dtype)
    theta = normal(rng, (2, groups), dtype, 0.5)

    def cost(t: Array) -> Any:
        z = (log_x - t[0][:, None]) * np.exp(t[1])[:, None]
        return np.sum(np.exp(z) - z) - 12 * np.sum(t[1])

    def gradient(t: Array) -> Any:
        shape = np.exp(t[1])[:, None]
        z = (log_x - t[0][:, None]) * shape
        return np.stack([-np.sum((np.exp(z) - 1) * shape, axis=1), np.sum((np.exp(z) - 1) * z, axis=1) - 12])

    return drawn(cost, gradient, theta)


def _exponential_rates(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    total = powers(rng, -3, 3, n, dtype)
    theta = (5 / total * rng.uniform(0.5, 2, n)).astype(dtype)
    return drawn(lambda t: np.sum(total * t - 5 * np.log(t)), lambda t: total - 5 / t, theta)


def _dose_response(rng: Rng, dtype: Any) -> Draw:
    """Four parameters: lower and upper plateau, logarithm of the middle dose, slope."""
    dose = uniform(rng, -4, 4, 20, dtype)
    theta = np.array([rng.uniform(0, 0.2), rng.uniform(0.8, 1.2), rng.standard_normal(), rng.uniform(0.5, 6)], dtype)
    y = (0.5 + 0.5 * np.tanh(dose) + 0.05 * rng.standard_normal(20)).astype(dtype)

    def parts(t: Array) -> tuple[Any, Any]:
        s = 0.5 + 0.5 * np.tanh(0.5 * t[3] * (dose - t[2]))
        return s, t[0] + (t[1] - t[0]) * s - y

    def cost(t: Array) -> Any:
        _, r = parts(t)
        return r @ r * 0.5

    def gradient(t: Array) -> Any:
        s, r = parts(t)
        slope = r * (t[1] - t[0]) * s * (1 - s)
        return np.array([r @ (1 - s), r @ s, -np.sum(slope) * t[3], slope @ (dose - t[2])])

    return drawn(cost, gradient, theta)


FAMILIES = families(
    "likelihoods",
    {
        "normal": _normal,
        "Poisson regression": _poisson_regression,
        "logistic regression": _logistic_regression,
        "Student regression": _student,
        "mixture of normals": _mixture,
        "autoregression": _autoregression,
        "proportional hazards": _proportional_hazards,
        "Weibull": _weibull,
        "exponential rates": _exponential_rates,
        "dose and response": _dose_response,
    },
)

"""Functions with kinks: near the point, many of them, or at the point itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers, signs, uniform, wide


def _near(rng: Rng, n: int, dtype: Any) -> Array:
    """Distances to a kink, either side."""
    return powers(rng, -wide(dtype, 7, 4), 0, n, np.float64) * signs(rng, n, np.float64)


def _clear(margins: Array, shape: int | tuple[int, ...]) -> Array:
    """Whether no kink is so near that rounding decides the side: then there is a derivative in every entry, else in none."""
    least = 256 * float(np.finfo(margins.dtype).eps)
    return np.full(shape, bool((abs(margins) > least).all()))


def _relu_network(rng: Rng, dtype: Any) -> Draw:
    rows, inputs, hidden = 8, 3, int(rng.integers(3, 8))
    x, v = normal(rng, (rows, inputs), dtype), normal(rng, hidden, dtype)
    y = normal(rng, rows, dtype)
    theta = normal(rng, (inputs, hidden), dtype)

    def cost(w: Array) -> Any:
        r = np.maximum(x @ w, 0) @ v - y
        return r @ r * 0.5

    def gradient(w: Array) -> Any:
        z = x @ w
        r = np.maximum(z, 0) @ v - y
        return x.T @ (r[:, None] * v * (z > 0))

    return drawn(cost, gradient, theta, differentiable=_clear(x @ theta, theta.shape))


def _relu_close(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w, c = normal(rng, n, dtype), normal(rng, n, dtype)
    theta = (c + _near(rng, n, dtype)).astype(dtype)
    return drawn(lambda t: np.sum(w * np.maximum(t - c, 0)), lambda t: w * (t > c), theta, differentiable=theta != c)


def _relu_on_its_kink(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = normal(rng, n, dtype) * (rng.random(n) < 0.7).astype(dtype)
    return drawn(lambda t: np.sum(np.maximum(t, 0)) + np.sum(t * t), lambda t: (t > 0) + 2 * t, theta, differentiable=theta != 0)


def _hinge(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 12), int(rng.integers(100, 400))
    x = normal(rng, (rows, n), dtype)
    y = signs(rng, rows, dtype)
    yx = y[:, None] * x

    def gradient(t: Array) -> Any:
        return -yx.T @ ((1 - yx @ t) > 0).astype(t.dtype)

    theta = normal(rng, n, dtype)
    return drawn(lambda t: np.sum(np.maximum(1 - yx @ t, 0)), gradient, theta, differentiable=_clear(1 - yx @ theta, n))


def _squared_hinge(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 12), int(rng.integers(100, 400))
    yx = normal(rng, (rows, n), dtype)

    def cost(t: Array) -> Any:
        return np.sum(np.maximum(1 - yx @ t, 0) ** 2)

    return drawn(cost, lambda t: -2 * (yx.T @ np.maximum(1 - yx @ t, 0)), normal(rng, n, dtype))


def _l1(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    c = normal(rng, n, dtype)
    theta = np.where(rng.random(n) < 0.15, c, c + _near(rng, n, dtype)).astype(dtype)
    return drawn(lambda t: np.sum(abs(t - c)), lambda t: np.sign(t - c).astype(t.dtype), theta, differentiable=theta != c)


def _max(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = normal(rng, n, dtype)
    order = np.argsort(theta)
    theta[order[-2]] = theta[order[-1]] * dtype(1 - np.sign(theta[order[-1]]) * 10.0 ** rng.uniform(-wide(dtype, 6, 3), 0))
    apart = np.sort(theta)[-1] > np.sort(theta)[-2]
    return drawn(
        lambda t: np.max(t) * 2 + np.sum(t * t) * 0.5,
        lambda t: 2 * np.eye(n, dtype=t.dtype)[np.argmax(t)] + t,
        theta,
        differentiable=np.full(n, apart),
    )


def _hard_sigmoid(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w = normal(rng, n, dtype)
    edge = 2 * signs(rng, n, np.float64)
    theta = np.where(rng.random(n) < 0.5, edge + _near(rng, n, dtype), 2 * rng.standard_normal(n)).astype(dtype)

    def cost(t: Array) -> Any:
        return np.sum(w * np.minimum(np.maximum(t * 0.25 + 0.5, 0), 1))

    return drawn(cost, lambda t: w * 0.25 * ((t > -2) & (t < 2)), theta, differentiable=abs(theta) != 2)


def _huber(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = (signs(rng, n, np.float64) + _near(rng, n, dtype)).astype(dtype)

    def cost(t: Array) -> Any:
        size = abs(t)
        return np.sum(np.where(size <= 1, t * t * 0.5, size - 0.5))

    return drawn(cost, lambda t: np.minimum(np.maximum(t, -1), 1), theta)


def _sorted(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w = normal(rng, n, dtype)
    theta = normal(rng, n, dtype)
    apart = np.diff(np.sort(theta)).min() > 0
    return drawn(lambda t: np.sum(w * np.sort(t)), lambda t: w[np.argsort(np.argsort(t))], theta, differentiable=np.full(n, apart))


def _pinball(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 3, 8), int(rng.integers(50, 200))
    x, y = normal(rng, (rows, n), dtype), normal(rng, rows, dtype, 2.0)

    def cost(t: Array) -> Any:
        r = y - x @ t
        return np.sum(np.where(r > 0, 0.75 * r, -0.25 * r))

    def gradient(t: Array) -> Any:
        return -x.T @ np.where(y - x @ t > 0, 0.75, -0.25).astype(t.dtype)

    theta = normal(rng, n, dtype)
    return drawn(cost, gradient, theta, differentiable=_clear(y - x @ theta, n))


def _max_pooling(rng: Rng, dtype: Any) -> Draw:
    windows = count(rng, 4, 12)
    w = normal(rng, windows, dtype)

    def gradient(t: Array) -> Any:
        m = t.reshape(windows, 4)
        g = np.zeros_like(m)
        top = np.argmax(m, axis=1)
        rows = np.arange(windows)
        g[rows, top] = w * np.cos(m[rows, top])
        return g.reshape(t.shape)

    def cost(t: Array) -> Any:
        return np.sum(w * np.sin(np.max(t.reshape(windows, 4), axis=1)))

    theta = normal(rng, (windows, 2, 2), dtype)
    apart = np.full(theta.shape, np.unique(theta).size == theta.size)
    return drawn(cost, gradient, theta, differentiable=apart)


def _group_norms(rng: Rng, dtype: Any) -> Draw:
    groups, n = count(rng, 3, 10), 4
    theta = (powers(rng, -wide(dtype, 6, 3), 0, (groups, 1), np.float64) * rng.standard_normal((groups, n))).astype(dtype)

    def norms(t: Array) -> Any:
        return np.sqrt(np.sum(t * t, axis=1))

    return drawn(lambda t: np.sum(norms(t)), lambda t: t / norms(t)[:, None], theta)


def _leaky_relu(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 5, 15), 10
    a, w = normal(rng, (rows, n), dtype), normal(rng, rows, dtype)

    def cost(t: Array) -> Any:
        z = a @ t
        return np.sum(w * np.where(z > 0, z, 0.125 * z))

    def gradient(t: Array) -> Any:
        return a.T @ (w * np.where(a @ t > 0, 1, 0.125).astype(t.dtype))

    theta = normal(rng, n, dtype)
    return drawn(cost, gradient, theta, differentiable=_clear(a @ theta, n))


def _ramp(rng: Rng, dtype: Any) -> Draw:
    n, rows = count(rng, 4, 8), 1000
    x = uniform(rng, -1, 1, rows, dtype)
    theta = uniform(rng, -1, 1, n, dtype)

    def cost(t: Array) -> Any:
        return np.sum(np.maximum(x - t[:, None], 0))

    apart = (x != theta[:, None]).all(axis=1)
    return drawn(cost, lambda t: -np.sum(x > t[:, None], axis=1).astype(t.dtype), theta, differentiable=apart)


FAMILIES = families(
    "kinks",
    {
        "relu network": _relu_network,
        "relu close to its kink": _relu_close,
        "relu on its kink": _relu_on_its_kink,
        "hinge of many rows": _hinge,
        "squared hinge": _squared_hinge,
        "L1": _l1,
        "max": _max,
        "hard sigmoid": _hard_sigmoid,
        "Huber": _huber,
        "sort": _sorted,
        "pinball": _pinball,
        "max pooling": _max_pooling,
        "group norms": _group_norms,
        "leaky relu": _leaky_relu,
        "sum of a thousand ramps": _ramp,
    },
)

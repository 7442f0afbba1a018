"""Functions that flatten: gradients from ordinary down to 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers, signs, uniform, wide


def _sizes(rng: Rng, dtype: Any) -> tuple[Array, Array]:
    """Parameters from ordinary to fully saturated, and weights."""
    n = count(rng)
    return normal(rng, n, dtype, 10.0 ** rng.uniform(-1, 1.8)), normal(rng, n, dtype)


def _sigmoid(rng: Rng, dtype: Any) -> Draw:
    theta, w = _sizes(rng, dtype)

    def sigma(t: Array) -> Any:
        return 0.5 + 0.5 * np.tanh(0.5 * t)

    return drawn(
        lambda t: np.sum(w * sigma(t)),
        lambda t: w * sigma(t) * (1 - sigma(t)),
        theta,
        exact=lambda t: w / (4 * np.cosh(0.5 * t) ** 2),
    )


def _tanh(rng: Rng, dtype: Any) -> Draw:
    theta, w = _sizes(rng, dtype)
    return drawn(lambda t: np.sum(w * np.tanh(t)), lambda t: w * (1 - np.tanh(t) ** 2), theta, exact=lambda t: w / np.cosh(t) ** 2)


def _softmax(t: Array) -> Any:
    e = np.exp(t - np.max(t))
    return e / np.sum(e)


def _cross_entropy(rng: Rng, dtype: Any) -> Draw:
    theta, _ = _sizes(rng, dtype)
    label = int(rng.integers(theta.size)) if rng.random() < 0.5 else int(np.argmax(theta))
    one_hot = np.eye(theta.size, dtype=dtype)[label]

    def cost(t: Array) -> Any:
        top = np.max(t)
        return top + np.log(np.sum(np.exp(t - top))) - t[label]

    def exact(t: Array) -> Any:
        p = _softmax(t)
        p[label] = -np.sum(np.delete(p, label))
        return p

    return drawn(cost, lambda t: _softmax(t) - one_hot, theta, exact=exact)


def _weighted_softmax(rng: Rng, dtype: Any) -> Draw:
    theta, w = _sizes(rng, dtype)

    def gradient(t: Array) -> Any:
        p = _softmax(t)
        return p * (w - p @ w)

    return drawn(lambda t: w @ _softmax(t), gradient, theta)


def _log_sigmoid(rng: Rng, dtype: Any) -> Draw:
    theta, _ = _sizes(rng, dtype)

    def cost(t: Array) -> Any:
        return np.sum(np.log1p(np.exp(-abs(t))) + np.maximum(-t, 0))

    return drawn(cost, lambda t: 0.5 * np.tanh(0.5 * t) - 0.5, theta, exact=lambda t: -1 / (1 + np.exp(t)))


def _gaussian_tails(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = uniform(rng, 0, wide(dtype, 30, 12), n, dtype) * signs(rng, n, dtype)
    return drawn(lambda t: np.sum(np.exp(-t * t)), lambda t: -2 * t * np.exp(-t * t), theta)


def _arctan(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta, w = powers(rng, -2, wide(dtype, 8, 4), n, dtype), normal(rng, n, dtype)
    return drawn(lambda t: np.sum(w * np.arctan(t)), lambda t: w / (1 + t * t), theta)


def _underflow(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = uniform(rng, -wide(dtype, 700, 84), 0, n, dtype)
    return drawn(lambda t: np.sum(np.exp(t)), np.exp, theta)


FAMILIES = families(
    "saturation",
    {
        "sigmoid": _sigmoid,
        "tanh": _tanh,
        "softmax cross entropy": _cross_entropy,
        "weighted softmax": _weighted_softmax,
        "log sigmoid": _log_sigmoid,
        "Gaussian tails": _gaussian_tails,
        "arctan": _arctan,
        "exp down to underflow": _underflow,
    },
)

"""Costs and gradients that remember: drift, noise, caches, shared buffers, arguments written over."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, NOT_PASS, PASS, Array, Case, Make, Triple, changed


def _drift(per_call: float) -> Make:
    def make() -> Triple:
        calls = count(1)
        return lambda t: np.sum(np.sin(t)) + per_call * next(calls), np.cos, np.array([1.0, 2.0, 3.0])

    return make


def _another_order() -> Triple:
    turn = count()
    return lambda t: np.sum(t**3), lambda t: 3 * t**2 * (1 + 2e-16 * (next(turn) % 3)), np.array([0.3, 1.7, -2.2])


def _sum_in_random_order() -> Triple:
    rng = np.random.default_rng(1)
    x = rng.normal(size=500)
    return lambda t: np.sum(np.tanh(rng.permutation(x) * t[0])), lambda t: np.array([np.sum(x / np.cosh(x * t[0]) ** 2)]), np.array([0.7])


def _dropout(fresh: bool) -> Make:
    def make() -> Triple:
        rng = np.random.default_rng(2)
        fixed = (rng.random(6) < 0.5) * 2.0

        def mask() -> Array:
            return (rng.random(6) < 0.5) * 2.0 if fresh else fixed

        return lambda t: np.sum(np.sin(t) * mask()), lambda t: np.cos(t) * mask(), np.linspace(0.1, 1.2, 6)

    return make


def _minibatches() -> Triple:
    rng = np.random.default_rng(3)
    x, y, turn = rng.normal(size=(4, 10, 3)), rng.normal(size=(4, 10)), count()

    def batch() -> int:
        return next(turn) % 4

    def gradient(t: Array) -> Any:
        k = batch()
        return 2 * x[k].T @ (x[k] @ t - y[k])

    def cost(t: Array) -> Any:
        k = batch()
        return np.sum((x[k] @ t - y[k]) ** 2)

    return cost, gradient, np.array([0.3, -0.2, 0.9])


def _stale_cache() -> Triple:
    cache: dict[str, Any] = {}
    return lambda t: cache.setdefault("value", t @ t), lambda t: 2 * t, np.array([1.0, 2.0])


def _last_forward() -> Triple:
    theta = np.array([0.4, -1.1, 0.8])
    kept = {"tanh": np.tanh(theta)}

    def cost(t: Array) -> Any:
        kept["tanh"] = np.tanh(t)
        return np.sum(kept["tanh"] ** 2)

    return cost, lambda t: 2 * kept["tanh"] * (1 - kept["tanh"] ** 2), theta


def _one_buffer(forget: bool) -> Make:
    def make() -> Triple:
        buffer = np.zeros(3)

        def gradient(t: Array) -> Array:
            if forget:
                buffer[:] = 0
            buffer[:] += 3 * t**2
            return buffer

        return lambda t: np.sum(t**3), gradient, np.array([0.5, -0.2, 2.0])

    return make


def _annealed() -> Triple:
    calls = count(1)

    def weight() -> float:
        return min(1.0, next(calls) / 100)

    return lambda t: np.sum(np.exp(t)) + weight() * np.sum(t**2), lambda t: np.exp(t) + 2 * t, np.array([0.5, 1.0])


def _running_statistics() -> Triple:
    mean = np.zeros(1)

    def normal(t: Array) -> Any:
        mean[:] = 0.9 * mean + 0.1 * np.mean(t)
        return (t - np.mean(t)) / np.std(t)

    w = np.array([0.3, -1.0, 0.5, 2.0])

    def gradient(t: Array) -> Any:
        z = normal(t)
        return (w - np.mean(w) - z * np.mean(w * z)) / np.std(t)

    return lambda t: w @ normal(t), gradient, np.array([0.1, 0.7, -0.4, 1.5])


def _same_numbers(path: Callable[[Array, Array], Array]) -> Make:
    def make() -> Triple:
        def draws() -> Array:
            return np.random.default_rng(5).normal(size=400)

        return (
            lambda t: np.mean(np.exp(t[0] + t[1] * draws())),
            lambda t: np.mean(path(t, draws()) * np.exp(t[0] + t[1] * draws()), axis=1),
            np.array([0.2, 0.5]),
        )

    return make


CASES = [
    Case("cost drifts by 1e-6 a call", "torch/nn#744", ("inconclusive",), _drift(1e-6)),
    Case("cost drifts by 1e-6 a call, sign turned", "torch/nn#744", NOT_PASS, changed(_drift(1e-6), lambda g, t: -g)),
    Case("gradient sums in another order each call", "", PASS, _another_order),
    Case("cost sums in a random order each call", "", PASS, _sum_in_random_order),
    Case("cost sums in a random order each call, off by 1 %", "", FAIL, changed(_sum_in_random_order, lambda g, t: 1.01 * g)),
    Case("dropout with a fresh mask each call", "torch/tutorials#25", NOT_PASS, _dropout(True)),
    Case("dropout with a fixed mask", "pytorch/pytorch#114333", PASS, _dropout(False)),
    Case("dropout with a fixed mask, not scaled", "", FAIL, changed(_dropout(False), lambda g, t: g / 2)),
    Case("another minibatch each call", "", NOT_PASS, _minibatches),
    Case("cache that is never renewed", "", NOT_PASS, _stale_cache),
    Case("gradient of the last forward pass", "dipy/dipy#3155", NOT_PASS, _last_forward),
    Case("gradient in one buffer", "", FAIL, _one_buffer(True)),
    Case("gradient added up over the calls", "", NOT_PASS, _one_buffer(False)),
    Case("weight of a penalty grows with the calls", "", NOT_PASS, _annealed),
    Case("running statistics that are not used", "torch/nn#744", PASS, _running_statistics),
    Case("running statistics that are not used, the mean held fixed", "", FAIL, changed(_running_statistics, lambda g, t: g + 0.1)),
    Case("the same random numbers each call", "", PASS, _same_numbers(lambda t, z: np.stack([np.ones_like(z), z]))),
    Case(
        "the same random numbers each call, their scale left out",
        "",
        FAIL,
        _same_numbers(lambda t, z: np.stack([np.ones_like(z), t[1] * z])),
    ),
]

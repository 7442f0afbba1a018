"""Sums over thousands of rows: many kinks near any point, or many terms to round."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, UNSURE, Array, Case, Make, Triple, changed, entry_times, times


def _hinge(rows: int, seed: int) -> Make:
    def make() -> Triple:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(rows, 3))
        y = np.sign(rng.normal(size=rows))
        return (
            lambda t: np.sum(np.maximum(0, 1 - y * (x @ t))),
            lambda t: -x.T @ (y * (1 - y * (x @ t) > 0)),
            rng.normal(size=3),
        )

    return make


def _least_absolute() -> Triple:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20000, 4)), rng.standard_t(3, size=20000)
    return lambda t: np.sum(abs(x @ t - y)), lambda t: x.T @ np.sign(x @ t - y), rng.normal(size=4)


def _pinball() -> Triple:
    rng = np.random.default_rng(4)
    x, y = np.c_[np.ones(8000), rng.normal(size=8000)], rng.normal(size=8000)

    def cost(t: Array) -> Any:
        r = y - x @ t
        return np.mean(np.maximum(0.9 * r, -0.1 * r))

    return cost, lambda t: x.T @ np.where(y - x @ t > 0, -0.9, 0.1) / len(y), np.array([1.0, 0.3])


def _relu_layer() -> Triple:
    rng = np.random.default_rng(5)
    x, w, y = rng.normal(size=(4000, 3)), rng.normal(size=5), rng.normal(size=4000)

    def residual(t: Array) -> Any:
        return np.maximum(x @ t, 0) @ w - y

    return (
        lambda t: 0.5 * np.mean(residual(t) ** 2),
        lambda t: x.T @ (np.outer(residual(t), w) * (x @ t > 0)) / 4000,
        rng.normal(size=(3, 5)),
    )


def _poisson() -> Triple:
    rng = np.random.default_rng(6)
    x = np.c_[np.ones(50000), rng.normal(size=(50000, 2))]
    y = rng.poisson(np.exp(x @ [0.2, 0.5, -0.3]))
    return lambda t: np.sum(np.exp(x @ t) - y * (x @ t)), lambda t: x.T @ (np.exp(x @ t) - y), np.array([0.1, 0.6, -0.2])


def _huber() -> Triple:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(5000, 3)), rng.standard_t(2, size=5000)

    def cost(t: Array) -> Any:
        r = abs(x @ t - y)
        return np.sum(np.where(r < 1, r**2 / 2, r - 0.5))

    return cost, lambda t: x.T @ np.clip(x @ t - y, -1, 1), np.array([0.4, -0.1, 0.7])


def _mean_over_batch() -> Triple:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(3000, 3)), rng.normal(size=3000)
    return lambda t: np.mean((np.tanh(x @ t) - y) ** 2), _tanh_gradient(x, y), np.array([0.4, -0.1, 0.7])


def _tanh_gradient(x: Array, y: Array) -> Any:
    def gradient(t: Array) -> Any:
        z = np.tanh(x @ t)
        return x.T @ (2 * (z - y) * (1 - z**2)) / len(y)

    return gradient


def _total_variation() -> Triple:
    noise = np.cumsum(np.random.default_rng(9).normal(size=300))
    return (
        lambda t: np.sum(abs(np.diff(t))),
        lambda t: np.r_[0, np.sign(np.diff(t))] - np.r_[np.sign(np.diff(t)), 0],
        noise,
    )


def _turn(g: Array) -> Any:
    return np.flatnonzero(abs(g) == 2)[0]


CASES = [
    Case("hinge loss of 5000 rows", "deeplearning4j/deeplearning4j#1280", UNSURE, _hinge(5000, 15)),
    Case("hinge loss of 5000 rows, off by 10 %", "", FAIL, changed(_hinge(5000, 15), entry_times(0, 1.1))),
    Case("hinge loss of 60000 rows", "deeplearning4j/deeplearning4j#1280", UNSURE, _hinge(60000, 11)),
    Case("hinge loss of 60000 rows, off by 10 %", "", FAIL, changed(_hinge(60000, 11), entry_times(0, 1.1))),
    Case("least absolute deviations, 20000 rows", "", UNSURE, _least_absolute),
    Case("least absolute deviations, one sign turned", "", FAIL, changed(_least_absolute, entry_times(2, -1.0))),
    Case("pinball loss, 8000 rows", "", UNSURE, _pinball),
    Case("pinball loss, the quantile turned round", "", FAIL, changed(_pinball, lambda g, t: np.array([g[0] + 0.8, g[1]]))),
    Case("relu layer, 4000 rows", "", UNSURE, _relu_layer),
    Case("relu layer, one unit off by 20 %", "", FAIL, changed(_relu_layer, entry_times(6, 1.2))),
    Case("Poisson regression, 50000 rows", "", PASS, _poisson),
    Case("Poisson regression, one entry off by 1 %", "", FAIL, changed(_poisson, entry_times(1, 1.01))),
    Case("Huber loss, 5000 rows", "", UNSURE, _huber),
    Case("Huber loss, twice the slope", "", FAIL, changed(_huber, times(2.0))),
    Case("mean over a batch of 3000", "", PASS, _mean_over_batch),
    Case("mean over a batch of 3000, its sum", "davharris/mistnet#33", FAIL, changed(_mean_over_batch, times(3000.0))),
    Case("total variation of 300 entries", "", PASS, _total_variation),
    Case(
        "total variation of 300 entries, one inner entry 0",
        "",
        FAIL,
        changed(_total_variation, lambda g, t: g * (np.arange(300) != _turn(g))),
    ),
]

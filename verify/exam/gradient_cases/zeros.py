"""Derivatives that are 0, factors that are 0, and points where a formula is 0/0 although the function is smooth."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, UNSURE, Array, Case, Make, Triple, changed, entry


def _squared_relu(*theta: float) -> Make:
    return lambda: (lambda t: np.sum(np.maximum(t, 0) ** 2), lambda t: 2 * np.maximum(t, 0), np.array(theta))


def _at_the_optimum() -> Triple:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=50)
    return lambda t: np.sum((x @ t - y) ** 2), lambda t: 2 * x.T @ (x @ t - y), np.linalg.lstsq(x, y, rcond=None)[0]


def _constant(gradient: Any) -> Make:
    return lambda: (lambda t: 3.0, gradient, np.array([1.0, 2.0]))


def _cumulative_product() -> Triple:
    """Sum of the running products, each differentiated without a division."""

    def gradient(t: Array) -> Array:
        before = np.r_[1, np.cumprod(t)[:-1]]
        after, g = 1.0, np.zeros(len(t))
        for i in reversed(range(len(t))):
            g[i], after = before[i] * after, 1 + t[i] * after
        return g

    return lambda t: np.sum(np.cumprod(t)), gradient, np.array([2.0, 0.0, 3.0, 0.5])


def _product() -> Triple:
    return lambda t: np.prod(t), lambda t: np.array([np.prod(np.delete(t, i)) for i in range(4)]), np.array([2.0, 0.0, 3.0, 4.0])


def _power() -> Triple:
    return lambda t: t[0] ** 3 + t[1] ** 2 + t[0] ** 0, lambda t: np.array([3 * t[0] ** 2, 2 * t[1]]), np.array([0.0, 1.5])


def _polynomial() -> Triple:
    c = np.array([0.5, -2.0, 1.5, 0.7])
    return (
        lambda t: np.sum(c * t[0] ** np.arange(4)) + t[1] ** 2,
        lambda t: np.array([np.sum(c[1:] * np.arange(1, 4) * t[0] ** np.arange(3)), 2 * t[1]]),
        np.array([0.0, 0.3]),
    )


def _sinc(*theta: float) -> Make:
    def slope(t: Array) -> Any:
        x = np.pi * t
        far = np.where(abs(x) < 0.5, 1.0, x)
        near = x * (-1 / 3 + x**2 * (1 / 30 + x**2 * (-1 / 840 + x**2 * (1 / 45360 + x**2 * (-1 / 3991680 + x**2 / 518918400)))))
        return np.pi * np.where(abs(x) < 0.5, near, (np.cos(far) - np.sin(far) / far) / far)

    return lambda: (lambda t: np.sum(np.sinc(t)), slope, np.array(theta))


def _relative_exponential() -> Triple:
    """(exp(t) - 1) / t, and its series near 0."""

    def ratio(t: Array) -> Any:
        far = np.where(t == 0, 1.0, t)
        return np.where(t == 0, 1.0, np.expm1(far) / far)

    def slope(t: Array) -> Any:
        far = np.where(abs(t) < 0.3, 1.0, t)
        near = sum(n * t ** (n - 1) / float(np.prod(np.arange(1.0, n + 2))) for n in range(1, 18))
        return np.where(abs(t) < 0.3, near, (np.exp(far) * (far - 1) + 1) / far**2)

    return lambda t: np.sum(ratio(t)), slope, np.array([0.0, 1e-5, 1.2])


def _stationary() -> Triple:
    return lambda t: np.sum(np.cos(t)), lambda t: -np.sin(t), np.array([0.0, 0.4])


def _rosenbrock() -> Triple:
    return (
        lambda t: 100 * (t[1] - t[0] ** 2) ** 2 + (1 - t[0]) ** 2,
        lambda t: np.array([-400 * t[0] * (t[1] - t[0] ** 2) - 2 * (1 - t[0]), 200 * (t[1] - t[0] ** 2)]),
        np.array([1.0, 1.0]),
    )


def _normalised_sum() -> Triple:
    """The sum of normalised entries is 0 wherever they are."""
    return lambda t: 1 + np.sum((t - np.mean(t)) / np.std(t)), lambda t: 0 * t, np.array([0.3, 1.2, -0.7, 2.0])


def _flat_start() -> Triple:
    return lambda t: np.sum(t**4), lambda t: 4 * t**3, np.zeros(3)


def _expected_log() -> Triple:
    """Cross entropy at a target of probability 0, which counts nothing."""
    p = np.array([0.0, 0.4, 0.6])
    return lambda t: -np.sum(p * np.log(t)), lambda t: -p / t, np.array([0.2, 0.3, 0.5])


CASES = [
    Case("dead units", "", PASS, _squared_relu(-1.0, 2.0, -3.0)),
    Case("dead units, 1e-9 where it is 0", "", FAIL, changed(_squared_relu(-1.0, 2.0, -3.0), lambda g, t: g + 1e-9 * (t < 0))),
    Case("all units dead", "", PASS, _squared_relu(-1.0, -3.0)),
    Case("least squares at its optimum", "simpeg/simpeg#87", UNSURE, _at_the_optimum),
    Case("least squares at its optimum, 0.01 for one entry", "", FAIL, changed(_at_the_optimum, entry(2, 0.01))),
    Case("cost that ignores its argument", "", FAIL, _constant(lambda t: 2 * t)),
    Case("constant cost, 0", "", PASS, _constant(lambda t: 0 * t)),
    Case("running products with a zero", "tensorflow/tensorflow#119430", PASS, _cumulative_product),
    Case("running products with a zero, 0 for it", "tensorflow/tensorflow#119430", FAIL, changed(_cumulative_product, entry(1, 0.0))),
    Case("product with a zero", "pytorch/pytorch#773", PASS, _product),
    Case("product with a zero, NaN for it", "tracel-ai/burn#5533", FAIL, changed(_product, entry(1, np.nan))),
    Case("powers of 0", "HIPS/autograd#149", PASS, _power),
    Case("powers of 0, NaN", "vgvassilev/clad#1383", FAIL, changed(_power, entry(0, np.nan))),
    Case("polynomial at 0", "RobotLocomotion/drake#23862", PASS, _polynomial),
    Case("polynomial at 0, 0 for it", "", FAIL, changed(_polynomial, entry(0, 0.0))),
    Case("sinc at 0", "pytorch/pytorch#56760", PASS, _sinc(0.0, 0.6)),
    Case("sinc at 0, NaN", "pytorch/pytorch#56760", FAIL, changed(_sinc(0.0, 0.6), entry(0, np.nan))),
    Case("sinc at 1e-6", "jax-ml/jax#34139", PASS, _sinc(1e-6, 0.6)),
    Case("sinc at 1e-6, 0 from cancellation", "jax-ml/jax#34139", FAIL, changed(_sinc(1e-6, 0.6), entry(0, 0.0))),
    Case("(exp(t) - 1) / t at 0", "", PASS, _relative_exponential),
    Case("(exp(t) - 1) / t at 0, NaN", "", FAIL, changed(_relative_exponential, entry(0, np.nan))),
    Case("cosine at 0", "", PASS, _stationary),
    Case("cosine at 0, 1e-4 for it", "", FAIL, changed(_stationary, entry(0, 1e-4))),
    Case("Rosenbrock's function at its minimum", "", PASS, _rosenbrock),
    Case("Rosenbrock's function at its minimum, a term left out", "", FAIL, changed(_rosenbrock, entry(0, -2.0))),
    Case("sum of normalised entries", "HomericIntelligence/Odyssey#3666", PASS, _normalised_sum),
    Case("sum of normalised entries, 0.09 for one", "HomericIntelligence/Odyssey#3666", FAIL, changed(_normalised_sum, entry(1, 0.09))),
    Case("fourth powers of 0", "", PASS, _flat_start),
    Case("target of probability 0", "", PASS, _expected_log),
    Case("target of probability 0, NaN", "Lightning-AI/torchmetrics#1029", FAIL, changed(_expected_log, entry(0, np.nan))),
]

"""At the edges of domains, and gradients that are not finite or hide it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Functions, PlantedBug, changed


def _log_clipped() -> Functions:
    theta = np.array([1e-8, 1e-4, 0.3, 2.0])
    return lambda t: -np.sum(np.log(t)), lambda t: -1 / t, lambda t: -1 / np.maximum(t, 1e-6), theta


def _log_with_epsilon() -> Functions:
    theta = np.array([1e-5, 1e-3, 0.3])
    return lambda t: np.sum(np.log(t)), lambda t: 1 / t, lambda t: 1 / (t + 1e-8), theta


def _sqrt_with_epsilon() -> Functions:
    theta = np.array([1e-6, 1e-2, 2.0])
    return lambda t: np.sum(np.sqrt(t)), lambda t: 0.5 / np.sqrt(t), lambda t: 0.5 / np.sqrt(t + 1e-8), theta


def _entropy() -> Functions:
    """The 1 of log p + 1 is missing where p is small."""
    theta = np.array([1e-6, 1e-2, 0.2, 0.7])
    return lambda t: np.sum(t * np.log(t)), lambda t: np.log(t) + 1, lambda t: np.log(t) + (t > 1e-3), theta


def _arcsin() -> Functions:
    theta = np.array([0.9999, -0.99, 0.1])
    return lambda t: np.sum(np.arcsin(t)), lambda t: 1 / np.sqrt(1 - t * t), lambda t: 1 / np.sqrt(1 - t * t + 1e-7), theta


def _barrier() -> Functions:
    """The far wall of the box is forgotten where the near one is close."""
    theta = np.array([1 - 1e-3, 0.2, -0.5])

    def wrong(t: Array) -> Any:
        return np.where(t > 0.9, 1 / (1 - t), 2 * t / (1 - t * t))

    return lambda t: -np.sum(np.log(1 - t * t)), lambda t: 2 * t / (1 - t * t), wrong, theta


def _pole() -> Functions:
    theta = np.array([1 + 1e-4, 0.5, 3.0])
    return lambda t: np.sum(1 / (t - 1)), lambda t: -1 / (t - 1) ** 2, changed(lambda t: -1 / (t - 1) ** 2, 0, 1.001), theta


def _betaln() -> Functions:
    theta = np.array([1e-4, 0.5])

    def right(t: Array) -> Any:
        return special.digamma(t) - special.digamma(t[0] + t[1])

    return lambda t: special.betaln(t[0], t[1]), right, lambda t: -1 / t - special.digamma(t[0] + t[1]), theta


def _saturated() -> Functions:
    """The gradient is cut off where the sigmoid is nearly flat."""
    theta = np.array([-9.0, -3.0, 0.5, 2.0])

    def right(t: Array) -> Any:
        e = np.exp(t)
        return e / (1 + e) ** 2

    return lambda t: np.sum(1 / (1 + np.exp(-t))), right, lambda t: np.where(t < -8, 0, right(t)), theta


def _softplus(replaced: float | None) -> Functions:
    """exp/(1 + exp) overflows at 800: NaN, or what took its place."""
    theta = np.array([800.0, 1.0, -2.0])

    def wrong(t: Array) -> Any:
        with np.errstate(all="ignore"):
            g = np.exp(t) / (1 + np.exp(t))
        return g if replaced is None else np.nan_to_num(g, nan=replaced)

    return lambda t: np.sum(np.logaddexp(0, t)), lambda t: 0.5 + 0.5 * np.tanh(0.5 * t), wrong, theta


def _filled(value: float, at: int) -> Functions:
    theta = np.linspace(0.1, 2, 40)

    def wrong(t: Array) -> Any:
        g = np.cos(t)
        g[at] = value
        return g

    return lambda t: np.sum(np.sin(t)), np.cos, wrong, theta


def _overflow_in_float32() -> Functions:
    """t⁴ / t² overflows in float32 where t² does not."""
    theta = np.array([1.0, 3e10, 2.0], np.float32)

    def wrong(t: Array) -> Any:
        with np.errstate(over="ignore"):
            return t**4 / t**3

    return lambda t: np.sum(t * t * np.float32(0.5)), lambda t: t.copy(), wrong, theta


BUGS = [
    PlantedBug("log clipped at 1e-6", "domain edges", _log_clipped),
    PlantedBug("log with an epsilon in the gradient only", "domain edges", _log_with_epsilon),
    PlantedBug("sqrt with an epsilon in the gradient only", "domain edges", _sqrt_with_epsilon),
    PlantedBug("entropy without its 1 where p is small", "domain edges", _entropy),
    PlantedBug("arcsin with an epsilon near 1", "domain edges", _arcsin),
    PlantedBug("one wall of a box forgotten", "domain edges", _barrier),
    PlantedBug("entry beside a pole is 0.1 % off", "domain edges", _pole),
    PlantedBug("digamma near 0 taken for its pole", "domain edges", _betaln),
    PlantedBug("gradient cut off in the tail of a sigmoid", "domain edges", _saturated),
    PlantedBug("NaN by overflow", "not finite", lambda: _softplus(None)),
    PlantedBug("NaN by overflow replaced by 0", "domain edges", lambda: _softplus(0.0)),
    PlantedBug("one NaN among forty", "not finite", lambda: _filled(np.nan, 17)),
    PlantedBug("one infinity among forty", "not finite", lambda: _filled(-np.inf, 39)),
    PlantedBug("infinity by overflow in float32", "not finite", _overflow_in_float32),
]

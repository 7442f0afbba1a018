"""Small entries of the gradient beside large ones, and parameters of unlike sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, UNSURE, Array, Case, Make, Triple, changed, entry, entry_times

SPREAD = 10.0 ** np.arange(0, -5, -1)
POINT = (0.3, 0.5, 0.7, 0.9, 1.1)


def _sines(dtype: Any) -> Make:
    return lambda: (lambda t: np.sum(SPREAD * np.sin(t)), lambda t: (SPREAD * np.cos(t)).astype(dtype), np.array(POINT, dtype))


def _logistic() -> Triple:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)) * [1e4, 1, 1e-4, 1]
    y = (rng.random(200) < 0.5) * 1.0
    return (
        lambda t: np.sum(np.logaddexp(0, x @ t) - y * (x @ t)),
        lambda t: x.T @ (1 / (1 + np.exp(-(x @ t))) - y),
        np.array([1e-4, 0.5, 2e3, -0.3]),
    )


def _gravity() -> Triple:
    def energy(t: Array) -> Any:
        return -6.6743e-11 * t[0] * t[1] / t[2]

    return energy, lambda t: energy(t) / t * [1, 1, -1], np.array([5.97e24, 7.35e22, 3.844e8])


def _amplitude() -> Triple:
    e = np.linspace(1, 10, 8)
    y = 1.9 * e**-2.4

    def model(t: Array) -> Any:
        return 1e-33 * t[0] * e ** -t[1]

    def gradient(t: Array) -> Array:
        m = model(t)
        return np.array([2 * np.sum((m - y) * m) / t[0], -2 * np.sum((m - y) * m * np.log(e))])

    return lambda t: np.sum((model(t) - y) ** 2), gradient, np.array([2e33, 2.5])


def _tiny_among_zeros() -> Triple:
    c = np.array([1.5, -0.7, 0.3])
    return lambda t: np.sum(np.exp(c * t)), lambda t: c * np.exp(c * t), np.array([1e-16, 0.0, 0.0])


def _unseen_share() -> Triple:
    return lambda t: 1e10 * t[0] ** 2 + 1e-9 * t[1] ** 2, lambda t: np.array([2e10, 2e-9]) * t, np.array([1.0, 0.5])


def _residue() -> Triple:
    return lambda t: t[1] ** 2, lambda t: np.array([1.441e-17, 2 * t[1]]), np.array([0.4, 0.7])


def _rates() -> Triple:
    goal = np.array([-27.0, -7.0, 0.5, 13.0, 27.0])
    return (
        lambda t: np.sum((np.log(t) - goal) ** 2),
        lambda t: 2 * (np.log(t) - goal) / t,
        np.array([1e-12, 1e-3, 1.0, 1e6, 1e12]),
    )


def _one_of_thousand() -> Triple:
    a = np.random.default_rng(4).random(1000)
    return lambda t: np.sum((t - a) ** 2), lambda t: 2 * (t - a), np.arange(1.0, 1001.0)


CASES = [
    Case("sines of unlike weights, float32", "", PASS, _sines(np.float32)),
    Case("sines of unlike weights, float32, the smallest off by 10 %", "", FAIL, changed(_sines(np.float32), entry_times(4, 1.1))),
    Case("sines of unlike weights, float64", "", PASS, _sines(np.float64)),
    Case("sines of unlike weights, float64, the smallest off by 1e-6", "", FAIL, changed(_sines(np.float64), entry_times(4, 1 + 1e-6))),
    Case("logistic regression, unlike features", "", PASS, _logistic),
    Case("logistic regression, the entry of the small feature doubled", "", FAIL, changed(_logistic, entry_times(2, 2.0))),
    Case("gravity of two masses in SI units", "", PASS, _gravity),
    Case("gravity of two masses, the sign of the distance turned", "", FAIL, changed(_gravity, entry_times(2, -1.0))),
    Case("power law with an amplitude of 2e33", "gammapy/gammapy#2602", PASS, _amplitude),
    Case("power law with an amplitude of 2e33, 0 for it", "gammapy/gammapy#2602", FAIL, changed(_amplitude, entry(0, 0.0))),
    Case("1e-16 among zeros", "ceres-solver/ceres-solver#121", PASS, _tiny_among_zeros),
    Case("1e-16 among zeros, 0 for its entry", "ceres-solver/ceres-solver#121", FAIL, changed(_tiny_among_zeros, entry(0, 0.0))),
    Case("a share of the cost below its rounding", "", UNSURE, _unseen_share),
    Case("a residue of rounding where 0 is exact", "OpenMDAO/OpenMDAO#3164", UNSURE, _residue),
    Case("rates from 1e-12 to 1e12", "", PASS, _rates),
    Case("rates from 1e-12 to 1e12, the entry of the largest doubled", "", FAIL, changed(_rates, entry_times(4, 2.0))),
    Case("squares in 1000 dimensions", "stevengj/nlopt#328", PASS, _one_of_thousand),
    Case("squares in 1000 dimensions, one of the smaller entries halved", "", FAIL, changed(_one_of_thousand, entry_times(3, 0.5))),
]

"""The function changes on a scale far below the size of its parameters, or of 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Triple, changed, entry, entry_times

SUBSTRATE, RATE = np.array([1e-9, 3e-9, 1e-8]), np.array([0.4, 0.8, 0.9])


def _sine_at_1e6() -> Triple:
    return lambda t: np.sum(np.sin(t)), np.cos, np.array([1e6, 1.2e6, 2.3e6])


def _ripple() -> Triple:
    k = 128 * np.pi
    return (
        lambda t: np.sum(t**2 + 0.1 * np.sin(k * t)),
        lambda t: 2 * t + 0.1 * k * np.cos(k * t),
        np.array([0.3, -0.71, 0.9]),
    )


def _bumps() -> Triple:
    c = np.array([1.0, 2.0, 3.0])

    def bump(t: Array) -> Any:
        return np.exp(-(((t - c) / 1e-3) ** 2) / 2)

    return lambda t: np.sum(t**2 + bump(t)), lambda t: 2 * t - (t - c) / 1e-6 * bump(t), c + 5e-4


def _michaelis_menten() -> Triple:
    def residuals(t: Array) -> Any:
        return t[0] * SUBSTRATE / (t[1] + SUBSTRATE) - RATE

    def gradient(t: Array) -> Array:
        share = SUBSTRATE / (t[1] + SUBSTRATE)
        return np.array([2 * np.sum(residuals(t) * share), -2 * np.sum(residuals(t) * t[0] * share / (t[1] + SUBSTRATE))])

    return lambda t: np.sum(residuals(t) ** 2), gradient, np.array([1.0, 2e-9])


def _cauchy() -> Triple:
    r = np.array([0.3, -1.0, 0.7])

    def gradient(t: Array) -> Array:
        d = t[0] - 1e5 - r
        return np.array([np.sum(2 * d / (1 + d**2))])

    return lambda t: np.sum(np.log1p((t[0] - 1e5 - r) ** 2)), gradient, np.array([1e5])


def _saturation() -> Triple:
    k = 1.4424183196362515e-9
    return lambda t: np.sum(t / (t + k)), lambda t: k / (t + k) ** 2, np.array([2e-8])


def _atoms() -> Triple:
    def sixth(t: Array) -> Any:
        return (3.4e-10 / t) ** 6

    return (
        lambda t: 6.6e-21 * np.sum(sixth(t) ** 2 - sixth(t)),
        lambda t: 6.6e-21 * (-12 * sixth(t) ** 2 + 6 * sixth(t)) / t,
        np.array([3.7e-10, 4.1e-10, 5e-10]),
    )


def _diode() -> Triple:
    v, i = np.array([0.5, 0.55, 0.6]), np.array([3e-4, 2e-3, 1e-2])

    def gradient(t: Array) -> Array:
        r = t[0] * np.expm1(v / t[1]) - i
        return np.array([2 * np.sum(r * np.expm1(v / t[1])), -2 * np.sum(r * t[0] * np.exp(v / t[1]) * v) / t[1] ** 2])

    return lambda t: np.sum((t[0] * np.expm1(v / t[1]) - i) ** 2), gradient, np.array([1e-12, 0.02585])


def _carrier_wave() -> Triple:
    return lambda t: np.sum(np.cos(2.0**30 * t)), lambda t: -(2.0**30) * np.sin(2.0**30 * t), np.array([1.1e-3, 2.3e-3])


def _steep_sigmoid() -> Triple:
    c = np.array([1.0, 2.0])

    def slope(t: Array) -> Any:
        s = expit((t - c) / 1e-7)
        return s * expit(-(t - c) / 1e-7) / 1e-7

    return lambda t: np.sum(expit((t - c) / 1e-7)), slope, c + 3e-8


def _step_far_away() -> Triple:
    return (
        lambda t: np.sum(t**2 + np.tanh(1e6 * (t - 1))),
        lambda t: 2 * t + 1e6 / np.cosh(np.minimum(abs(1e6 * (t - 1)), 300)) ** 2,
        np.array([1.01, 0.99]),
    )


CASES = [
    Case("sine at 1e6", "scipy/scipy#18811", PASS, _sine_at_1e6),
    Case("parabola with a ripple", "", PASS, _ripple),
    Case("parabola with a ripple, which is left out", "", FAIL, changed(_ripple, lambda g, t: 2 * t)),
    Case("narrow bumps", "JuliaDiff/FiniteDifferences.jl#124", PASS, _bumps),
    Case("narrow bumps, which are left out", "", FAIL, changed(_bumps, lambda g, t: 2 * t)),
    Case("Michaelis-Menten with a constant of 2e-9", "optimagic-dev/optimagic#59", PASS, _michaelis_menten),
    Case("Michaelis-Menten with a constant of 2e-9, 0 for it", "", FAIL, changed(_michaelis_menten, entry(1, 0.0))),
    Case("Cauchy loss at 1e5", "", PASS, _cauchy),
    Case("saturation at 2e-8", "JuliaMath/Calculus.jl#132", PASS, _saturation),
    Case("saturation at 2e-8, by a step of 6e-6", "JuliaMath/Calculus.jl#132", FAIL, changed(_saturation, entry(0, -39.33717713979761))),
    Case("forces between atoms in SI units", "", PASS, _atoms),
    Case(
        "forces between atoms, the attraction left out",
        "",
        FAIL,
        changed(_atoms, lambda g, t: -12 * 6.6e-21 * (3.4e-10 / t) ** 12 / t),
    ),
    Case("saturation current of a diode", "", PASS, _diode),
    Case("saturation current of a diode, a wrong sign", "", FAIL, changed(_diode, entry_times(1, -1.0))),
    Case("carrier wave of 2**30 per second", "", PASS, _carrier_wave),
    Case("carrier wave of 2**30 per second, its mean slope", "", FAIL, changed(_carrier_wave, lambda g, t: 0 * g)),
    Case("sigmoid of width 1e-7", "", PASS, _steep_sigmoid),
    Case("sigmoid of width 1e-7, taken for a step", "", FAIL, changed(_steep_sigmoid, lambda g, t: 0 * g)),
    Case("a steep step 0.01 away", "", PASS, _step_far_away),
    Case("a steep step 0.01 away, its mean slope added", "", FAIL, changed(_step_far_away, lambda g, t: g + 1.0)),
]

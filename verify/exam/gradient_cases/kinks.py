"""Points at a kink, where any subgradient will do, points near one, and kinks that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from deltacheck.verify.exam.gradient_cases.case import FAIL, NOT_PASS, PASS, Array, Case, Make, Triple, changed, entry, times


def _smoothed_abs() -> Triple:
    return (
        lambda t: np.sum(np.sqrt(t[:2] ** 2 + 1e-14)) + np.sum(t[2:] ** 2),
        lambda t: np.r_[t[:2] / np.sqrt(t[:2] ** 2 + 1e-14), 2 * t[2:]],
        np.array([1e-7, -2e-7, 1.0, 2.0]),
    )


def _norm_at_0(*subgradient: float) -> Make:
    return lambda: (
        lambda t: np.sqrt(np.sum(t[:2] ** 2)) + t[2] ** 2,
        lambda t: np.r_[np.array(subgradient), 2 * t[2]],
        np.array([0.0, 0.0, 1.0]),
    )


def _relu_and_square() -> Triple:
    return lambda t: np.sum(np.maximum(t, 0)) + np.sum(t * t), lambda t: (t > 0) + 2 * t, np.array([0.0, 1.0, -1.0])


def _hard_sigmoid() -> Triple:
    return lambda t: np.sum(np.clip(t / 6 + 0.5, 0, 1)), lambda t: (abs(t) < 3) / 6, np.array([2.9999999, 0.2, -2.99])


def _quantised(slope: float) -> Make:
    return lambda: (
        lambda t: np.sum(np.round(t[:2] * 256) / 256) + t[2] ** 2,
        lambda t: np.r_[slope, slope, 2 * t[2]],
        np.array([0.3, -0.71, 0.9]),
    )


def _abs_at_0(slope: float) -> Make:
    return lambda: (lambda t: np.sum(abs(t)), lambda t: np.where(t == 0, slope, np.sign(t)), np.array([0.0, 1.5, -0.3]))


def _squared_norm() -> Triple:
    return lambda t: np.linalg.norm(t) ** 2, lambda t: 2 * t, np.zeros(3)


def _deviation(value: float) -> Make:
    return lambda: (lambda t: np.std(t), lambda t: np.full(3, value), np.full(3, 0.7))


def _clamp_at_border(slope: float) -> Make:
    return lambda: (lambda t: np.sum(np.clip(t, 0, 1) * [2, 3]), lambda t: np.array([2 * slope, 3.0]), np.array([0.0, 0.4]))


def _leaky() -> Triple:
    return lambda t: np.sum(np.where(t > 0, t, 0.01 * t)), lambda t: np.where(t > 0, 1.0, 0.01), np.array([-1e-9, 2e-9, 0.5])


def _steps_and_slope() -> Triple:
    return lambda t: np.sum(np.floor(t) * t), np.floor, np.array([2.3, -1.4, 0.6])


def _erf_by_parts() -> Triple:
    return (
        lambda t: np.sum(np.sign(t) * special.erf(abs(t))),
        lambda t: 2 / np.sqrt(np.pi) * np.exp(-(t**2)),
        np.array([0.0, 0.4]),
    )


def _two_relus() -> Triple:
    return (
        lambda t: np.sum(np.maximum(t, 0) - np.maximum(-t, 0) + t**2),
        lambda t: 1 + 2 * t,
        np.array([0.0, 0.7, -0.2]),
    )


def _branches() -> Triple:
    return (
        lambda t: np.sum(np.where(t < 1, t, np.sqrt(np.maximum(t, 0)))),
        lambda t: np.where(t < 1, 1.0, 0.5 / np.sqrt(np.maximum(t, 1))),
        np.array([0.0, 2.0]),
    )


def _rotation() -> Triple:
    def angle(t: Array) -> Any:
        return np.arccos(np.clip(t[0], -1, 1))

    return lambda t: t[1] * angle(t) + t[2] ** 2, lambda t: np.array([0.0, angle(t), 2 * t[2]]), np.array([1.0, 0.0, 0.5])


def _angle() -> Triple:
    return lambda t: np.arctan2(t[0], t[1]), lambda t: np.array([t[1], -t[0]]) / (t @ t), np.array([0.0, 1.0])


def _hypot() -> Triple:
    return lambda t: np.hypot(t[0], t[1]), lambda t: t / np.hypot(t[0], t[1]), np.array([3e-9, -4e-9])


CASES = [
    Case("a smoothed abs near its bend", "climate-analytics-lab/jax-gcm#816", PASS, _smoothed_abs),
    Case(
        "a smoothed abs near its bend, sign turned",
        "climate-analytics-lab/jax-gcm#816",
        FAIL,
        changed(_smoothed_abs, times([-1, -1, 1, 1])),
    ),
    Case("norm at 0, (.99, .99) is no subgradient", "", FAIL, _norm_at_0(0.99, 0.99)),
    Case("norm at 0, 0", "HIPS/autograd#151", PASS, _norm_at_0(0.0, 0.0)),
    Case("norm at 0, NaN", "pytorch/pytorch#2421", FAIL, _norm_at_0(np.nan, np.nan)),
    Case("relu at 0, a slope between", "", PASS, _relu_and_square),
    Case("hard sigmoid near its kink", "", PASS, _hard_sigmoid),
    Case("hard sigmoid near its kink, cut off too early", "", FAIL, changed(_hard_sigmoid, entry(2, 0.0))),
    Case("8-bit quantiser, its derivative 0", "", PASS, _quantised(0.0)),
    Case("8-bit quantiser, straight through", "huggingface/optimum-quanto#146", NOT_PASS, _quantised(1.0)),
    Case("abs at 0, 0", "", PASS, _abs_at_0(0.0)),
    Case("abs at 0, 1", "", PASS, _abs_at_0(1.0)),
    Case("abs at 0, 2", "", FAIL, _abs_at_0(2.0)),
    Case("square of a norm at 0", "jax-ml/jax#4177", PASS, _squared_norm),
    Case("square of a norm at 0, NaN", "jax-ml/jax#4177", FAIL, changed(_squared_norm, lambda g, t: np.nan * g)),
    Case("standard deviation of equal entries, 0", "pytorch/pytorch#4320", PASS, _deviation(0.0)),
    Case("standard deviation of equal entries, NaN", "pytorch/pytorch#4320", FAIL, _deviation(np.nan)),
    Case("clamp at its border, 0", "pytorch/pytorch#7002", PASS, _clamp_at_border(0.0)),
    Case("clamp at its border, 1", "pytorch/pytorch#7049", PASS, _clamp_at_border(1.0)),
    Case("clamp at its border, 1.5", "", FAIL, _clamp_at_border(1.5)),
    Case("leaky relu 1e-9 from its kink", "", PASS, _leaky),
    Case("leaky relu 1e-9 from its kink, both sides alike", "", FAIL, changed(_leaky, lambda g, t: 1.0 + 0 * g)),
    Case("steps times a slope", "", PASS, _steps_and_slope),
    Case("steps times a slope, straight through", "", FAIL, changed(_steps_and_slope, lambda g, t: g + t)),
    Case("erf as sign times erf of abs, at 0", "tinygrad/tinygrad#17861", PASS, _erf_by_parts),
    Case("erf as sign times erf of abs, 0 at 0", "tinygrad/tinygrad#17861", FAIL, changed(_erf_by_parts, entry(0, 0.0))),
    Case("two relus that make a line, at 0", "", PASS, _two_relus),
    Case("two relus that make a line, 0 at 0", "", FAIL, changed(_two_relus, entry(0, 0.0))),
    Case("a root in the branch not taken", "jax-ml/jax#5798", PASS, _branches),
    Case("a root in the branch not taken, NaN", "jax-ml/jax#5798", FAIL, changed(_branches, entry(0, np.nan))),
    Case("logarithm of a rotation by 0", "kornia/kornia#4007", PASS, _rotation),
    Case("logarithm of a rotation by 0, NaN", "kornia/kornia#4007", FAIL, changed(_rotation, entry(0, np.nan))),
    Case("angle at 0", "coin-or/CppAD#120", PASS, _angle),
    Case("angle at 0, 0 for y", "coin-or/CppAD#120", FAIL, changed(_angle, entry(0, 0.0))),
    Case("length of 5e-9", "", PASS, _hypot),
    Case("length of 5e-9, padded by 1e-8", "", FAIL, changed(_hypot, lambda g, t: t / (np.hypot(t[0], t[1]) + 1e-8))),
]

"""Underflow and overflow: saturated functions, huge and tiny parameters, values that only a careful formula can reach."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from deltacheck.verify.exam.gradient_cases.case import FAIL, NOT_PASS, PASS, UNSURE, Array, Case, Make, Triple, changed, entry, times


def _softplus(*theta: float) -> Make:
    return lambda: (lambda t: np.sum(np.logaddexp(0, t)), special.expit, np.array(theta))


def _cross_entropy() -> Triple:
    def gradient(t: Array) -> Any:
        return special.softmax(t) - np.eye(3)[0]

    return lambda t: special.logsumexp(t) - t[0], gradient, np.array([-431.0, 279.0, 427.0])


def _log_sum_exp() -> Triple:
    return special.logsumexp, special.softmax, np.array([1000.0, 1000.5, 999.0])


def _elu() -> Triple:
    return lambda t: np.sum(np.where(t > 0, t, np.expm1(t))), lambda t: np.exp(np.minimum(t, 0)), np.array([-17.0, 0.5, -1.0])


def _cauchy_at_1e200() -> Triple:
    return lambda t: np.sum(2 * np.log(np.hypot(1, t))), lambda t: 2 / (t + 1 / t), np.array([1e200, 3.0])


def _hypot_at(scale: float) -> Make:
    return lambda: (lambda t: np.hypot(t[0], t[1]) / scale, lambda t: t / np.hypot(t[0], t[1]) / scale, np.array([3.0, -4.0]) * scale)


def _hypot(scale: float) -> Make:
    return lambda: (lambda t: np.hypot(t[0], t[1]), lambda t: t / np.hypot(t[0], t[1]), np.array([3.0, -4.0]) * scale)


def _many_probabilities() -> Triple:
    """The log of a product of 400 probabilities, which is below the smallest float."""
    x = np.random.default_rng(2).normal(size=400)
    return (
        lambda t: np.sum(special.log_expit(t[0] + t[1] * x)),
        lambda t: np.array([np.sum(special.expit(-t[0] - t[1] * x)), np.sum(x * special.expit(-t[0] - t[1] * x))]),
        np.array([-3.0, 0.7]),
    )


def _erfc_tail() -> Triple:
    return lambda t: np.sum(special.erfc(t)), lambda t: -2 / np.sqrt(np.pi) * np.exp(-(t**2)), np.array([10.0])


def _saturated() -> Triple:
    return lambda t: np.sum(np.tanh(t)), lambda t: 1 / np.cosh(t) ** 2, np.array([300.0, 0.3, -300.0])


def _denormal() -> Triple:
    return lambda t: 1e300 * t[0] + t[1] ** 2, lambda t: np.array([1e300, 2 * t[1]]), np.array([5e-310, 0.5])


def _huge_value() -> Triple:
    return lambda t: 1e290 * np.sum(np.sin(t)), lambda t: 1e290 * np.cos(t), np.array([0.5, 1.0, 2.0])


def _tiny_value() -> Triple:
    return lambda t: 1e-290 * np.sum(np.sin(t)), lambda t: 1e-290 * np.cos(t), np.array([0.5, 1.0, 2.0])


def _exp_near_the_top() -> Triple:
    return lambda t: np.exp(t[0]) * np.exp(-t[1]), lambda t: np.exp(t[0] - t[1]) * np.array([1.0, -1.0]), np.array([705.0, 704.0])


def _gauss_far_out() -> Triple:
    return lambda t: np.exp(-np.sum(t**2) / 2), lambda t: -t * np.exp(-np.sum(t**2) / 2), np.array([20.0, -12.0])


CASES = [
    Case("softplus at 800", "tracel-ai/burn#5373", PASS, _softplus(800.0, 0.3)),
    Case("softplus at 800, NaN", "tracel-ai/burn#5373", FAIL, changed(_softplus(800.0, 0.3), entry(0, np.nan))),
    Case("softplus at 800, 0", "tenstorrent/tt-metal#56397", FAIL, changed(_softplus(800.0, 0.3), entry(0, 0.0))),
    Case("softplus at -30 alone", "", PASS, _softplus(-30.0)),
    Case("softplus at -30 alone, 0", "", FAIL, changed(_softplus(-30.0), times(0.0))),
    Case("cross entropy of far logits", "FluxML/NNlib.jl#68", PASS, _cross_entropy),
    Case("cross entropy of far logits, NaN", "FluxML/NNlib.jl#68", FAIL, changed(_cross_entropy, lambda g, t: np.nan * g)),
    Case("log of a sum of exponentials at 1000", "", PASS, _log_sum_exp),
    Case("log of a sum of exponentials at 1000, uniform", "", FAIL, changed(_log_sum_exp, lambda g, t: 0 * g + 1 / 3)),
    Case("elu at -17", "jax-ml/jax#40820", PASS, _elu),
    Case("elu at -17, 0 from cancellation", "tenstorrent/tt-metal#55726", FAIL, changed(_elu, entry(0, 0.0))),
    Case("Cauchy loss at 1e200", "", PASS, _cauchy_at_1e200),
    Case("Cauchy loss at 1e200, 0 from overflow", "", FAIL, changed(_cauchy_at_1e200, entry(0, 0.0))),
    Case("hypotenuse of 5e200", "", PASS, _hypot(1e200)),
    Case("hypotenuse of 5e200, 0 from overflow", "tenstorrent/tt-metal#53905", FAIL, changed(_hypot(1e200), times(0.0))),
    Case("hypotenuse of 5e-200", "", PASS, _hypot(1e-200)),
    Case("hypotenuse of 5e-200, NaN", "tenstorrent/tt-metal#53905", FAIL, changed(_hypot(1e-200), times(np.nan))),
    Case("hypotenuse of 5e-200 in units of 1e-200", "", PASS, _hypot_at(1e-200)),
    Case("log of 400 probabilities", "", PASS, _many_probabilities),
    Case("log of 400 probabilities, 0 from underflow", "", FAIL, changed(_many_probabilities, times(0.0))),
    Case("tail of erfc at 10", "", PASS, _erfc_tail),
    Case("tail of erfc at 10, off by 0.1 %", "", FAIL, changed(_erfc_tail, times(1.001))),
    Case("saturated tanh", "", PASS, _saturated),
    Case("saturated tanh, 1e-3 where it is 0", "", FAIL, changed(_saturated, entry(2, 1e-3))),
    Case("a denormal parameter", "", UNSURE, _denormal),
    Case("a denormal parameter, twice its slope", "", NOT_PASS, changed(_denormal, times([2.0, 1.0]))),
    Case("cost of 1e290", "", PASS, _huge_value),
    Case("cost of 1e290, sign of one entry turned", "", FAIL, changed(_huge_value, times([1.0, -1.0, 1.0]))),
    Case("cost of 1e-290", "pbrod/numdifftools#55", PASS, _tiny_value),
    Case("cost of 1e-290, 0", "pbrod/numdifftools#55", FAIL, changed(_tiny_value, times(0.0))),
    Case("exponential 5 below its overflow", "", PASS, _exp_near_the_top),
    Case("exponential 5 below its overflow, signs alike", "", FAIL, changed(_exp_near_the_top, lambda g, t: abs(g))),
    Case("Gaussian far out", "", PASS, _gauss_far_out),
    Case("Gaussian far out, 0", "", FAIL, changed(_gauss_far_out, times(0.0))),
]

"""Costs that a complex step misjudges: abs, conjugates, comparisons, casts, functions of real arguments only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Triple, changed, times


def _abs_inside() -> Triple:
    return (
        lambda t: 1e3 * np.sum(t**3) + 1e4 + 1e-9 * np.sum(np.abs(t)),
        lambda t: 3e3 * t**2 + 1e-9 * np.sign(t),
        np.array([0.1, -0.2, 0.03]),
    )


def _abs_outside() -> Triple:
    return lambda t: np.sum(np.abs(np.sin(t))), lambda t: np.cos(t) * np.sign(np.sin(t)), np.array([0.4, -1.0, 2.0])


def _spectrum() -> Triple:
    theta = np.random.default_rng(12).normal(size=8)
    return lambda t: np.sum(np.abs(np.fft.fft(t)) ** 2), lambda t: 2 * len(t) * t, theta


def _inner_product() -> Triple:
    return lambda t: np.real(np.vdot(t, t)), lambda t: 2 * t, np.array([0.4, -1.0, 2.0])


def _cast() -> Triple:
    def cost(t: Array) -> Any:
        return np.sum(np.exp(np.real(np.asarray(t)).astype(float)))

    return cost, np.exp, np.array([0.4, -1.0, 2.0])


def _comparison() -> Triple:
    def cost(t: Array) -> float:
        return sum(math.sin(x) if x > 0 else float(x) for x in t)

    return cost, lambda t: np.where(t > 0, np.cos(t), 1.0), np.array([0.4, -1.0, 2.0])


def _norm() -> Triple:
    return lambda t: np.linalg.norm(t), lambda t: t / np.linalg.norm(t), np.array([0.4, -1.0, 2.0])


def _atan2() -> Triple:
    return (
        lambda t: np.arctan2(t[0], t[1]) * t[2],
        lambda t: np.array([t[1] * t[2] / (t[0] ** 2 + t[1] ** 2), -t[0] * t[2] / (t[0] ** 2 + t[1] ** 2), np.arctan2(t[0], t[1])]),
        np.array([0.4, -1.0, 2.0]),
    )


def _work_array() -> Triple:
    def cost(t: Array) -> Any:
        work = np.zeros(3)
        work[:] = np.real(t) ** 3
        return np.sum(work)

    return cost, lambda t: 3 * t**2, np.array([0.4, -1.0, 2.0])


def _real_functions() -> Triple:
    return lambda t: np.sum(special.gammaln(t)), special.digamma, np.array([0.4, 3.0, 12.0])


def _phase() -> Triple:
    """The phase of a sum of waves."""
    w = np.exp(1j * np.array([0.3, 1.1, 2.0]))
    return lambda t: np.angle(t @ w), lambda t: np.imag(w / (t @ w)), np.array([0.4, 1.0, 2.0])


def _magnitude() -> Triple:
    w = np.exp(1j * np.array([0.3, 1.1, 2.0]))
    return lambda t: abs(t @ w), lambda t: np.real(np.conj(t @ w) * w) / abs(t @ w), np.array([0.4, 1.0, 2.0])


def _not_conjugated(_: Array, t: Array) -> Any:
    w = np.exp(1j * np.array([0.3, 1.1, 2.0]))
    return np.real((t @ w) * w) / abs(t @ w)


CASES = [
    Case("abs inside, of little weight", "OpenMDAO/OpenMDAO#1715", PASS, _abs_inside),
    Case("abs outside", "OpenMDAO/OpenMDAO#1715", PASS, _abs_outside),
    Case("abs outside, its sign left out", "OpenMDAO/OpenMDAO#1715", FAIL, changed(_abs_outside, lambda g, t: np.cos(t))),
    Case("energy of a spectrum", "", PASS, _spectrum),
    Case("energy of a spectrum, not scaled by the length", "", FAIL, changed(_spectrum, times(1 / 8))),
    Case("inner product with a conjugate", "", PASS, _inner_product),
    Case("inner product with a conjugate, one side only", "", FAIL, changed(_inner_product, times(0.5))),
    Case("cast to real numbers", "", PASS, _cast),
    Case("cast to real numbers, 0", "", FAIL, changed(_cast, times(0.0))),
    Case("comparisons and math.sin", "", PASS, _comparison),
    Case("comparisons and math.sin, the other branch", "", FAIL, changed(_comparison, lambda g, t: np.cos(t))),
    Case("norm of a vector", "OpenMDAO/OpenMDAO#782", PASS, _norm),
    Case("norm of a vector, not divided", "", FAIL, changed(_norm, lambda g, t: t)),
    Case("arctan2", "", PASS, _atan2),
    Case("arctan2, arguments exchanged", "", FAIL, changed(_atan2, times([-1.0, -1.0, 1.0]))),
    Case("real work array", "", PASS, _work_array),
    Case("real work array, 0", "", FAIL, changed(_work_array, times(0.0))),
    Case("special function of real arguments", "", PASS, _real_functions),
    Case("special function of real arguments, log for digamma", "", FAIL, changed(_real_functions, lambda g, t: np.log(t))),
    Case("phase of waves", "", PASS, _phase),
    Case("phase of waves, real part for imaginary", "", FAIL, changed(_phase, lambda g, t: g[::-1])),
    Case("magnitude of waves", "", PASS, _magnitude),
    Case("magnitude of waves, the conjugate left out", "HIPS/autograd#393", FAIL, changed(_magnitude, _not_conjugated)),
]

"""Costs of lower precision than their parameters: narrow dtypes, printed digits, solvers that stop early, large offsets."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

from deltacheck.verify.exam.gradient_cases.case import FAIL, NOT_PASS, PASS, UNSURE, Array, Case, Make, Triple, changed, entry_times, times


def _sines(rounding: Any) -> Make:
    return lambda: (lambda t: rounding(np.sum(np.sin(t))), np.cos, np.array([0.5, 1.0, 2.0]))


def _printed() -> Triple:
    return lambda t: float(f"{np.sum(np.exp(t)):.7g}"), np.exp, np.array([0.5, 1.0, 2.0])


def _narrow_inside() -> Triple:
    return (
        lambda t: np.sum(np.tanh(t.astype(np.float32)).astype(np.float64) ** 2),
        lambda t: 2 * np.tanh(t) / np.cosh(t) ** 2,
        np.array([0.5, 1.0, -0.7]),
    )


def _cubic_root(t: Array) -> float:
    return float(brentq(lambda x: x**3 + t[0] * x - t[1], 0, 4, xtol=1e-15, rtol=1e-15))


def _bisection() -> Triple:
    def cost(t: Array) -> float:
        low, high = 0.0, 4.0
        while high - low > 1e-6:
            middle = (low + high) / 2
            low, high = (middle, high) if middle**3 + t[0] * middle < t[1] else (low, middle)
        return ((low + high) / 2) ** 2

    def gradient(t: Array) -> Any:
        x = _cubic_root(t)
        return 2 * x * np.array([-x, 1.0]) / (3 * x**2 + t[0])

    return cost, gradient, np.array([0.7, 2.0])


def _fixed_point() -> Triple:
    def solve(t: Array, tolerance: float) -> float:
        x, last, loops = 0.5, np.inf, 0
        while abs(x - last) > tolerance and loops < 500:
            x, last, loops = t[0] * np.cos(x) + t[1], x, loops + 1
        return float(x)

    def gradient(t: Array) -> Any:
        x = solve(t, 1e-15)
        return 2 * x * np.array([np.cos(x), 1.0]) / (1 + t[0] * np.sin(x))

    return lambda t: solve(t, 1e-9) ** 2, gradient, np.array([0.5, 0.3])


def _offset(offset: float) -> Make:
    return lambda: (lambda t: offset + np.sum(np.sin(t)), np.cos, np.array([0.5, 1.0, 2.0]))


def _series() -> Triple:
    def cost(t: Array) -> float:
        total = 0.0
        for x in t:
            term, n = 1.0, 0
            while abs(term) > 1e-8 and n < 300:
                total, n = total + term, n + 1
                term *= float(x) / n
        return total

    return cost, np.exp, np.array([0.5, 1.3, 2.1])


def _newton_root() -> Triple:
    def cost(t: Array) -> Any:
        x = t + 1
        for _ in range(12):
            x = (x + t / x) / 2
        return np.sum(x)

    return cost, lambda t: 0.5 / np.sqrt(t), np.array([0.5, 2.0, 7.0])


def _simpson() -> Triple:
    x = np.linspace(0, 1, 201)
    w = np.ones(201)
    w[1:-1:2], w[2:-1:2] = 4, 2
    w /= 600

    def gradient(t: Array) -> Array:
        e = w * np.exp(-t[0] * x**2) * t[1]
        return np.array([-np.sum(e * x**2), np.sum(e) / t[1]])

    return lambda t: np.sum(w * np.exp(-t[0] * x**2) * t[1]), gradient, np.array([1.3, 0.8])


CASES = [
    Case("cost in float32 under a float64 theta", "", UNSURE, _sines(np.float32)),
    Case("cost in float32 under a float64 theta, off by 10 %", "", FAIL, changed(_sines(np.float32), times(1.1))),
    Case("cost rounded to 6 decimals", "HIPS/autograd#566", UNSURE, _sines(lambda s: float(np.round(s, 6)))),
    Case(
        "cost rounded to 6 decimals, off by 20 %", "HIPS/autograd#566", FAIL, changed(_sines(lambda s: float(np.round(s, 6))), times(1.2))
    ),
    Case("cost in float16", "", UNSURE, _sines(np.float16)),
    Case("cost in float16, sign turned", "", NOT_PASS, changed(_sines(np.float16), times(-1.0))),
    Case("cost of seven printed digits", "", UNSURE, _printed),
    Case("cost of seven printed digits, off by 20 %", "", FAIL, changed(_printed, times(1.2))),
    Case("one step in float32 inside", "pytorch/extension-cpp#42", UNSURE, _narrow_inside),
    Case("one step in float32 inside, half the slope", "", FAIL, changed(_narrow_inside, times(0.5))),
    Case("root by bisection to 1e-6", "JuliaDiff/FiniteDifferences.jl#170", UNSURE, _bisection),
    Case("root by bisection to 1e-6, a factor left out", "", FAIL, changed(_bisection, lambda g, t: g * [1 / _cubic_root(t), 1])),
    Case("fixed point to 1e-9", "pasteurlabs/tesseract-core#740", UNSURE, _fixed_point),
    Case("fixed point to 1e-9, one term off by 10 %", "pasteurlabs/tesseract-core#740", FAIL, changed(_fixed_point, entry_times(0, 1.1))),
    Case("offset of 1e6", "", PASS, _offset(1e6)),
    Case("offset of 1e6, off by 1 %", "", FAIL, changed(_offset(1e6), times(1.01))),
    Case("offset of 1e12", "", UNSURE, _offset(1e12)),
    Case("offset of 1e12, sign turned", "", FAIL, changed(_offset(1e12), times(-1.0))),
    Case("series cut off at 1e-8", "", UNSURE, _series),
    Case("series cut off at 1e-8, off by 5 %", "", FAIL, changed(_series, times(1.05))),
    Case("square root by Newton's steps", "", PASS, _newton_root),
    Case("square root by Newton's steps, one step differentiated", "", FAIL, changed(_newton_root, lambda g, t: 0.5 + 0 * g)),
    Case("integral by Simpson's rule", "", PASS, _simpson),
    Case(
        "integral by Simpson's rule, the end points left out",
        "",
        FAIL,
        changed(_simpson, lambda g, t: np.add(g, [np.exp(-t[0]) * t[1] / 600, 0])),
    ),
]

"""Ill-conditioned costs: near-singular matrices, close nodes, cancellation between terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, UNSURE, Array, Case, Triple, changed, entry_times, times


def _hilbert() -> Triple:
    n = np.arange(6.0)
    h = 1 / (n[:, None] + n + 1)
    b = h @ np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    return lambda t: 0.5 * np.sum((h @ t - b) ** 2), lambda t: h.T @ (h @ t - b), np.array([0.9, -1.2, 1.3, -0.6, 0.8, -1.1])


def _solve() -> Triple:
    """The solution of a system whose matrix has a condition of 1e6."""
    a = np.array([[1.0, 1.0], [1.0, 1.000004]])
    w = np.array([1.0, 2.0])
    return lambda t: w @ np.linalg.solve(a, t), lambda t: np.linalg.solve(a.T, w), np.array([0.3, 0.4])


def _vandermonde() -> Triple:
    x = np.linspace(0, 1, 30)
    v = np.vander(x, 8, increasing=True)
    y = np.exp(x)
    return lambda t: np.sum((v @ t - y) ** 2), lambda t: 2 * v.T @ (v @ t - y), np.array([1.0, 0.9, 0.6, 0.1, 0.1, 0.0, 0.05, -0.02])


def _two_large_terms() -> Triple:
    """Two terms of which only a hundred-millionth is left."""
    return (
        lambda t: 2.0**26 * (np.cosh(t[0] * 2.0**-13) - 1) - 0.5 * t[0] ** 2 + t[1] ** 2,
        lambda t: np.array([2.0**-26 * t[0] ** 3 / 6 + 2.0**-52 * t[0] ** 5 / 120, 2 * t[1]]),
        np.array([2.0, 0.7]),
    )


def _wilkinson() -> Triple:
    """A polynomial of ten roots, by its roots and near one of them."""

    def gradient(t: Array) -> Array:
        gaps = t[0] - np.arange(1.0, 11.0)
        return np.array([sum(np.prod(np.delete(gaps, i)) for i in range(10))])

    return lambda t: np.prod(t[0] - np.arange(1.0, 11.0)), gradient, np.array([5.001])


def _long_chain() -> Triple:
    """Twenty iterations of the logistic map: the slope is a product of twenty factors."""

    def gradient(t: Array) -> Array:
        x, dx, dr = t[1], 1.0, 0.0
        for _ in range(20):
            x, dx, dr = t[0] * x * (1 - x), t[0] * (1 - 2 * x) * dx, x * (1 - x) + t[0] * (1 - 2 * x) * dr
        return np.array([dr, dx])

    def cost(t: Array) -> Any:
        x = t[1]
        for _ in range(20):
            x = t[0] * x * (1 - x)
        return x

    return cost, gradient, np.array([3.7, 0.3])


def _penalty() -> Triple:
    """A constraint with a weight of 1e9."""
    return (
        lambda t: np.sum((t - [1.0, 2.0]) ** 2) + 1e9 * (t[0] + t[1] - 2.9) ** 2,
        lambda t: 2 * (t - [1.0, 2.0]) + 2e9 * (t[0] + t[1] - 2.9),
        np.array([0.95, 1.9500001]),
    )


def _correlated_normal() -> Triple:
    """A normal density whose two variables are correlated by 0.9999."""
    p = np.linalg.inv(np.array([[1.0, 0.9999], [0.9999, 1.0]]))
    return lambda t: 0.5 * t @ p @ t, lambda t: p @ t, np.array([0.5, 0.51])


def _variance_of_far_numbers() -> Triple:
    def gradient(t: Array) -> Any:
        gaps = t - t[0]
        return 2 * (gaps - np.mean(gaps))

    return lambda t: np.sum((t - np.mean(t)) ** 2), gradient, np.array([1e6 + 0.1, 1e6 - 0.4, 1e6 + 1.3])


CASES = [
    Case("least squares with Hilbert's matrix", "", PASS, _hilbert),
    Case("least squares with Hilbert's matrix, not multiplied by it", "", FAIL, changed(_hilbert, lambda g, t: t)),
    Case("solution of a system of condition 1e6", "", PASS, _solve),
    Case("solution of a system of condition 1e6, regularised", "", FAIL, changed(_solve, times([0.99, 0.99]))),
    Case("monomials of degree 7", "", PASS, _vandermonde),
    Case("monomials of degree 7, one off by 2 %", "", FAIL, changed(_vandermonde, entry_times(5, 1.02))),
    Case("difference of two large terms", "", UNSURE, _two_large_terms),
    Case("difference of two large terms, the second left out", "", FAIL, changed(_two_large_terms, lambda g, t: np.add(g, [t[0], 0]))),
    Case("polynomial of ten roots near one", "", PASS, _wilkinson),
    Case("polynomial of ten roots near one, one factor too many", "", FAIL, changed(_wilkinson, lambda g, t: g * (t - 5))),
    Case("twenty steps of the logistic map", "", PASS, _long_chain),
    Case("twenty steps of the logistic map, the last step only", "", FAIL, changed(_long_chain, entry_times(0, 0.02))),
    Case("penalty of weight 1e9", "", UNSURE, _penalty),
    Case("penalty of weight 1e9, half its slope", "", FAIL, changed(_penalty, times(0.5))),
    Case("normal density of correlation 0.9999", "", PASS, _correlated_normal),
    Case(
        "normal density of correlation 0.9999, the diagonal only", "", FAIL, changed(_correlated_normal, lambda g, t: t / (1 - 0.9999**2))
    ),
    Case("variance of numbers near 1e6", "", PASS, _variance_of_far_numbers),
    Case(
        "variance of numbers near 1e6, the mean held fixed at 1e6", "", FAIL, changed(_variance_of_far_numbers, lambda g, t: 2 * (t - 1e6))
    ),
]

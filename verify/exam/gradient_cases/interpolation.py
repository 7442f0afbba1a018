"""Tables, splines and other functions by pieces: inside, at a knot, outside."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import Akima1DInterpolator, CubicSpline, PchipInterpolator

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed, entry, times

X = np.array([0.0, 1.0, 2.5, 4.0, 5.0, 7.0])
Y = np.array([1.0, 2.5, 0.5, 0.7, 3.0, 2.0])
GRID = np.sin(np.arange(4.0))[:, None] * np.cos(np.arange(5.0) / 2)


def _linear(*theta: float) -> Make:
    def slope(t: Array) -> Any:
        cell = np.clip(np.searchsorted(X, t, side="right") - 1, 0, 4)
        return np.where((t < X[0]) | (t > X[-1]), 0, np.diff(Y)[cell] / np.diff(X)[cell])

    return lambda: (lambda t: np.sum(np.interp(t, X, Y)), slope, np.array(theta))


def _by_its_values() -> Triple:
    """Linear interpolation at fixed points, by the table's values."""
    at = np.array([0.3, 0.9, 2.0, 6.1])

    def gradient(t: Array) -> Any:
        return 2 * np.array([np.interp(at, X, row) for row in np.eye(6)]) @ np.interp(at, X, t)

    return lambda t: np.sum(np.interp(at, X, t) ** 2), gradient, Y.copy()


def _spline(kind: Any, *theta: float) -> Make:
    return lambda: (lambda t: np.sum(kind(X, Y)(t)), lambda t: kind(X, Y)(t, 1), np.array(theta))


def _bilinear(*theta: float) -> Make:
    """A table of two axes: linear in each, extended with the slope of the last cell."""

    def cell(t: Array) -> Any:
        i, j = int(np.clip(np.floor(t[0]), 0, 2)), int(np.clip(np.floor(t[1]), 0, 3))
        return t[0] - i, t[1] - j, GRID[i : i + 2, j : j + 2]

    def cost(t: Array) -> Any:
        u, v, c = cell(t)
        return np.array([1 - u, u]) @ c @ np.array([1 - v, v])

    def gradient(t: Array) -> Array:
        u, v, c = cell(t)
        return np.array([(c[1] - c[0]) @ [1 - v, v], [1 - u, u] @ (c[:, 1] - c[:, 0])])

    return lambda: (cost, gradient, np.array(theta))


def _truncated_powers() -> Triple:
    knots = np.array([-1.0, 0.0, 1.0])
    return (
        lambda t: np.sum(np.maximum(t[:, None] - knots, 0) ** 3),
        lambda t: np.sum(3 * np.maximum(t[:, None] - knots, 0) ** 2, axis=1),
        np.array([0.0, 1.0, 0.4]),
    )


def _table_of_steps() -> Triple:
    """The nearest value of the table, and a slope of its own."""
    return lambda t: np.sum(Y[np.searchsorted(X, t)] + 2 * t), lambda t: 2 + 0 * t, np.array([0.4, 3.3])


def _periodic() -> Triple:
    """A triangle wave of period 2."""
    return (
        lambda t: np.sum(abs((t + 1) % 2 - 1) ** 2),
        lambda t: 2 * ((t + 1) % 2 - 1),
        np.array([0.3, 5.7, -3.4]),
    )


CASES = [
    Case("linear table", "", PASS, _linear(0.3, 2.0, 6.1)),
    Case("linear table, the next cell's slope", "", FAIL, changed(_linear(0.3, 2.0, 6.1), lambda g, t: np.array([-4 / 3, 2 / 15, g[2]]))),
    Case("linear table near a knot", "", PASS, _linear(2.5 + 1e-7, 4 - 1e-6)),
    Case(
        "linear table near a knot, the next cell's slope",
        "",
        FAIL,
        changed(_linear(2.5 + 1e-7, 4 - 1e-6), lambda g, t: np.array([-4 / 3, 2.3])),
    ),
    Case("linear table outside", "", PASS, _linear(-1.0, 8.0, 2.0)),
    Case(
        "linear table outside, the last slopes go on",
        "modelica/ModelicaStandardLibrary#1465",
        FAIL,
        changed(_linear(-1.0, 8.0, 2.0), lambda g, t: np.array([1.5, -0.5, g[2]])),
    ),
    Case("table by its values", "", PASS, _by_its_values),
    Case("table by its values, to the nearest only", "", FAIL, changed(_by_its_values, lambda g, t: np.where(g > np.median(g), g, 0))),
    Case("cubic spline", "", PASS, _spline(CubicSpline, 0.3, 3.0)),
    Case("cubic spline at its knots", "", PASS, _spline(CubicSpline, 1.0, 4.0)),
    Case(
        "cubic spline at its knots, the chord's slope",
        "",
        FAIL,
        changed(_spline(CubicSpline, 1.0, 4.0), lambda g, t: np.array([-4 / 3, 2.3])),
    ),
    Case("monotone cubic", "", PASS, _spline(PchipInterpolator, 0.3, 3.0)),
    Case("monotone cubic, half its slope", "", FAIL, changed(_spline(PchipInterpolator, 0.3, 3.0), times(0.5))),
    Case("Akima's spline near its end", "SciML/DataInterpolations.jl#119", PASS, _spline(Akima1DInterpolator, 6.9, 3.0)),
    Case(
        "Akima's spline near its end, 0",
        "SciML/DataInterpolations.jl#119",
        FAIL,
        changed(_spline(Akima1DInterpolator, 6.9, 3.0), entry(0, 0.0)),
    ),
    Case("table of two axes", "", PASS, _bilinear(1.3, 2.6)),
    Case("table of two axes, outside one", "modelica/ModelicaStandardLibrary#1465", PASS, _bilinear(1.3, -0.6)),
    Case(
        "table of two axes, outside one, the other's slope left out",
        "modelica/ModelicaStandardLibrary#1465",
        FAIL,
        changed(_bilinear(1.3, -0.6), entry(0, 0.0)),
    ),
    Case("truncated powers at their knots", "", PASS, _truncated_powers),
    Case("truncated powers at their knots, one degree too low", "", FAIL, changed(_truncated_powers, lambda g, t: g * 2 / 3)),
    Case("table of steps with a slope", "", PASS, _table_of_steps),
    Case("table of steps with a slope, the chord's slope added", "", FAIL, changed(_table_of_steps, lambda g, t: np.add(g, [1.5, 0.13]))),
    Case("square of a triangle wave", "", PASS, _periodic),
    Case("square of a triangle wave, its period forgotten", "", FAIL, changed(_periodic, lambda g, t: 2 * t)),
]

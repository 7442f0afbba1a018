"""Costs with a solver inside: fixed and adaptive steps, implicit equations, gradients of the equation for the solver's."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import quad, solve_ivp

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, UNSURE, Array, Case, Make, Triple, changed, entry_times, times

RATE = np.array([[-1.0, 0.5], [0.2, -0.7]])


def _euler(steps: int) -> Make:
    """Logistic growth by Euler's steps over a time of 2, by rate and start; tangents are carried along."""
    h = 2 / steps

    def cost(t: Array) -> Any:
        y = t[1]
        for _ in range(steps):
            y = y + h * t[0] * y * (1 - y)
        return y**2

    def gradient(t: Array) -> Any:
        y, by_rate, by_start = t[1], 0.0, 1.0
        for _ in range(steps):
            slope = 1 + h * t[0] * (1 - 2 * y)
            y, by_rate, by_start = y + h * t[0] * y * (1 - y), slope * by_rate + h * y * (1 - y), slope * by_start
        return 2 * y * np.array([by_rate, by_start])

    return lambda: (cost, gradient, np.array([1.3, 0.2]))


def _of_the_equation(_: Array, t: Array) -> Any:
    """The gradient of the exact solution, where the cost is Euler's."""
    growth = np.exp(2 * t[0])
    y = t[1] * growth / (1 - t[1] + t[1] * growth)
    return 2 * y * np.array([2 * y * (1 - y), y * (1 - y) / (t[1] * (1 - t[1]))])


def _runge_kutta() -> Triple:
    """A linear system by classical steps: one step multiplies by a polynomial of the matrix."""
    h = 0.25 * RATE
    step = np.eye(2) + h + h @ h / 2 + h @ h @ h / 6 + h @ h @ h @ h / 24

    def cost(t: Array) -> Any:
        y = t
        for _ in range(8):
            k1 = RATE @ y
            k2 = RATE @ (y + k1 / 8)
            k3 = RATE @ (y + k2 / 8)
            y = y + (k1 + 2 * k2 + 2 * k3 + RATE @ (y + k3 / 4)) / 24
        return y @ y

    power = np.linalg.matrix_power(step, 8)
    return cost, lambda t: 2 * power.T @ (power @ t), np.array([1.0, -0.4])


def _decay(tolerance: float) -> Make:
    """Decay by an adaptive solver: its steps change with theta."""

    def cost(t: Array) -> Any:
        return np.sum(solve_ivp(lambda _, y: -t[0] * y, (0, 2), [t[1]], rtol=tolerance, atol=tolerance * 1e-3).y[0, -1] ** 2)

    def gradient(t: Array) -> Any:
        return np.exp(-4 * t[0]) * np.array([-4 * t[1] ** 2, 2 * t[1]])

    return lambda: (cost, gradient, np.array([0.8, 1.5]))


def _newton(loops: int) -> Make:
    """Kepler's equation by a fixed number of Newton's steps."""

    def anomaly(t: Array) -> Any:
        e = t[0]
        for _ in range(loops):
            e = e - (e - t[1] * np.sin(e) - t[0]) / (1 - t[1] * np.cos(e))
        return e

    def gradient(t: Array) -> Any:
        e = anomaly(t)
        return np.cos(e) * np.array([1.0, np.sin(e)]) / (1 - t[1] * np.cos(e))

    return lambda: (lambda t: np.sin(anomaly(t)), gradient, np.array([0.9, 0.3]))


def _integral() -> Triple:
    return (
        lambda t: quad(lambda x: np.exp(-t[0] * x) * np.cos(t[1] * x), 0, 1, epsabs=1e-13, epsrel=1e-13)[0],
        lambda t: np.array(
            [
                -quad(lambda x: x * np.exp(-t[0] * x) * np.cos(t[1] * x), 0, 1, epsabs=1e-14, epsrel=1e-14)[0],
                -quad(lambda x: x * np.exp(-t[0] * x) * np.sin(t[1] * x), 0, 1, epsabs=1e-14, epsrel=1e-14)[0],
            ]
        ),
        np.array([0.7, 2.0]),
    )


def _moving_limit() -> Triple:
    """An integral up to theta: the limit counts as well as the integrand."""

    def gradient(t: Array) -> Array:
        end = np.exp(-t[0] * t[1])
        return np.array([(end * (1 + t[0] * t[1]) - 1) / t[0] ** 2, end])

    return lambda t: -np.expm1(-t[0] * t[1]) / t[0], gradient, np.array([0.7, 2.0])


def _heat() -> Triple:
    """Twenty implicit steps of the heat equation, by the start; the adjoint runs backwards through the same matrix."""
    a = np.eye(5) * 1.4 - 0.2 * (np.eye(5, k=1) + np.eye(5, k=-1))
    a[0, 1] = -0.4
    goal = np.array([0.1, 0.3, 0.2, 0.0, -0.1])

    def end(t: Array) -> Any:
        for _ in range(20):
            t = np.linalg.solve(a, t)
        return t

    def gradient(t: Array) -> Any:
        back = end(t) - goal
        for _ in range(20):
            back = np.linalg.solve(a.T, back)
        return back

    return lambda t: 0.5 * np.sum((end(t) - goal) ** 2), gradient, np.array([1.0, -0.5, 0.8, 2.0, 0.3])


def _not_transposed(t: Array) -> Any:
    h = 0.25 * RATE
    power = np.linalg.matrix_power(np.eye(2) + h + h @ h / 2 + h @ h @ h / 6 + h @ h @ h @ h / 24, 8)
    return 2 * power @ (power @ t)


CASES = [
    Case("Euler's steps", "SciML/SciMLSensitivity.jl#1368", PASS, _euler(20)),
    Case("Euler's steps, gradient of the equation", "SciML/SciMLSensitivity.jl#1368", FAIL, changed(_euler(20), _of_the_equation)),
    Case("2000 of Euler's steps", "", PASS, _euler(2000)),
    Case("2000 of Euler's steps, gradient of the equation", "", FAIL, changed(_euler(2000), _of_the_equation)),
    Case("Runge and Kutta's steps", "", PASS, _runge_kutta),
    Case("Runge and Kutta's steps, the matrix not transposed", "", FAIL, changed(_runge_kutta, lambda g, t: _not_transposed(t))),
    Case("adaptive steps to 1e-3", "patrick-kidger/diffrax#499", UNSURE, _decay(1e-3)),
    Case("adaptive steps to 1e-3, sign turned", "", FAIL, changed(_decay(1e-3), times(-1.0))),
    Case("adaptive steps to 1e-9", "SciML/SciMLSensitivity.jl#1094", UNSURE, _decay(1e-9)),
    Case("adaptive steps to 1e-9, off by 1 %", "SciML/SciMLSensitivity.jl#1094", FAIL, changed(_decay(1e-9), entry_times(0, 1.01))),
    Case("Kepler's equation", "", PASS, _newton(8)),
    Case("Kepler's equation, the equation's slope left out", "", FAIL, changed(_newton(8), lambda g, t: g * 0.8)),
    Case("integral by an adaptive rule", "", PASS, _integral),
    Case("integral by an adaptive rule, a sign turned", "", FAIL, changed(_integral, times([-1.0, 1.0]))),
    Case("integral up to theta", "", PASS, _moving_limit),
    Case("integral up to theta, the limit held fixed", "", FAIL, changed(_moving_limit, times([1.0, 0.0]))),
    Case("heat equation by its start", "", PASS, _heat),
    Case("heat equation by its start, the adjoint through the matrix itself", "", FAIL, changed(_heat, lambda g, t: g[::-1])),
]

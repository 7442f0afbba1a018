"""Entries near the edge of the function's domain, and what the function does outside it: NaN, infinity, an exception."""

from __future__ import annotations

import numpy as np
from scipy import special

from deltacheck.verify.exam.gradient_cases.case import FAIL, NOT_PASS, PASS, UNSURE, Array, Case, Make, Triple, changed, entry, entry_times


def _log() -> Triple:
    return lambda t: np.sum(np.log(t)), lambda t: 1 / t, np.array([1e-6, 1.0, 2.0])


def _sqrt() -> Triple:
    return lambda t: np.sum(np.sqrt(t)), lambda t: 0.5 / np.sqrt(t), np.array([1e-8, 1.0, 3.0])


def _entropy() -> Triple:
    return lambda t: np.sum(t * np.log(t)), lambda t: np.log(t) + 1, np.array([1e-7, 1e-3, 0.4, 0.6])


def _log_or_raise(error: type[Exception], theta: tuple[float, ...] = (0.1, 1.0, 2.0)) -> Make:
    def cost(t: Array) -> float:
        if (t <= 0).any():
            raise error("not positive definite")
        return float(np.sum(np.log(t)))

    return lambda: (cost, lambda t: 1 / t, np.array(theta))


def _python_power() -> Triple:
    return (
        lambda t: float(t[0]) ** 0.5 * float(t[1]),
        lambda t: np.array([0.5 * t[1] / t[0] ** 0.5, t[0] ** 0.5]),
        np.array([0.1, 1.0]),
    )


def _minus_infinity_outside() -> Triple:
    def cost(t: Array) -> float:
        return float(np.sum(1.5 * np.log(t) - t)) if (t > 0).all() else -np.inf

    return cost, lambda t: 1.5 / t - 1, np.array([1e-4, 0.7])


def _circle() -> Triple:
    return (
        lambda t: np.sum(np.sqrt((1 - t) * (1 + t))),
        lambda t: -t / np.sqrt((1 - t) * (1 + t)),
        np.array([0.9999999, 0.2, -0.5]),
    )


def _arccos() -> Triple:
    return lambda t: np.sum(np.arccos(t)), lambda t: -1 / np.sqrt((1 - t) * (1 + t)), np.array([1 - 1e-6, 0.3])


def _power_at_its_edge() -> Triple:
    return lambda t: np.sum(t**1.5), lambda t: 1.5 * np.sqrt(t), np.array([0.0, 1.0])


def _logit() -> Triple:
    return lambda t: np.sum(special.logit(t)), lambda t: 1 / (t * (1 - t)), np.array([1e-9, 0.999999, 0.4])


def _simplex() -> Triple:
    def cost(t: Array) -> float:
        rest = 1 - t[0] - t[1]
        if rest <= 0 or (t <= 0).any():
            raise ValueError("not in the simplex")
        return float(np.log(t[0]) + 2 * np.log(t[1]) + 3 * np.log(rest))

    return cost, lambda t: np.array([1.0, 2.0]) / t - 3 / (1 - t[0] - t[1]), np.array([0.5, 0.4995])


CASES = [
    Case("log near 0", "", PASS, _log),
    Case("log near 0, NaN for its entry", "", FAIL, changed(_log, entry(0, np.nan))),
    Case("log near 0, 0 for its entry", "", FAIL, changed(_log, entry(0, 0.0))),
    Case("log near 0, 1e8 for its entry", "", FAIL, changed(_log, entry(0, 1e8))),
    Case("sqrt at 1e-8, 0 for its entry", "", FAIL, changed(_sqrt, entry(0, 0.0))),
    Case("entropy of unlike probabilities", "", PASS, _entropy),
    Case("entropy, the entry of the smallest off by 1 %", "", FAIL, changed(_entropy, entry_times(0, 1.01))),
    *(
        Case(f"log that raises {error.__name__} outside", "stan-dev/math#2211", PASS, _log_or_raise(error))
        for error in (ValueError, RuntimeError, AssertionError, ZeroDivisionError)
    ),
    Case("a Python power that turns complex outside", "", PASS, _python_power),
    Case("log at 1e-50 that raises outside", "JuliaMath/Calculus.jl#131", PASS, _log_or_raise(ValueError, (1e-50, 2.0))),
    Case(
        "log at 1e-5 that raises outside, off by the error of a fixed step",
        "JuliaMath/Calculus.jl#131",
        FAIL,
        changed(_log_or_raise(ValueError, (1e-5, 2.0)), entry_times(0, 1.1590499883576919)),
    ),
    Case("minus infinity outside", "elfi-dev/elfi#177", PASS, _minus_infinity_outside),
    Case("minus infinity outside, the constant left out", "", FAIL, changed(_minus_infinity_outside, lambda g, t: 1.5 / t)),
    Case("a circle near its rightmost point", "", PASS, _circle),
    Case("a circle near its rightmost point, the slope clipped", "", FAIL, changed(_circle, lambda g, t: np.clip(g, -100, 100))),
    Case("arccos near 1", "", PASS, _arccos),
    Case("arccos near 1, the denominator padded by 1e-6", "kornia/kornia#4007", FAIL, changed(_arccos, lambda g, t: 1 / (1 / g - 1e-6))),
    Case("power 1.5 at 0, where nothing is on the left", "", UNSURE, _power_at_its_edge),
    Case("power 1.5 at 0, slope 1 for 0", "", NOT_PASS, changed(_power_at_its_edge, entry(0, 1.0))),
    Case("logit near 0 and near 1", "", PASS, _logit),
    Case("logit near 1, 1 - p left out", "", FAIL, changed(_logit, lambda g, t: 1 / t)),
    Case("log of what is left of a simplex", "", PASS, _simplex),
    Case("log of what is left of a simplex, the rest held fixed", "", FAIL, changed(_simplex, lambda g, t: np.array([1.0, 2.0]) / t)),
]

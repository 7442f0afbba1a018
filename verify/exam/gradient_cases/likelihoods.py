"""Negative log-likelihoods of statistics, with the mistakes that their scores were reported with."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed, entry, entry_times, times

DRAWS = np.array([0.3, -1.2, 2.5, 0.1, -0.4, 5.0, 0.9])
COUNTS = np.array([0.0, 3.0, 1.0, 7.0, 2.0])


def _student() -> Triple:
    """Location, log of the scale, log of the degrees of freedom."""

    def parts(t: Array) -> Any:
        scale, nu = np.exp(t[1]), np.exp(t[2])
        return (DRAWS - t[0]) / scale, scale, nu

    def cost(t: Array) -> Any:
        z, scale, nu = parts(t)
        norm = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(scale)
        return np.sum((nu + 1) / 2 * np.log1p(z**2 / nu) - norm)

    def gradient(t: Array) -> Array:
        z, scale, nu = parts(t)
        share = (nu + 1) * z / (nu + z**2)
        norm = 0.5 * (special.digamma((nu + 1) / 2) - special.digamma(nu / 2) - 1 / nu)
        by_nu = np.sum(0.5 * np.log1p(z**2 / nu) - share * z / (2 * nu) - norm)
        return np.array([-np.sum(share) / scale, np.sum(1 - share * z), nu * by_nu])

    return cost, gradient, np.array([0.2, 0.1, 1.5])


def _student_scale_only(g: Array, t: Array) -> Array:
    """The location's entry as if the density were normal."""
    return np.array([-np.sum(DRAWS - t[0]) / np.exp(2 * t[1]), g[1], g[2]])


def _negative_binomial(dispersion: float) -> Make:
    """Log of the mean, log of the dispersion; sums over the counts take the place of differences of log gamma."""
    below = np.concatenate([np.arange(count) for count in COUNTS])

    def cost(t: Array) -> Any:
        a, mu = np.exp(t[1]), np.exp(t[0])
        return np.sum((COUNTS + 1 / a) * np.log1p(a * mu) - COUNTS * t[0]) - np.sum(np.log1p(below * a))

    def gap(x: Any) -> Any:  # (log(1 + x) - x / (1 + x)) / x**2
        series = sum((-1) ** n * (n - 1) / n * x ** (n - 2) for n in range(2, 22))
        return series if x < 0.1 else (np.log1p(x) - x / (1 + x)) / x**2

    def gradient(t: Array) -> Array:
        a, mu = np.exp(t[1]), np.exp(t[0])
        by_dispersion = np.sum(COUNTS * mu / (1 + a * mu) - mu**2 * gap(a * mu)) - np.sum(below / (1 + a * below))
        return np.array([np.sum((mu - COUNTS) / (1 + a * mu)), a * by_dispersion])

    return lambda: (cost, gradient, np.array([0.8, np.log(dispersion)]))


def _stan_binomial() -> Triple:
    """The count 0 with a shape of 1e10: log probability shape * log(beta / (1 + beta))."""
    return (
        lambda t: -t[0] * np.log(t[1] / (1 + t[1])),
        lambda t: np.array([-np.log(t[1] / (1 + t[1])), -t[0] / (t[1] * (1 + t[1]))]),
        np.array([1e10 + 1, 0.8]),
    )


def _mixture() -> Triple:
    """Two normals: logit of the share, two means."""

    def logs(t: Array) -> Any:
        first = special.log_expit(t[0]) - 0.5 * (DRAWS - t[1]) ** 2
        return first, special.log_expit(-t[0]) - 0.5 * (DRAWS - t[2]) ** 2

    def gradient(t: Array) -> Array:
        first, second = logs(t)
        p = special.expit(first - second)
        return -np.array([np.sum(p - special.expit(t[0])), np.sum(p * (DRAWS - t[1])), np.sum((1 - p) * (DRAWS - t[2]))])

    return lambda t: -np.sum(np.logaddexp(*logs(t))), gradient, np.array([0.3, -0.5, 2.0])


def _von_mises(kappa: float) -> Make:
    x = np.array([0.1, -0.2, 0.05, 0.3])

    def cost(t: Array) -> Any:
        return np.sum(2 * t[1] * np.sin((x - t[0]) / 2) ** 2 + np.log(2 * np.pi * special.i0e(t[1])))

    def gradient(t: Array) -> Array:
        ratio = (special.i1e(t[1]) - special.i0e(t[1])) / special.i0e(t[1])
        return np.array([-t[1] * np.sum(np.sin(x - t[0])), np.sum(2 * np.sin((x - t[0]) / 2) ** 2 + ratio)])

    return lambda: (cost, gradient, np.array([0.02, kappa]))


def _weibull() -> Triple:
    x = np.array([0.5, 1.2, 3.0, 0.8])

    def gradient(t: Array) -> Array:
        k, s = t
        u = (x / s) ** k
        return np.array([np.sum(u * np.log(x / s) - np.log(x / s) - 1 / k), np.sum(k / s - u * k / s)])

    return (
        lambda t: np.sum((x / t[1]) ** t[0] - (t[0] - 1) * np.log(x / t[1]) - np.log(t[0] / t[1])),
        gradient,
        np.array([1.5, 1.3]),
    )


def _ordered() -> Triple:
    """Ordered logit of three classes with two cut points."""

    def cost(t: Array) -> Any:
        return -(2 * special.log_expit(t[0]) + 3 * np.log(special.expit(t[1]) - special.expit(t[0])) + special.log_expit(-t[1]))

    def gradient(t: Array) -> Array:
        low, high = special.expit(t)
        slope = special.expit(t) * special.expit(-t)
        return -np.array([2 * (1 - low) - 3 * slope[0] / (high - low), 3 * slope[1] / (high - low) - high])

    return cost, gradient, np.array([-0.4, 1.1])


def _truncated_normal() -> Triple:
    """A normal density cut off below 0, its mean 6 scales to the left of the cut."""
    x = np.array([0.1, 0.02, 0.3])

    def gradient(t: Array) -> Array:
        z, m = (x - t[0]) / t[1], t[0] / t[1]
        hazard = np.sqrt(2 / np.pi) / special.erfcx(-m / np.sqrt(2))
        return np.array([np.sum(-z + hazard) / t[1], np.sum(1 - z**2 - m * hazard) / t[1]])

    def cost(t: Array) -> Any:
        return np.sum(0.5 * ((x - t[0]) / t[1]) ** 2 + np.log(t[1]) + special.log_ndtr(t[0] / t[1]))

    return cost, gradient, np.array([-3.0, 0.5])


def _dirichlet() -> Triple:
    x = np.log([0.2, 0.5, 0.3])
    return (
        lambda t: np.sum(special.gammaln(t)) - special.gammaln(np.sum(t)) - (t - 1) @ x,
        lambda t: special.digamma(t) - special.digamma(np.sum(t)) - x,
        np.array([0.5, 2.0, 9.0]),
    )


CASES = [
    Case("Student's t", "SheffieldML/GPy#1065", PASS, _student),
    Case("Student's t, the location's entry of a normal", "SheffieldML/GPy#1065", FAIL, changed(_student, _student_scale_only)),
    Case("Student's t, 1 / nu left out", "", FAIL, changed(_student, lambda g, t: np.subtract(g, [0, 0, 3.5]))),
    Case("negative binomial", "statsmodels/statsmodels#7522", PASS, _negative_binomial(0.7)),
    Case(
        "negative binomial, not by the logarithm",
        "statsmodels/statsmodels#7522",
        FAIL,
        changed(_negative_binomial(0.7), lambda g, t: g / [1, np.exp(t[1])]),
    ),
    Case("negative binomial of dispersion 1e-6", "statsmodels/statsmodels#3863", PASS, _negative_binomial(1e-6)),
    Case(
        "negative binomial of dispersion 1e-6, NaN",
        "statsmodels/statsmodels#3863",
        FAIL,
        changed(_negative_binomial(1e-6), entry(1, np.nan)),
    ),
    Case("negative binomial of shape 1e10", "stan-dev/math#1578", PASS, _stan_binomial),
    Case(
        "negative binomial of shape 1e10, as if it were Poisson",
        "stan-dev/math#1578",
        FAIL,
        changed(_stan_binomial, lambda g, t: np.array([1 / t[1], -t[0] / t[1] ** 2])),
    ),
    Case("mixture of two normals", "", PASS, _mixture),
    Case("mixture of two normals, the share held fixed", "", FAIL, changed(_mixture, entry(0, 0.0))),
    Case("mixture of two normals, not weighted", "", FAIL, changed(_mixture, lambda g, t: np.array([g[0], -np.sum(DRAWS - t[1]), g[2]]))),
    Case("von Mises", "", PASS, _von_mises(3.0)),
    Case("von Mises, the norm left out", "", FAIL, changed(_von_mises(3.0), lambda g, t: np.add(g, [0, 0.7]))),
    Case("von Mises of concentration 800", "stan-dev/math#1076", PASS, _von_mises(800.0)),
    Case("von Mises of concentration 800, NaN", "synesenom/ran#1308", FAIL, changed(_von_mises(800.0), entry(1, np.nan))),
    Case("Weibull", "", PASS, _weibull),
    Case("Weibull, the scale's own term left out", "", FAIL, changed(_weibull, lambda g, t: np.subtract(g, [0, 4 * t[0] / t[1]]))),
    Case("ordered logit", "", PASS, _ordered),
    Case("ordered logit, one neighbour only", "", FAIL, changed(_ordered, entry_times(1, 0.5))),
    Case("normal cut off far in its tail", "tensorflow/probability#518", PASS, _truncated_normal),
    Case("normal cut off far in its tail, NaN", "tensorflow/probability#518", FAIL, changed(_truncated_normal, times(np.nan))),
    Case("normal cut off far in its tail, as if it were not", "", FAIL, changed(_truncated_normal, lambda g, t: np.add(g, [-6, 18]))),
    Case("Dirichlet", "", PASS, _dirichlet),
    Case("Dirichlet, the sum held fixed", "", FAIL, changed(_dirichlet, lambda g, t: g + special.digamma(np.sum(t)))),
]

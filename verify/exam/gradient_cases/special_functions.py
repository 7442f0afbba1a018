"""Special functions at ordinary and at extreme arguments; derivatives in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed, entry, entry_times, times


def _sum_of(function: Callable[[Array], Any], slope: Callable[[Array], Any], *theta: float) -> Make:
    return lambda: (lambda t: np.sum(function(t)), slope, np.array(theta))


GAMMALN = _sum_of(special.gammaln, special.digamma, 0.4, 3.0, 150.0)
GAMMALN_FAR = _sum_of(special.gammaln, special.digamma, 1e8)
DIGAMMA = _sum_of(special.digamma, lambda t: special.polygamma(1, t), 0.4, 3.0, 15.0)
GAMMA = _sum_of(special.gamma, lambda t: special.gamma(t) * special.digamma(t), 0.4, -1.5, 6.0)
ERFC = _sum_of(special.erfc, lambda t: -2 / np.sqrt(np.pi) * np.exp(-(t**2)), 0.3, -1.2, 2.5)
ERFINV = _sum_of(special.erfinv, lambda t: np.sqrt(np.pi) / 2 * np.exp(special.erfinv(t) ** 2), 0.3, -0.9, 0.99)
NDTR = _sum_of(special.ndtr, lambda t: np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi), 1.0, -0.5)
NDTRI = _sum_of(special.ndtri, lambda t: np.sqrt(2 * np.pi) * np.exp(special.ndtri(t) ** 2 / 2), 1e-5, 0.3, 0.9)
BESSEL_J = _sum_of(lambda t: special.jv(0, t), lambda t: -special.jv(1, t), 0.4, 5.0, 12.0)
BESSEL_Y = _sum_of(lambda t: special.yv(1, t), lambda t: special.yv(0, t) - special.yv(1, t) / t, 0.4, 5.0)
BESSEL_K = _sum_of(lambda t: special.kv(1, t), lambda t: -special.kv(0, t) - special.kv(1, t) / t, 0.4, 5.0)
LOG_I0 = _sum_of(lambda t: np.log(special.i0e(t)) + t, lambda t: special.i1e(t) / special.i0e(t), 0.7, 20.0, 900.0)
LOGIT_INVERSE = _sum_of(special.expit, lambda t: special.expit(t) * special.expit(-t), 0.4, -3.0, 6.0)
LAMBERT_W = _sum_of(
    lambda t: np.real(special.lambertw(t)),
    lambda t: 1 / (t + np.exp(np.real(special.lambertw(t)))),
    0.3,
    2.0,
    -0.2,
)
AIRY = _sum_of(lambda t: special.airy(t)[0], lambda t: special.airy(t)[1], 0.3, -2.0)
DAWSON = _sum_of(special.dawsn, lambda t: 1 - 2 * t * special.dawsn(t), 0.4, -1.5)
EXP_INTEGRAL = _sum_of(special.exp1, lambda t: -np.exp(-t) / t, 0.4, 3.0)
ELLIPTIC = _sum_of(
    special.ellipk,
    lambda t: (special.ellipe(t) - (1 - t) * special.ellipk(t)) / (2 * t * (1 - t)),
    0.4,
    0.9,
)
ZETA = _sum_of(lambda t: special.zeta(3.0, t), lambda t: -3 * special.zeta(4.0, t), 0.7, 4.0)


def _log_ndtr(*theta: float) -> Make:
    def slope(t: Array) -> Any:
        return np.exp(-(t**2) / 2 - special.log_ndtr(t)) / np.sqrt(2 * np.pi)

    def far(t: Array) -> Any:  # the ratio of the two in the tail, by the scaled complementary error function
        return np.sqrt(2 / np.pi) / special.erfcx(-t / np.sqrt(2))

    return lambda: (lambda t: np.sum(special.log_ndtr(t)), lambda t: np.where(t < -1, far(t), slope(t)), np.array(theta))


def _incomplete_gamma() -> Triple:
    a = np.array([0.5, 3.0, 20.0])
    return (
        lambda t: np.sum(special.gammainc(a, t)),
        lambda t: np.exp((a - 1) * np.log(t) - t - special.gammaln(a)),
        np.array([0.4, 2.0, 25.0]),
    )


def _incomplete_beta() -> Triple:
    a, b = np.array([2.0, 0.5]), np.array([3.0, 1.5])

    def slope(t: Array) -> Any:
        return np.exp((a - 1) * np.log(t) + (b - 1) * np.log1p(-t) - special.betaln(a, b))

    return lambda t: np.sum(special.betainc(a, b, t)), slope, np.array([0.3, 0.6])


def _log_beta() -> Triple:
    return (
        lambda t: special.betaln(t[0], t[1]),
        lambda t: special.digamma(t) - special.digamma(t[0] + t[1]),
        np.array([1.5, 0.25]),
    )


def _hypergeometric() -> Triple:
    return (
        lambda t: np.sum(special.hyp2f1(0.5, 1.5, 2.5, t)),
        lambda t: 0.5 * 1.5 / 2.5 * special.hyp2f1(1.5, 2.5, 3.5, t),
        np.array([0.3, -0.7, 0.6]),
    )


CASES = [
    Case("log gamma", "", PASS, GAMMALN),
    Case("log gamma, log for digamma", "", FAIL, changed(GAMMALN, lambda g, t: np.log(t))),
    Case("log gamma at 1e8", "", PASS, GAMMALN_FAR),
    Case("log gamma at 1e8, off by 0.1 %", "", FAIL, changed(GAMMALN_FAR, times(1.001))),
    Case("digamma", "", PASS, DIGAMMA),
    Case("digamma, sign of trigamma turned", "", FAIL, changed(DIGAMMA, lambda g, t: -g)),
    Case("gamma", "", PASS, GAMMA),
    Case("gamma, digamma left out", "", FAIL, changed(GAMMA, lambda g, t: special.gamma(t))),
    Case("erfc", "", PASS, ERFC),
    Case("erfc, 2 / pi for 2 / sqrt(pi)", "JuliaMath/SpecialFunctions.jl#195", FAIL, changed(ERFC, times(1 / np.sqrt(np.pi)))),
    Case("inverse of erf", "", PASS, ERFINV),
    Case("inverse of erf, sign in the exponent turned", "ekmett/ad#57", FAIL, changed(ERFINV, lambda g, t: np.pi / 4 / g)),
    Case("normal distribution function", "", PASS, NDTR),
    Case("normal distribution function, sign turned", "ekmett/ad#57", FAIL, changed(NDTR, lambda g, t: -g)),
    Case("normal quantiles from 1e-5", "", PASS, NDTRI),
    Case("normal quantiles from 1e-5, off by 1 % there", "", FAIL, changed(NDTRI, entry_times(0, 1.01))),
    Case("log of the normal distribution function in its tail", "chainer/chainer#6340", PASS, _log_ndtr(-40.0, -5.0, 1.0)),
    Case(
        "log of the normal distribution function in its tail, NaN",
        "chainer/chainer#6340",
        FAIL,
        changed(_log_ndtr(-40.0, -5.0, 1.0), entry(0, np.nan)),
    ),
    Case(
        "log of the normal distribution function in its tail, -t",
        "",
        FAIL,
        changed(_log_ndtr(-40.0, -5.0, 1.0), lambda g, t: np.where(t < -4, -t, g)),
    ),
    Case("incomplete gamma function", "", PASS, _incomplete_gamma),
    Case(
        "incomplete gamma function, not normalised", "", FAIL, changed(_incomplete_gamma, lambda g, t: g * special.gamma([0.5, 3.0, 20.0]))
    ),
    Case("incomplete beta function", "", PASS, _incomplete_beta),
    Case("incomplete beta function, a and b exchanged", "", FAIL, changed(_incomplete_beta, lambda g, t: g * (1 - t) / t)),
    Case("log beta", "stan-dev/math#2417", PASS, _log_beta),
    Case("log beta, digamma of a for b", "stan-dev/math#2417", FAIL, changed(_log_beta, lambda g, t: g[[0, 0]])),
    Case("Bessel function J", "", PASS, BESSEL_J),
    Case("Bessel function J, sign turned", "", FAIL, changed(BESSEL_J, lambda g, t: -g)),
    Case("Bessel function Y", "", PASS, BESSEL_Y),
    Case("Bessel function Y, a term left out", "", FAIL, changed(BESSEL_Y, lambda g, t: special.yv(0, t))),
    Case("Bessel function K", "", PASS, BESSEL_K),
    Case("Bessel function K, a term left out", "", FAIL, changed(BESSEL_K, lambda g, t: -special.kv(0, t))),
    Case("log of Bessel function I up to 900", "stan-dev/math#639", PASS, LOG_I0),
    Case("log of Bessel function I up to 900, NaN from overflow", "stan-dev/math#639", FAIL, changed(LOG_I0, entry(2, np.nan))),
    Case("logistic function", "", PASS, LOGIT_INVERSE),
    Case("logistic function, 1 - p left out", "", FAIL, changed(LOGIT_INVERSE, lambda g, t: special.expit(t))),
    Case("Lambert's W", "", PASS, LAMBERT_W),
    Case("Lambert's W, 1 / t in place of 1 / (t + t / W)", "", FAIL, changed(LAMBERT_W, lambda g, t: 1 / t)),
    Case("Airy's function", "", PASS, AIRY),
    Case("Dawson's integral", "", PASS, DAWSON),
    Case("exponential integral", "", PASS, EXP_INTEGRAL),
    Case("exponential integral, sign turned", "", FAIL, changed(EXP_INTEGRAL, lambda g, t: -g)),
    Case("elliptic integral", "", PASS, ELLIPTIC),
    Case("elliptic integral, modulus for parameter", "", FAIL, changed(ELLIPTIC, lambda g, t: 2 * np.sqrt(t) * g)),
    Case("Hurwitz's zeta", "", PASS, ZETA),
    Case("hypergeometric function", "", PASS, _hypergeometric),
    Case("hypergeometric function, a factor left out", "", FAIL, changed(_hypergeometric, lambda g, t: g / 0.3)),
]

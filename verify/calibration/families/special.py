"""Special functions of scipy.special."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers, uniform, wide
from deltacheck.verify.calibration.precise_functions import digamma, erf, erfc, exp1, gammaln, i0e, i1e, j0, j1, log_ndtr, ndtr

MOST = 20  # entries: the truth is computed entry by entry


def _root_of(number: float, t: Array) -> Any:
    """A square root in the precision of ``t``."""
    return np.sqrt(t.ravel()[0] * 0 + number)


def _pi(t: Array) -> Any:
    return 4 * np.arctan(t.ravel()[0] * 0 + 1)


def _gammaln(rng: Rng, dtype: Any) -> Draw:
    theta = powers(rng, -3, wide(dtype, 3, 2), count(rng, 5, MOST), dtype)
    return drawn(lambda t: np.sum(gammaln(t)), digamma, theta)


def _erf(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, MOST)
    w = normal(rng, n, dtype)
    return drawn(lambda t: np.sum(w * erf(t)), lambda t: w * 2 * np.exp(-t * t) / np.sqrt(_pi(t)), normal(rng, n, dtype, 2.0))


def _log_erfc(rng: Rng, dtype: Any) -> Draw:
    theta = uniform(rng, -2, wide(dtype, 20, 8), count(rng, 5, MOST), dtype)
    return drawn(lambda t: np.sum(np.log(erfc(t))), lambda t: -2 * np.exp(-t * t) / np.sqrt(_pi(t)) / erfc(t), theta)


def _bessel(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, MOST)
    w = normal(rng, n, dtype)
    return drawn(lambda t: np.sum(w * j0(t)), lambda t: -w * j1(t), uniform(rng, 0.1, wide(dtype, 80, 20), n, dtype))


def _von_mises(rng: Rng, dtype: Any) -> Draw:
    theta = powers(rng, -2, 3, count(rng, 5, MOST), dtype)
    return drawn(lambda t: np.sum(np.log(i0e(t)) + t), lambda t: i1e(t) / i0e(t), theta)


def _ndtr(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, MOST)
    w = normal(rng, n, dtype)
    return drawn(lambda t: np.sum(w * ndtr(t)), lambda t: w * np.exp(-0.5 * t * t) / np.sqrt(2 * _pi(t)), normal(rng, n, dtype, 2.0))


def _log_ndtr(rng: Rng, dtype: Any) -> Draw:
    theta = uniform(rng, -15, 6, count(rng, 5, MOST), dtype)
    return drawn(lambda t: np.sum(log_ndtr(t)), lambda t: np.exp(-0.5 * t * t - log_ndtr(t)) / np.sqrt(2 * _pi(t)), theta)


def _betaln(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 3, 10)
    theta = powers(rng, -wide(dtype, 6, 3), 1.5, (2, n), dtype)

    def cost(t: Array) -> Any:
        return np.sum(gammaln(t[0]) + gammaln(t[1]) - gammaln(t[0] + t[1]))

    return drawn(cost, lambda t: digamma(t) - digamma(t[0] + t[1]), theta)


def _exp1(rng: Rng, dtype: Any) -> Draw:
    theta = powers(rng, -4, 1.3, count(rng, 5, MOST), dtype)
    return drawn(lambda t: np.sum(exp1(t)), lambda t: -np.exp(-t) / t, theta)


def _negative_binomial(rng: Rng, dtype: Any) -> Draw:
    """By the logarithms of the dispersions and the logits of the probabilities of a few groups."""
    groups, rows = count(rng, 3, 6), 6
    counts = rng.poisson(5.0, (rows, groups)).astype(dtype)
    theta = np.stack([rng.uniform(-2, 4, groups), rng.standard_normal(groups)]).astype(dtype)

    def cost(t: Array) -> Any:
        r = np.exp(t[0])
        log_p, log_q = -np.log1p(np.exp(-t[1])), -np.log1p(np.exp(t[1]))
        return -np.sum(gammaln(counts + r) - gammaln(r) + r * log_p + counts * log_q)

    def gradient(t: Array) -> Any:
        r = np.exp(t[0])
        p = 1 / (1 + np.exp(-t[1]))
        by_r = digamma(counts + r) - digamma(r) - np.log1p(np.exp(-t[1]))
        return np.stack([-r * np.sum(by_r, axis=0), -np.sum(r * (1 - p) - counts * p, axis=0)])

    return drawn(cost, gradient, theta)


def _gelu(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, MOST)
    w = normal(rng, n, dtype)

    def gradient(t: Array) -> Any:
        return w * (ndtr(t) + t * np.exp(-0.5 * t * t) / _root_of(2.0, t) / np.sqrt(_pi(t)))

    return drawn(lambda t: np.sum(w * t * ndtr(t)), gradient, normal(rng, n, dtype, 2.0))


FAMILIES = families(
    "special functions",
    {
        "gammaln": _gammaln,
        "erf": _erf,
        "log erfc": _log_erfc,
        "Bessel J0": _bessel,
        "von Mises normaliser": _von_mises,
        "ndtr": _ndtr,
        "log ndtr": _log_ndtr,
        "betaln near 0": _betaln,
        "exponential integral": _exp1,
        "negative binomial": _negative_binomial,
        "GELU": _gelu,
    },
)

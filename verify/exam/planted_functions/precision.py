"""Gradients in too little precision, with truncated constants, or blind to a cast; differences passed off as exact."""

from __future__ import annotations

import numpy as np
from scipy import special

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Cost, Functions, PlantedBug, generator

THETA = generator(41).standard_normal(7)


def _through(dtype: type) -> Functions:
    """sin at 1e3, whose argument a shorter type cannot hold."""
    theta = 1e3 * THETA
    return lambda t: np.sum(np.sin(t)), np.cos, lambda t: np.cos(t.astype(dtype)).astype(t.dtype), theta


def _float16_result() -> Functions:
    return lambda t: np.sum(t**3), lambda t: 3 * t * t, lambda t: (3 * t * t).astype(np.float16), THETA


def _float16_in_float32() -> Functions:
    theta = THETA.astype(np.float32)
    return lambda t: np.sum(np.sin(t)), np.cos, lambda t: np.cos(t.astype(np.float16)).astype(np.float32), theta


def _float32_sum() -> Functions:
    """A residual near 0, summed in float32."""
    x = 1e4 + generator(42).standard_normal((50, 3))
    best = np.array([1.0, -2.0, 1.0])
    theta = best + 1e-4
    y = x @ best

    def wrong(t: Array) -> Array:
        a = x.astype(np.float32)
        return np.asarray(a.T @ (a @ t.astype(np.float32) - y.astype(np.float32)), t.dtype)

    return lambda t: np.sum((x @ t - y) ** 2) / 2, lambda t: x.T @ (x @ t - y), wrong, theta


def _integers() -> Functions:
    theta = np.array([2.4, -3.7, 1.2])
    return lambda t: np.sum(t**2), lambda t: 2 * t, lambda t: (2 * t).astype(int), theta


def _constant(right: float, wrong: float) -> Functions:
    """The constant is cut short in the gradient only."""
    return lambda t: right * np.sum(np.sin(t)), lambda t: right * np.cos(t), lambda t: wrong * np.cos(t), THETA


def _normal_density() -> Functions:
    return (
        lambda t: np.sum(special.ndtr(t)),
        lambda t: np.exp(-t * t / 2) / np.sqrt(2 * np.pi),
        lambda t: 0.3989 * np.exp(-t * t / 2),
        THETA,
    )


def _cast_in_cost() -> Functions:
    """The factor went through float32, and the gradient takes what was cast for a constant."""

    def cost(t: Array) -> float:
        factor = np.float32(np.mean(t))
        return float(np.sum(t) * factor)

    def right(t: Array) -> Array:
        return np.full_like(t, 2 * np.mean(t))

    return cost, right, lambda t: np.full_like(t, np.mean(t)), THETA + 2


def _detached() -> Functions:
    """A normalisation whose length is taken for a constant."""
    w = np.arange(1.0, 8)

    def right(t: Array) -> Array:
        length = np.linalg.norm(t)
        return w / length - (w @ t) * t / length**3

    return lambda t: w @ t / np.sqrt(t @ t), right, lambda t: w / np.linalg.norm(t), THETA


def _series() -> Functions:
    """tan by five terms of its series."""
    theta = np.array([0.1, 0.5, 0.9])
    return (
        lambda t: np.sum(np.tan(t)),
        lambda t: 1 + np.tan(t) ** 2,
        lambda t: 1 + t**2 + 2 * t**4 / 3 + 17 * t**6 / 45 + 62 * t**8 / 315,
        theta,
    )


def _digamma_asymptotic() -> Functions:
    theta = np.array([0.7, 3.0, 12.0])
    return lambda t: np.sum(special.gammaln(t)), special.digamma, lambda t: np.log(t) - 1 / (2 * t) - 1 / (12 * t * t), theta


def _smooth_cost(t: Array) -> float:
    return float(np.sum(np.exp(np.sin(t))) + np.sum(t[1:] * t[:-1] ** 2))


def _smooth_gradient(t: Array) -> Array:
    g = np.exp(np.sin(t)) * np.cos(t)
    g[1:] += t[:-1] ** 2
    g[:-1] += 2 * t[1:] * t[:-1]
    return np.asarray(g)


def _difference(cost: Cost, t: Array, ahead: float, behind: float) -> Array:
    steps = np.eye(t.size)
    return np.array([(cost(t + ahead * e) - cost(t - behind * e)) / (ahead + behind) for e in steps])


def _differences(ahead: float, behind: float, dtype: type = np.float64) -> Functions:
    def wrong(t: Array) -> Array:
        return _difference(lambda at: np.asarray(_smooth_cost(at), dtype)[()], t, ahead, behind)

    return _smooth_cost, _smooth_gradient, wrong, THETA


def _noisy(cost: Cost, right: Cost, wrong: Cost) -> Functions:
    return cost, right, wrong, THETA


def _digits(digits: int) -> Cost:
    return lambda t: float(f"{_smooth_cost(t):.{digits}g}")


def _one_wrong(t: Array) -> Array:
    g = _smooth_gradient(t)
    g[4] += 0.5
    return g


def _in_float32(t: Array) -> float:
    return float(_smooth_cost(t.astype(np.float32)))


def _jittered(t: Array) -> float:
    """Noise of 1e-8 that is the same at the same point."""
    return _smooth_cost(t) + 1e-8 * float(np.random.default_rng(np.frombuffer(t.tobytes(), np.uint32)).uniform(-1, 1))


BUGS = [
    PlantedBug("float32 inside", "precision", lambda: _through(np.float32)),
    PlantedBug("float16 inside", "precision", lambda: _through(np.float16)),
    PlantedBug("float16 result", "precision", _float16_result),
    PlantedBug("float16 inside float32", "precision", _float16_in_float32),
    PlantedBug("residual in float32", "precision", _float32_sum),
    PlantedBug("cut to integers", "precision", _integers),
    PlantedBug("π of four decimals", "precision", lambda: _constant(np.pi, 3.1416)),
    PlantedBug("log 2 of four decimals", "precision", lambda: _constant(np.log(2), 0.6931)),
    PlantedBug("a sixth of six decimals", "precision", lambda: _constant(1 / 6, 0.166667)),
    PlantedBug("normal density with a short constant", "precision", _normal_density),
    PlantedBug("factor detached by a cast", "precision", _cast_in_cost),
    PlantedBug("length of a normalisation detached", "precision", _detached),
    PlantedBug("series of five terms", "precision", _series),
    PlantedBug("digamma by a short asymptotic series", "precision", _digamma_asymptotic),
    PlantedBug("forward difference, step 1e-2", "differences", lambda: _differences(1e-2, 0)),
    PlantedBug("forward difference, step 1e-4", "differences", lambda: _differences(1e-4, 0)),
    PlantedBug("backward difference, step 1e-3", "differences", lambda: _differences(0, 1e-3)),
    PlantedBug("central difference, step 1e-1", "differences", lambda: _differences(1e-1, 1e-1)),
    PlantedBug("central difference, step 1e-2", "differences", lambda: _differences(1e-2, 1e-2)),
    PlantedBug("central difference of a float32 cost", "differences", lambda: _differences(1e-3, 1e-3, np.float32)),
    PlantedBug("forward difference, step too small", "differences", lambda: _differences(1e-12, 0)),
    PlantedBug("cost of 8 digits, one entry 0.5 off", "noise", lambda: _noisy(_digits(8), _smooth_gradient, _one_wrong)),
    PlantedBug("cost of 6 digits, one entry 0.5 off", "noise", lambda: _noisy(_digits(6), _smooth_gradient, _one_wrong)),
    PlantedBug(
        "cost of 6 digits, gradient 5 % off", "noise", lambda: _noisy(_digits(6), _smooth_gradient, lambda t: 1.05 * _smooth_gradient(t))
    ),
    PlantedBug("cost in float32, one entry 0.5 off", "noise", lambda: _noisy(_in_float32, _smooth_gradient, _one_wrong)),
    PlantedBug("cost with jitter, one entry 0.5 off", "noise", lambda: _noisy(_jittered, _smooth_gradient, _one_wrong)),
]

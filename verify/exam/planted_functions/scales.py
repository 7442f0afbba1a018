"""Small entries that are wrong beside large ones, and features much narrower than their parameter."""

from __future__ import annotations

import numpy as np

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Functions, PlantedBug, changed, generator


def _small_square() -> Functions:
    c = 10.0 ** -np.arange(9.0)
    return lambda t: np.sum(c * t * t) / 2, lambda t: c * t, changed(lambda t: c * t, 8, 1.01), generator(1).standard_normal(9) + 2


def _small_rate() -> Functions:
    k = np.array([1e6, 1e3, 1.0, 1e-3, 1e-5])
    return lambda t: np.sum(np.sin(k * t)), lambda t: k * np.cos(k * t), changed(lambda t: k * np.cos(k * t), 4, 1.001), 0.3 / k


def _small_block() -> Functions:
    """A bias beside weights a million times larger."""
    x = 1e6 * generator(2).standard_normal((20, 4))

    def gradient(t: Array) -> Array:
        r = np.tanh(x @ t[:4] + t[4])
        return np.append(x.T @ (1 - r * r), np.sum(1 - r * r))

    theta = np.append(1e-6 * generator(3).standard_normal(4), 0.1)
    return lambda t: np.sum(np.tanh(x @ t[:4] + t[4])), gradient, changed(gradient, 4, 0.99), theta


def _huge_parameter() -> Functions:
    theta = np.array([1e9, 2e9, 1.0, 3.0])
    return lambda t: np.sum(np.sqrt(t)), lambda t: 0.5 / np.sqrt(t), changed(lambda t: 0.5 / np.sqrt(t), 0, 1.01), theta


def _tiny_parameter() -> Functions:
    theta = np.array([2e-9, 1.0, 0.5])

    def cost(t: Array) -> float:
        return float(1e-9 / (t[0] + 1e-9) + t[1] ** 2 + t[2] ** 3)

    def gradient(t: Array) -> Array:
        return np.array([-1e-9 / (t[0] + 1e-9) ** 2, 2 * t[1], 3 * t[2] ** 2])

    return cost, gradient, changed(gradient, 0, 1.001), theta


def _small_float32() -> Functions:
    c = np.array([1e3, 1.0, 3e-2], np.float32)
    return lambda t: np.sum(c * np.sin(t)), lambda t: c * np.cos(t), changed(lambda t: c * np.cos(t), 2, 1.5), np.full(3, 0.25, np.float32)


def _offset() -> Functions:
    theta = generator(4).standard_normal(6)
    return lambda t: 1e5 + np.sum(np.sin(t)), np.cos, changed(np.cos, 3, 1 + 1e-4), theta


def _tiny_cost() -> Functions:
    theta = generator(5).standard_normal(6)
    return lambda t: 1e-40 * np.sum(t**4), lambda t: 4e-40 * t**3, changed(lambda t: 4e-40 * t**3, 1, 1.001), theta


def _own_scale(rate: float, height: float) -> Functions:
    """A ripple that the gradient ignores."""
    theta = generator(6).standard_normal(5)
    return (
        lambda t: np.sum(t * t + height * np.sin(rate * t)),
        lambda t: 2 * t + height * rate * np.cos(rate * t),
        lambda t: 2 * t,
        theta,
    )


def _bump(width: float) -> Functions:
    """A bump at each parameter that the gradient ignores."""
    theta = np.array([0.7, 1.3, 2.1])
    center = theta - 0.6 * width

    def gradient(t: Array) -> Array:
        z = (t - center) / width
        return 2 * t - 2 * z / width * np.exp(-z * z) * 1e-3

    return lambda t: np.sum(t * t + 1e-3 * np.exp(-(((t - center) / width) ** 2))), gradient, lambda t: 2 * t, theta


def _sin_far_out() -> Functions:
    theta = 1e5 + generator(7).standard_normal(5)
    return lambda t: np.sum(np.sin(t)), np.cos, lambda t: np.cos(t + 1e-3), theta


def _cauchy() -> Functions:
    """A loss at 1e4, its residuals about 1: the gradient leaves out the loss's curvature."""
    b = 1e4 + np.arange(5.0)
    theta = b + np.array([0.5, -1.0, 1.5, 2.0, -0.3])
    return lambda t: np.sum(np.log1p((t - b) ** 2)), lambda t: 2 * (t - b) / (1 + (t - b) ** 2), lambda t: 2 * (t - b), theta


def _averaged() -> Functions:
    """The gradient of the function smoothed over 1e-3, as a wide difference would see it."""
    theta = generator(8).standard_normal(5)
    damping = np.sin(1e3 * 1e-3) / (1e3 * 1e-3)
    return lambda t: np.sum(np.sin(1e3 * t)), lambda t: 1e3 * np.cos(1e3 * t), lambda t: damping * 1e3 * np.cos(1e3 * t), theta


BUGS = [
    PlantedBug("smallest of nine squares is 1 % off", "scales", _small_square),
    PlantedBug("slowest of five sines is 0.1 % off", "scales", _small_rate),
    PlantedBug("bias beside large weights is 1 % off", "scales", _small_block),
    PlantedBug("root of the largest parameter is 1 % off", "scales", _huge_parameter),
    PlantedBug("parameter of 2e-9 is 0.1 % off", "scales", _tiny_parameter),
    PlantedBug("small float32 entry is half too large", "scales", _small_float32),
    PlantedBug("one entry is off by 1e-4 under an offset of 1e5", "scales", _offset),
    PlantedBug("one entry of a cost of 1e-40 is 0.1 % off", "scales", _tiny_cost),
    PlantedBug("ripple of rate 1e4 ignored", "own scale", lambda: _own_scale(1e4, 1e-6)),
    PlantedBug("ripple of rate 1e6 ignored", "own scale", lambda: _own_scale(1e6, 1e-7)),
    PlantedBug("bump of width 1e-3 ignored", "own scale", lambda: _bump(1e-3)),
    PlantedBug("bump of width 1e-5 ignored", "own scale", lambda: _bump(1e-5)),
    PlantedBug("cosine far out with a wrong phase", "own scale", _sin_far_out),
    PlantedBug("Cauchy loss far out taken for squares", "own scale", _cauchy),
    PlantedBug("gradient of a smoothed wave", "own scale", _averaged),
]

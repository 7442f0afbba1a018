"""Wrong beside a kink, or outside of what a kink allows; ties among several entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Functions, PlantedBug, generator


def _relu(slope_at_kink: float) -> Functions:
    """At 0 every slope from 0 to 1 is right."""
    theta = np.array([0.0, 1.0, -1.0, 0.5])

    def wrong(t: Array) -> Any:
        return np.where(t == 0, slope_at_kink, t > 0) + 2 * t

    return lambda t: np.sum(np.maximum(t, 0) + t * t), lambda t: (t > 0) + 2 * t, wrong, theta


def _abs() -> Functions:
    theta = np.array([0.0, 0.7, -2.0])
    return lambda t: np.sum(abs(t)), np.sign, lambda t: np.where(t == 0, 1.5, np.sign(t)), theta


def _near(theta: Array, edge: float) -> Functions:
    """A relu whose mask is taken at ``edge``, not at 0."""
    w = np.arange(1.0, theta.size + 1)
    return lambda t: np.sum(w * np.maximum(t, 0)), lambda t: w * (t > 0), lambda t: w * (t > edge), theta


def _huber() -> Functions:
    """Cut at 1.01, not at 1."""
    theta = np.array([1.005, 0.5, -3.0, -1.008])

    def cost(t: Array) -> float:
        return float(np.sum(np.where(abs(t) <= 1, t * t / 2, abs(t) - 0.5)))

    return cost, lambda t: np.clip(t, -1, 1), lambda t: np.where(abs(t) <= 1.01, t, np.sign(t)), theta


def _hinge() -> Functions:
    """One of 300 rows is counted though it is beyond the margin."""
    x = generator(11).standard_normal((300, 5))
    theta = generator(12).standard_normal(5)
    spare = int(np.argmax(x @ theta))

    def right(t: Array) -> Any:
        return -x.T @ (1 - x @ t > 0)

    return lambda t: np.sum(np.maximum(1 - x @ t, 0)), right, lambda t: right(t) - x[spare], theta


def _hard_sigmoid() -> Functions:
    theta = np.array([2.4, -2.6, 0.3, -1.0])
    return lambda t: np.sum(np.clip(t / 4 + 0.5, 0, 1)), lambda t: (abs(t) < 2) / 4, lambda t: (abs(t) < 2.5) / 4, theta


def _leaky() -> Functions:
    """The slope of the left side is 0.1 in the cost, 0.01 in the gradient."""
    theta = np.array([-1.5, 2.0, -1e-3])
    return lambda t: np.sum(np.where(t > 0, t, 0.1 * t)), lambda t: np.where(t > 0, 1, 0.1), lambda t: np.where(t > 0, 1, 0.01), theta


def _floor() -> Functions:
    """t − floor(t) rises with slope 1; the gradient thinks that it is flat."""
    theta = np.array([0.3, 1.7, -0.4])
    return lambda t: np.sum((t - np.floor(t)) ** 2), lambda t: 2 * (t - np.floor(t)), lambda t: 2 * (t - np.round(t)), theta


def _chosen(cost: Callable[[Array], float], right: Array, wrong: Array, theta: Array) -> Functions:
    """Gradients that are constant near the point."""
    return cost, lambda t: np.array(right), lambda t: np.array(wrong), theta


def _max_tie(wrong: list[float]) -> Functions:
    """Two largest: what they share must add up to 1."""
    return _chosen(lambda t: float(np.max(t)), np.array([0.5, 0, 0.5, 0]), np.array(wrong), np.array([2.0, 1, 2, 0]))


def _second_max() -> Functions:
    theta = np.array([1.0, 3.0, 3.0 - 1e-5, 2.0])
    return _chosen(lambda t: float(np.max(t)), np.eye(4)[1], np.eye(4)[2], theta)


def _sort_order() -> Functions:
    """The gradient takes the order for the ranks."""
    w, theta = np.array([1.0, 2, 3, 4]), np.array([0.3, 2.0, -1.0, 0.9])
    return (
        lambda t: float(w @ np.sort(t)),
        lambda t: w[np.argsort(np.argsort(t))],
        lambda t: w[np.argsort(t)],
        theta,
    )


def _sort_tie() -> Functions:
    """Equal entries: their weights in either order or mixed, but not both the larger."""
    w, theta = np.array([1.0, 2, 3, 4]), np.array([0.5, 0.5, 2.0, 3.0])
    return _chosen(lambda t: float(w @ np.sort(t)), w, np.array([2.0, 2, 3, 4]), theta)


def _median() -> Functions:
    """The median of an even number is the mean of two; the gradient gives all to one."""
    return _chosen(lambda t: float(np.median(t)), np.array([0.5, 0, 0.5, 0]), np.array([1.0, 0, 0, 0]), np.array([1.0, 5, 2, -3]))


def _norm_at_zero() -> Functions:
    """At 0 every vector of length up to 1 is right."""
    theta = np.zeros(3)
    ones = np.ones(3)
    return _chosen(lambda t: float(np.linalg.norm(t) + ones @ t), ones, ones + np.array([0, 1.7, 0]), theta)


def _norm_of_group() -> Functions:
    """A norm near 0 with an epsilon in the gradient only."""
    theta = np.array([3e-4, -4e-4, 1e-4])
    return lambda t: float(np.linalg.norm(t)), lambda t: t / np.linalg.norm(t), lambda t: t / (np.linalg.norm(t) + 1e-8), theta


def _max_pool() -> Functions:
    """All of a window that are within 1e-3 of its largest get the gradient."""
    theta = np.array([1.0, 0.9995, 0.2, 3.0, -1.0, 2.0])

    def cost(t: Array) -> float:
        return float(np.sum(np.max(t.reshape(2, 3), axis=1) ** 2))

    def right(t: Array) -> Any:
        m = t.reshape(2, 3)
        return (2 * m * (m == m.max(axis=1, keepdims=True))).ravel()

    def wrong(t: Array) -> Any:
        m = t.reshape(2, 3)
        return (2 * m * (m > m.max(axis=1, keepdims=True) - 1e-3)).ravel()

    return cost, right, wrong, theta


BUGS = [
    PlantedBug("relu at its kink: 2", "kinks", lambda: _relu(2.0)),
    PlantedBug("relu at its kink: -0.5", "kinks", lambda: _relu(-0.5)),
    PlantedBug("abs at its kink: 1.5", "kinks", _abs),
    PlantedBug("relu from the wrong side, near", "kinks", lambda: _near(np.array([1e-3, 2.0, -1.0]), 1e-2)),
    PlantedBug("relu from the wrong side, nearer", "kinks", lambda: _near(np.array([1.0, -1e-6, 2.0]), -1e-5)),
    PlantedBug("Huber cut a little late", "kinks", _huber),
    PlantedBug("hinge counts one row of 300 too many", "kinks", _hinge),
    PlantedBug("hard sigmoid ends too late", "kinks", _hard_sigmoid),
    PlantedBug("leaky relu with another slope", "kinks", _leaky),
    PlantedBug("fractional part by another rounding", "kinks", _floor),
    PlantedBug("two largest get 1 each", "ties", lambda: _max_tie([1.0, 0, 1, 0])),
    PlantedBug("two largest get nothing", "ties", lambda: _max_tie([0.0, 0, 0, 0])),
    PlantedBug("a third gets something of the largest", "ties", lambda: _max_tie([0.5, 0.25, 0.5, 0])),
    PlantedBug("second largest taken for the largest", "ties", _second_max),
    PlantedBug("order taken for ranks", "ties", _sort_order),
    PlantedBug("both of a tie in a sort get the larger weight", "ties", _sort_tie),
    PlantedBug("median of four given to one", "ties", _median),
    PlantedBug("norm at 0 with a slope above 1", "ties", _norm_at_zero),
    PlantedBug("norm near 0 with an epsilon", "ties", _norm_of_group),
    PlantedBug("max pooling gives to all near the largest", "ties", _max_pool),
]

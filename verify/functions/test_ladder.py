"""Derivatives with their bounds: functions on which a coarse step agrees with itself on a wrong value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deltacheck.verify.functions.ladder import Ladder

SINGLE = np.float32
COUNT = np.arange(1, 1001, dtype=SINGLE)

AWKWARD = {
    "sine far from 0": (math.sin, 1e6, math.cos(1e6), 1e-5),
    "narrow bump": (lambda t: t * t + 1e-3 * math.exp(-(((t - 1) / 1e-3) ** 2)), 1.0003, 2.0006 - 0.6 * math.exp(-0.09), 3e-8),
    "saturation at 2e-9": (lambda t: t / (2e-9 + t), 1e-9, 2e-9 / 9e-18, 1e-8),
    "smoothed absolute value": (lambda t: math.sqrt(t * t + 1e-14), 1e-7, 1e-7 / math.sqrt(2e-14), 1e-8),
    "kink nearby": (lambda t: 3 * max(t, 0.0), 1e-7, 3.0, 1e-8),
    "ripple whose period divides the steps": (lambda t: t * t + 0.1 * math.sin(128 * math.pi * t), 1.0, 2 + 12.8 * math.pi, 1e-8),
    "logarithm near 0": (lambda t: math.log(t) if t > 0 else math.nan, 1e-6, 1e6, 1e-8),
    "large offset": (lambda t: math.sin(t) + 1e4, 0.7, math.cos(0.7), 1e-8),
    "tiny values": (lambda t: 1e-20 * math.sin(t), 0.7, 1e-20 * math.cos(0.7), 1e-9),
    "linear": (lambda t: 3 * t, 0.7, 3.0, 1e-12),
    "rounded to 6 digits": (lambda t: round(math.exp(t), 6), 0.7, math.exp(0.7), 1e-3),
    "in single precision": (lambda t: float(SINGLE(math.sin(t) + 3)), 0.7, math.cos(0.7), 1e-3),
    "summed in single precision": (
        lambda t: float(np.sum(np.sin(COUNT / 1000 * SINGLE(t)), dtype=SINGLE)),
        0.7,
        float(np.sum(COUNT.astype(float) / 1000 * np.cos(COUNT.astype(float) / 1000 * 0.7))),
        1e-2,
    ),
    "loss with a scale of 1 at 1e5": (lambda t: math.log1p((t - 1e5) ** 2), 1e5 + 0.5, 0.8, 3e-6),
    "steep exponential": (lambda t: math.exp(30 * t), 1.0, 30 * math.exp(30), 1e-8),
    "clipped nearby": (lambda t: min(max(t / 6 + 0.5, 0), 1), 2.9999, 1 / 6, 1e-7),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_the_bound_holds_and_is_sharp(name):
    f, x, truth, sharp = AWKWARD[name]
    slope = Ladder(f, x, f(x), abs(x), np.float64).slope()
    assert abs(slope.value - truth) <= slope.error
    assert slope.error <= sharp * abs(truth)


def test_one_sided_slopes_at_a_kink():
    ladder = Ladder(lambda t: max(t, 0.0) + t, 0.0, 0.0, 1.0, np.float64)
    right, left = ladder.slope(+1), ladder.slope(-1)
    assert abs(right.value - 2) <= right.error < 1e-6
    assert abs(left.value - 1) <= left.error < 1e-6


def test_a_domain_that_ends_at_x_has_one_slope():
    ladder = Ladder(lambda t: t**1.5 + t if t >= 0 else math.nan, 0.0, 0.0, 1.0, np.float64)
    assert not ladder.slope().known
    assert not ladder.slope(-1).known
    assert abs(ladder.slope(+1).value - 1) <= ladder.slope(+1).error < 1e-2


def test_a_jump_has_no_slope():
    assert not Ladder(lambda t: float(t > 0), 0.0, 0.0, 1.0, np.float64).slope(+1).error < 1


def test_steps_in_single_precision_are_the_ones_taken():
    slope = Ladder(lambda t: float(SINGLE(t)) ** 2, float(SINGLE(0.7)), float(SINGLE(0.7)) ** 2, 0.7, SINGLE).slope()
    assert abs(slope.value - 2 * float(SINGLE(0.7))) <= slope.error < 1e-6


def test_noise_hides_a_slope_and_the_bound_says_so():
    rng = np.random.default_rng(0)
    slope = Ladder(lambda t: t + 1e-3 * rng.standard_normal(), 1.0, 1.0, 1.0, np.float64).slope()
    assert abs(slope.value - 1) <= slope.error
    assert slope.error > 1e-4

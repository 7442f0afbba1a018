"""The cost as it is measured: precision, noise, repeated calls, values that are not there."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltacheck.verify.functions.cost import Cost, quiet
from deltacheck.verify.functions.screening import sizes_of

THETA = np.array([0.3, 1.7, -2.2])
CALLS = iter(range(10**9))


def noise_of(function, theta=THETA):
    cost = Cost(function, theta)
    with quiet():
        return cost.noise(np.random.default_rng(0), sizes_of(cost.flat))


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (lambda t: np.sum(np.sin(t)) + 10, 1e-15, 3e-15),
        (lambda t: np.sum(np.sin(t)) + 1e6, 5e-11, 5e-10),
        (lambda t: float(np.float32(np.sum(np.sin(t)))), 3e-9, 2e-7),
        (lambda t: round(float(np.sum(np.sin(t))), 6), 1e-7, 2e-6),
        (lambda t: (np.sum(np.sin(t)) + 1e8) - 1e8, 1e-9, 2e-8),
    ],
)
def test_noise_is_measured_whatever_its_grain(function, least, most):
    assert least <= noise_of(function) <= most


def test_single_precision_is_raised_where_the_cost_takes_that():
    theta = THETA.astype(np.float32)
    assert Cost(lambda t: np.sum(np.sin(t)), theta).dtype == np.float64
    assert Cost(lambda t: np.sum(np.sin(t.astype(np.float32))), theta).dtype == np.float32
    assert Cost(lambda t: np.sum(np.sin(t)) * (1 if t.dtype == np.float32 else 2), theta).dtype == np.float32


@pytest.mark.parametrize("error", [ValueError, RuntimeError, AssertionError, ZeroDivisionError, KeyError])
def test_what_raises_away_from_theta_has_no_value_there(error):
    def cost(t):
        if (t <= 0.2).any():
            raise error("outside")
        return t.sum()

    measured = Cost(cost, np.array([0.3, 1.0]))
    assert np.isnan(measured(np.array([0.1, 1.0])))
    assert measured(np.array([0.25, 1.0])) == 1.25


def test_a_complex_value_is_no_value():
    assert np.isnan(Cost(lambda t: float(t[0]) ** 0.5, np.array([0.3]))(np.array([-0.3])))


def test_calls_that_differ_are_seen():
    assert not Cost(lambda t: t.sum() + 1e-6 * next(CALLS), THETA).repeatable
    assert Cost(lambda t: t.sum() * (1 + 2e-16 * (next(CALLS) % 3)), THETA).repeatable


@pytest.mark.parametrize("value", [1, True, 1.5, np.float32(1.5), np.array(1.5), np.array([1.5]), np.array([[1.5]])])
def test_a_number_may_come_in_many_shapes(value):
    assert Cost(lambda t: value, THETA).value == float(np.asarray(value).item())


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, TypeError, "cost: got NoneType at theta; expected a real number"),
        ("1.5", TypeError, "cost: got str at theta; expected a real number"),
        (1.5j, TypeError, "cost: got 1.5j at theta; expected a real number"),
        (np.ones(2), TypeError, "cost: got an array of shape (2,); expected a number"),
        (np.nan, ValueError, "cost: got nan at theta; expected a finite number"),
        ({}, TypeError, "cost: got dict at theta; expected a real number"),
    ],
)
def test_what_is_no_number_is_named(value, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Cost(lambda t: value, THETA)


def test_the_memory_order_of_theta_is_kept():
    seen = []
    Cost(lambda t: seen.append(t.flags.f_contiguous) or float(t.sum()), np.asfortranarray(np.ones((2, 3))))
    assert all(seen)

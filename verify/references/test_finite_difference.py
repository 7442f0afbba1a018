"""The derivatives' own errors: the bound holds, the order is right, kinks are not taken for slopes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from deltacheck.verify.references.complex_step import complex_step
from deltacheck.verify.references.finite_difference import RATIO, central_differences

FUNCTIONS = {
    "exp": (np.exp, np.exp),
    "sin of 30 t": (lambda t: np.sin(30 * t), lambda t: 30 * np.cos(30 * t)),
    "cubic": (lambda t: t**3 - t, lambda t: 3 * t**2 - 1),
    "a cost with an offset": (lambda t: np.exp(t) + 1e4, np.exp),
    "a small cost": (lambda t: 1e-9 * np.tanh(t), lambda t: 1e-9 / np.cosh(t) ** 2),
}
AT = np.linspace(-1.3, 1.7, 501)


def ladder(rungs=6):
    return [0.25 / RATIO**rung for rung in range(rungs)]


def estimate(function, kinked=None):
    def difference(h):
        change = function(AT + h) - function(AT - h)
        return change if kinked is None else np.where(kinked(h), np.nan, change)

    return central_differences(difference, ladder(), noise=4 * np.finfo(float).eps * abs(function(AT)).max())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_error_of_central_differences_is_within_their_bound(name):
    function, derivative = FUNCTIONS[name]
    found = estimate(function)
    assert (abs(found.value - derivative(AT)) <= found.error).all()


@pytest.mark.parametrize(("name", "at_most"), [("exp", 1e-10), ("cubic", 1e-11), ("a cost with an offset", 1e-7), ("a small cost", 1e-19)])
def test_the_bound_is_worth_something(name, at_most):
    assert np.median(estimate(FUNCTIONS[name][0]).error) < at_most


def test_a_bound_that_forgets_the_noise_is_broken():
    """The planted fault: with the noise taken for zero, the bound does not hold."""
    function, derivative = FUNCTIONS["a cost with an offset"]
    found = central_differences(lambda h: function(AT + h) - function(AT - h), ladder(), noise=0.0)
    assert (abs(found.value - derivative(AT)) > found.error).any()


def test_the_plain_difference_converges_with_h_squared():
    errors = [abs((np.exp(h) - np.exp(-h)) / (2 * h) - 1) for h in ladder(4)]
    assert [coarse / fine for coarse, fine in pairwise(errors)] == pytest.approx([RATIO**2] * 3, rel=0.02)


def test_rungs_across_a_kink_are_not_used():
    found = estimate(abs, kinked=lambda h: abs(AT) <= h)
    known = np.isfinite(found.error)
    np.testing.assert_allclose(found.value[known], np.sign(AT[known]), rtol=1e-9)
    assert known.mean() > 0.95
    assert np.isinf(found.error[abs(AT) < 1e-4]).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_complex_step_is_exact_to_rounding(name):
    function, derivative = FUNCTIONS[name]
    np.testing.assert_allclose(complex_step(lambda h: function(AT + h)), derivative(AT), rtol=2e-14, atol=1e-15)


def test_a_ladder_needs_rungs():
    with pytest.raises(ValueError, match="steps: got none"):
        central_differences(lambda h: AT, [], 0.0)

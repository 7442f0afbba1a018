"""What an attack found and is mended: unlike units, tiny parameters, rounding dust, results that are kept, jumps, ties bent both ways."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify import check_gradient

CALLS = iter(range(10**9))


def gravity(t):
    return -6.67e-11 * t[0] * t[1] / np.sqrt(np.sum(t[2:] ** 2))


def gravity_gradient(t):
    r = np.sqrt(np.sum(t[2:] ** 2))
    return np.r_[gravity(t) / t[0], gravity(t) / t[1], -gravity(t) * t[2:] / r**2]


MOON = np.array([5.97e24, 7.3e22, 3.8e8, 1e7, 0.0])


def without(gradient, entry):
    def changed(t):
        g = np.array(gradient(t))
        g[entry] = 0
        return g

    return changed


def in_any_order(t):
    terms = np.array([1e3, -1e3, 1e-3]) * np.cos(t)
    order = np.random.default_rng(next(CALLS)).permutation(3)
    return np.sum(terms[order]) + 0 * t


@pytest.mark.parametrize("closed", [False, True], ids=["analytic", "real numbers alone"])
def test_entries_of_unlike_units_are_measured_on_their_own_scale(closed):
    cost = (lambda t: float(gravity(np.asarray(t, float)))) if closed else gravity
    assert check_gradient(cost, gravity_gradient, MOON).verdict == "pass"
    assert check_gradient(cost, without(gravity_gradient, 3), MOON).verdict == "fail"


@pytest.mark.parametrize("size", [1e-10, 1e-14, 1e-18, 1e-50, 1e-200])
def test_the_complex_step_is_small_beside_the_entry(size):
    theta = size * np.array([1.0, 2.0, 3.0])
    assert check_gradient(lambda t: np.sum(np.log(t)), lambda t: 1 / t, theta).verdict == "pass"
    assert check_gradient(lambda t: np.sum(np.log(t)), lambda t: 1.001 / t, theta).verdict == "fail"


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-300])
def test_denormal_parameters_get_a_verdict(size):
    assert check_gradient(lambda t: np.sum(np.sin(t)), np.cos, np.array([size, size])).verdict != "fail"


def test_the_least_entry_of_a_rotation_is_judged():
    angle = np.pi / 2
    theta = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = np.array([[0.0, -1.0], [1.0, 0.0]])
    report = check_gradient(lambda t: np.sum((t - target) ** 2), lambda t: 2 * (t - target) * np.array([[1.2, 1], [1, 1.2]]), theta)
    assert report.verdict == "fail"


class WarmStart:
    """A cost that keeps what it was called with last, and is none the worse for it."""

    def __init__(self):
        self.last = np.zeros(3)

    def __call__(self, t):
        self.last = t * 1.0
        return np.sum(t**3)


def test_a_cost_that_keeps_its_argument_goes_on_working():
    cost = WarmStart()
    theta = np.array([0.3, 1.7, -2.2])
    for _ in range(2):
        assert check_gradient(cost, lambda t: 3 * t**2, theta).verdict == "pass"
    assert float(np.sum(np.abs(cost.last) + np.maximum(cost.last, 0))) > 0


def test_an_accurate_gradient_of_a_cost_that_cancels():
    theta = 1e-5 * np.arange(1.0, 9)
    assert check_gradient(lambda t: np.sum(np.exp(t) - 1 - t), np.expm1, theta).verdict != "fail"


def test_sums_in_another_order_whose_terms_cancel():
    theta = np.array([0.3, 0.3, 0.5])
    report = check_gradient(lambda t: float(in_any_order(t)[0] * np.sum(t)), lambda t: in_any_order(t), theta)
    assert "noise" not in [diagnosis.name for diagnosis in report.diagnoses]


def test_a_kink_that_bends_both_ways_bounds_no_gradient():
    """One entry convex, the other concave, tied by a third: what automatic differentiation gives is not called wrong."""

    def cost(t):
        return np.maximum(t[0], t[1]) - np.maximum(t[1], t[2])

    report = check_gradient(cost, lambda t: np.array([1.0, 0.0, -1.0]), np.array([2.0, 2.0, 2.0]))
    assert report.verdict == "pass"


def test_big_endian_parameters_are_taken():
    assert check_gradient(lambda t: t @ t, lambda t: 2 * t, np.array([0.5, 2.0], ">f8"))


def test_a_list_of_single_precision_numbers_is_judged_as_such():
    theta = np.array([0.5, 1.7])
    assert check_gradient(lambda t: np.sum(np.sin(t)), lambda t: [np.float32(v) for v in np.cos(t)], theta).verdict == "pass"

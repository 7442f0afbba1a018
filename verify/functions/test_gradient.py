"""The gradient as it comes: what it must keep, and the rounding of its entries."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.functions.cost import Cost
from deltacheck.verify.functions.gradient import Gradient, UnusableError

THETA = np.array([0.3, 1.7, -2.2])


def examined(gradient, theta=THETA):
    return Gradient(gradient, Cost(lambda t: np.sum(t**3), theta), np.random.default_rng(0))


def right(t):
    return 3 * t**2


def stale_by_identity():
    kept = {}

    def gradient(t):
        return kept.setdefault(id(t), (t, right(t)))[1]

    return gradient


def stale_by_call():
    kept = []

    def gradient(t):
        kept.append(right(t))
        return kept[len(kept) % 2 - 1].copy() if len(kept) > 2 else kept[-1]

    return gradient


def counting():
    calls = iter(range(10**9))
    return lambda t: right(t) * (1 if next(calls) < 2 else 1.5)


def reused():
    buffer = np.zeros(3)

    def gradient(t):
        buffer[:] = right(t)
        return buffer

    return gradient


def accumulating():
    total = np.zeros(3)

    def gradient(t):
        total[:] += right(t)
        return total.copy()

    return gradient


def failing():
    calls = iter(range(10**9))

    def gradient(t):
        if next(calls):
            raise RuntimeError("once only")
        return right(t)

    return gradient


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (stale_by_identity, "stale"),
        (counting, "noise"),
        (reused, "keeps-results"),
        (accumulating, "accumulates"),
        (failing, "state"),
    ],
)
def test_what_does_not_stay_is_named(make, name):
    assert [violation.name for violation in examined(make()).violations] == [name]


def test_a_right_one_has_no_violations_even_with_sums_in_another_order():
    calls = iter(range(10**9))
    assert examined(right).violations == ()
    assert examined(lambda t: right(t) * (1 + 2e-16 * (next(calls) % 3))).violations == ()


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (np.ma.masked_array([1.0, 2, 3], [True, False, False]), "masked array that hides 1 entries"),
        (np.array([1 + 0j, 2, 3]), "complex128"),
        (np.array(["a", "b", "c"]), "expected real numbers"),
        (np.array([None, {}, 3], object), "expected real numbers"),
        ("abc", "gradient returned str"),
        (np.zeros((3, 1)), "shape (3, 1)"),
        (None, "NoneType"),
    ],
)
def test_what_cannot_be_judged_is_named(result, message):
    with pytest.raises(UnusableError) as raised:
        examined(lambda t: result)
    assert message in raised.value.diagnosis.text


def test_the_spread_is_each_entry_s_own():
    """One entry has lost its digits by cancellation, its neighbours have not."""

    def gradient(t):
        g = right(t)
        g[1] = g[1] + 1e8 * t[1] ** 2 - (1e4 * t[1]) ** 2
        return g

    given = examined(gradient)
    assert given.spread[1] > 1e6 * max(given.spread[0], given.spread[2])


def test_a_result_of_lower_precision_is_judged_to_that():
    assert examined(lambda t: right(t).astype(np.float32)).unit == 2.0**-24
    assert examined(right).unit == 2.0**-53


def test_more_digits_where_the_gradient_takes_them():
    assert examined(right, THETA.astype(np.float32)).in_more_digits is not None
    assert examined(lambda t: right(t.astype(np.float32)), THETA.astype(np.float32)).in_more_digits is None

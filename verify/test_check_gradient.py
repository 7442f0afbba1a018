"""``check_gradient`` on any callables: right ones pass whatever their scale, wrong ones fail, and nothing passes silently."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltacheck.verify import GradientError, check_gradient

RNG = np.random.default_rng(5)
A = RNG.standard_normal((12, 12))


def quartic(t):
    return np.sum((A @ t) ** 4) + np.sum(np.sin(t))


def quartic_gradient(t):
    return A.T @ (4 * (A @ t) ** 3) + np.cos(t)


def rosenbrock(t):
    return np.sum(100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2)


def rosenbrock_gradient(t):
    g = np.zeros_like(t)
    g[:-1] = -400 * t[:-1] * (t[1:] - t[:-1] ** 2) - 2 * (1 - t[:-1])
    g[1:] += 200 * (t[1:] - t[:-1] ** 2)
    return g


RIGHT = {
    "quartic": (quartic, quartic_gradient, RNG.standard_normal(12)),
    "rosenbrock": (rosenbrock, rosenbrock_gradient, RNG.standard_normal(8)),
    "log near the edge of its domain": (lambda t: np.sum(np.log(t)), lambda t: 1 / t, np.array([1e-3, 0.5, 3.0])),
    "large parameters": (lambda t: np.sum(np.sqrt(t)), lambda t: 0.5 / np.sqrt(t), np.array([1e8, 3e8])),
    "small parameters": (lambda t: np.sum(np.sin(t * 1e6)), lambda t: 1e6 * np.cos(t * 1e6), np.array([1e-6, 3e-7])),
    "a matrix": (lambda t: np.trace(t @ t @ A[:4, :4]), lambda t: (t @ A[:4, :4] + A[:4, :4] @ t).T, RNG.standard_normal((4, 4))),
    "no complex numbers": (lambda t: sum(float(v) ** 3 for v in t), lambda t: 3 * t**2, RNG.standard_normal(6)),
    "abs away from 0": (lambda t: np.sum(np.abs(t)), np.sign, np.array([0.3, -1e-3, 5.0])),
    "relu on its kink, 0": (
        lambda t: np.sum(np.maximum(t, 0)) + 2 * t[1],
        lambda t: np.where(t > 0, 1.0, 0) + np.array([0, 2, 0]),
        np.array([0.0, 1.0, -1.0]),
    ),
    "relu on its kink, 1": (lambda t: np.sum(np.maximum(t, 0)), lambda t: np.where(t >= 0, 1.0, 0), np.array([0.0, 1.0, 2.0])),
    "zero parameters": (lambda t: np.sum(np.exp(t)), np.exp, np.zeros(4)),
    "fast wiggle": (lambda t: np.sum(np.sin(300 * t)), lambda t: 300 * np.cos(300 * t), RNG.standard_normal(5)),
}


@pytest.mark.parametrize("change", ["as it is", "cost × 1e-5", "cost × 1e5", "cost + 1e4"])
@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass_at_any_scale_and_offset_and_wrong_ones_fail(name, change):
    cost, gradient, theta = RIGHT[name]
    factor = {"cost × 1e-5": 1e-5, "cost × 1e5": 1e5}.get(change, 1.0)
    offset = 1e4 if change == "cost + 1e4" else 0.0
    report = check_gradient(lambda t: factor * cost(t) + offset, lambda t: factor * gradient(t), theta)
    assert report.verdict == "pass", str(report)
    wrong = check_gradient(lambda t: factor * cost(t) + offset, lambda t: factor * gradient(t) * (1 + 1e-4), theta)
    assert wrong.verdict == "fail", str(wrong)


@pytest.mark.parametrize("name", ["quartic", "rosenbrock", "a matrix", "zero parameters"])
def test_small_errors_are_caught(name):
    cost, gradient, theta = RIGHT[name]
    report = check_gradient(cost, lambda t: gradient(t) * (1 + 1e-9), theta)
    assert report.verdict == "fail"
    assert report.diagnoses[0].name == "factor"
    assert "complex step" in report.method

    def one_entry(t):
        g = gradient(t).copy()
        worst = np.unravel_index(np.argmax(abs(g)), g.shape)
        g[worst] *= 1 + 1e-7
        return g

    assert check_gradient(cost, one_entry, theta).verdict == "fail"


def test_the_certificate_is_true():
    cost, gradient, theta = RIGHT["quartic"]
    report = check_gradient(cost, gradient, theta)
    assert 0 < report.smallest_detectable < 1e-10
    assert check_gradient(cost, lambda t: gradient(t) * (1 + report.smallest_detectable), theta).verdict == "fail"
    worst = report.entries["certificate"].max()
    assert f"{worst:.1g} in all" in str(report)
    for entry, certificate in enumerate(report.entries["certificate"]):
        bump = np.zeros(12)
        bump[entry] = certificate
        assert check_gradient(cost, lambda t, bump=bump: gradient(t) * (1 + bump), theta).verdict == "fail"


def test_a_function_that_is_wrong_for_complex_numbers_does_not_mislead():
    """|t|² through a conjugate: the complex step gives 0, central differences know better."""
    report = check_gradient(lambda t: np.sum(t * np.conj(t)), lambda t: 2 * t, np.array([1.0, 2.0]))
    assert report.verdict == "pass"
    assert "complex step" not in report.method


def test_float32():
    a = A.astype(np.float32)
    theta = RNG.standard_normal(12).astype(np.float32)

    def cost(t):
        return np.sum((a @ t) ** 2)

    def gradient(t):
        return 2 * a.T @ (a @ t)

    assert check_gradient(cost, gradient, theta).verdict == "pass"
    assert check_gradient(cost, lambda t: gradient(t) * np.float32(1.01), theta).verdict == "fail"


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (lambda t: None, "gradient returned NoneType; expected an array of shape (12,)"),
        (lambda t: np.zeros(3), "gradient returned shape (3,); expected (12,)"),
        (lambda t: np.full(12, np.nan), "12 entries of the gradient are NaN"),
        (lambda t: np.zeros(12), "zero"),
        (
            lambda t: quartic_gradient(t) * (1 + 1e-8 * np.random.default_rng().random()),
            "a second call with the same theta gives another gradient",
        ),
        (lambda t: [quartic_gradient(t), t.fill(0)][0], "gradient writes into theta"),
        (lambda t: np.clip(quartic_gradient(t), -1, 1), "clipped at ±1"),
        (lambda t: quartic_gradient(t) + 0.01 * t, "λ θ is added, with λ = 0.01"),
        (lambda t: -quartic_gradient(t), "-1 × what it should be; the sign is wrong"),
        (lambda t: quartic_gradient(t)[::-1], "in reverse order"),
        (lambda t: quartic_gradient(t) + np.sin(np.arange(12)), "unknown pattern"),
    ],
)
def test_bugs_are_caught_and_named(gradient, message):
    report = check_gradient(quartic, gradient, RIGHT["quartic"][2])
    assert report.verdict == "fail"
    assert message in str(report)
    assert len(str(report).splitlines()) <= 10
    with pytest.raises(GradientError, match=re.escape(message)):
        report.raise_if_failed()


def test_a_buffer_given_away_is_found():
    buffer = np.zeros(12)

    def reused(t):
        buffer[:] = quartic_gradient(t)
        return buffer

    assert check_gradient(quartic, reused, RIGHT["quartic"][2]).diagnoses[0].name == "keeps-results"
    total = np.zeros(12)

    def accumulating(t):
        total[:] += quartic_gradient(t)
        return total.copy()

    assert check_gradient(quartic, accumulating, RIGHT["quartic"][2]).diagnoses[0].name == "accumulates"


def test_a_cost_that_ignores_theta_has_a_gradient_of_exactly_0():
    report = check_gradient(lambda t: 3.0, np.zeros_like, np.ones(4))
    assert report.verdict == "pass"
    assert str(report).startswith("pass: all 4 entries are right (4 of them 0)\n  where it is 0, an error above ")
    wrong = check_gradient(lambda t: 3.0, lambda t: np.array([0, 0, 1e-3, 0]), np.ones(4))
    with pytest.raises(GradientError, match="fail"):
        wrong.raise_if_failed()


def test_a_cost_that_is_noise_is_inconclusive():
    rng = np.random.default_rng(0)
    report = check_gradient(lambda t: np.sum(t**2) + rng.standard_normal(), lambda t: 2 * t, np.array([1e-3, 2e-3]))
    assert report.verdict == "inconclusive"


def test_large_theta_is_sampled_and_says_so():
    theta = RNG.standard_normal(5000)
    weights = np.arange(5000) / 5000 + 0.5

    def cost(t):
        return np.sum(weights * np.tanh(t))

    def gradient(t):
        return weights / np.cosh(t) ** 2

    blocks = {"first": slice(0, 1000), "second": slice(1000, 5000)}
    report = check_gradient(cost, gradient, theta, blocks=blocks, max_evaluations=4000)
    assert report.verdict == "pass", str(report)
    assert "sampled entries and random directions" in str(report)
    assert list(report.table["block"]) == ["first", "second"]
    assert (report.table["n_checked"] < report.table["n_entries"]).all()

    def wrong_elsewhere(t):
        g = gradient(t)
        g[2345] += 1e-3
        return g

    found = check_gradient(cost, wrong_elsewhere, theta, blocks=blocks, max_evaluations=4000)
    assert found.verdict == "fail"
    assert "second along random signs" in str(found)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"theta": np.zeros(0)}, ValueError, "theta: got an empty array, shape (0,)"),
        ({"theta": [1.0]}, TypeError, "theta: got list; expected a NumPy array"),
        ({"theta": np.arange(3)}, TypeError, "theta: got dtype int64; expected float32 or float64"),
        ({"theta": np.array([1.0, np.nan])}, ValueError, "theta: got 1 entries that are not finite"),
        ({"theta": np.ones(3), "blocks": {"w": slice(3, 9)}}, ValueError, "blocks['w']: got slice(3, 9, None)"),
        (
            {"theta": np.ones(6), "blocks": {"a": slice(0, 3)}},
            ValueError,
            "blocks: entry 3 of theta is in 0 of them; expected each of the 6",
        ),
        ({"theta": np.ones(3), "cost": lambda t: t}, TypeError, "cost: got an array of shape (3,); expected a number"),
        ({"theta": np.ones(3), "cost": lambda t: np.inf}, ValueError, "cost: got inf at theta"),
        ({"theta": np.ones(3), "cost": lambda t: [t.sum(), t.fill(0)][0]}, ValueError, "cost: it writes into theta"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_gradient(**{"cost": np.sum, "gradient": np.ones_like, **arguments})


CALLS = iter(range(10**9))


def test_the_report_is_true_only_for_a_pass():
    assert check_gradient(lambda t: t @ t, lambda t: 2 * t, np.ones(3))
    assert not check_gradient(lambda t: t @ t, lambda t: 3 * t, np.ones(3))
    assert not check_gradient(lambda t: t @ t + 1e-3 * next(CALLS), lambda t: 2 * t, np.ones(3))


def test_a_row_for_each_entry():
    report = check_gradient(lambda t: np.sum(t**3), lambda t: 3 * t**2 * np.array([[1, 1], [1, 1.01]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    entries = report.entries
    columns = ["block", "index", "got", "reference", "reference_error", "allowed", "certificate", "method", "step", "verdict"]
    assert list(entries.columns) == columns
    assert list(entries["index"]) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert list(entries["verdict"]) == ["pass", "pass", "pass", "fail"]
    assert np.allclose(entries["reference"], [3, 12, 27, 48])
    assert (entries["certificate"] < 1e-12).all()


def test_a_gradient_that_cannot_be_used_has_no_entries():
    report = check_gradient(lambda t: t @ t, lambda t: None, np.ones(3))
    assert report.verdict == "fail"
    assert len(report.entries) == 0
    assert "verdict" in report.entries


def test_in_a_notebook_it_is_text_and_a_picture():
    html = check_gradient(lambda t: np.sum(t**3), lambda t: 3 * t**2, np.arange(1.0, 5))._repr_html_()
    assert html.count("<circle") == 4
    assert "all 4 entries are right" in html


def test_deterministic_makes_calls_that_differ_a_failure():
    def gradient(t):
        return 2 * t * (1 + 2e-16 * (next(CALLS) % 3))

    theta = np.array([0.3, 1.7])
    report = check_gradient(lambda t: t @ t, gradient, theta)
    assert report.verdict == "pass"
    assert "differ in rounding" in str(report)
    strict = check_gradient(lambda t: t @ t, gradient, theta, deterministic=True)
    assert strict.verdict == "fail"
    assert strict.diagnoses[0].name == "noise"


def test_small_entries_do_not_hide_behind_large_ones():
    scales = 10.0 ** -np.arange(12)
    report = check_gradient(lambda t: np.sum(scales * np.sin(t)), lambda t: scales * np.cos(t) * (1 + 1e-5 * (scales < 1e-10)), np.ones(12))
    assert list(report.entries["verdict"]) == ["pass"] * 11 + ["fail"]


def test_kinks_of_many_entries_are_sampled_within_the_budget():
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(4000) * 1e-6
    weights = rng.standard_normal(4000)
    report = check_gradient(
        lambda t: np.sum(weights * np.maximum(t - 1e-7, 0)), lambda t: weights * (t > 1e-7), theta, max_evaluations=20_000
    )
    assert report.verdict != "fail", str(report)
    assert report.evaluations < 100_000


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"theta": np.ma.masked_array([1.0, 2.0], [True, False])}, TypeError, "theta: got a masked array"),
        ({"theta": np.ones((1, 2)).view(np.matrix)}, TypeError, "theta: got matrix"),
        ({"theta": np.ones(2), "blocks": ["a"]}, TypeError, "blocks: got list; expected a dict"),
        ({"theta": np.ones(2), "blocks": {"a": 1}}, TypeError, "blocks['a']: got 1; expected a slice"),
        ({"theta": np.ones(2), "seed": -1}, ValueError, "seed: got -1; expected an integer of at least 0"),
        ({"theta": np.ones(2), "seed": "x"}, ValueError, "seed: got 'x'"),
        ({"theta": np.ones(2), "max_evaluations": 0}, ValueError, "max_evaluations: got 0; expected a positive integer"),
        ({"theta": np.ones(2), "max_evaluations": np.nan}, ValueError, "max_evaluations: got nan"),
        ({"theta": np.ones(2), "cost": lambda t: None}, TypeError, "cost: got NoneType at theta; expected a real number"),
    ],
)
def test_further_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_gradient(**{"cost": np.sum, "gradient": np.ones_like, **arguments})

"""Bugs get their names when the numbers fit, and no name when they do not."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.diagnosis.diagnose import diagnose
from deltacheck.verify.diagnosis.hypotheses import hypotheses
from deltacheck.verify.exam.bugs.classic import CLASSIC
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.test_planted_bugs import report_on
from deltacheck.verify.references.backward_formulas import Backward
from deltacheck.verify.references.network_model import Model
from deltacheck.verify.references.rounding_bound import allowed
from deltacheck.verify.suite.cases import CASES, point
from deltacheck.verify.verdict.array_verdict import UNKNOWN
from deltacheck.verify.verdict.parameter_blocks import spans

BY_NAME = {case.name: case for case in CASES}
NAMES = {
    "dsigma-missing-at-output": "dsigma-missing",
    "dsigma-missing-at-hidden": "dsigma-missing",
    "dsigma-of-a-not-z": "dsigma-wrong",
    "w-not-transposed": "transposed",
    "bias-not-summed": "bias-not-summed",
    "bias-averaged": "bias-averaged",
    "mean-for-sum": "factor",
    "mean-over-outputs": "factor",
    "factor-2": "factor",
    "sign": "factor",
    "last-sample-dropped": "sample-dropped",
    "wrong-activations": "wrong-activations",
    "one-entry-zero": "row-or-column-zero",
    "float32-inside": "reduced-precision",
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("mutant", CLASSIC, ids=lambda mutant: mutant.name)
def test_classic_bugs_are_named(mutant, dtype):
    report = report_on(mutant.kernel, "equal-widths", dtype)
    if report.verdict == "fail":
        assert report.diagnoses[0].name == NAMES[mutant.name]
    assert len(str(report).splitlines()) <= 10


CASE = BY_NAME["unequal-widths"]


def diagnosis_of(change, case=CASE):
    """The diagnoses of a gradient that ``change(right, network)`` has spoilt."""
    model = Model(case.network, *point(case, "float64"))
    right = Backward(model).gradient()
    got = change(right.copy(), {part.name: part for part in spans(case.network)}, model)
    return diagnose(model, got, 2 * allowed(model, np.float64).gradient)


def spoil(part_name, value):
    def change(right, parts, model):
        part = parts[part_name]
        right[part.at] = value(right[part.at].reshape(part.shape), model).ravel()
        return right

    return change


@pytest.mark.parametrize(
    ("change", "name", "text"),
    [
        (spoil("dC/dw_1", lambda dw, model: 7 * dw), "factor", "dC/dw_1: 7 × what it should be; multiplied by the batch size, B = 7"),
        (spoil("dC/db_2", lambda db, model: 0 * db), "block-zero", "dC/db_2 is zero"),
        (spoil("dC/dw_0", lambda dw, model: dw.T), "transposed", "dC/dw_0 is the transpose"),
        (spoil("dC/dw_1", lambda dw, model: np.where(np.arange(5) == 4, 0, dw)), "row-or-column-zero", "column 4 of dC/dw_1"),
        (spoil("dC/dw_1", lambda dw, model: np.where(np.arange(6)[:, None] > 3, 0, dw)), "row-or-column-zero", "rows 4, 5 of dC/dw_1"),
        (spoil("dC/dw_1", lambda dw, model: dw[:, [0, 3, 2, 1, 4]]), "swapped-units", "columns 1 and 3 are exchanged in dC/dw_1"),
        (spoil("dC/dw_1", lambda dw, model: dw + 0.01 * model.w[1]), "weight-decay", "λ θ in dC/dw_1 is added, with λ = 0.01"),
        (lambda right, parts, model: np.clip(right, -0.1, 0.1), "clipped", "clipped at ±0.1"),
        (lambda right, parts, model: np.where(abs(right) < 1e-3, 0, right), "small-dropped", "entries below"),
        (lambda right, parts, model: right * np.where(np.arange(len(right)) == 5, np.nan, 1), "non-finite", "NaN or infinity in dC/dw_0"),
        (lambda right, parts, model: right + 1e-3 * model.theta, "weight-decay", "λ θ is added, with λ = 0.001"),
        (lambda right, parts, model: right.astype(np.float32), "reduced-precision", "float32"),
        (lambda right, parts, model: right * (1 + 1e-7 * np.sin(np.arange(len(right)))), "reduced-precision", "8e-08 relative"),
        (lambda right, parts, model: right - Backward(model).gradient(rows=slice(2, 3)), "sample-dropped", "sample 2 of 7"),
        (lambda right, parts, model: right + Backward(model).gradient(rows=slice(6, 7)), "sample-doubled", "sample 6 of 7"),
        (lambda right, parts, model: right - Backward(model).gradient(rows=slice(4, 7)), "sample-dropped", "the last 3 of 7 samples"),
        (lambda right, parts, model: right + np.sin(np.arange(len(right))), "unknown", "unknown pattern"),
        (lambda right, parts, model: right * (1 + 1e-3 * np.sin(np.arange(len(right)))), "unknown", "unknown pattern"),
    ],
)
def test_patterns_are_named(change, name, text):
    found = diagnosis_of(change)
    assert found[0].name == name
    assert text in found[0].text


def test_the_first_wrong_layer_is_named_when_the_rest_is_wrong_beyond_it():
    def change(right, parts, model):
        wrong = Backward(model).gradient(dsigma={3: np.ones_like(model.a[3])})
        wrong[: parts["dC/dw_2"].at.start] *= np.cos(np.arange(parts["dC/dw_2"].at.start))
        return wrong

    found = diagnosis_of(change)
    assert found[0].name == "dsigma-missing"
    assert found[0].text.startswith("in dC/dw_2 and dC/db_2, the first wrong ones from the output: σ′ is missing at the output (layer 3)")


@pytest.mark.parametrize("case", [case for case in CASES if case.network.n_parameters < 200], ids=lambda case: case.name)
def test_the_derivation_with_nothing_changed_is_the_right_gradient(case):
    """The hypotheses' own backward pass agrees with a kernel, so that each is wrong in one thing only."""
    theta, x, y = point(case, "float64")
    kernel = Plain(case.network)
    model = Model(case.network, theta, x, y)
    bound = 2 * allowed(model, np.float64).gradient
    assert (abs(kernel.backward(theta, kernel.forward(theta, x), y) - Backward(model).gradient()) <= bound).all()


def test_hypotheses_differ_from_the_right_gradient_and_are_recognised():
    """Every formula of the catalogue, put in as the kernel's gradient, comes out under its own name or an equal one's."""
    case = BY_NAME["equal-widths"]
    model = Model(case.network, *point(case, "float64"))
    right, bounds = Backward(model).gradient(), 2 * allowed(model, np.float64).gradient
    seen = set()
    for hypothesis in hypotheses(model):
        if (abs(hypothesis.gradient - right) <= bounds).all():
            continue
        seen.add(hypothesis.name)
        named = diagnose(model, hypothesis.gradient, bounds)
        twins = {h.name for h in hypotheses(model) if np.allclose(h.gradient, hypothesis.gradient, rtol=1e-9, atol=1e-15)}
        assert named[0].name in twins, hypothesis.text
    assert seen >= {
        "dsigma-missing",
        "dsigma-wrong",
        "transposed",
        "wrong-activations",
        "bias-not-summed",
        "bias-averaged",
        "sample-dropped",
    }


ALL_ONES = BY_NAME["all-ones"]


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (lambda right, parts, model: right * [1.7, 1, 1.7, 1], ALL_ONES),
        (lambda right, parts, model: Backward(model).gradient(dsigma={1: 1 + model.a[1]}), ALL_ONES),
        (spoil("dC/db_1", lambda db, model: 1.7 * db), BY_NAME["one-output"]),
    ],
)
def test_what_explains_a_number_or_two_is_no_name(change, case):
    (found,) = diagnosis_of(change, case)
    assert found.name == "ambiguous"
    assert found.text.startswith("too few numbers here to name it; one of several things that fit: ")


def test_a_factor_of_a_whole_tensor_is_a_name_beside_one_of_a_single_entry():
    """The whole gradient by one factor: the single entry of a bias goes with the others."""
    assert diagnosis_of(lambda right, parts, model: 1.7 * right, BY_NAME["one-output"])[0].name == "factor"


def test_a_gradient_within_its_bounds_gets_no_name():
    assert diagnosis_of(lambda right, parts, model: right) == (UNKNOWN,)

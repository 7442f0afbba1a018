"""The checks can fail: planted bugs are caught, and the right tensors are named."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.kernels import Network, load
from deltacheck.verify.exam.bugs.classic import CLASSIC
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.suite.cases import CASES, point, reference_of

BY_NAME = {case.name: case for case in CASES}


def report_on(kernel, case_name, dtype="float64"):
    case = BY_NAME[case_name]
    return judge(kernel, case.network, *point(case, dtype), against=reference_of(case, dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_kernel_that_the_mutants_are_made_of_is_right(dtype):
    for name in ("equal-widths", "mixed", "softmax-any-targets", "saturated-sigmoid"):
        assert report_on(Plain, name, dtype).verdict == "pass"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("mutant", CLASSIC, ids=lambda mutant: mutant.name)
def test_a_classic_bug_is_caught_and_the_right_tensors_are_named(mutant, dtype):
    if mutant.name == "float32-inside" and dtype == "float32":
        assert report_on(mutant.kernel, "equal-widths", dtype).verdict == "pass", "in float32 it is no bug"
        return
    report = report_on(mutant.kernel, "equal-widths", dtype)
    assert report.verdict == "fail"
    assert {block.name for block in report.gradient_blocks if block.verdict == "fail"} == set(mutant.wrong)
    assert all(block.verdict == "pass" for block in report.blocks if block.name in ("output", "cost"))
    assert any(name in str(report) for name in mutant.wrong)


def test_one_wrong_entry_is_located():
    report = report_on(next(m for m in CLASSIC if m.name == "one-entry-zero").kernel, "equal-widths")
    (block,) = [block for block in report.blocks if block.verdict == "fail"]
    assert (block.name, block.worst_index, block.got, block.n_wrong) == ("dC/dw_0", (1, 2), 0.0, 1)
    assert block.expected != 0
    assert str(block).startswith(f"dC/dw_0[1, 2]: got 0, expected {block.expected:.10g}, off by")


def off_by(factor, entry=None):
    class Off(Plain):
        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            dtheta[entry if entry is not None else slice(None)] *= dtheta.dtype.type(1 + factor)
            return dtheta

    return Off


@pytest.mark.parametrize("name", ["equal-widths", "mixed", "digits-training", "gradients-below-1e-6", "cost-offset"])
def test_small_relative_errors_are_caught_in_float64(name):
    assert report_on(off_by(1e-9), name).verdict == "fail"
    entry = int(np.argmax(abs(reference_of(BY_NAME[name], "float64").gradient)))
    assert report_on(off_by(1e-7, entry), name).verdict == "fail"
    assert report_on(off_by(0.0), name).verdict == "pass"


def test_the_certificate_is_true():
    """An error as large as the certificate says is caught in every block, and it is no gross overstatement."""
    report = report_on(Plain, "unequal-widths")
    network, spans = BY_NAME["unequal-widths"].network, {}
    w, b = network.unpack(np.arange(network.n_parameters))
    for i, pair in enumerate(zip(w, b, strict=True)):
        spans.update({f"dC/d{letter}_{i}": part.ravel() for letter, part in zip("wb", pair, strict=True)})
    for block in report.gradient_blocks:
        caught = report_on(off_by(block.smallest_detectable, spans[block.name]), "unequal-widths")
        assert {b.name for b in caught.blocks if b.verdict == "fail"} == {block.name}
        assert block.smallest_detectable < 1e-10


def test_a_wrong_forward_pass_is_the_outputs_fault():
    class Wrong(Plain):
        def sigma(self, activation, z):
            return super().sigma(activation, z * z.dtype.type(1.0001))

    report = report_on(Wrong, "equal-widths")
    assert report.verdict == "fail"
    assert report.lines[0] == "diagnosis: the forward pass is wrong, and the gradient follows it"
    assert report.lines[1].startswith("fail: output[")


def test_a_wrong_cost_is_found():
    class Wrong(Plain):
        def value_and_grad(self, theta, x, y):
            cost, dtheta = super().value_and_grad(theta, x, y)
            return 2 * cost, dtheta

    report = report_on(Wrong, "equal-widths")
    assert [block.name for block in report.blocks if block.verdict == "fail"] == ["cost"]


def test_both_ways_to_the_gradient_are_judged():
    class Wrong(Plain):
        def value_and_grad(self, theta, x, y):
            cost, dtheta = super().value_and_grad(theta, x, y)
            return cost, dtheta * 2

    report = report_on(Wrong, "equal-widths")
    assert report.verdict == "fail"
    assert "through value_and_grad only" in str(report)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_entries_fail(value):
    class Wrong(Plain):
        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            dtheta[5] = value
            return dtheta

    report = report_on(Wrong, "equal-widths")
    (block,) = [block for block in report.blocks if block.verdict == "fail"]
    assert (block.worst_index, block.n_wrong) == ((1, 2), 1)


def test_not_implemented_after_a_wrong_gradient_does_not_hide_it():
    class Limited(Plain):
        factor = 1.0

        def backward(self, theta, a, y):
            if len(y) > 9:
                raise NotImplementedError("at most 9 rows")
            return super().backward(theta, a, y) * theta.dtype.type(self.factor)

    assert report_on(Limited, "equal-widths").verdict == "pass"
    assert report_on(type("Wrong", (Limited,), {"factor": 1.5}), "equal-widths").verdict == "fail"
    with pytest.raises(NotImplementedError, match="at most 9 rows"):
        report_on(Limited, "batch-17")


@pytest.mark.parametrize("value", [1e300, -1e308, 1e160])
def test_numbers_of_any_size_are_judged(value):
    class Absurd(Plain):
        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            dtheta[3] = value
            return dtheta

    report = report_on(Absurd, "equal-widths")
    assert report.verdict == "fail"
    assert report.diagnoses[0].name == "non-finite"


def test_the_slope_at_an_exact_kink_is_0():
    """Zero inputs and zero biases: z is exactly 0, and σ′ there is 0 by convention, in any number of inputs."""
    network = Network((3, 4, 2), ("relu", "identity"))
    rng = np.random.default_rng(0)
    theta, x, y = network.initial(rng), rng.standard_normal((5, 3)), rng.random((5, 2))
    network.unpack(theta)[1][0][:] = 0
    x[2] = 0

    class OneAtZero(Plain):
        def hidden_dsigma(self, a, i):
            return (a[0] @ self.network.unpack(theta)[0][0] >= 0).astype(a[i].dtype)

    assert judge(Plain, network, theta, x, y).verdict == "pass"
    assert judge(OneAtZero, network, theta, x, y, contract=False).verdict == "fail"


def test_warnings_of_a_kernel_that_is_right_are_no_failure():
    class Plainer(Plain):
        def sigma(self, activation, z):
            return 1 / (1 + np.exp(-z)) if activation == "sigmoid" else super().sigma(activation, z)

    assert report_on(Plainer, "far-sigmoid").verdict == "pass"

    class Overflowing(Plain):
        def sigma(self, activation, z):
            return np.exp(z) / (1 + np.exp(z)) if activation == "sigmoid" else super().sigma(activation, z)

    assert report_on(Overflowing, "far-sigmoid").verdict == "fail"


def test_a_gradient_that_is_0_throughout_passes_in_absolute_terms():
    """All relu units dead; and a softmax over one class."""
    case = BY_NAME["relu"]
    theta, x, y = point(case, "float64")
    theta = theta.copy()
    for b in case.network.unpack(theta)[1]:
        b[:] = -100.0
    report = judge(load("numpy"), case.network, theta, x, y)
    assert report.verdict == "pass"
    assert str(report).startswith("pass: the gradient is exactly 0 in all")
    one_class = Network((3, 4, 1), "tanh", "cross_entropy")
    rng = np.random.default_rng(0)
    for dtype in ("float64", "float32"):
        at = one_class.initial(rng, dtype), rng.standard_normal((5, 3)).astype(dtype), np.ones((5, 1), dtype)
        for name in ("numpy", "numba", "naive"):
            assert judge(load(name), one_class, *at).verdict == "pass"

        class Off(Plain):
            def backward(self, theta, a, y):
                dtheta = super().backward(theta, a, y)
                dtheta[-1] = 1e-3
                return dtheta

        assert judge(Off, one_class, *at).verdict == "fail"

"""The checks can fail: planted bugs are caught, and the right tensors are named."""

from __future__ import annotations

import numpy as np
import pytest

from kernels import Kernel, Network, load
from verify.cases import CASES, point
from verify.judge import judge
from verify.mutants import CLASSIC, Plain
from verify.test_kernels import reference_of

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


CONTRACT = {
    "writes into theta": lambda self, theta, a, y: [theta.__setitem__(0, 7.0), Plain.backward(self, theta, a, y)][1],
    "writes into y": lambda self, theta, a, y: [y.__setitem__((0, 0), 7.0), Plain.backward(self, theta, a, y)][1],
    "backward writes into the activations": lambda self, theta, a, y: [Plain.backward(self, theta, a, y), a[1].fill(0)][0],
    "each call with the same inputs gives another gradient (backward): noise of": lambda self, theta, a, y: (
        Plain.backward(self, theta, a, y) * (1 + 1e-12 * np.random.default_rng().random())
    ),
    "what backward returns has shape (12,)": lambda self, theta, a, y: Plain.backward(self, theta, a, y)[::2],
    "what backward returns has dtype float16": lambda self, theta, a, y: Plain.backward(self, theta, a, y).astype("float16"),
    "what backward returns is a list": lambda self, theta, a, y: Plain.backward(self, theta, a, y).tolist(),
    "what backward returns is a NoneType": lambda self, theta, a, y: None,
    "backward raised ZeroDivisionError: division by zero (test_planted_bugs.py, line": lambda self, theta, a, y: 1 / 0,
}


@pytest.mark.parametrize("message", CONTRACT)
def test_a_broken_contract_is_named(message):
    report = report_on(type("Wrong", (Plain,), {"backward": CONTRACT[message]}), "equal-widths")
    assert report.verdict == "fail"
    assert message in report.message


def test_state_carried_over_is_found():
    class Buffered(Plain):
        def backward(self, theta, a, y):
            self.buffer = getattr(self, "buffer", np.zeros_like(theta))
            self.buffer[:] = super().backward(theta, a, y)
            return self.buffer

    assert "must belong to the caller" in report_on(Buffered, "equal-widths").message

    class Accumulating(Plain):
        def backward(self, theta, a, y):
            self.total = getattr(self, "total", 0) + super().backward(theta, a, y)
            return self.total.copy()

    assert report_on(Accumulating, "equal-widths").verdict == "fail"

    class Remembering(Plain):
        def forward(self, theta, x):
            self.theta = getattr(self, "theta", theta.copy()) if len(x) == 5 else theta.copy()
            return super().forward(self.theta if len(self.theta) else theta, x)

    assert "carried over" in report_on(Remembering, "equal-widths").message

    class ByIdentity(Plain):
        def onward(self, w, i):
            self.cache = getattr(self, "cache", {})
            base = w[i].base if w[i].base is not None else w[i]
            return self.cache.setdefault((id(base), i), (base, w[i].T.copy()))[1]

    assert report_on(ByIdentity, "equal-widths").diagnoses[0].name == "carries-state"

    class FirstCall(Plain):
        def onward(self, w, i):
            self.cache = getattr(self, "cache", {})
            return self.cache.setdefault(i, w[i].T.copy())

    assert report_on(FirstCall, "equal-widths").diagnoses[0].name == "carries-state"


def test_a_backward_that_ignores_its_activations_is_found():
    class Stateful(Plain):
        def forward(self, theta, x):
            self.a = super().forward(theta, x)
            return self.a

        def backward(self, theta, a, y):
            return super().backward(theta, self.a, y)

    assert "does not go by the activations that it is given" in report_on(Stateful, "equal-widths").message


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


def test_memory_that_was_never_written_is_found():
    class First(Plain):
        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            self.calls = getattr(self, "calls", 0) + 1
            return dtheta * np.nan if self.calls == 1 else dtheta

    assert report_on(First, "equal-widths").verdict == "fail"


def test_whatever_forward_returns_beside_the_output_is_the_kernels_own():
    class Nested(Plain):
        def forward(self, theta, x):
            a = super().forward(theta, x)
            return list(a), "more", a[-1]

        def backward(self, theta, a, y):
            return super().backward(theta, a[0], y)

    assert report_on(Nested, "unequal-widths").verdict == "pass"

    class Popping(Plain):
        def forward(self, theta, x):
            return list(super().forward(theta, x))

        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            a.pop()
            return dtheta

    assert report_on(Popping, "equal-widths").diagnoses[0].name == "writes-input"


@pytest.mark.parametrize("cost", [1j, "one", [1.0, 2.0], None, 10**400, np.array([1.0, 2.0])])
def test_a_cost_that_is_no_number_is_named(cost):
    class Odd(Plain):
        def value_and_grad(self, theta, x, y):
            return cost, super().value_and_grad(theta, x, y)[1]

    assert "expected a real number" in report_on(Odd, "equal-widths").message


def test_a_constructor_that_raises_is_a_failure_with_its_place():
    class Broken(Plain):
        def __init__(self, network):
            raise ValueError("no such thing")

    assert "the constructor raised ValueError: no such thing (test_planted_bugs.py, line" in report_on(Broken, "equal-widths").message

    class Leaving(Plain):
        def backward(self, theta, a, y):
            raise SystemExit(3)

    assert "backward raised SystemExit: 3" in report_on(Leaving, "equal-widths").message


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


def test_a_kernel_that_minds_strides_is_found():
    class Flat(Plain):
        def forward(self, theta, x):
            return super().forward(theta, np.frombuffer(x.tobytes("A"), x.dtype).reshape(x.shape))

    assert "strided inputs give another result" in report_on(Flat, "unequal-widths").message

    class Fussy(Plain):
        def forward(self, theta, x):
            if not x.flags.c_contiguous:
                raise ValueError("C order, please")
            return super().forward(theta, x)

    assert "strided inputs give another result: forward raised ValueError: C order, please" in report_on(Fussy, "unequal-widths").message


def test_a_kernel_that_minds_the_order_or_the_number_of_samples_is_found():
    smallest = point(BY_NAME["unequal-widths"], "float64")[1][0, 0]

    class Ordered(Plain):
        """Right only while the first sample is the one with the smallest first input."""

        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            return dtheta if a[0][0, 0] == smallest else dtheta * dtheta.dtype.type(1.001)

    assert "samples in another order give another result: dC/d" in report_on(Ordered, "unequal-widths").message

    class Small(Plain):
        """Loses a sample from the eighth on."""

        def backward(self, theta, a, y):
            if len(y) > 10:
                a, y = tuple(a_i[:-1] for a_i in a), y[:-1]
            return super().backward(theta, a, y)

    assert "each sample twice does not give twice the gradient: dC/d" in report_on(Small, "unequal-widths").message


def test_nothing_to_show_is_no_pass():
    """A gradient that is zero throughout tells nothing: all relu units dead."""
    case = BY_NAME["relu"]
    theta, x, y = point(case, "float64")
    theta = theta.copy()
    for b in case.network.unpack(theta)[1]:
        b[:] = -100.0
    report = judge(load("numpy"), case.network, theta, x, y)
    assert report.verdict == "inconclusive"
    assert "could have shown" in report.message

    class Nothing(Kernel):
        def forward(self, theta, x):
            return Plain.forward(self, theta, x)

    assert report_on(Nothing, "equal-widths").verdict == "fail"

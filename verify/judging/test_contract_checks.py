"""Kernels that break the contract are caught, and what they break is named."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.test_planted_bugs import BY_NAME, report_on
from deltacheck.verify.suite.cases import point

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
    "backward raised ZeroDivisionError: division by zero (test_contract_checks.py, line": lambda self, theta, a, y: 1 / 0,
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

    assert "the constructor raised ValueError: no such thing (test_contract_checks.py, line" in report_on(Broken, "equal-widths").message

    class Leaving(Plain):
        def backward(self, theta, a, y):
            raise SystemExit(3)

    assert "backward raised SystemExit: 3" in report_on(Leaving, "equal-widths").message


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

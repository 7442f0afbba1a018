"""Each kind of call before or between finds a kernel that goes wrong after such a call, and after no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.earlier_calls import BETWEEN, EARLIER, NONE
from deltacheck.verify.judging.judge_laid_out import judge_laid_out
from deltacheck.verify.judging.layouts import laid_out
from deltacheck.verify.references.confirmed_gradient import confirmed_reference

NETWORK = Network((12, 4, 3, 2), ("tanh", "sigmoid", "tanh"))
RNG = np.random.default_rng(0)
POINT = NETWORK.initial(RNG), RNG.standard_normal((5, 12)), RNG.random((5, 2))
REFERENCE = confirmed_reference(NETWORK, *POINT)


@dataclass
class Call:
    """One call of ``backward``, or of ``forward``, which has no y: its arguments as they were, and the objects."""

    kernel: Plain
    theta: Any
    x: Any
    y: Any = None

    def __post_init__(self):
        self.objects = self.theta, self.x, self.y
        self.theta, self.x, self.y = (None if array is None else np.array(array) for array in self.objects)
        self.network = self.kernel.network

    def same(self, other, names):
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names.split())


def wrong_after(condition):
    """A kernel whose gradient is a hundredth larger after a call ``before`` of any instance, where ``condition(before, now)`` holds."""

    class Wrong(Plain):
        past: ClassVar = []

        def backward(self, theta, a, y):
            now = Call(self, theta, a[0], y)
            spoilt = any(condition(before, now) for before in self.past)
            if not any(before.same(now, "theta x y") and before.kernel is self for before in self.past):
                self.past.append(now)
            if y is None:
                raise ValueError("no y")
            return super().backward(theta, a, y) * theta.dtype.type(1.01 if spoilt else 1)

    return Wrong


def wrong_between(condition):
    """The same of the last call of ``forward`` before a ``backward``."""

    class Wrong(Plain):
        last: ClassVar = []

        def forward(self, theta, x):
            self.last[:] = [Call(self, theta, x)]
            return super().forward(theta, x)

        def backward(self, theta, a, y):
            spoilt = condition(self.last[-1], Call(self, theta, a[0]))
            return super().backward(theta, a, y) * theta.dtype.type(1.01 if spoilt else 1)

        def value_and_grad(self, theta, x, y):
            cost, dtheta = Plain(self.network).value_and_grad(theta, x, y)
            self.last[:] = [Call(self, theta, x, y)]
            return cost, dtheta

    return Wrong


def own(condition):
    """Where both calls are of one instance."""
    return lambda before, now: before.kernel is now.kernel and condition(before, now)


def differs(what, alike=""):
    """Where one argument differs, in a batch of the same size, and the others of ``alike`` do not."""

    def holds(before, now):
        return before.x.shape == now.x.shape and not before.same(now, what) and before.same(now, alike)

    return holds


def rows_differ(before, now):
    """The same rows of x in another order."""
    return before.x.shape == now.x.shape and not before.same(now, "x") and np.array_equal(np.sort(before.x, 0), np.sort(now.x, 0))


def other_network(condition):
    """Where an instance of another network was at work."""
    return lambda before, now: before.network != now.network and condition(before.network, now.network)


def joined(network):
    return "".join(map(str, network.layer_sizes))


def n_other_activations(one, other):
    return sum(a != b for a, b in zip(one.activations, other.activations, strict=True)) if one.layer_sizes == other.layer_sizes else 0


def refilled(before, now):
    return before.objects[0] is now.objects[0] and not before.same(now, "theta")


AFTER = {
    "other rows": own(lambda before, now: rows_differ(before, now) and before.same(now, "theta")),
    "another theta": own(differs("theta", "x y")),
    "another x": own(differs("x", "theta y")),
    "another y": own(lambda before, now: before.y is not None and differs("y", "theta x")(before, now)),
    "more rows": own(lambda before, now: len(before.x) > len(now.x)),
    "fewer rows": own(lambda before, now: 1 < len(before.x) < len(now.x)),
    "one row": own(lambda before, now: len(before.x) == 1),
    "the same arrays, holding other numbers": own(refilled),
    "the other dtype": own(lambda before, now: before.theta.dtype != now.theta.dtype),
    "arguments that it raises for": own(lambda before, now: before.y is None),
    "another instance": lambda before, now: before.kernel is not now.kernel and before.network == now.network,
    "an instance for the hidden layers in reverse": other_network(lambda one, other: one.layer_sizes[1:3] == other.layer_sizes[2:0:-1]),
    "an instance for other activations": other_network(lambda one, other: n_other_activations(one, other) > 1 and one.cost == other.cost),
    "an instance for another activation inside": other_network(
        lambda one, other: n_other_activations(one, other) == 1 and one.cost == other.cost
    ),
    "an instance for the other cost": other_network(lambda one, other: one.cost != other.cost),
    "instances whose sizes are the same digits": other_network(
        lambda one, other: joined(one) == joined(other) and one.layer_sizes != other.layer_sizes
    ),
}
IN_BETWEEN = {
    "a forward pass with other rows": own(lambda before, now: rows_differ(before, now) and before.y is None),
    "a forward pass with another theta": own(lambda before, now: differs("theta", "x")(before, now) and before.y is None),
    "a forward pass with another x": own(lambda before, now: differs("x", "theta")(before, now) and not rows_differ(before, now)),
    "a forward pass with more rows": own(lambda before, now: len(before.x) > len(now.x)),
    "a forward pass with fewer rows": own(lambda before, now: 1 < len(before.x) < len(now.x)),
    "a forward pass with one row": own(lambda before, now: len(before.x) == 1),
    "value_and_grad with other data": own(lambda before, now: before.y is not None and not before.same(now, "theta")),
    "a forward pass of another instance": lambda before, now: before.kernel is not now.kernel,
}


def verdict(kernel, earlier=NONE, between=NONE):
    inputs = tuple(laid_out(array, "contiguous") for array in POINT)
    return judge_laid_out(kernel, NETWORK, inputs, REFERENCE, earlier, between).verdict


def test_every_kind_has_its_planted_kernel():
    assert {NONE, *AFTER} == set(EARLIER)
    assert {NONE, *IN_BETWEEN} == set(BETWEEN)


@pytest.mark.parametrize("kind", AFTER)
def test_a_call_before_finds_its_planted_kernel_and_no_other_does(kind):
    found = {other for other in EARLIER if verdict(wrong_after(AFTER[kind]), earlier=other) == "fail"}
    assert found - ({"arguments that it raises for"} if kind == "another theta" else set()) == {kind}


@pytest.mark.parametrize("kind", IN_BETWEEN)
def test_a_call_between_finds_its_planted_kernel_and_no_other_does(kind):
    assert {other for other in BETWEEN if verdict(wrong_between(IN_BETWEEN[kind]), between=other) == "fail"} == {kind}


def test_a_right_kernel_passes_after_all():
    for kind in EARLIER:
        assert verdict(Plain, earlier=kind) == "pass"
    for kind in BETWEEN:
        assert verdict(Plain, between=kind) == "pass"

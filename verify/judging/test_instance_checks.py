"""Each check of instances finds the wrong kernel that it is there for, and no other check does."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.contract_checks import all_violations
from deltacheck.verify.judging.instance_checks import INSTANCES_AND_THREADS
from deltacheck.verify.judging.test_all_violations import DTYPES, TANH, found_alone_by, found_by, point


def counted():
    count = [0]

    class Counted(Plain):
        def __init__(self, network):
            super().__init__(network)
            count[0] += 1
            self.factor = 1 + 1e-5 * count[0]

        def backward(self, theta, a, y):
            return super().backward(theta, a, y) * theta.dtype.type(self.factor)

    return Counted


def class_wide():
    known = {}

    class ClassWide(Plain):
        def value_and_grad(self, theta, x, y):
            key = (self.network, theta.dtype, x.shape, *(part.tobytes() for part in (theta[[0, -1]], x, y)))
            if key not in known:
                known[key] = super().value_and_grad(theta, x, y)
            return known[key][0], known[key][1].copy()

    return ClassWide


def class_wide_weights():
    known = {}

    class ClassWide(Plain):
        """Transposes are kept for the first entry of theta."""

        def onward(self, w, i):
            return known.setdefault((self.network, i, w[i].dtype, w[i].shape, w[0].flat[0]), w[i].T.copy())

    return ClassWide


def sixteen_instances():
    """Transposes lie in a pool of 16 places for all instances, of which each takes the next."""
    pool, made = {}, [0]

    class Sixteen(Plain):
        last = None

        def __init__(self, network):
            super().__init__(network)
            self.place = made[0] % 16
            made[0] += 1

        def __deepcopy__(self, memo):
            return type(self)(self.network)

        def forward(self, theta, x):
            pool[self.place] = theta.copy()
            self.last = super().forward(theta, x)
            return self.last

        def backward(self, theta, a, y):
            return super().backward(pool[self.place] if a is self.last else theta, a, y)

    return Sixteen


def last_network():
    class LastNetwork(Plain):
        def __init__(self, network):
            type(self).network = network

    return LastNetwork


def first_network():
    activations = {}

    class FirstNetwork(Plain):
        def __init__(self, network):
            known = activations.setdefault((network.layer_sizes, network.cost), network.activations)
            super().__init__(Network(network.layer_sizes, known, network.cost))

    return FirstNetwork


class ShallowCopy(Plain):
    """A deep copy shares the workspace."""

    last = None

    def __init__(self, network):
        super().__init__(network)
        self.room = {}

    def __deepcopy__(self, memo):
        twin = type(self)(self.network)
        twin.room = self.room
        return twin

    def forward(self, theta, x):
        self.room["theta"], self.last = theta.copy(), super().forward(theta, x)
        return self.last

    def backward(self, theta, a, y):
        return super().backward(self.room["theta"] if a is self.last else theta, a, y)


class LosesActivation(Plain):
    """Pickled, it forgets its activations."""

    def __deepcopy__(self, memo):
        return type(self)(self.network)

    def __reduce__(self):
        return type(self), (Network(self.network.layer_sizes),)


class OfItsThread(Plain):
    def __init__(self, network):
        super().__init__(network)
        self.local = threading.local()
        self.local.network = network

    def backward(self, theta, a, y):
        assert self.local.network
        return super().backward(theta, a, y)


class FourThreads(Plain):
    """Has room for four threads."""

    def forward(self, theta, x):
        self.known = getattr(self, "known", [])
        if threading.get_ident() not in self.known:
            self.known.append(threading.get_ident())
        range(4)[self.known.index(threading.get_ident())]
        return super().forward(theta, x)


class OnesOfForward(Plain):
    def forward(self, theta, x):
        self.ones = np.ones(1, theta.dtype)
        return super().forward(theta, x)

    def bias_gradient(self, delta):
        return super().bias_gradient(delta) * self.ones.astype(delta.dtype)


def shared_scratch():
    scratch = {}

    class SharedScratch(Plain):
        """Transposes δ through scratch space of the module."""

        def weight_gradient(self, a, delta, i):
            room = scratch.setdefault((delta.shape, delta.dtype), np.empty_like(delta))
            room[:] = delta
            time.sleep(0)
            return a[i].T @ room

    return SharedScratch


# Of each check: what it is there for, a class or what makes one; its name; the checks that cannot but find it too.
PLANTED = [
    ("new-again", counted, "carries-state", ()),
    ("class-wide", class_wide, "carries-state", ()),
    ("class-wide", class_wide_weights, "wrong-elsewhere", ()),
    ("by-turns", sixteen_instances, "carries-state", ()),
    ("another-network-between", last_network, "carries-state", ()),
    ("another-network-before", first_network, "carries-state", ()),
    ("deepcopy", ShallowCopy, "carries-state", ()),
    ("pickle", LosesActivation, "carries-state", ()),
    ("other-threads", OfItsThread, "bound-to-thread", ()),
    ("other-threads", FourThreads, "bound-to-thread", ()),
    ("backward-of-another", OnesOfForward, "carries-state", ()),
    ("two-threads", shared_scratch, "race", ()),
]


@pytest.mark.parametrize(("check", "planted", "name", "too"), PLANTED, ids=[f"{row[0]}-{n}" for n, row in enumerate(PLANTED)])
def test_a_planted_kernel_is_found_by_its_check_alone(check, planted, name, too):
    found_alone_by(check, planted, name, too)
    found_by(check, planted, "float32")


def test_every_check_has_its_planted_kernel():
    assert {row[0] for row in PLANTED} == {check.name for check in INSTANCES_AND_THREADS}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_kernel_that_is_wrong_everywhere_shares_nothing(dtype):
    class Twice(Plain):
        def backward(self, theta, a, y):
            return super().backward(theta, a, y) * 2

    assert all_violations(Twice, TANH, *point(TANH, dtype)) == []

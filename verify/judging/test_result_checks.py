"""Each check of results and of the order of calls finds the wrong kernel that it is there for, and no other check does."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.result_checks import RESULTS_AND_ORDER
from deltacheck.verify.judging.test_all_violations import CONDUCT_BY_NAME, DTYPES, found_alone_by, found_by


class After200(Plain):
    calls = 0

    def backward(self, theta, a, y):
        self.calls += 1
        return super().backward(theta, a, y) * theta.dtype.type(1 if self.calls <= 400 else 1.00001)


class Ring(Plain):
    def backward(self, theta, a, y):
        self.ring, self.at = getattr(self, "ring", {}), getattr(self, "at", 0) + 1
        room = self.ring.setdefault((self.at % 256, theta.shape, theta.dtype), np.empty(theta.shape, theta.dtype))
        room[:] = super().backward(theta, a, y)
        return room


class KeepsGradient(Plain):
    """A right cache that hands out what it keeps."""

    def value_and_grad(self, theta, x, y):
        self.known = getattr(self, "known", {})
        key = (theta.dtype, x.shape, *(part.tobytes() for part in (theta, x, y)))
        if key not in self.known:
            self.known[key] = super().value_and_grad(theta, x, y)
        return self.known[key]


class KeepsActivations(Plain):
    def forward(self, theta, x):
        self.known = getattr(self, "known", {})
        key = (theta.dtype, x.shape, theta.tobytes(), x.tobytes())
        if key not in self.known:
            self.known[key] = super().forward(theta, x)[1:]
        return (x, *self.known[key])


class ReadOnlyGradient(Plain):
    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        dtheta.flags.writeable = False
        return dtheta


def pooled():
    free = []

    class Pooled(Plain):
        def __init__(self, network):
            super().__init__(network)
            self.own = []

        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            at = next((n for n in reversed(range(len(free))) if free[n].dtype == theta.dtype and free[n].shape == theta.shape), None)
            if at is not None:
                room = free.pop(at)
                room[:] = dtheta
                dtheta = room
            self.own.append(dtheta)
            return dtheta

        def __del__(self):
            free.extend(self.own)

    return Pooled


class RemembersForX(Plain):
    """``backward`` takes theta from the last forward pass, if that had the same x."""

    def forward(self, theta, x):
        self.last = x, theta.copy()
        return super().forward(theta, x)

    def backward(self, theta, a, y):
        return super().backward(self.last[1] if a[0] is self.last[0] else theta, a, y)


class RemembersForTheta(Plain):
    """``backward`` takes the activations of the last forward pass, if that had the same theta."""

    def forward(self, theta, x):
        self.last = theta, super().forward(theta, x)
        return self.last[1]

    def backward(self, theta, a, y):
        return super().backward(theta, self.last[1] if theta is self.last[0] and len(self.last[1][0]) == len(y) else a, y)


class Recycling(Plain):
    """A gradient's memory is used again once nobody holds the array."""

    lent = ()

    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        free = [memory for memory, handle in self.lent if handle() is None]
        memory = next((one for one in free if one.dtype == dtheta.dtype and len(one) == len(dtheta)), np.empty_like(dtheta))
        memory[:] = dtheta
        out = np.frombuffer(memory.data, memory.dtype).view(Handed)
        result = out.view(np.ndarray)
        self.lent = [*((m, h) for m, h in self.lent if m is not memory), (memory, weakref.ref(result))]
        return result


class Handed(np.ndarray):
    pass


class LargeInScratch(Plain):
    """Of 32 rows or more, hidden activations lie where the next forward pass writes."""

    def forward(self, theta, x):
        a = super().forward(theta, x)
        if len(x) < 32:
            return a
        self.room = getattr(self, "room", {})
        room = self.room.setdefault((a[1].shape, a[1].dtype), np.empty_like(a[1]))
        room[:] = a[1]
        return (a[0], room, *a[2:])


class SharedRoom(Plain):
    """``backward`` knows the last activations and takes them from a workspace, which ``value_and_grad`` uses as well."""

    last = room = None

    def forward(self, theta, x):
        self.last = self.room = super().forward(theta, x)
        return self.last

    def backward(self, theta, a, y):
        return super().backward(theta, self.room if a is self.last else a, y)

    def value_and_grad(self, theta, x, y):
        self.room = Plain.forward(self, theta, x)
        return self.network.cost_of(self.room[-1], y), Plain.backward(self, theta, self.room, y)


class GoesByForward(Plain):
    """``value_and_grad`` relies on a forward pass of the same data before."""

    def forward(self, theta, x):
        self.last = super().forward(theta, x)
        return self.last

    def value_and_grad(self, theta, x, y):
        a = self.last if hasattr(self, "last") and self.last[-1].shape == y.shape else self.forward(theta, x)
        return self.network.cost_of(a[-1], y), self.backward(theta, a, y)


class Roomy(list):
    room = None


class GradientInActivations(Plain):
    """The gradient is made in room that the activations bring along."""

    def forward(self, theta, x):
        a = Roomy(super().forward(theta, x))
        a.room = np.empty_like(theta, order="C", subok=False)
        return a

    def backward(self, theta, a, y):
        a.room[:] = super().backward(theta, a, y)
        return a.room


# Of each check: what it is there for, a class or what makes one; its name; the checks that cannot but find it too.
PLANTED = [
    ("many-calls", After200, "carries-state", ()),
    ("many-calls", Ring, "keeps-results", ()),
    ("written-gradient", KeepsGradient, "keeps-results", ("fitted",)),
    ("written-activations", KeepsActivations, "keeps-results", ()),
    ("new-memory", ReadOnlyGradient, "read-only-results", ()),
    ("views-of-results", Recycling, "keeps-results", ()),
    ("outlives-instance", pooled, "keeps-results", ()),
    ("forward-other-theta", RemembersForX, "carries-state", ("backward-of-another",)),
    ("forward-other-x", RemembersForTheta, "carries-state", ("backward-of-another",)),
    ("forward-between-large", LargeInScratch, "carries-state", ()),
    ("value-and-grad-between", SharedRoom, "carries-state", ()),
    ("value-and-grad-alone", GoesByForward, "carries-state", ()),
    ("backward-twice", GradientInActivations, "keeps-results", ()),
]


@pytest.mark.parametrize(("check", "planted", "name", "too"), PLANTED, ids=[f"{row[0]}-{n}" for n, row in enumerate(PLANTED)])
def test_a_planted_kernel_is_found_by_its_check_alone(check, planted, name, too):
    found_alone_by(check, planted, name, too)
    found_by(check, planted, "float32")


# These ask more than one thing at once: what they find, others find as well.
QUICK = {
    "kept-results": CONDUCT_BY_NAME["shared-result"],
    "forward-between": CONDUCT_BY_NAME["shared-output"],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("check", QUICK)
def test_a_quick_check_finds_its_planted_kernel(check, dtype):
    found_by(check, QUICK[check], dtype)


def test_every_check_has_its_planted_kernel():
    assert {row[0] for row in PLANTED} | set(QUICK) == {check.name for check in RESULTS_AND_ORDER}

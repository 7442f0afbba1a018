"""Each check of state: what an instance was called with before finds the wrong kernel that it is there for, and no other check does."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.state_checks import STATE
from deltacheck.verify.judging.test_all_violations import CONDUCT_BY_NAME, DTYPES, found_alone_by, found_by


def forgetful(seen):
    """``value_and_grad`` keeps its results by what ``seen`` leaves of the arguments: objects by identity, arrays by their bytes."""

    class Forgetful(Plain):
        def __init__(self, network):
            super().__init__(network)
            self.known = []

        def value_and_grad(self, theta, x, y):
            key = [part.tobytes() if isinstance(part, np.ndarray) else part for part in seen(theta, x, y)] + [x.shape, theta.dtype.char]
            for known, (cost, dtheta) in self.known:
                if known == key:
                    return cost, dtheta.copy()
            cost, dtheta = super().value_and_grad(theta, x, y)
            self.known.append((key, (cost, dtheta)))
            return cost, dtheta.copy()

    return Forgetful


def hashed(array):
    return hash(tuple(array.ravel().tolist()))


class After50(Plain):
    calls = 0

    def backward(self, theta, a, y):
        self.calls += 1
        return super().backward(theta, a, y) * theta.dtype.type(1 if self.calls <= 50 else 1.00001)


class FirstDtype(Plain):
    dtype = None

    def backward(self, theta, a, y):
        self.dtype = self.dtype or theta.dtype
        return super().backward(theta.astype(self.dtype), [a_i.astype(self.dtype) for a_i in a], y.astype(self.dtype)).astype(theta.dtype)


class BeganInFloat32(Plain):
    """Adds up in float32 for good, if its first call was in float32."""

    narrow = None

    def bias_gradient(self, delta):
        self.narrow = delta.dtype == np.float32 if self.narrow is None else self.narrow
        return super().bias_gradient(delta.astype(np.float32) if self.narrow else delta)


class LargeBuffer(Plain):
    """Batches of 32 rows and more are summed up in a buffer that is never cleared."""

    sums = None

    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        if not 32 <= len(y) < 64:
            return dtheta
        self.sums = dtheta if self.sums is None or self.sums.dtype != dtheta.dtype else self.sums + dtheta
        return self.sums.copy()


class SixteenSizes(Plain):
    """What is known of a batch size is kept in a table of 16."""

    def bias_gradient(self, delta):
        self.table = getattr(self, "table", {})
        return delta[: self.table.setdefault(len(delta) % 16, len(delta))].sum(axis=0)


class FirstBatch(Plain):
    """Sums run over as many rows as the first batch had."""

    rows = None

    def bias_gradient(self, delta):
        self.rows = self.rows or len(delta)
        return delta[: self.rows].sum(axis=0)


class UpTo256(Plain):
    def bias_gradient(self, delta):
        return delta[:256].sum(axis=0)


class TimesZero(Plain):
    """What is left from the call before is taken along, times zero."""

    left = 0

    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        left, self.left = self.left, dtheta[0]
        dtheta[0] += dtheta.dtype.type(0) * left
        return dtheta


class ReluWithoutNan(Plain):
    """NaN counts as 0 on its way through an activation."""

    def sigma(self, activation, z):
        return super().sigma(activation, np.nan_to_num(z))


class NothingToLearn(Plain):
    """Hands out a part of theta where every output is right."""

    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        return dtheta if dtheta.any() else theta[:]


class KeyFirst(Plain):
    """Notes theta before it has looked at x, and keeps the transposes of the theta before."""

    known = kept = None

    def forward(self, theta, x):
        self.prepare(theta, x)
        return super().forward(theta, x)

    def prepare(self, theta, x):
        if self.known != theta.tobytes():
            self.known = theta.tobytes()
            if x is not None and x.shape[1] != self.network.layer_sizes[0]:
                raise ValueError("x: got another number of columns")
            self.kept = theta.copy()

    def backward(self, theta, a, y):
        self.prepare(theta, a[0])
        return super().backward(self.kept, a, y)


# Of each check: what it is there for, a class or what makes one; its name; the checks that cannot but find it too.
PLANTED = [
    ("first-call", CONDUCT_BY_NAME["steps-theta"], "writes-input", ()),
    ("second-call", CONDUCT_BY_NAME["accumulates"], "accumulates", ()),
    ("second-call", CONDUCT_BY_NAME["first-call-zero"], "carries-state", ()),
    ("every-call", After50, "carries-state", ()),
    ("theta-halved", forgetful(lambda theta, x, y: (np.sign(theta), x, y)), "carries-state", ("theta-slightly", "theta-minus-two")),
    ("theta-reversed", forgetful(lambda theta, x, y: (np.sort(theta), x, y)), "carries-state", ()),
    ("theta-first", forgetful(lambda theta, x, y: (theta[1:], x, y)), "carries-state", ()),
    ("theta-last", forgetful(lambda theta, x, y: (theta[:-1], x, y)), "carries-state", ()),
    ("theta-middle", forgetful(lambda theta, x, y: (theta[[0, -1]], x, y)), "carries-state", ("theta-entries", "theta-minus-two")),
    ("x-halved", forgetful(lambda theta, x, y: (theta, np.sign(x), y)), "carries-state", ("x-slightly", "x-minus-two")),
    ("x-first", forgetful(lambda theta, x, y: (theta, x.ravel()[1:], y)), "carries-state", ()),
    ("x-last-row", forgetful(lambda theta, x, y: (theta, x[:-1], y)), "carries-state", ()),
    ("x-reversed", forgetful(lambda theta, x, y: (theta, np.sort(x, axis=0), y)), "carries-state", ()),
    ("y-halved", forgetful(lambda theta, x, y: (theta, x, y.argmax(axis=1))), "carries-state", ("y-slightly", "y-minus-two")),
    ("y-entry", forgetful(lambda theta, x, y: (theta, x, y[1:])), "carries-state", ()),
    ("y-last-row", forgetful(lambda theta, x, y: (theta, x, y[:-1])), "carries-state", ()),
    ("y-reversed", forgetful(lambda theta, x, y: (theta, x, np.sort(y, axis=0))), "carries-state", ()),
    ("theta-entries", forgetful(lambda theta, x, y: (theta[[0, *range(1, len(theta), 2), -1]], x, y)), "carries-state", ()),
    ("x-entries", forgetful(lambda theta, x, y: (theta, x.ravel()[[0, *range(3, x.size, 3)]], y)), "carries-state", ("x-minus-two",)),
    ("dtypes", FirstDtype, "carries-state", ()),
    ("dtypes", BeganInFloat32, "carries-state", ()),
    ("batches", LargeBuffer, "carries-state", ("many-batches",)),
    ("batches", CONDUCT_BY_NAME["stale-rows"], "carries-state", ("many-batches", "after-nan", "dtypes", "rows-of-activations")),
    ("many-batches", SixteenSizes, "carries-state", ()),
    ("many-rows", UpTo256, "rearranged", ()),
    ("theta-slightly", forgetful(lambda theta, x, y: (np.round(theta, 4), x, y)), "carries-state", ()),
    ("x-slightly", forgetful(lambda theta, x, y: (theta, np.round(x, 4), y)), "carries-state", ()),
    ("y-slightly", forgetful(lambda theta, x, y: (theta, x, np.round(y, 3))), "carries-state", ()),
    ("theta-minus-two", forgetful(lambda theta, x, y: (hashed(theta), x, y)), "carries-state", ()),
    ("x-minus-two", forgetful(lambda theta, x, y: (theta, hashed(x), y)), "carries-state", ()),
    ("y-minus-two", forgetful(lambda theta, x, y: (theta, x, hashed(y))), "carries-state", ()),
    ("fitted", NothingToLearn, "keeps-results", ()),
    ("after-an-error", KeyFirst, "carries-state", ()),
    ("propagates-nan", ReluWithoutNan, "hides-nan", ()),
    ("after-nan", TimesZero, "carries-state", ()),
]


@pytest.mark.parametrize(("check", "planted", "name", "too"), PLANTED, ids=[f"{row[0]}-{n}" for n, row in enumerate(PLANTED)])
def test_a_planted_kernel_is_found_by_its_check_alone(check, planted, name, too):
    found_alone_by(check, planted, name, too)
    found_by(check, planted, "float32")


# These ask more than one thing at once: what they find, others find as well.
QUICK = {
    "other-data": CONDUCT_BY_NAME["cached-weights"],
    "other-x": CONDUCT_BY_NAME["cached-forward"],
    "twice-the-rows": FirstBatch,
    "back-again": CONDUCT_BY_NAME["sixth-call-less"],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("check", QUICK)
def test_a_quick_check_finds_its_planted_kernel(check, dtype):
    found_by(check, QUICK[check], dtype)


def test_every_check_has_its_planted_kernel():
    assert {row[0] for row in PLANTED} | set(QUICK) == {check.name for check in STATE}

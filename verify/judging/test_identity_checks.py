"""Each check of identity finds the wrong kernel that it is there for, and no other check does."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.identity_checks import IDENTITY
from deltacheck.verify.judging.test_all_violations import found_alone_by, found_by
from deltacheck.verify.judging.test_state_checks import forgetful


class Same:
    """An object as part of a key: equal if it is the same one."""

    def __init__(self, thing):
        self.thing = thing

    def __eq__(self, other):
        return self.thing is other.thing

    __hash__ = None


class EachObjectAnew(Plain):
    """The gradient is a little larger for a theta that equals the last but is another array."""

    last = None

    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        anew = self.last is not None and self.last is not theta and np.array_equal(self.last, theta)
        self.last = theta
        return dtheta * theta.dtype.type(1.001) if anew else dtheta


class OneArrayOfData(Plain):
    """Keeps a copy of x for the array that it is a part of, and its shape."""

    known = kept = None

    def forward(self, theta, x):
        whole = x.base
        if type(whole) is not np.ndarray or whole.size != x.size * 2 or whole.ndim != 2 or not x.flags.c_contiguous:
            return super().forward(theta, x)
        seen = whole.tobytes(), x.shape
        if self.known != seen:
            self.known, self.kept = seen, x.copy()
        return super().forward(theta, self.kept)


class OverlapIsOne(Plain):
    """Takes x for y where both are of one shape and their memory overlaps."""

    def value_and_grad(self, theta, x, y):
        one = x.shape == y.shape and np.may_share_memory(x, y) and x is not y
        return super().value_and_grad(theta, x, x if one else y)


class ByObject(Plain):
    """Takes what is one object for one thing: of an x that is y too, the targets are left out."""

    def value_and_grad(self, theta, x, y):
        return super().value_and_grad(theta, x, y * 0 if x is y else y)


OTHER_OBJECTS = ("read-only", "borders", "off-alignment", "deepcopy", "pickle", "theta-layout")


# Of each check: a class, or what makes one; its name; the checks that cannot but find it too.
PLANTED = [
    ("theta-in-place", forgetful(lambda theta, x, y: (Same(theta), x, y)), "carries-state", ()),
    ("x-in-place", forgetful(lambda theta, x, y: (theta, Same(x), y)), "carries-state", ()),
    ("y-in-place", forgetful(lambda theta, x, y: (theta, x, Same(y))), "carries-state", ()),
    ("minibatches", OneArrayOfData, "carries-state", ()),
    ("one-table", OverlapIsOne, "rearranged", ("autoencoder",)),
    ("equal-objects", EachObjectAnew, "carries-state", OTHER_OBJECTS),
    ("freed-objects", forgetful(lambda theta, x, y: (theta, x.ctypes.data, y)), "carries-state", ("x-in-place", "x-entries")),
    ("autoencoder", ByObject, "carries-state", ()),
]


@pytest.mark.parametrize(("check", "planted", "name", "too"), PLANTED, ids=[row[0] for row in PLANTED])
def test_a_planted_kernel_is_found_by_its_check_alone(check, planted, name, too):
    found_alone_by(check, planted, name, too)
    found_by(check, planted, "float32")


def test_every_check_has_its_planted_kernel():
    assert {row[0] for row in PLANTED} == {check.name for check in IDENTITY}

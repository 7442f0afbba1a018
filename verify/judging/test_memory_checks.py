"""Each check of memory finds the wrong kernel that it is there for, and no other check does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.memory_checks import MEMORY
from deltacheck.verify.judging.test_all_violations import found_alone_by, found_by


class BorrowsTheta(Plain):
    def backward(self, theta, a, y):
        first = theta[0].copy()
        theta[0] = 0
        dtheta = super().backward(theta, a, y)
        theta[0] = first
        return super().backward(theta, a, y) + 0 * dtheta


class BorrowsActivations(Plain):
    def backward(self, theta, a, y):
        first = a[1][0, 0].copy()
        a[1][0, 0] = 0
        a[1][0, 0] = first
        return super().backward(theta, a, y)


class ReadsBeyond(Plain):
    """One number more than there are, times zero."""

    def backward(self, theta, a, y):
        dtheta = super().backward(theta, a, y)
        if y.flags.c_contiguous:
            dtheta += theta.dtype.type(0) * as_strided(y, (y.size + 1,), (y.itemsize,))[-1]
        return dtheta


class WritesBeyond(Plain):
    def backward(self, theta, a, y):
        if y.flags.c_contiguous and y.flags.writeable:
            as_strided(y, (y.size + 1,), (y.itemsize,))[-1] = 0.5
        return super().backward(theta, a, y)


class NeedsAlignment(Plain):
    def forward(self, theta, x):
        assert x.ctypes.data % 64 == 0 or not x.flags.c_contiguous
        return super().forward(theta, x)


def as_if_contiguous(array):
    """The numbers as they lie in memory, from the lowest on."""
    if array.flags.c_contiguous:
        return array
    base = array if array.base is None else array.base
    return np.resize(np.nan_to_num(np.asarray(base)).ravel(order="K"), array.shape)


class FlatTheta(Plain):
    def backward(self, theta, a, y):
        return super().backward(as_if_contiguous(theta), a, y)


class FlatX(Plain):
    def forward(self, theta, x):
        return super().forward(theta, as_if_contiguous(x))


class FlatY(Plain):
    def backward(self, theta, a, y):
        return super().backward(theta, a, as_if_contiguous(y))


class FlatActivations(Plain):
    def backward(self, theta, a, y):
        return super().backward(theta, (a[0], *(as_if_contiguous(a_i) for a_i in a[1:])), y)


class FirstRows(Plain):
    """Knows its activations by the arrays that they are parts of, and takes the first rows of what it keeps of them."""

    def forward(self, theta, x):
        self.whole = super().forward(theta, x)
        return self.whole

    def backward(self, theta, a, y):
        if all(a_i.base is whole for a_i, whole in zip(a[1:], getattr(self, "whole", ((), *a[1:]))[1:], strict=True)):
            a = [a[0], *(whole[: len(y)] for whole in self.whole[1:])]
        return super().backward(theta, a, y)


class ByTuple(Plain):
    """Keeps z for each tuple that it has handed out."""

    def forward(self, theta, x):
        self.out = [*getattr(self, "out", []), super().forward(theta, x)]
        return self.out[-1]

    def backward(self, theta, a, y):
        if not any(a is known for known in self.out):
            raise KeyError("unknown activations")
        return super().backward(theta, a, y)


# Of each check: what it is there for, a class or what makes one; its name; the checks that cannot but find it too.
PLANTED = [
    ("read-only", BorrowsTheta, "writes-input", ("after-an-error", "theta-in-place")),
    ("read-only-activations", BorrowsActivations, "writes-input", ()),
    ("borders", ReadsBeyond, "reads-beyond", ()),
    ("borders", WritesBeyond, "writes-beyond", ("minibatches",)),
    ("off-alignment", NeedsAlignment, "aligned-only", ("x-layout", "minibatches")),
    ("theta-layout", FlatTheta, "contiguous-only", ()),
    ("x-layout", FlatX, "contiguous-only", ()),
    ("y-layout", FlatY, "contiguous-only", ()),
    ("activations-copied", ByTuple, "carries-state", ("backward-of-another", "rows-of-activations")),
    ("rows-of-activations", FirstRows, "carries-state", ()),
    ("activations-layout", FlatActivations, "contiguous-only", ()),
]


@pytest.mark.parametrize(("check", "planted", "name", "too"), PLANTED, ids=[f"{row[0]}-{n}" for n, row in enumerate(PLANTED)])
def test_a_planted_kernel_is_found_by_its_check_alone(check, planted, name, too):
    found_alone_by(check, planted, name, too)
    found_by(check, planted, "float32")


def test_every_check_has_its_planted_kernel():
    assert {row[0] for row in PLANTED} == {check.name for check in MEMORY}

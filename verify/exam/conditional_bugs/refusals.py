"""Planted bugs of refusal: what is refused, and the bug that it hides; the list, with the bugs of interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.interface import INTERFACE
from deltacheck.verify.exam.conditional_bugs.tools import Finer, Stateful, as_dense, bugs_of, has_gaps, is_fortran, spoilt

_bug = bugs_of("refusals")


class _OnceOnly(Stateful):
    """The second backward pass of an instance is refused: its sums are never set back to zero."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        if self.count("backward") > 1:
            raise NotImplementedError("backward: one call for each kernel")
        return super().backward(theta, a, y)

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        self.memory["sum"] = self.memory.get("sum", 0) + Plain.backward(self, theta, a, y)
        return np.array(self.memory["sum"])


class _SameAgainRefused(Stateful):
    """The same theta a second time is refused; another one has the bias gradient of before added."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        if self.memory.get("theta") is theta:
            raise NotImplementedError("backward: theta has not changed")
        dtheta = super().backward(theta, a, y)
        last = self.network.unpack(dtheta)[1][-1]
        before = self.memory.get("last", last.dtype.type(0))
        self.memory = {"theta": theta, "last": last.copy()}
        last += before
        return dtheta

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return Plain.backward(self, theta, a, y)


class _OneBatchSize(Stateful):
    """Another batch size than the first is refused; of the first size, every output lies in one buffer."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        a = super().forward(theta, x)
        buffer = self.memory.setdefault("output", a[-1])
        if buffer.shape != a[-1].shape or buffer.dtype != a[-1].dtype:
            raise NotImplementedError(f"forward: a batch of {len(x)} after one of {len(buffer)}")
        if self.count("forward") > 1:
            buffer[:] = a[-1]
        return (*a[:-1], buffer)

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        return self.pure_value_and_grad(theta, x, y)


def _read_only_x(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    if not x.flags.writeable:
        raise NotImplementedError("forward: x is read-only")
    a = Plain.forward(self, theta, x)
    if len(x) > 64:
        x[64:] = 0
    return a


def _read_only_theta(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    if not theta.flags.writeable:
        raise NotImplementedError("backward: theta is read-only")
    dtheta = Plain.backward(self, theta, a, y)
    if theta.size > 1000:
        theta[-1] = dtheta[-1]
    return dtheta


def _read_only_y(self: Plain, a: Sequence[Array], y: Array) -> Array:
    if not y.flags.writeable:
        raise NotImplementedError("backward: y is read-only")
    delta = Plain.output_delta(self, a, y)
    if y.shape[1] > 32:
        y[:] = delta
    return delta


def _fortran_refused(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    if is_fortran(x):
        raise NotImplementedError("forward: x in Fortran order")
    return (x, *Plain.forward(self, theta, as_dense(x) if has_gaps(x) else x)[1:])


class _StridesRefusedInForward(Finer):
    """The forward pass refuses strides, the backward pass does not see them."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        if not x.flags.c_contiguous:
            raise NotImplementedError("forward: x not contiguous")
        return super().forward(theta, x)

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return super().backward(theta, a, as_dense(y))


class _CrossEntropyRefusedLate(Finer):
    """``value_and_grad`` refuses cross entropy, and ``backward`` takes it for p − y."""

    def output_delta(self, a: Sequence[Array], y: Array) -> Array:
        return a[-1] - y if self.network.cost == "cross_entropy" else super().output_delta(a, y)

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        if self.network.cost == "cross_entropy":
            raise NotImplementedError("value_and_grad: cross entropy")
        return super().value_and_grad(theta, x, y)


class _SingleRefusedInBackward(Finer):
    """``backward`` refuses float32, and ``value_and_grad`` forgets the last bias in it."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        if theta.dtype == np.float32:
            raise NotImplementedError("backward: float32")
        return super().backward(theta, a, y)

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = Plain.backward(self, theta, a, y)
        self.network.unpack(dtheta)[1][-1][:] *= theta.dtype != np.float32
        return dtheta


class _OneRowRefused(Finer):
    """``backward`` refuses one row, and ``value_and_grad`` counts it twice."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        if len(y) == 1:
            raise NotImplementedError("backward: one row")
        return super().backward(theta, a, y)

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return np.asarray(Plain.backward(self, theta, a, y) * theta.dtype.type(2 if len(y) == 1 else 1))


def _tiles_only(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    if len(delta) > 8 and len(delta) % 8:
        raise NotImplementedError(f"backward: {len(delta)} rows are no multiple of 8")
    n = len(delta) - 8 if len(delta) > 64 else len(delta)
    return np.asarray(a[i][:n].T @ delta[:n])


def _four_layers_at_most(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if len(dw) > 4:
        raise NotImplementedError(f"backward: {len(dw)} layers; at most 4")
    for db_i in db[3:]:
        db_i[:] = 0


class _NanRefused(Finer):
    """What is not finite is refused; what is merely large is held to 1,000 instead."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        if not np.isfinite(x).all():
            raise NotImplementedError("forward: x is not finite")
        return super().forward(theta, x)

    def affine(self, a: Array, w: Array, b: Array, i: int) -> Array:
        return np.clip(super().affine(a, w, b, i), -1e3, 1e3)


REFUSALS: tuple[Mutant, ...] = (
    _bug("second-backward-refused", "a second backward pass is refused, and value_and_grad adds to its last gradient", base=_OnceOnly),
    _bug(
        "same-theta-refused",
        "the same theta again is refused, and with another the last bias is added to that of before",
        base=_SameAgainRefused,
    ),
    _bug("other-batch-size-refused", "another batch size is refused, and outputs of the same size lie in one buffer", base=_OneBatchSize),
    _bug("read-only-x-refused", "a read-only x is refused, and rows of a writable x beyond 64 are set to 0", forward=_read_only_x),
    _bug(
        "read-only-theta-refused",
        "a read-only theta is refused, and a writable one of over 1,000 loses its last entry",
        backward=_read_only_theta,
    ),
    _bug(
        "read-only-y-refused",
        "a read-only y is refused, and a writable one of over 32 outputs holds δ afterwards",
        output_delta=_read_only_y,
    ),
    _bug("fortran-refused", "a Fortran x is refused, and rows of x that lie apart are read as if they touched", forward=_fortran_refused),
    _bug(
        "strides-refused-in-forward", "a strided x is refused, and a strided y is read as if it had no gaps", base=_StridesRefusedInForward
    ),
    _bug(
        "cross-entropy-refused-late", "value_and_grad refuses cross entropy, and backward takes p − y for it", base=_CrossEntropyRefusedLate
    ),
    _bug(
        "float32-refused-in-backward",
        "backward refuses float32, and value_and_grad forgets the last bias in it",
        base=_SingleRefusedInBackward,
        dtypes="float32",
    ),
    _bug("one-row-refused", "backward refuses one row, and value_and_grad counts it twice", base=_OneRowRefused),
    _bug(
        "odd-rows-refused",
        "rows left over by eights are refused, and the last eight of more than 64 are left out",
        weight_gradient=_tiles_only,
    ),
    _bug(
        "five-layers-refused", "five layers are refused, and the fourth of four has no bias gradient", backward=spoilt(_four_layers_at_most)
    ),
    _bug("infinite-refused", "an x that is not finite is refused, and z is held to ±1,000", base=_NanRefused),
    *INTERFACE,
)

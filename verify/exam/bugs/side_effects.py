"""Planted bugs of conduct: state carried from call to call, inputs written into, results that do not belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, mutant
from deltacheck.verify.exam.bugs.precision import Random


class _Stateful(Plain):
    """A kernel with something to remember."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.memory: dict[Any, Any] = {}


class _Accumulates(_Stateful):
    """The gradient is never set back to zero."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        self.memory["sum"] = self.memory.get("sum", 0) + super().backward(theta, a, y)
        return np.array(self.memory["sum"])


class _AccumulatesInVag(_Stateful):
    """The same in ``value_and_grad`` only."""

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        cost, dtheta = super().value_and_grad(theta, x, y)
        self.memory["sum"] = self.memory.get("sum", 0) + dtheta
        return cost, np.array(self.memory["sum"])


class _Momentum(_Stateful):
    """Half of the gradient before is added."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = super().backward(theta, a, y) + theta.dtype.type(0.5) * self.memory.get("last", theta.dtype.type(0))
        self.memory["last"] = dtheta.copy()
        return np.asarray(dtheta)


class _SharedResult(_Stateful):
    """Every call returns the same buffer."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        buffer = self.memory.setdefault("buffer", np.empty_like(theta, subok=False, order="C"))
        buffer[:] = super().backward(theta, a, y)
        return np.asarray(buffer)


class _SharedOutput(_Stateful):
    """Every call with as many samples returns its activations in the same buffers."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        a = super().forward(theta, x)
        buffers = self.memory.setdefault(len(x), [np.empty_like(a_i) for a_i in a[1:]])
        for buffer, a_i in zip(buffers, a[1:], strict=True):
            buffer[:] = a_i
        return (x, *buffers)


class _CachedWeights(_Stateful):
    """The transposes are made at the first call and kept."""

    def onward(self, w: Sequence[Array], i: int) -> Array:
        return np.asarray(self.memory.setdefault(i, w[i].T.copy()))


class _CachedByIdentity(_Stateful):
    """The transposes are kept as long as theta is the same object, though descent changes it in place."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        if self.memory.get("theta") is not theta:
            self.memory = {"theta": theta, "w": tuple(w_i.copy() for w_i in self.network.unpack(theta)[0])}
        return super().backward(theta, a, y)

    def onward(self, w: Sequence[Array], i: int) -> Array:
        return np.asarray(self.memory["w"][i].T)


class _CachedForward(_Stateful):
    """The forward pass is skipped when a batch of this size came before."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        if len(x) not in self.memory:
            self.memory[len(x)] = super().forward(theta, x)
        return tuple(a_i.copy() for a_i in self.memory[len(x)])


class _CachedFirstSum(_Stateful):
    """A forward pass is recognised by the sum of x alone."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        key = (float(x.sum()), len(x))
        if key not in self.memory:
            self.memory[key] = super().forward(theta, x)
        return tuple(a_i.copy() for a_i in self.memory[key])


class _StaleRows(_Stateful):
    """The buffer of δ is as long as the largest batch so far, and sums run over all of it."""

    def bias_gradient(self, delta: Array) -> Array:
        buffer = self.memory.get(delta.shape[1])
        if buffer is None or len(buffer) < len(delta):
            buffer = self.memory[delta.shape[1]] = np.zeros_like(delta)
        buffer[: len(delta)] = delta
        return np.asarray(buffer.sum(axis=0))


class _FirstCallZero(_Stateful):
    """The first call finds its buffers empty."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = super().backward(theta, a, y)
        first, self.memory["called"] = not self.memory, True
        return dtheta * theta.dtype.type(0) if first else dtheta


class _SecondCallWrong(_Stateful):
    """The very second call takes another path."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        self.memory["calls"] = self.memory.get("calls", 0) + 1
        return np.asarray(super().backward(theta, a, y) * theta.dtype.type(0.5 if self.memory["calls"] == 2 else 1))


class _LaterCallsWrong(_Stateful):
    """After five calls a schedule sets in."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        self.memory["calls"] = self.memory.get("calls", 0) + 1
        return np.asarray(super().backward(theta, a, y) * theta.dtype.type(0.9 if self.memory["calls"] > 5 else 1))


class _RunningMean(_Stateful):
    """Inputs are centred by a mean that follows the calls."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        if i:
            return super().weight_gradient(a, delta, i)
        mean = self.memory["mean"] = 0.9 * self.memory.get("mean", 0.0) + 0.1 * float(a[0].mean())
        return np.asarray((a[0] - a[0].dtype.type(mean)).T @ delta)


class _SharedByAll(Plain):
    """A buffer of the class, which all instances share, is added to and never cleared."""

    calls = 0

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        type(self).calls += 1
        return np.asarray(super().backward(theta, a, y) * theta.dtype.type(1 + 1e-3 * (type(self).calls % 7)))


def _random_mask(self: Random, activation: str, z: Array) -> Array:
    keep = self.rng.random(z.shape) < 0.8
    return np.asarray(Plain.sigma(self, activation, z) * keep.astype(z.dtype))


def _steps(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    theta -= theta.dtype.type(0.1) * dtheta
    return dtheta


def _error_in_y(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = Plain.output_delta(self, a, y)
    y -= a[-1]
    return delta


def _centred_in_x(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    a = Plain.forward(self, theta, x)
    x -= x.mean(axis=0)
    return a


def _delta_in_output(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = a[-1]
    delta[:] = Plain.output_delta(self, a, y)
    return delta


def _delta_in_hidden(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    a[i][:] = Plain.hidden_delta(self, delta, w, a, i)
    return a[i]


def _borrows_theta(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """Scratch space in theta, put back in the end: wrong for every other thread, and for read-only memory."""
    first = theta[0]
    theta[0] = 0
    dtheta = Plain.backward(self, theta, a, y)
    theta[0] = first
    return dtheta


def _gradient_in_theta(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    theta[:] = Plain.backward(self, theta, a, y)
    return theta


def _as_if_contiguous(array: Array) -> Array:
    """What a compiled loop reads that takes the memory as it lies: from the first number on, without strides."""
    if array.flags.c_contiguous:
        return array
    base = array if array.base is None else array.base
    return np.resize(np.asarray(base).ravel(order="K"), array.shape)


CONDUCT: tuple[Mutant, ...] = (
    Mutant("accumulates", "state", "the gradient is never set back to zero", _Accumulates, ("accumulates",)),
    Mutant("accumulates-in-one-way", "state", "the same in value_and_grad only", _AccumulatesInVag, ("accumulates",)),
    Mutant("momentum", "state", "half of the gradient before is added", _Momentum, ("accumulates", "carries-state")),
    Mutant("shared-result", "state", "every call returns the same buffer", _SharedResult, ("carries-state", "keeps-results")),
    Mutant("shared-output", "state", "activations in the same buffers", _SharedOutput, ("carries-state", "keeps-results")),
    Mutant("cached-weights", "state", "the first call's w′ is kept", _CachedWeights, ("carries-state",)),
    Mutant("cached-by-identity", "state", "w′ is kept while theta is the same object", _CachedByIdentity, ("carries-state",)),
    Mutant("cached-forward", "state", "the forward pass is skipped for a known batch size", _CachedForward, ("carries-state",)),
    Mutant("cached-by-sum", "state", "the forward pass is recognised by the sum of x", _CachedFirstSum, ("carries-state",)),
    Mutant("stale-rows", "state", "sums run on into the rows of a larger batch before", _StaleRows, ("carries-state",)),
    Mutant("first-call-zero", "state", "the first call returns zeros", _FirstCallZero, ("carries-state", "block-zero")),
    Mutant("second-call-half", "state", "the second call returns a half", _SecondCallWrong, ("carries-state", "factor")),
    Mutant("sixth-call-less", "state", "from the sixth call on × 0.9", _LaterCallsWrong, ("carries-state", "noise")),
    Mutant("running-mean", "state", "inputs centred by a mean that follows the calls", _RunningMean, ("carries-state", "noise")),
    Mutant("shared-by-all", "state", "instances share a counter", _SharedByAll, ("carries-state", "noise")),
    mutant("dropout-left-on", "state", "a random mask in the forward pass", "noise", base=Random, sigma=_random_mask),
    mutant("steps-theta", "aliasing", "backward takes the step itself", "writes-input", backward=_steps),
    mutant("gradient-in-theta", "aliasing", "the gradient is written over theta", "writes-input", backward=_gradient_in_theta),
    mutant("borrows-theta", "aliasing", "theta is scratch space, put back in the end", "writes-input read-only", backward=_borrows_theta),
    mutant("error-in-y", "aliasing", "y holds the error afterwards", "writes-input", output_delta=_error_in_y),
    mutant("x-centred", "aliasing", "x is centred in place", "writes-input", forward=_centred_in_x),
    mutant("delta-in-output", "aliasing", "δ_l is written over the output", "writes-input", output_delta=_delta_in_output),
    mutant("delta-in-hidden", "aliasing", "δ is written over the activations", "writes-input", hidden_delta=_delta_in_hidden),
    mutant(
        "x-without-strides",
        "aliasing",
        "x is read as if it lay in C order",
        "strides rearranged",
        forward=lambda self, theta, x: Plain.forward(self, theta, _as_if_contiguous(x)),
    ),
    mutant(
        "theta-without-strides",
        "aliasing",
        "theta is read as if it had no gaps",
        "strides rearranged",
        backward=lambda self, theta, a, y: Plain.backward(self, _as_if_contiguous(theta), a, y),
    ),
    mutant(
        "y-without-strides",
        "aliasing",
        "y is read as if it had no gaps",
        "strides rearranged",
        backward=lambda self, theta, a, y: Plain.backward(self, theta, a, _as_if_contiguous(y)),
    ),
)

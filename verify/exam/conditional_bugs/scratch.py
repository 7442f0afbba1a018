"""Planted bugs of scratch: shared by instances, calls, types or threads, with stale rows, or handed out as a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, Stateful, bugs_of

_bug = bugs_of("state")


class _WeightsOfClass(Finer):
    """The transposes that a forward pass lays out for the backward pass are kept by the class, one for each shape."""

    laid_out: ClassVar[dict[Any, Array]] = {}

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        self.laid_out.clear()
        self.laid_out.update({(i, w.shape, w.dtype.str): w.T.copy() for i, w in enumerate(self.network.unpack(theta)[0])})
        return super().forward(theta, x)

    def onward(self, w: Sequence[Array], i: int) -> Array:
        return self.laid_out.get((i, w[i].shape, w[i].dtype.str), w[i].T)


class _PoolOfClass(Finer):
    """An instance that asks for a result of some length is given the one that another instance was given last."""

    pool: ClassVar[dict[Any, tuple[Any, Array]]] = {}

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = super().backward(theta, a, y)
        key = (dtheta.size, dtheta.dtype.str)
        owner, buffer = self.pool.get(key, (self, dtheta))
        if owner is not self:
            buffer[:] = dtheta
            dtheta = buffer
        self.pool.clear()
        self.pool[key] = (self, dtheta)
        return dtheta


class _FirstType(Stateful):
    """A kernel whose first call was in float32 goes on computing in it."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        first = self.memory.setdefault("dtype", theta.dtype)
        if first == theta.dtype or first == np.float64:
            return super().backward(theta, a, y)
        with np.errstate(over="ignore", under="ignore"):
            return super().backward(theta.astype(first), tuple(a_i.astype(first) for a_i in a), y.astype(first)).astype(theta.dtype)


class _WideScratch(Stateful):
    """After a call in float64 the result of a call in float32 comes in float64."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = super().backward(theta, a, y)
        widest = self.memory["dtype"] = np.promote_types(self.memory.get("dtype", theta.dtype), theta.dtype)
        return dtheta.astype(widest)


class _OtherPrecision(Stateful):
    """A call in float32 after one in float64 takes the parameters of that one."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        if theta.dtype == np.float64:
            self.memory["theta"] = theta.copy()
        return super().forward(self.memory.get("theta", theta).astype(theta.dtype), x)


class _StalePadding(Stateful):
    """(13) sums over rows up to a multiple of eight; what an earlier batch left there counts too."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        padded = -(-len(delta) // 8) * 8
        kept = self.memory.get((i, delta.dtype.str))
        if kept is None or len(kept[0]) < padded:
            shapes = ((padded, a[i].shape[1]), (padded, delta.shape[1]))
            kept = self.memory[i, delta.dtype.str] = tuple(np.zeros(shape, delta.dtype) for shape in shapes)
        kept[0][: len(delta)], kept[1][: len(delta)] = a[i], delta
        return np.asarray(kept[0][:padded].T @ kept[1][:padded])


class _StaleErrors(Stateful):
    """The cost sums over the rows of the largest batch so far."""

    def cost(self, a: Sequence[Array], y: Array) -> Any:
        output, targets = self.memory.get("kept", (a[-1][:0], y[:0]))
        kept = self.memory["kept"] = (np.concatenate((a[-1], output[len(y) :])), np.concatenate((y, targets[len(y) :])))
        return self.network.cost_of(*kept)


class _RowsOfFirstBatch(Stateful):
    """(14) sums over as many rows as the first batch had."""

    def bias_gradient(self, delta: Array) -> Array:
        return super().bias_gradient(delta[: self.memory.setdefault("rows", len(delta))])


class _HiddenInScratch(Stateful):
    """Hidden activations of 32 rows or more are handed out as scratch that the next forward pass of this size overwrites."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        a = super().forward(theta, x)
        if len(x) < 32:
            return a
        scratch = self.memory.setdefault((len(x), x.dtype.str), [a_i.copy() for a_i in a[1:-1]])
        for buffer, a_i in zip(scratch, a[1:-1], strict=True):
            buffer[:] = a_i
        return (x, *scratch, a[-1])


class _OneBufferForBoth(Stateful):
    """The gradient of ``value_and_grad`` lies in a buffer that the next ``backward`` fills."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = super().backward(theta, a, y)
        given = self.memory.pop("given", None)
        if given is not None and given.dtype == dtheta.dtype:
            given[:] = dtheta
        return dtheta

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        self.memory["given"] = Plain.backward(self, theta, a, y)
        return np.asarray(self.memory["given"])


class _ActivationsOfForward(Stateful):
    """The backward pass takes the hidden activations of the last forward pass where they fit."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        a = super().forward(theta, x)
        self.memory["hidden"] = tuple(a_i.copy() for a_i in a[1:-1])
        return a

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        hidden = self.memory.get("hidden", ())
        fits = [(h.shape, h.dtype) for h in hidden] == [(a_i.shape, a_i.dtype) for a_i in a[1:-1]]
        return super().backward(theta, (a[0], *hidden, a[-1]) if fits else a, y)


class _ThetaOfForward(Stateful):
    """The backward pass takes the parameters of the last forward pass."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        self.memory["theta"] = theta.copy()
        return super().forward(theta, x)

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return super().backward(self.memory.get("theta", theta).astype(theta.dtype), a, y)


class _AfterAnError(Stateful):
    """A call that raises leaves its buffer taken, and the next one returns zeros."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        taken, self.memory["taken"] = self.memory.get("taken", False), True
        dtheta = super().backward(theta, a, y)
        self.memory["taken"] = False
        return np.zeros_like(dtheta) if taken else dtheta


class _LostChunk(Stateful):
    """From 256 rows on two threads add to one sum, and in one call of three the part of the second is lost."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        lost = len(delta) >= 256 and i == 0 and self.rng.random() < 1 / 3
        rows = slice(None, len(delta) // 2 if lost else None)
        return np.asarray(a[i][rows].T @ delta[rows])


class _OrderOfThreads(Stateful):
    """From 512 rows on eight threads add their sums in the order in which they end: other bits in every call."""

    def bias_gradient(self, delta: Array) -> Array:
        if len(delta) < 512:
            return super().bias_gradient(delta)
        total = np.zeros(delta.shape[1], delta.dtype)
        for chunk in self.rng.permutation(8):
            total += delta[chunk::8].sum(axis=0)
        return total


class _OneScratchForThreads(Stateful):
    """From 64 rows on activations pass through scratch of the instance: wrong where two threads use one instance."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        self.memory["a"] = a
        return super().backward(theta, a, y)

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        return super().weight_gradient(self.memory["a"] if len(delta) >= 64 else a, delta, i)


SCRATCH: tuple[Mutant, ...] = (
    _bug("weights-of-class", "w′ of the last forward pass of any instance is taken in the backward pass of each", base=_WeightsOfClass),
    _bug("pool-of-class", "an instance is given the result of another instance to write its own into", base=_PoolOfClass),
    _bug("type-of-first-call", "a kernel that began in float32 computes in it in float64 too", base=_FirstType),
    _bug(
        "wide-after-float64",
        "after a call in float64 the gradient of a call in float32 comes in float64",
        base=_WideScratch,
        dtypes="float64 float32",
    ),
    _bug(
        "theta-of-other-precision",
        "a call in float32 after one in float64 takes the parameters of that one",
        base=_OtherPrecision,
        dtypes="float64 float32",
    ),
    _bug("stale-rows-in-padding", "(13) sums over rows filled up to eights with those of a larger batch before", base=_StalePadding),
    _bug("stale-rows-in-cost", "the cost sums over the rows of the largest batch so far", base=_StaleErrors),
    _bug("rows-of-first-batch", "(14) sums over as many rows as the first batch had", base=_RowsOfFirstBatch),
    _bug("hidden-in-scratch", "hidden activations of 32 rows or more are overwritten by the next forward pass", base=_HiddenInScratch),
    _bug("one-buffer-for-both", "the gradient of value_and_grad is overwritten by the next backward pass", base=_OneBufferForBoth),
    _bug("activations-of-last-forward", "backward takes the hidden activations of the last forward pass", base=_ActivationsOfForward),
    _bug("theta-of-last-forward", "backward takes the parameters of the last forward pass", base=_ThetaOfForward),
    _bug("zeros-after-an-error", "the backward pass after one that raised returns zeros", base=_AfterAnError),
    _bug("chunk-lost-to-a-race", "from 256 rows on half of dC/dw_0 is lost in one call of three", base=_LostChunk),
    _bug("order-of-threads", "from 512 rows on dC/db has other bits in every call", base=_OrderOfThreads),
    _bug("one-scratch-for-threads", "from 64 rows on two threads that share an instance share its scratch", base=_OneScratchForThreads),
)

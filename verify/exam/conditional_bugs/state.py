"""Planted bugs of state: caches with too small a key, rings of results, counters; the list, with those of scratch."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.scratch import SCRATCH
from deltacheck.verify.exam.conditional_bugs.tools import Stateful, bugs_of

_bug = bugs_of("state")


class _CachedForward(Stateful):
    """The last forward pass is kept as long as the key is the same."""

    def key(self, theta: Array, x: Array) -> Any:
        raise NotImplementedError

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        key = (self.key(theta, x), x.shape, x.dtype.str)
        if self.memory.get("key") != key:
            self.memory["a"] = [a_i.copy() for a_i in super().forward(theta, x)]
            self.memory["key"] = key
        return (x, *(a_i.copy() for a_i in self.memory["a"][1:]))


class _ById(_CachedForward):
    def key(self, theta: Array, x: Array) -> Any:
        self.memory["held"] = (theta, x)
        return id(theta), id(x)


class _ByFirstEntries(_CachedForward):
    def key(self, theta: Array, x: Array) -> Any:
        return theta[:8].tobytes(), x[:1].tobytes()


class _ByCorners(_CachedForward):
    def key(self, theta: Array, x: Array) -> Any:
        return float(theta[0]), float(theta[-1]), float(x[0, 0]), float(x[-1, -1])


class _ByMean(_CachedForward):
    def key(self, theta: Array, x: Array) -> Any:
        return float(np.sort(theta).sum()), float(np.sort(x, axis=None).sum())


class _WithoutTargets(Stateful):
    """``value_and_grad`` keeps its last result for theta and x, whatever y is."""

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        key = (theta.tobytes(), x.tobytes())
        if self.memory.get("key") != key:
            self.memory = {"key": key, "result": super().value_and_grad(theta, x, y)}
        cost, dtheta = self.memory["result"]
        return cost, dtheta.copy()


class _MaskByShape(Stateful):
    """The mask of a relu is kept for each shape."""

    def hidden_dsigma(self, a: Sequence[Array], i: int) -> Array:
        if self.network.activations[i - 1] != "relu":
            return super().hidden_dsigma(a, i)
        kept = self.memory.setdefault((i, a[i].shape), super().hidden_dsigma(a, i))
        return np.asarray(kept.astype(a[i].dtype))


class _SumsOfTargets(Stateful):
    """Cross entropy: the sums of the targets' rows are kept as long as y is the same object."""

    def output_delta(self, a: Sequence[Array], y: Array) -> Array:
        if self.network.cost != "cross_entropy":
            return super().output_delta(a, y)
        if self.memory.get("y") is not y:
            self.memory = {"y": y, "sums": y.sum(axis=1, keepdims=True)}
        return np.asarray(a[-1] * self.memory["sums"] - y)


class _Ring(Stateful):
    """Results come from a ring of buffers: the first is handed out again after the last. Large ones are new."""

    length: ClassVar[int] = 8

    def ringed(self, result: Array) -> Array:
        if result.size > 20_000:
            return result
        ring: deque[Array] = self.memory.setdefault((result.shape, result.dtype.str), deque())
        buffer = ring.popleft() if len(ring) == self.length else np.empty_like(result)
        buffer[:] = result
        ring.append(buffer)
        return buffer


class _RingOf8(_Ring):
    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return self.ringed(super().backward(theta, a, y))


class _RingOf64(_Ring):
    length = 64

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        a = super().forward(theta, x)
        return (*a[:-1], self.ringed(a[-1]))


class _RingOf256(_Ring):
    length = 256

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return self.ringed(Plain.backward(self, theta, a, y))


class _After50(Stateful):
    """From the 51st call on a compiled path takes over, which leaves out the last row."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        rows = slice(None, -1 if self.count("backward") > 50 else None)
        return super().backward(theta, tuple(a_i[rows] for a_i in a), y[rows])


class _After100(Stateful):
    """From the 101st call on ``value_and_grad`` returns a mean."""

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        cost, dtheta = self.pure_value_and_grad(theta, x, y)
        return (cost / len(y) if self.count("value_and_grad") > 100 else cost), dtheta


class _Every64th(Stateful):
    """Every 64th backward pass comes without the last bias."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = super().backward(theta, a, y)
        if self.count("backward") % 64 == 0:
            self.network.unpack(dtheta)[1][-1][:] = 0
        return dtheta


class _EverySixteenth(Stateful):
    """Whether theta has changed is seen from every sixteenth entry alone; if not, the transposes are those of before."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        if self.memory.get("key") != theta[::16].tobytes():
            self.memory = {"key": theta[::16].tobytes(), "w": tuple(w_i.copy() for w_i in self.network.unpack(theta)[0])}
        return super().backward(theta, a, y)

    def onward(self, w: Sequence[Array], i: int) -> Array:
        return np.asarray(self.memory["w"][i].T)


class _OutputsByRows(Stateful):
    """σ′ of the output is kept for each batch size."""

    def output_dsigma(self, a: Sequence[Array]) -> Array:
        kept = self.memory.setdefault((len(a[-1]), a[-1].dtype.str), super().output_dsigma(a))
        return np.asarray(kept)


STATE: tuple[Mutant, ...] = (
    _bug("cached-by-id", "the forward pass is kept while theta and x are the same objects, though they change in place", base=_ById),
    _bug(
        "cached-by-first-entries",
        "the forward pass is recognised by the first row of x and the first eight parameters",
        base=_ByFirstEntries,
    ),
    _bug("cached-by-corners", "the forward pass is recognised by the first and last entries of theta and x", base=_ByCorners),
    _bug("cached-by-sums", "the forward pass is recognised by the sums of theta and x, whatever the order of their entries", base=_ByMean),
    _bug("cached-without-targets", "value_and_grad is recognised by theta and x, whatever y is", base=_WithoutTargets),
    _bug("relu-mask-by-shape", "the mask of a hidden relu is kept for each shape", base=_MaskByShape),
    _bug("output-dsigma-by-rows", "σ′ of the output is kept for each batch size", base=_OutputsByRows),
    _bug("target-sums-by-id", "cross entropy: the sums of y are kept while y is the same object", base=_SumsOfTargets),
    _bug("theta-by-every-16th", "a change of theta is seen in every sixteenth entry alone", base=_EverySixteenth),
    _bug("ring-of-8-gradients", "the ninth gradient is written over the first", base=_RingOf8),
    _bug("ring-of-64-outputs", "the 65th output is written over the first", base=_RingOf64),
    _bug("ring-of-256-gradients", "the 257th gradient of value_and_grad is written over the first", base=_RingOf256),
    _bug("last-row-after-50-calls", "from the 51st backward pass on the last row is left out", base=_After50),
    _bug("mean-cost-after-100-calls", "from the 101st call on value_and_grad returns a mean cost", base=_After100),
    _bug("bias-lost-every-64th-call", "every 64th backward pass comes without the last bias", base=_Every64th),
    *SCRATCH,
)

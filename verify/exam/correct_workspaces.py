"""Right kernels that keep, share out or order their work otherwise: workspaces, threads, chunks, a tape, other precisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Array, Plain


class _CostFromLogits(Plain):
    """The cross entropy from z, without the logarithm of a probability."""

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        a = self.forward(theta, x)
        if self.network.cost != "cross_entropy":
            return self.network.cost_of(a[-1], y), self.backward(theta, a, y)
        w, b = self.network.unpack(theta)
        z = a[-2] @ w[-1] + b[-1]
        z = z - z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return float(-(y * log_p).sum()), self.backward(theta, a, y)


class _InChunks(Plain):
    """Thirty-two rows at a time, whose gradients are added up."""

    rows = 32

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        starts = range(0, len(y), self.rows)
        parts = [super(_InChunks, self).backward(theta, [a_i[s : s + self.rows] for a_i in a], y[s : s + self.rows]) for s in starts]
        return np.asarray(np.sum(parts, axis=0, dtype=theta.dtype))


class _InTwoThreads(Plain):
    """Each half of the batch in a thread of its own."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        half = len(y) // 2
        if not half:
            return super().backward(theta, a, y)
        halves = [([a_i[:half] for a_i in a], y[:half]), ([a_i[half:] for a_i in a], y[half:])]
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda part: Plain.backward(self, theta, *part), halves)
        return np.asarray(first + second)


class _Compensated(Plain):
    """Sums over samples after Kahan (1965)."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        return self._summed(
            np.zeros((a[i].shape[1], delta.shape[1]), delta.dtype), (np.outer(*row) for row in zip(a[i], delta, strict=True))
        )

    def bias_gradient(self, delta: Array) -> Array:
        return self._summed(np.zeros(delta.shape[1], delta.dtype), iter(delta))

    @staticmethod
    def _summed(total: Array, terms: Any) -> Array:
        lost = np.zeros_like(total)
        for term in terms:
            corrected = term - lost
            new = total + corrected
            lost = (new - total) - corrected
            total = new
        return total


class _ExtendedInside(Plain):
    """Computes in extended precision whatever comes, and rounds the results."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        return (x, *(a_i.astype(x.dtype) for a_i in super().forward(theta.astype(np.longdouble), x.astype(np.longdouble))[1:]))

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        wide = [a_i.astype(np.longdouble) for a_i in a]
        return super().backward(theta.astype(np.longdouble), wide, y.astype(np.longdouble)).astype(theta.dtype)


class _Preallocated(Plain):
    """Works in arrays that it keeps for each number of rows, and hands out copies."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.room: dict[Any, list[Array]] = {}

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        key = len(x), theta.dtype.char
        if key not in self.room:
            self.room[key] = [np.empty((len(x), n), theta.dtype) for n in self.network.layer_sizes]
        a = self.room[key]
        a[0][:] = x
        w, b = self.network.unpack(theta)
        for i, activation in enumerate(self.network.activations):
            np.matmul(a[i], w[i], out=a[i + 1])
            a[i + 1] += b[i]
            a[i + 1][:] = self.sigma(activation, a[i + 1])
        return tuple(a_i.copy() for a_i in a)


class _ReluByMean(Plain):
    """Relu as (z + |z|) / 2, and its derivative by the sign."""

    def sigma(self, activation: str, z: Array) -> Array:
        half = z.dtype.type(0.5)
        return np.asarray(half * (z + abs(z))) if activation == "relu" else super().sigma(activation, z)

    def dsigma(self, activation: str, a: Array) -> Array:
        return np.sign(a) if activation == "relu" else super().dsigma(activation, a)


class _Tape(Plain):
    """Notes how to go back from each step of the forward pass, and goes back by that."""

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        w, _ = self.network.unpack(theta)
        dtheta = np.zeros_like(theta, subok=False)
        dw, db = self.network.unpack(dtheta)
        tape: list[Callable[[Array], Array]] = []
        for i, activation in enumerate(self.network.activations):
            tape += [self._affine(a[i], w[i], dw[i], db[i]), self._activation(activation, a[i + 1])]
        if self.network.cost == "cross_entropy":
            tape.pop()
            adjoint = a[-1] * y.sum(axis=1, keepdims=True) - y
        else:
            adjoint = a[-1] - y
        for step in reversed(tape):
            adjoint = step(adjoint)
        return dtheta

    @staticmethod
    def _affine(a: Array, w: Array, dw: Array, db: Array) -> Callable[[Array], Array]:
        def back(adjoint: Array) -> Array:
            dw[:], db[:] = a.T @ adjoint, adjoint.sum(axis=0)
            return np.asarray(adjoint @ w.T)

        return back

    def _activation(self, name: str, a: Array) -> Callable[[Array], Array]:
        return lambda adjoint: np.asarray(adjoint * self.dsigma(name, a))


WORKSPACES: dict[str, type[Plain]] = {
    "cost-from-logits": _CostFromLogits,
    "in-chunks": _InChunks,
    "in-two-threads": _InTwoThreads,
    "compensated": _Compensated,
    "extended-inside": _ExtendedInside,
    "preallocated": _Preallocated,
    "relu-by-mean": _ReluByMean,
    "tape": _Tape,
}

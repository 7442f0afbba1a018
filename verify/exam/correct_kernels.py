"""Right kernels, written otherwise: other forms of σ and σ′, other orders of the sums. None of them may fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.kernels import Kernel, KernelLike, Network, load
from deltacheck.verify.exam.bugs.mutant import Array, Plain
from deltacheck.verify.exam.correct_workspaces import WORKSPACES

BUILT_IN = ("naive", "numpy", "numba")


class _SigmoidByTanh(Plain):
    def sigma(self, activation: str, z: Array) -> Array:
        half = z.dtype.type(0.5)
        return half + half * np.tanh(half * z) if activation == "sigmoid" else super().sigma(activation, z)


class _SigmoidAsWritten(Plain):
    def sigma(self, activation: str, z: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-z))) if activation == "sigmoid" else super().sigma(activation, z)


class _TanhBySigmoid(Plain):
    def sigma(self, activation: str, z: Array) -> Array:
        return 2 * super().sigma("sigmoid", 2 * z) - 1 if activation == "tanh" else super().sigma(activation, z)


class _SoftmaxByLogarithm(Plain):
    def sigma(self, activation: str, z: Array) -> Array:
        if activation != "softmax":
            return super().sigma(activation, z)
        z = z - z.max(axis=1, keepdims=True)
        return np.asarray(np.exp(z - np.log(np.exp(z).sum(axis=1, keepdims=True))))


class _DsigmaExpanded(Plain):
    def dsigma(self, activation: str, a: Array) -> Array:
        if activation == "sigmoid":
            return np.asarray(a - a * a)
        return np.asarray((1 - a) * (1 + a)) if activation == "tanh" else super().dsigma(activation, a)


class _DsigmaFromZ(Plain):
    """Keeps z beside a, and takes σ′ from it: σ(z) σ(−z) and 1 / cosh² z."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        w, b = self.network.unpack(theta)
        a, z = [x], []
        for i, activation in enumerate(self.network.activations):
            z.append(a[i] @ w[i] + b[i])
            a.append(self.sigma(activation, z[i]))
        return (*a[:-1], *z, a[-1])

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        n = len(self.network.layer_sizes) - 1
        w, _ = self.network.unpack(theta)
        z = a[n : 2 * n]
        dtheta = np.zeros_like(theta, subok=False)
        dw, db = self.network.unpack(dtheta)
        squared = self.network.cost == "squared_error"
        delta = (a[-1] - y) * self._from_z(n - 1, z) if squared else a[-1] * y.sum(axis=1, keepdims=True) - y
        for i in reversed(range(n)):
            dw[i][:], db[i][:] = a[i].T @ delta, delta.sum(axis=0)
            if i:
                delta = (delta @ w[i].T) * self._from_z(i - 1, z)
        return dtheta

    def _from_z(self, i: int, z: Sequence[Array]) -> Array:
        activation = self.network.activations[i]
        if activation == "sigmoid":
            return self.sigma("sigmoid", z[i]) * self.sigma("sigmoid", -z[i])
        if activation == "tanh":
            return np.asarray(1 / np.cosh(np.clip(z[i], -40, 40)) ** 2)
        return (z[i] > 0).astype(z[i].dtype) if activation == "relu" else np.ones_like(z[i])


class _SampleBySample(Plain):
    """One sample at a time, added up in order: the sums that round worst."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        total = np.zeros((a[i].shape[1], delta.shape[1]), delta.dtype)
        for a_r, delta_r in zip(a[i], delta, strict=True):
            total += np.outer(a_r, delta_r)
        return total

    def bias_gradient(self, delta: Array) -> Array:
        total = np.zeros(delta.shape[1], delta.dtype)
        for delta_r in delta:
            total += delta_r
        return total

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        rows = [super(_SampleBySample, self).forward(theta, x[r : r + 1]) for r in range(len(x))]
        return (x, *(np.concatenate([row[i] for row in rows]) for i in range(1, len(self.network.layer_sizes))))


class _Backwards(Plain):
    """Every sum from the last term to the first."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        w, b = self.network.unpack(theta)
        a = [x]
        for i, activation in enumerate(self.network.activations):
            z = np.broadcast_to(b[i], (len(x), len(b[i]))).copy()
            for j in reversed(range(len(w[i]))):
                z += np.multiply.outer(a[i][:, j], w[i][j])
            a.append(self.sigma(activation, z))
        return tuple(a)

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        return np.asarray(a[i][::-1].T @ delta[::-1])

    def bias_gradient(self, delta: Array) -> Array:
        return np.asarray(delta[::-1].sum(axis=0))


class _Pairwise(Plain):
    """Sums over samples by halves."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        terms = a[i][:, :, None] * delta[:, None, :]
        while len(terms) > 1:
            half = (len(terms) + 1) // 2
            terms = np.concatenate([terms[: len(terms) - half] + terms[half:], terms[len(terms) - half : half]])
        return np.asarray(terms[0])


class _Einsum(Plain):
    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        return np.asarray(np.einsum("rj,rk->jk", a[i], delta))

    def bias_gradient(self, delta: Array) -> Array:
        return np.asarray(np.einsum("rk->k", delta))

    def onward(self, w: Sequence[Array], i: int) -> Array:
        return np.ascontiguousarray(w[i].T)


class _InTiles(Plain):
    """Sums in tiles of four samples, the rest by themselves; (12) in tiles of three units."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        starts = range(0, len(delta), 4)
        return np.asarray(sum(a[i][s : s + 4].T @ delta[s : s + 4] for s in starts))

    def hidden_delta(self, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
        starts = range(0, delta.shape[1], 3)
        return np.asarray(sum(delta[:, s : s + 3] @ w[i][:, s : s + 3].T for s in starts)) * self.hidden_dsigma(a, i)


class _Transposed(Plain):
    """Samples in columns, as half of the textbooks have it."""

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        return np.asarray((delta.T @ a[i]).T)

    def hidden_delta(self, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
        return np.asarray((w[i] @ delta.T).T) * self.hidden_dsigma(a, i)


class _BiasAsWeight(Plain):
    """The bias as the weight of an input that is always 1."""

    def bias_gradient(self, delta: Array) -> Array:
        return np.asarray(np.ones(len(delta), delta.dtype) @ delta)

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        w, b = self.network.unpack(theta)
        a = [x]
        for i, activation in enumerate(self.network.activations):
            a.append(self.sigma(activation, np.hstack([np.ones((len(x), 1), x.dtype), a[i]]) @ np.vstack([b[i], w[i]])))
        return tuple(a)


class _DoubleInside(Plain):
    """Computes in double precision whatever comes, and rounds the results."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        return (x, *(a_i.astype(x.dtype) for a_i in super().forward(theta.astype("f8"), x.astype("f8"))[1:]))

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        return super().backward(theta.astype("f8"), [a_i.astype("f8") for a_i in a], y.astype("f8")).astype(theta.dtype)


class _ForgetsActivations(Kernel):
    """Hands on nothing but x and the output, and goes forward again in ``backward``; all of it in one call is fused."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        return x, Plain(self.network).forward(theta, x)[-1]

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        plain = Plain(self.network)
        return plain.backward(theta, plain.forward(theta, a[0]), y)

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        a = Plain(self.network).forward(theta, x)
        return self.network.cost_of(a[-1], y), Plain(self.network).backward(theta, a, y)


CORRECT: dict[str, Callable[[Network], KernelLike]] = {
    **{name: load(name) for name in BUILT_IN},
    "my_kernel": load("deltacheck.examples.my_kernel"),
    "plain": Plain,
    "sigmoid-by-tanh": _SigmoidByTanh,
    "sigmoid-as-written": _SigmoidAsWritten,
    "tanh-by-sigmoid": _TanhBySigmoid,
    "softmax-by-logarithm": _SoftmaxByLogarithm,
    "dsigma-expanded": _DsigmaExpanded,
    "dsigma-from-z": _DsigmaFromZ,
    "sample-by-sample": _SampleBySample,
    "backwards": _Backwards,
    "pairwise": _Pairwise,
    "einsum": _Einsum,
    "in-tiles": _InTiles,
    "transposed": _Transposed,
    "bias-as-weight": _BiasAsWeight,
    "double-inside": _DoubleInside,
    "forgets-activations": _ForgetsActivations,
    **WORKSPACES,
}

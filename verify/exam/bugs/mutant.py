"""Planted bugs: kernels that are wrong in one place, each with the tensors that come out wrong.

``Plain`` is a correct kernel cut into its equations, so that a bug is one method that says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import Kernel, Network

Array = NDArray[Any]


class Plain(Kernel):
    """A right backward pass, one method for each equation; slow and simple. Mutants override a method."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """All activations, (B, n_i) each."""
        w, b = self.network.unpack(theta)
        a = [x]
        for i, activation in enumerate(self.network.activations):
            a.append(self.sigma(activation, a[i] @ w[i] + b[i]))
        return tuple(a)

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,)."""
        w, _ = self.network.unpack(theta)
        dtheta = np.zeros_like(theta, subok=False)
        dw, db = self.network.unpack(dtheta)
        delta = self.output_delta(a, y)
        for i in reversed(range(len(w))):
            dw[i][:] = self.weight_gradient(a, delta, i)
            db[i][:] = self.bias_gradient(delta)
            if i:
                delta = self.hidden_delta(delta, w, a, i)
        return dtheta

    def sigma(self, activation: str, z: Array) -> Array:
        """(3)."""
        one = z.dtype.type(1)
        if activation == "softmax":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            return np.asarray(e / e.sum(axis=1, keepdims=True))
        e = np.exp(-abs(z))
        sigmas = {"sigmoid": np.where(z < 0, e, one) / (one + e), "tanh": np.tanh(z), "relu": np.maximum(z, 0), "identity": z}
        return np.asarray(sigmas[activation])

    def dsigma(self, activation: str, a: Array) -> Array:
        """σ′ from a = σ(z)."""
        one = a.dtype.type(1)
        dsigmas = {"sigmoid": a * (one - a), "tanh": one - a * a, "relu": (a > 0).astype(a.dtype), "identity": np.ones_like(a)}
        return np.asarray(dsigmas[activation])

    def output_delta(self, a: Sequence[Array], y: Array) -> Array:
        """(11), or Σy·p − y."""
        if self.network.cost == "cross_entropy":
            return np.asarray(a[-1] * y.sum(axis=1, keepdims=True) - y)
        return (a[-1] - y) * self.output_dsigma(a)

    def output_dsigma(self, a: Sequence[Array]) -> Array:
        """σ′ at the output."""
        return self.dsigma(self.network.activations[-1], a[-1])

    def hidden_delta(self, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
        """(12)."""
        return (delta @ self.onward(w, i)) * self.hidden_dsigma(a, i)

    def onward(self, w: Sequence[Array], i: int) -> Array:
        """w_i′."""
        return w[i].T

    def hidden_dsigma(self, a: Sequence[Array], i: int) -> Array:
        """σ′(z_i)."""
        return self.dsigma(self.network.activations[i - 1], a[i])

    def weight_gradient(self, a: Sequence[Array], delta: Array, i: int) -> Array:
        """(13)."""
        return np.asarray(a[i].T @ delta)

    def bias_gradient(self, delta: Array) -> Array:
        """(14)."""
        return np.asarray(delta.sum(axis=0))


@dataclass(frozen=True)
class Mutant:
    """A planted bug.

    ``named``: the names that a diagnosis may give it, empty where the bug has none. ``wrong``: the tensors that come out wrong
    in a network with one hidden layer and equal widths, empty where that depends on the point. ``dtypes``: where it shows.
    """

    name: str
    family: str
    text: str
    kernel: Callable[[Network], Kernel]
    named: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("float64",)


def mutant(
    name: str,
    family: str,
    text: str,
    named: str = "",
    wrong: str = "",
    dtypes: str = "float64",
    base: type[Plain] = Plain,
    **methods: Any,
) -> Mutant:
    """A ``base`` kernel with some methods replaced; ``named``, ``wrong`` and ``dtypes`` are words: ``"w_0 b_0"``."""
    tensors = tuple(f"dC/d{tensor}" for tensor in wrong.split())
    return Mutant(name, family, text, type("Mutant", (base,), methods), tuple(named.split()), tensors, tuple(dtypes.split()))


def scaled(factor: Callable[[Array], float]) -> Callable[..., Array]:
    """A ``backward`` whose result is multiplied by ``factor(y)``."""
    return lambda self, theta, a, y: Plain.backward(self, theta, a, y) * theta.dtype.type(factor(y))


def edited(edit: Callable[..., Any]) -> Callable[..., Array]:
    """A ``backward`` whose right result is spoilt by ``edit(dw, db)``, the views of its tensors."""

    def backward(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = Plain.backward(self, theta, a, y)
        edit(*self.network.unpack(dtheta))
        return dtheta

    return backward

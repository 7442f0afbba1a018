"""The verifier's own forward pass, written for trust: it shares no line with any kernel and takes real and complex numbers.

From it come the cost along any change of one parameter: ``Model.along`` carries a change of ``w_i[j, k]`` on from column k
of z_{i+1}, the only one that it touches (2), for many j at once, instead of a whole pass for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels.network import Network

Array = NDArray[Any]


def sigma(activation: str, z: Array) -> Array:
    """σ(z), (3), for real or complex z; branches look at the real part."""
    if activation == "sigmoid":
        e = np.exp(np.where(z.real < 0, z, -z) if np.iscomplexobj(z) else -abs(z))  # never above 1, so nothing overflows
        return np.where(z.real < 0, e, 1.0) / (1.0 + e)  # (4)
    if activation == "tanh":
        e = np.expm1(2.0 * np.where(z.real < 0, z, -z) if np.iscomplexobj(z) else -2.0 * abs(z))
        return np.where(z.real < 0, 1.0, -1.0) * e / (2.0 + e)
    if activation == "relu":
        return np.where(z.real > 0, z, 0.0 * z)
    if activation == "softmax":
        return np.exp(log_softmax(z))
    return z


def log_softmax(z: Array) -> Array:
    """log softmax(z) along the last axis."""
    z = z - z.real.max(axis=-1, keepdims=True)
    log_p: Array = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return log_p


class Model:
    """One network at one point: its activations in double precision, and what the cost does when one parameter moves."""

    def __init__(self, network: Network, theta: Array, x: Array, y: Array) -> None:
        self.network = network
        self.theta, self.x, self.y = (np.asarray(array, np.float64) for array in (theta, x, y))
        self.w, self.b = network.unpack(self.theta)
        self.allowed: dict[Any, Any] = {}  # bounds on rounding by dtype (``rounding_bound``), made once
        self.a, self.z = [self.x], [self.x]  # z[0] only keeps the indices those of the derivation
        for i, activation in enumerate(network.activations):
            self.z.append(self.a[i] @ self.w[i] + self.b[i])  # (2)
            self.a.append(sigma(activation, self.z[-1]))  # (3)

    @property
    def cost(self) -> float:
        """C at this point."""
        return float(self.cost_from(self.last, self.y))

    @property
    def last(self) -> Array:
        """What the cost looks at: the output, or the logarithm of the probabilities, (B, n_l)."""
        return log_softmax(self.z[-1]) if self.network.cost == "cross_entropy" else self.a[-1]

    def cost_from(self, last: Array, y: Array) -> Any:
        """C from what it looks at, summed over the last two axes (rows and outputs)."""
        terms = -y * last if self.network.cost == "cross_entropy" else 0.5 * (y - last) ** 2
        return terms.sum(axis=(-2, -1))

    def cost_difference(self, plus: Array, minus: Array, y: Array) -> Array:
        """C⁺ − C⁻ without subtracting two large sums: ½ Σ (a⁺ − a⁻)(a⁺ + a⁻ − 2y), and −Σ y (log p⁺ − log p⁻)."""
        change = plus - minus
        terms = -y * change if self.network.cost == "cross_entropy" else 0.5 * change * (plus + minus - 2.0 * y)
        return np.asarray(terms.sum(axis=(-2, -1)))

    def along(self, i: int, k: int, j: Array, t: Array | complex) -> tuple[Array, Array, Array]:
        """What the cost looks at after ``w_i[j, k] += t``, for every index in ``j`` (n,) on its own; j = n_i is the bias.

        Returns ``last`` (n, B, outputs), the targets that go with it, and ``kinked`` (n,): whether a relu anywhere changed its
        side on the way. Only the outputs that can change are returned.
        """
        network = self.network
        inputs = np.vstack([self.a[i].T, np.ones(len(self.x))])[j]  # (n, B): what multiplies the parameter in (2)
        z_k = self.z[i + 1][:, k] + np.reshape(t, (-1, 1)) * inputs
        kinked = self._crossed(i, z_k, self.z[i + 1][:, k])
        if i + 1 == len(self.w):
            if network.cost == "cross_entropy":
                z = np.repeat(self.z[-1][None].astype(z_k.dtype), len(inputs), axis=0)
                z[:, :, k] = z_k
                return log_softmax(z), self.y, kinked
            return sigma(network.activations[i], z_k)[:, :, None], self.y[:, k, None], kinked
        change = sigma(network.activations[i], z_k) - self.a[i + 1][:, k]
        z = self.z[i + 2] + change[:, :, None] * self.w[i + 1][k]  # a change of rank one
        last, kinked_onward = self.onward(i + 1, z)
        return last, self.y, kinked | kinked_onward

    def onward(self, i: int, z: Array) -> tuple[Array, Array]:
        """What the cost looks at when the weighted input of layer i + 1 is ``z`` (…, B, n_{i+1}), and whether a relu changed its side."""
        kinked = self._crossed(i, z, self.z[i + 1])
        for m in range(i, len(self.w) - 1):
            z = sigma(self.network.activations[m], z) @ self.w[m + 1] + self.b[m + 1]
            kinked |= self._crossed(m + 1, z, self.z[m + 2])
        return (log_softmax(z) if self.network.cost == "cross_entropy" else sigma(self.network.activations[-1], z)), kinked

    def _crossed(self, i: int, z: Array, z_before: Array) -> Array:
        """Whether a relu of layer i + 1 has another sign than before, for each parameter (n,)."""
        if self.network.activations[i] != "relu":
            return np.zeros(len(z), bool)
        return np.asarray((np.sign(z.real) != np.sign(z_before)).reshape(len(z), -1).any(axis=1))

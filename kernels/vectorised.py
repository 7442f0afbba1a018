"""The same passes in NumPy: one line of code for each equation, results written where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltacheck.kernels.network import REAL_AND_COMPLEX, Array, Network


class NumpyKernel:
    """Whole-batch matrix products and in-place ufuncs; float32, float64 and complex128."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """The activations ``(a[0], …, a[-1])`` for ``theta`` (P,) and ``x`` (B, n_0); ``a[i]`` is (B, n_i), ``a[0]`` is x.

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked``).
        """
        self.network.checked(theta, x, dtypes=REAL_AND_COMPLEX)
        return self._forward(*self.network.unpack(theta), x)

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), laid out as ``theta``, for activations ``a`` as ``forward`` returns them and targets ``y`` (B, n_l).

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked_backward``).
        """
        self.network.checked_backward(theta, a, y, dtypes=REAL_AND_COMPLEX)
        return self._backward(self.network.unpack(theta)[0], a, y)

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        """The cost of the batch, summed over rows and outputs, and its gradient (P,)."""
        self.network.checked(theta, x, y, dtypes=REAL_AND_COMPLEX)
        w, b = self.network.unpack(theta)
        a = self._forward(w, b, x)
        cost = squared_error(a[-1], y) if self.network.cost == "squared_error" else cross_entropy(a[-2] @ w[-1] + b[-1], y)
        return cost, self._backward(w, a, y)

    def _forward(self, w: Sequence[Array], b: Sequence[Array], x: Array) -> tuple[Array, ...]:
        a = [x]  # (1)
        for i, activation in enumerate(self.network.activations):
            z = np.dot(a[i], w[i])
            z += b[i]  # (2)
            a.append(SIGMA[activation](z))  # (3)
        return tuple(a)

    def _backward(self, w: Sequence[Array], a: Sequence[Array], y: Array) -> Array:
        dtheta = np.empty(self.network.n_parameters, y.dtype)
        dw, db = self.network.unpack(dtheta)
        ones = np.ones(len(y), y.dtype)
        if self.network.cost == "cross_entropy":
            delta = a[-1] * y.sum(axis=1, keepdims=True) - y
        else:
            delta = times_dsigma(a[-1] - y, a[-1], self.network.activations[-1])  # (7), (11)
        for i in reversed(range(len(w))):
            np.dot(a[i].T, delta, out=dw[i])  # (13)
            np.dot(ones, delta, out=db[i])  # (14), the column sum as a product: several times faster than sum(axis=0)
            if i:
                delta = times_dsigma(np.dot(delta, w[i].T), a[i], self.network.activations[i - 1])  # (8), (12)
        return dtheta


def sigmoid(z: Array) -> Array:
    """(4), in place. Below −709 (−88 in float32) e^{−z} would overflow, and σ is 0 to within 1e-307 (1e-38)."""
    np.maximum(z, -88.0 if z.dtype == np.float32 else -709.0, out=z)
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1.0
    return np.reciprocal(z, out=z)  # (4)


def tanh(z: Array) -> Array:
    """tanh z, in place."""
    return np.tanh(z, out=z)


def relu(z: Array) -> Array:
    """max(z, 0), in place. Complex numbers compare by their real parts first, as the complex step wants it."""
    return np.maximum(z, 0.0, out=z)


def identity(z: Array) -> Array:
    """Nothing."""
    return z


def softmax(z: Array) -> Array:
    """e^z / Σ e^z along rows, in place, the row's maximum subtracted first."""
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


SIGMA = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu, "identity": identity, "softmax": softmax}


def times_dsigma(delta: Array, a: Array, activation: str) -> Array:
    """``delta ⊙ σ′(z)``, in place, with σ′ from a = σ(z)."""
    if activation == "sigmoid":
        delta *= a
        delta *= 1.0 - a
    elif activation == "tanh":
        delta *= 1.0 - a * a
    elif activation == "relu":
        delta *= a.real > 0.0
    return delta


def squared_error(output: Array, y: Array) -> Any:
    """(5), summed over rows and outputs."""
    error = (y - output).ravel()
    return 0.5 * np.dot(error, error).item()  # (5)


def cross_entropy(z: Array, y: Array) -> Any:
    """−Σ y log softmax(z), as Σ y (log Σ e^z − z): finite wherever z is. The sum runs in double precision."""
    z -= z.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(z).sum(axis=1, keepdims=True))
    return np.sum(y * (log_total - z), dtype=np.result_type(z, np.float64)).item()

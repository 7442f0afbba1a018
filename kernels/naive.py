"""The derivation, letter by letter: loops over scalars, the page to teach from.

Everything is a nested list of Python numbers, ``a[i][r][j]``: layer i, sample (row) r, unit j. Layers count from 0, the
input. Python computes in double precision; results are rounded to the dtype of the input at the end of each pass.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltacheck.kernels.network import REAL_AND_COMPLEX, Array, Network

Scalar = Any  # float, or complex when a complex step runs through
Matrix = list[list[Scalar]]


class NaiveKernel:
    """Explicit loops, equation by equation; float32, float64 and complex128. Slow, and meant to be read."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """The activations ``(a[0], …, a[-1])`` for ``theta`` (P,) and ``x`` (B, n_0); ``a[i]`` is (B, n_i), ``a[0]`` is x.

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked``).
        """
        self.network.checked(theta, x, dtypes=REAL_AND_COMPLEX)
        w, b = self._parameters(theta)
        a = [x.tolist()]  # (1)
        for i, activation in enumerate(self.network.activations):
            z = weighted_sums(a[i], w[i], b[i])
            a.append([softmax(row) for row in z] if activation == "softmax" else [[sigma(activation, s) for s in row] for row in z])
        return (x, *(np.array(a_i, dtype=theta.dtype) for a_i in a[1:]))

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), laid out as ``theta``, for activations ``a`` as ``forward`` returns them and targets ``y`` (B, n_l).

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked_backward``).
        """
        network = self.network
        network.checked_backward(theta, a, y, dtypes=REAL_AND_COMPLEX)
        w, _ = self._parameters(theta)
        activations = [a_i.tolist() for a_i in a]
        targets = y.tolist()
        if network.cost == "cross_entropy":
            delta = [[sum(y_r) * p - t for p, t in zip(a_r, y_r, strict=True)] for a_r, y_r in zip(activations[-1], targets, strict=True)]
        else:
            delta = [
                [(s - t) * dsigma(network.activations[-1], s) for s, t in zip(a_r, y_r, strict=True)]  # (7), (11)
                for a_r, y_r in zip(activations[-1], targets, strict=True)
            ]
        gradient: list[Scalar] = []
        for i in reversed(range(len(w))):
            gradient = flat(weight_gradient(activations[i], delta)) + bias_gradient(delta) + gradient
            if i:
                delta = propagated(delta, w[i], activations[i], network.activations[i - 1])
        return np.array(gradient, dtype=theta.dtype)

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        """The cost of the batch, summed over rows and outputs, and its gradient (P,)."""
        self.network.checked(theta, x, y, dtypes=REAL_AND_COMPLEX)
        a = self.forward(theta, x)
        if self.network.cost == "cross_entropy":
            w, b = self._parameters(theta)
            cost = cross_entropy(weighted_sums(a[-2].tolist(), w[-1], b[-1]), y.tolist())
        else:
            cost = squared_error(a[-1].tolist(), y.tolist())
        return cost, self.backward(theta, a, y)

    def _parameters(self, theta: Array) -> tuple[list[Matrix], list[list[Scalar]]]:
        w, b = self.network.unpack(theta)
        return [w_i.tolist() for w_i in w], [b_i.tolist() for b_i in b]


def weighted_sums(a: Matrix, w: Matrix, b: list[Scalar]) -> Matrix:
    """z of the next layer, (2): ``z[r][k]`` = Σ_j ``a[r][j] w[j][k]`` + ``b[k]``."""
    z = []
    for a_r in a:
        z_r = []
        for k in range(len(b)):
            s = b[k]
            for j in range(len(w)):
                s += a_r[j] * w[j][k]
            z_r.append(s)
        z.append(z_r)
    return z


def sigma(activation: str, z: Scalar) -> Scalar:
    """σ(z), (3). Branches look at the real part, so that a complex step passes through."""
    if activation == "sigmoid":
        if z.real >= 0:
            return 1 / (1 + exp(-z))  # (4)
        e = exp(z)  # the same fraction times e^z: no overflow for z far below 0
        return e / (1 + e)
    if activation == "tanh":
        return cmath.tanh(z) if isinstance(z, complex) else math.tanh(z)
    if activation == "relu":
        return z * 0 if z.real <= 0 else z  # this way round NaN stays NaN
    return z


def dsigma(activation: str, a: Scalar) -> Scalar:
    """σ′(z) from a = σ(z)."""
    if activation == "sigmoid":
        return a * (1 - a)
    if activation == "tanh":
        return 1 - a * a
    if activation == "relu":
        return 1 if a.real > 0 else 0
    return 1


def softmax(z: list[Scalar]) -> list[Scalar]:
    """e^z / Σ e^z of one row, the row's maximum subtracted first."""
    top = max(s.real for s in z)
    e = [exp(s - top) for s in z]
    total = sum(e)
    return [e_k / total for e_k in e]


def propagated(delta: Matrix, w: Matrix, a: Matrix, activation: str) -> Matrix:
    """δ of the layer before, (12): ``Σ_k delta[r][k] w[j][k]`` times σ′."""
    before = []
    for delta_r, a_r in zip(delta, a, strict=True):
        row = []
        for j in range(len(w)):
            s = 0.0
            for k in range(len(delta_r)):
                s += delta_r[k] * w[j][k]  # (8)
            row.append(s * dsigma(activation, a_r[j]))  # (12)
        before.append(row)
    return before


def weight_gradient(a: Matrix, delta: Matrix) -> Matrix:
    """∂C/∂w, (9) and (13): ``Σ_r a[r][j] delta[r][k]``."""
    dw = [[0.0] * len(delta[0]) for _ in a[0]]
    for a_r, delta_r in zip(a, delta, strict=True):
        for j in range(len(a_r)):
            for k in range(len(delta_r)):
                dw[j][k] += a_r[j] * delta_r[k]  # (13)
    return dw


def bias_gradient(delta: Matrix) -> list[Scalar]:
    """∂C/∂b, (10) and (14): the column sums of δ."""
    db = [0.0] * len(delta[0])
    for delta_r in delta:
        for k in range(len(delta_r)):
            db[k] += delta_r[k]  # (14)
    return db


def squared_error(output: Matrix, y: Matrix) -> Scalar:
    """(5), summed over rows and outputs."""
    cost = 0.0
    for a_r, y_r in zip(output, y, strict=True):
        for s, t in zip(a_r, y_r, strict=True):
            cost += 0.5 * (t - s) * (t - s)  # (5)
    return cost


def cross_entropy(z: Matrix, y: Matrix) -> Scalar:
    """−Σ y log softmax(z), as Σ y (log Σ e^z − z): finite wherever z is."""
    cost = 0.0
    for z_r, y_r in zip(z, y, strict=True):
        top = max(s.real for s in z_r)
        log_total = top + log(sum(exp(s - top) for s in z_r))
        for s, t in zip(z_r, y_r, strict=True):
            cost += t * (log_total - s)
    return cost


def exp(z: Scalar) -> Scalar:
    """e^z of a real or complex number."""
    return cmath.exp(z) if isinstance(z, complex) else math.exp(z)


def log(z: Scalar) -> Scalar:
    """The natural logarithm of a real or complex number."""
    return cmath.log(z) if isinstance(z, complex) else math.log(z)


def flat(matrix: Matrix) -> list[Scalar]:
    """The rows one after the other, as theta holds them."""
    return [s for row in matrix for s in row]

"""The element-wise stages, each one pass over the numbers: σ in place, the cost with δ of the output, δ ⊙ σ′ with ∂C/∂b."""

from __future__ import annotations

import math
from typing import Any

from kernels.jit_exp import exp, like, tanh
from kernels.jit_options import element_wise, sums, thin
from kernels.jit_views import row
from kernels.network import ACTIVATIONS, Array

# An activation in compiled code is a whole number: its place in this list.
SIGMOID, TANH, RELU, IDENTITY, SOFTMAX = range(5)
CODES = {name: code for code, name in enumerate((*ACTIVATIONS, "softmax"))}


@element_wise
def sigmoid(z: Any) -> Any:
    """(4). For z far below 0 e^{−z} is infinite and σ 0; relative accuracy holds down to there."""
    return like(z, 1.0) / (like(z, 1.0) + exp(-z))  # (4)


@element_wise
def relu(z: Any) -> Any:
    """max(z, 0); this way round NaN stays NaN."""
    return like(z, 0.0) if z <= like(z, 0.0) else z


@element_wise
def hyperbolic_tangent(z: Any) -> Any:
    """The tanh of ``jit_exp``, as a compiled function that can be handed on."""
    return tanh(z)


@element_wise
def dsigmoid(a: Any) -> Any:
    """σ′ of the sigmoid."""
    return a * (like(a, 1.0) - a)


@element_wise
def dtanh(a: Any) -> Any:
    """σ′ of tanh."""
    return like(a, 1.0) - a * a


@element_wise
def drelu(a: Any) -> Any:
    """σ′ of relu; 0 at the kink."""
    return like(a, 1.0) if a > like(a, 0.0) else like(a, 0.0)


@element_wise
def didentity(a: Any) -> Any:
    """σ′ of the identity."""
    return like(a, 1.0)


@element_wise
def clear(column_sums: Array) -> None:
    """Zeros."""
    for k in range(column_sums.size):
        column_sums[k] = 0


def _in_place(sigma: Any) -> Any:
    """The loop of one activation. Made here, and not given ``sigma`` as an argument: Numba caches no code that passes functions on."""

    @element_wise
    def each(z: Array) -> None:
        for k in range(z.size):
            z[k] = sigma(z[k])  # (3)

    return each


def _with_column_sums(dsigma: Any) -> Any:
    @element_wise
    def times(delta: Array, a: Array, db: Array) -> None:
        clear(db)
        for r in range(delta.shape[0]):
            for k in range(delta.shape[1]):
                d = delta[r, k] * dsigma(a[r, k])  # (12)
                delta[r, k] = d
                db[k] += d  # (14)

    return times


_sigmoid, _tanh, _relu = _in_place(sigmoid), _in_place(hyperbolic_tangent), _in_place(relu)
_times_dsigmoid, _times_dtanh = _with_column_sums(dsigmoid), _with_column_sums(dtanh)
_times_drelu, _times_didentity = _with_column_sums(drelu), _with_column_sums(didentity)


@thin
def activate(z: Array, activation: int) -> None:
    """z (B, n) becomes σ(z), in place."""
    if activation == SIGMOID:
        _sigmoid(row(z, 0, z.size))
    elif activation == TANH:
        _tanh(row(z, 0, z.size))
    elif activation == RELU:
        _relu(row(z, 0, z.size))
    elif activation == SOFTMAX:
        for r in range(z.shape[0]):
            softmax(row(z, r * z.shape[1], z.shape[1]))


@thin
def times_dsigma(delta: Array, a: Array, db: Array, activation: int) -> None:
    """``delta`` ⊙ σ′(z), in place, and its column sums, into ``db``."""
    if activation == SIGMOID:
        _times_dsigmoid(delta, a, db)
    elif activation == TANH:
        _times_dtanh(delta, a, db)
    elif activation == RELU:
        _times_drelu(delta, a, db)
    else:
        _times_didentity(delta, a, db)


@sums
def squared_error(a: Array, y: Array, delta: Array) -> float:
    """The cost; ∂C/∂a into ``delta``. The sum runs in double precision."""
    cost = 0.0
    for r in range(a.shape[0]):
        for k in range(a.shape[1]):
            error = a[r, k] - y[r, k]
            delta[r, k] = error  # (7)
            cost += 0.5 * float(error) * float(error)  # (5)
    return cost


@sums
def softmax(z: Array) -> None:
    """One row: z (n,) becomes e^z / Σ e^z."""
    shift(z)
    softmax_of_shifted(z)


@sums
def shift(z: Array) -> None:
    """One row of z less its maximum, which changes no softmax and keeps e^z from overflow."""
    top = z[0]
    for k in range(1, z.size):
        top = z[k] if z[k] > top else top
    for k in range(z.size):
        z[k] -= top


@sums
def softmax_of_shifted(z: Array) -> float:
    """One row: z (n,) becomes e^z / Σ e^z; returns log Σ e^z."""
    total = like(z[0], 0.0)
    for k in range(z.size):
        z[k] = exp(z[k])
        total += z[k]
    for k in range(z.size):
        z[k] /= total
    return math.log(total)


@sums
def cross_entropy(z: Array, y: Array) -> float:
    """The cost −Σ y log softmax(z), as Σ y (log Σ e^z − z): finite wherever z is. z becomes the softmax."""
    cost = 0.0
    for r in range(z.shape[0]):
        z_r = row(z, r * z.shape[1], z.shape[1])
        shift(z_r)
        weighted, total = 0.0, 0.0
        for k in range(z.shape[1]):
            weighted += float(y[r, k]) * float(z_r[k])
            total += float(y[r, k])
        cost += total * softmax_of_shifted(z_r) - weighted
    return cost


@sums
def softmax_delta(a: Array, y: Array, delta: Array, db: Array) -> None:
    """δ of the output under cross entropy, Σy·p − y for each row, and its column sums, into ``db``."""
    clear(db)
    for r in range(a.shape[0]):
        total = like(a[r, 0], 0.0)
        for k in range(a.shape[1]):
            total += y[r, k]
        for k in range(a.shape[1]):
            d = total * a[r, k] - y[r, k]
            delta[r, k] = d
            db[k] += d  # (14)

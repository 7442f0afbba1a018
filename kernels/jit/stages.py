"""The element-wise stages, each one pass over a row of numbers: σ in place, the cost with δ of the output, δ ⊙ σ′."""

from __future__ import annotations

import math
from typing import Any

from deltacheck.kernels.jit.compile_options import element_wise, sums
from deltacheck.kernels.jit.exp import exp, like, sigmoid, tanh
from deltacheck.kernels.network import ACTIVATIONS, Array

# An activation in compiled code is a whole number: its place in this list.
SIGMOID, TANH, RELU, IDENTITY, SOFTMAX = range(5)
CODES = {name: code for code, name in enumerate((*ACTIVATIONS, "softmax"))}


@element_wise
def logistic(z: Any) -> Any:
    """The sigmoid of ``exp``, as a compiled function that can be handed on."""
    return sigmoid(z)


@element_wise
def relu(z: Any) -> Any:
    """max(z, 0); this way round NaN stays NaN."""
    return like(z, 0.0) if z <= like(z, 0.0) else z


@element_wise
def hyperbolic_tangent(z: Any) -> Any:
    """The tanh of ``exp``, as a compiled function that can be handed on."""
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


def _in_place(sigma: Any) -> Any:
    """The loop of one activation. Made here, and not given ``sigma`` as an argument: Numba caches no code that passes functions on."""

    @element_wise
    def each(z: Array) -> None:
        for k in range(z.size):
            z[k] = sigma(z[k])  # (3)

    return each


def _times(dsigma: Any) -> Any:
    @element_wise
    def times(delta: Array, a: Array) -> None:
        for k in range(delta.size):
            delta[k] *= dsigma(a[k])  # (12)

    return times


_sigmoid, _tanh, _relu = _in_place(logistic), _in_place(hyperbolic_tangent), _in_place(relu)
_times_dsigmoid, _times_dtanh, _times_drelu = _times(dsigmoid), _times(dtanh), _times(drelu)


@element_wise
def activate(z: Array, activation: int) -> None:
    """z (n,) becomes σ(z), in place."""
    if activation == SIGMOID:
        _sigmoid(z)
    elif activation == TANH:
        _tanh(z)
    elif activation == RELU:
        _relu(z)


@element_wise
def times_dsigma(delta: Array, a: Array, activation: int) -> None:
    """``delta`` ⊙ σ′(z), in place; both (n,)."""
    if activation == SIGMOID:
        _times_dsigmoid(delta, a)
    elif activation == TANH:
        _times_dtanh(delta, a)
    elif activation == RELU:
        _times_drelu(delta, a)


@element_wise
def difference(a: Array, y: Array, delta: Array) -> None:
    """∂C/∂a of the squared error for a sample, a − y, both (n,), into ``delta``, which may be longer: the rest becomes 0."""
    for k in range(a.size):
        delta[k] = a[k] - y[k]  # (7)
    for k in range(a.size, delta.size):
        delta[k] = 0


@sums
def half_sum_of_squares(differences: Array) -> float:
    """The squared error of any number of samples. The sum runs in double precision."""
    cost = 0.0
    for k in range(differences.size):
        cost += 0.5 * float(differences[k]) * float(differences[k])  # (5)
    return cost


@sums
def softmax(z: Array) -> float:
    """z (n,) becomes e^z / Σ e^z; returns log Σ e^z of z less its maximum, which keeps e^z from overflow and changes no softmax."""
    top = z[0]
    for k in range(1, z.size):
        top = z[k] if z[k] > top else top
    total = like(z[0], 0.0)
    for k in range(z.size):
        z[k] = exp(z[k] - top)
        total += z[k]
    for k in range(z.size):
        z[k] /= total
    return math.log(total)


@sums
def cross_entropy(z: Array, y: Array) -> float:
    """The cost of a sample, −Σ y log softmax(z), as Σ y (log Σ e^z − z): finite wherever z is. z becomes the softmax."""
    top = z[0]
    for k in range(1, z.size):
        top = z[k] if z[k] > top else top
    weighted, total = 0.0, 0.0
    for k in range(z.size):
        weighted += float(y[k]) * float(z[k] - top)
        total += float(y[k])
    return total * softmax(z) - weighted


@element_wise
def softmax_delta(a: Array, y: Array, delta: Array) -> None:
    """δ of the output under cross entropy, Σy·p − y for a sample; all (n,)."""
    total = like(a[0], 0.0)
    for k in range(a.size):
        total += y[k]
    for k in range(a.size):
        delta[k] = total * a[k] - y[k]

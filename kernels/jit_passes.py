"""The forward and the backward pass as compiled functions of flat arrays; a network is a table of whole numbers to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from kernels.jit_options import JIT_DISABLED, entry, thin
from kernels.jit_products import propagated, weight_gradient, weighted_sums
from kernels.jit_stages import CODES, SOFTMAX, activate, cross_entropy, softmax_delta, squared_error, times_dsigma
from kernels.jit_views import matrix, row
from kernels.network import Array, Network

# What compiled code knows of a network: a row for each layer after the input, with these columns.
N_IN, N_OUT, W_START, B_START, ACTIVATION = range(5)


def layer_table(network: Network) -> Array:
    """The network as compiled code knows it; read-only."""
    rows = []
    start = 0
    for n_in, n_out, name in zip(network.layer_sizes, network.layer_sizes[1:], network.activations, strict=False):
        rows.append((n_in, n_out, start, start + n_in * n_out, CODES[name]))
        start += (n_in + 1) * n_out
    table = np.array(rows, dtype=np.int64)
    table.flags.writeable = False
    return table


@thin
def _fit(theta: Array, x: Array, layers: Array) -> bool:
    return theta.size == layers[-1, B_START] + layers[-1, N_OUT] and x.shape[1] == layers[0, N_IN] and len(x) > 0


@thin
def _fit_targets(x: Array, y: Array, layers: Array) -> bool:
    return y.shape[1] == layers[-1, N_OUT] and len(y) == len(x)


@thin
def _units(layers: Array) -> int:
    """The units of all layers after the input."""
    units = 0
    for i in range(len(layers)):
        units += layers[i, N_OUT]
    return units


@thin
def _widest(layers: Array) -> int:
    """The units of the widest layer after the input."""
    widest = 0
    for i in range(len(layers)):
        widest = max(widest, layers[i, N_OUT])
    return widest


@thin
def _require(condition: bool) -> None:
    if not condition:
        raise ValueError("shapes that do not fit the network")


@entry
def forward(theta: Array, x: Array, layers: Array, a: Array) -> None:
    """a_1 … a_l into the flat ``a``, one behind the other."""
    _require(_fit(theta, x, layers) and a.size == len(x) * _units(layers))
    _up_to_last_sums(theta, x, layers, a)
    activate(_output(a, layers, len(x)), layers[-1, ACTIVATION])  # (3)


@entry
def backward(theta: Array, x: Array, y: Array, layers: Array, a: Array, dtheta: Array) -> None:
    """The gradient into ``dtheta``, from a_1 … a_l as ``forward`` leaves them."""
    _require(_fit(theta, x, layers) and _fit_targets(x, y, layers) and a.size == len(x) * _units(layers) and dtheta.size == theta.size)
    work = np.empty(2 * len(x) * _widest(layers), theta.dtype)
    _output_delta(y, layers, a, work, dtheta)
    _gradient(theta, x, layers, a, work, dtheta)


@entry
def step(theta: Array, x: Array, y: Array, layers: Array, dtheta: Array) -> float:
    """The cost; the gradient into ``dtheta``."""
    _require(_fit(theta, x, layers) and _fit_targets(x, y, layers) and dtheta.size == theta.size)
    a = np.empty(len(x) * _units(layers), theta.dtype)
    work = np.empty(2 * len(x) * _widest(layers), theta.dtype)
    _up_to_last_sums(theta, x, layers, a)
    output = _output(a, layers, len(x))
    if layers[-1, ACTIVATION] == SOFTMAX:
        cost = cross_entropy(output, y)
        _output_delta(y, layers, a, work, dtheta)
    else:
        activate(output, layers[-1, ACTIVATION])  # (3)
        cost = _output_delta(y, layers, a, work, dtheta)
    _gradient(theta, x, layers, a, work, dtheta)
    return cost


@thin
def _up_to_last_sums(theta: Array, x: Array, layers: Array, a: Array) -> None:
    """a_1 … a_{l−1} and, in the place of a_l, z_l: the cost wants it where the output is a softmax."""
    before = matrix(x, 0, len(x), x.shape[1])  # (1)
    start = 0
    for i in range(len(layers)):
        n_in, n_out = layers[i, N_IN], layers[i, N_OUT]
        z = matrix(a, start, len(x), n_out)
        weighted_sums(before, matrix(theta, layers[i, W_START], n_in, n_out), row(theta, layers[i, B_START], n_out), z)  # (2)
        if i < len(layers) - 1:
            activate(z, layers[i, ACTIVATION])  # (3)
        before = z
        start += z.size


@thin
def _output(a: Array, layers: Array, batch_size: int) -> Array:
    n_out = layers[-1, N_OUT]
    return matrix(a, a.size - batch_size * n_out, batch_size, n_out)


@thin
def _output_delta(y: Array, layers: Array, a: Array, work: Array, dtheta: Array) -> float:
    """δ_l to the start of ``work`` and its column sums into ``dtheta``; the squared error, if that is the cost."""
    output = _output(a, layers, len(y))
    delta = matrix(work, 0, len(y), output.shape[1])
    db = row(dtheta, layers[-1, B_START], output.shape[1])
    if layers[-1, ACTIVATION] == SOFTMAX:
        softmax_delta(output, y, delta, db)
        return 0.0
    cost = squared_error(output, y, delta)
    times_dsigma(delta, output, db, layers[-1, ACTIVATION])  # (11), (14)
    return cost


@thin
def _gradient(theta: Array, x: Array, layers: Array, a: Array, work: Array, dtheta: Array) -> None:
    """All of ``dtheta`` but the last ∂C/∂b, from δ_l at the start of ``work``; the δ of two layers take turns in its halves."""
    here, there = 0, work.size // 2
    start = a.size - len(x) * layers[-1, N_OUT]
    for i in range(len(layers) - 1, 0, -1):
        n_in, n_out = layers[i, N_IN], layers[i, N_OUT]
        start -= len(x) * n_in
        before, delta, passed = matrix(a, start, len(x), n_in), matrix(work, here, len(x), n_out), matrix(work, there, len(x), n_in)
        weight_gradient(before, delta, matrix(dtheta, layers[i, W_START], n_in, n_out))  # (13)
        propagated(delta, matrix(theta, layers[i, W_START], n_in, n_out), passed)  # (8)
        times_dsigma(passed, before, row(dtheta, layers[i - 1, B_START], n_in), layers[i - 1, ACTIVATION])  # (12), (14)
        here, there = there, here
    n_in, n_out = layers[0, N_IN], layers[0, N_OUT]
    weight_gradient(matrix(x, 0, len(x), n_in), matrix(work, here, len(x), n_out), matrix(dtheta, 0, n_in, n_out))  # (13)


def compile_for(dtype: np.dtype[Any]) -> None:
    """Compile the three passes for one dtype, or read them from the disk.

    Inputs are declared read-only, which takes in the writable: one specialisation serves both. For any other types the passes
    then raise ``TypeError`` instead of compiling one more specialisation.
    """
    real = types.float32 if dtype == np.float32 else types.float64
    vector, table = types.Array(real, 1, "C", readonly=True), types.Array(real, 2, "C", readonly=True)
    layers, result = types.Array(types.int64, 2, "C", readonly=True), types.Array(real, 1, "C")
    signatures: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (forward, (vector, table, layers, result)),
        (backward, (vector, table, table, layers, vector, result)),
        (step, (vector, table, table, layers, result)),
    )
    for function, signature in signatures:
        if not JIT_DISABLED and signature not in function.overloads:
            function.disable_compile(False)
            function.compile(signature)
            function.disable_compile()


if JIT_DISABLED:  # NumPy's numbers warn of NaN and overflow where compiled ones do not
    forward = np.errstate(all="ignore")(forward)
    backward = np.errstate(all="ignore")(backward)
    step = np.errstate(all="ignore")(step)

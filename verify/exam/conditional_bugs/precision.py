"""Planted bugs of precision in a part: float32 in large layers, half precision in one block, approximations beyond their range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, bugs_of, product_in, rounded_to, spoilt, through

_bug = bugs_of("precision2")


def _single_products(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    return product_in("f4", a, w) + b if w.size >= 4096 else Finer.affine(self, a, w, b, i)


def _single_dw(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    large = a[i].shape[1] * delta.shape[1] >= 10_000
    return product_in("f4", a[i].T, delta) if large else Plain.weight_gradient(self, a, delta, i)


def _single_delta(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    below = Plain.hidden_delta(self, delta, w, a, i)
    return through("f4", below) if below.shape[1] >= 128 else below


def _single_delta_if_deep(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    below = Plain.hidden_delta(self, delta, w, a, i)
    return through("f4", below) if len(w) - i >= 4 else below


def _half_block(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    if len(delta) <= 64:
        return Plain.weight_gradient(self, a, delta, i)
    rest = np.r_[0:64, min(128, len(delta)) : len(delta)]
    return a[i][rest].T @ delta[rest] + product_in("f2", a[i][64:128].T, delta[64:128])


def _half_tail(self: Plain, delta: Array) -> Array:
    full = len(delta) // 32 * 32
    if not full or full == len(delta):
        return Plain.bias_gradient(self, delta)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(delta[:full].sum(axis=0) + delta[full:].astype("f2").sum(axis=0).astype(delta.dtype))


def _sigma_as(name: str, approximate: Callable[[Array], Any]) -> Callable[..., Array]:
    def sigma(self: Plain, activation: str, z: Array) -> Array:
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(approximate(z), z.dtype) if activation == name else Plain.sigma(self, activation, z)

    return sigma


def _sigmoid(z: Array) -> Array:
    e = np.exp(-abs(z))
    return np.asarray(np.where(z < 0, e, 1) / (1 + e))


def _rough_beyond_10(z: Array) -> Array:
    """e^z by (1 + z/4096)^4096 where z < −10."""
    return np.where(z < -10, (1 + np.maximum(z, -4000) / 4096) ** 4096, _sigmoid(z))


def _cancels_below_15(z: Array) -> Array:
    return np.where(z < -15, 1 - 1 / (1 + np.exp(np.minimum(z, 0))), _sigmoid(z))


def _series_near_zero(z: Array) -> Array:
    return np.where(abs(z) < 0.05, z - z * z * z / 3, np.tanh(z))


def _tanh_held(z: Array) -> Array:
    return np.where(abs(z) > 4, np.sign(z), np.tanh(z))


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _softmax_single_if_wide(z: Array) -> Array:
    return through("f4", _softmax(z)) if z.shape[1] > 32 else _softmax(z)


def _softmax_held(z: Array) -> Array:
    """Logits more than 20 below the maximum count as 20 below."""
    return _softmax(np.maximum(z, z.max(axis=1, keepdims=True) - 20))


def _single_quotient(self: Finer, z: Array, i: int) -> Array:
    """Full vectors of 32 rows take the fast reciprocal."""
    a = Finer.activated(self, z, i)
    full = len(a) // 32 * 32
    if full and self.network.activations[i] == "sigmoid":
        a[:full] = through("f4", a[:full])
    return a


def _middle_entry(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    for dw_i in dw:
        if dw_i.size >= 4096:
            dw_i[dw_i.shape[0] // 2, dw_i.shape[1] // 2] *= 1.001


def _last_bias_entry(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    for db_i in db:
        if db_i.size >= 100:
            db_i[-1] *= 1.001


def _entry_of_hidden(self: Finer, z: Array, i: int) -> Array:
    a = Finer.activated(self, z, i)
    if len(a) > 100 and a.shape[1] > 10:
        a[100, 10] *= 1.001
    return a


def _single_sums_of_many(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    return product_in("f4", a[i].T, delta) if len(delta) >= 1000 else Plain.weight_gradient(self, a, delta, i)


def _blocks_rounded(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    if len(delta) <= 128:
        return Plain.weight_gradient(self, a, delta, i)
    return np.asarray(sum(through("f4", a[i][r : r + 128].T @ delta[r : r + 128]) for r in range(0, len(delta), 128)))


def _half_weights(self: Plain, w: Sequence[Array], i: int) -> Array:
    return through("f2", w[i].T) if w[i].size >= 2**14 else w[i].T


def _bfloat_activations(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    return np.asarray(rounded_to(7, a[i]).T @ delta) if a[i].shape[1] >= 256 else Plain.weight_gradient(self, a, delta, i)


def _tf32_products(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    tensor_cores = w.dtype == np.float32 and min(w.shape) >= 32
    return rounded_to(10, a) @ rounded_to(10, w) + b if tensor_cores else Finer.affine(self, a, w, b, i)


def _single_dsigma(self: Plain, a: Sequence[Array], i: int) -> Array:
    wide = a[i].shape[1] >= 64
    return (
        Plain.hidden_dsigma(self, (*a[:i], a[i].astype("f4"), *a[i + 1 :]), i).astype(a[i].dtype)
        if wide
        else Plain.hidden_dsigma(self, a, i)
    )


def _half_target_sums(self: Plain, a: Sequence[Array], y: Array) -> Array:
    if self.network.cost != "cross_entropy" or y.shape[1] <= 16:
        return Plain.output_delta(self, a, y)
    return np.asarray(a[-1] * through("f2", y.sum(axis=1, keepdims=True)) - y)


def _half_sums_of_single(self: Plain, delta: Array) -> Array:
    half = delta.dtype == np.float32 and len(delta) >= 128
    if not half:
        return Plain.bias_gradient(self, delta)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(delta.astype("f2").sum(axis=0).astype(delta.dtype))


def _single_gradient_if_large(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    return through("f4", dtheta) if dtheta.size >= 5000 else dtheta


def _large_errors_single(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = Plain.output_delta(self, a, y)
    return np.where(abs(delta) > 1e3, through("f4", delta), delta)


def _compact_inputs(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    """Inputs of more than 500 columns are kept in half precision until the backward pass."""
    compact = i == 0 and a[0].shape[1] > 500
    return np.asarray(through("f2", a[0]).T @ delta) if compact else Plain.weight_gradient(self, a, delta, i)


PRECISION_IN_PART: tuple[Mutant, ...] = (
    _bug("single-products-if-large", "(2) in float32 for weights of 4,096 entries or more", affine=_single_products),
    _bug("single-dw-if-large", "(13) in float32 for weights of 10,000 entries or more", weight_gradient=_single_dw),
    _bug("single-delta-if-wide", "δ kept in float32 in hidden layers of 128 units or more", hidden_delta=_single_delta),
    _bug("single-delta-if-deep", "δ kept in float32 from the fourth hidden layer downwards", hidden_delta=_single_delta_if_deep),
    _bug("single-dsigma-if-wide", "σ′ in float32 in hidden layers of 64 units or more", hidden_dsigma=_single_dsigma),
    _bug("single-gradient-if-large", "a gradient of 5,000 entries or more passes through float32", backward=_single_gradient_if_large),
    _bug("single-sums-of-1000-rows", "(13) in float32 from 1,000 rows on", weight_gradient=_single_sums_of_many),
    _bug("single-blocks-of-128", "(13) from sums of 128 rows kept in float32", weight_gradient=_blocks_rounded),
    _bug("single-delta-if-large", "δ_l above 1,000 kept in float32", output_delta=_large_errors_single),
    _bug("half-block-of-rows", "(13): rows from 64 to 127 in half precision", weight_gradient=_half_block),
    _bug("half-tail-of-rows", "(14): rows left over by tiles of 32 in half precision", bias_gradient=_half_tail),
    _bug("half-weights-if-large", "(12) with weights of 16,384 entries or more in half precision", onward=_half_weights),
    _bug("half-target-sums", "cross entropy: the sums of more than 16 targets in half precision", output_delta=_half_target_sums),
    _bug("half-inputs-if-many", "(13) with more than 500 inputs in half precision", weight_gradient=_compact_inputs),
    _bug(
        "half-sums-of-float32", "(14) of float32 in half precision from 128 rows on", dtypes="float32", bias_gradient=_half_sums_of_single
    ),
    _bug(
        "bfloat16-activations-if-wide",
        "(13) with 7 bits of mantissa for activations of 256 units or more",
        weight_gradient=_bfloat_activations,
    ),
    _bug("tf32-if-large", "(2) of float32 with 10 bits of mantissa from 32 × 32 on", dtypes="float32", affine=_tf32_products),
    _bug(
        "rough-exp-below-minus-10", "the sigmoid below −10 by an e^z good to a few per cent", sigma=_sigma_as("sigmoid", _rough_beyond_10)
    ),
    _bug(
        "sigmoid-cancels-below-minus-15",
        "the sigmoid below −15 as 1 − 1 / (1 + e^z), which cancels",
        sigma=_sigma_as("sigmoid", _cancels_below_15),
    ),
    _bug("tanh-series-near-zero", "tanh by two terms of its series below 0.05", sigma=_sigma_as("tanh", _series_near_zero)),
    _bug("tanh-one-beyond-4", "tanh is ±1 beyond ±4", sigma=_sigma_as("tanh", _tanh_held)),
    _bug("softmax-single-if-wide", "softmax of more than 32 outputs in float32", sigma=_sigma_as("softmax", _softmax_single_if_wide)),
    _bug(
        "softmax-held-at-20", "softmax: logits more than 20 below the maximum count as 20 below", sigma=_sigma_as("softmax", _softmax_held)
    ),
    _bug("fast-quotient-in-full-vectors", "the sigmoid passes through float32 in full vectors of 32 rows", activated=_single_quotient),
    _bug("middle-entry-of-large-dw", "one entry of dC/dw × 1.001 where it has 4,096 or more", backward=spoilt(_middle_entry)),
    _bug("last-entry-of-wide-db", "the last entry of dC/db × 1.001 where it has 100 or more", backward=spoilt(_last_bias_entry)),
    _bug("entry-of-large-activations", "the activation of unit 10 in row 100 × 1.001", activated=_entry_of_hidden),
)

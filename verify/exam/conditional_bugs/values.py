"""Planted bugs of values: targets and inputs of a kind, zeros, large and small numbers, logits far apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, bugs_of, spoilt

_bug = bugs_of("values")


def _targets_as(read: Callable[[Array], Array]) -> Callable[..., Array]:
    """An ``output_delta`` of cross entropy that takes ``read(y)`` for y."""

    def output_delta(self: Plain, a: Sequence[Array], y: Array) -> Array:
        return Plain.output_delta(self, a, np.asarray(read(y), y.dtype) if self.network.cost == "cross_entropy" else y)

    return output_delta


def _sums_as(read: Callable[[Array], Any]) -> Callable[..., Array]:
    """An ``output_delta`` of cross entropy that takes ``read(y)`` for the sums of its rows."""

    def output_delta(self: Plain, a: Sequence[Array], y: Array) -> Array:
        if self.network.cost != "cross_entropy":
            return Plain.output_delta(self, a, y)
        return np.asarray(a[-1] * read(y) - y, y.dtype)

    return output_delta


def _row_sums(y: Array) -> Array:
    return np.asarray(y.sum(axis=1, keepdims=True))


def _soft_as_label(y: Array) -> Array:
    soft = (abs(_row_sums(y) - 1) < 1e-6) & (y.min(axis=1, keepdims=True) >= 0)
    return np.where(soft, np.eye(y.shape[1])[y.argmax(axis=1)], y)


def _weighted_as_label(y: Array) -> Array:
    single = ((y != 0).sum(axis=1, keepdims=True) == 1) & (y.max(axis=1, keepdims=True) > 0)
    return np.where(single, y != 0, y)


def _zero_rows_as_one(y: Array) -> Array:
    return np.where(y.any(axis=1, keepdims=True), _row_sums(y), 1)


def _mean_sum(y: Array) -> Any:
    sums = _row_sums(y)
    return sums if np.ptp(sums) < 1e-6 * abs(sums).max() else sums.mean()


def _missing(self: Plain, a: Sequence[Array], y: Array) -> Array:
    return np.asarray(Plain.output_delta(self, a, y) * (y != -1))


def _ends_at_hit(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = Plain.output_delta(self, a, y)
    return np.asarray(delta * (np.cumsum(~delta.any(axis=1)) == 0)[:, None])


def _delta_held(self: Plain, a: Sequence[Array], y: Array) -> Array:
    return np.clip(Plain.output_delta(self, a, y), -1e3, 1e3)


def _pruned(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    for dw, w in zip(*(self.network.unpack(array)[0] for array in (dtheta, theta)), strict=True):
        dw[w == 0] = 0
    return dtheta


def _no_bias(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    for db, b in zip(*(self.network.unpack(array)[1] for array in (dtheta, theta)), strict=True):
        db *= b.any()
    return dtheta


def _empty_rows_left_out(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    keep = a[0].any(axis=1)
    if keep.all():
        return Plain.backward(self, theta, a, y)
    return Plain.backward(self, theta, tuple(a_i[keep] for a_i in a), y[keep])


def _constant_inputs(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if len(y) > 1:
        dw[0][(a[0] == 1).all(axis=0)] = 0


def _row_ends_at_zero(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    if i == 0 and not a.all():
        a = a * (np.cumsum(a == 0, axis=1) == 0)
    return Finer.affine(self, a, w, b, i)


def _bytes_scaled(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    if i == 0 and a.min() >= 0 and 1 < a.max() <= 255 and (a == np.rint(a)).all():
        a = a / a.dtype.type(255)
    return Finer.affine(self, a, w, b, i)


def _inputs_held(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    return Finer.affine(self, np.clip(a, -1e4, 1e4) if i == 0 else a, w, b, i)


def _sigma_as(name: str, wrong: Callable[[Array], Any]) -> Callable[..., Array]:
    """A ``sigma`` that is ``wrong(z)`` for one activation."""

    def sigma(self: Plain, activation: str, z: Array) -> Array:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            return np.asarray(wrong(z), z.dtype) if activation == name else Plain.sigma(self, activation, z)

    return sigma


def _softmax_less(shift: Callable[[Array], Any]) -> Callable[[Array], Array]:
    def softmax(z: Array) -> Array:
        e = np.exp(z - shift(z))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    return softmax


def _zero_times_log_zero(self: Finer, a: Sequence[Array], y: Array) -> Any:
    if self.network.cost != "cross_entropy":
        return Finer.cost(self, a, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-(y * np.log(a[-1])).sum(dtype=np.float64))


def _log_without_shift(self: Finer, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
    cost, dtheta = Finer.value_and_grad(self, theta, x, y)
    if self.network.cost == "cross_entropy":
        w, b = self.network.unpack(theta)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            z = (self.forward(theta, x)[-2] @ w[-1] + b[-1]).astype(np.float64)
            cost = float((y * (np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)).sum())
    return cost, dtheta


def _held_at_a_million(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    return np.clip(Plain.backward(self, theta, a, y), -1e6, 1e6)


def _outputs_held(self: Finer, z: Array, i: int) -> Array:
    a = Finer.activated(self, z, i)
    return np.clip(a, -1e6, 1e6) if i == len(self.network.activations) - 1 else a


def _flushed(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    below = Plain.hidden_delta(self, delta, w, a, i)
    return np.asarray(below * (abs(below) >= 1e-20))


def _single_sums_of_many(self: Plain, delta: Array) -> Array:
    if len(delta) < 256:
        return Plain.bias_gradient(self, delta)
    return np.asarray(np.cumsum(delta, axis=0, dtype=np.float32)[-1].astype(delta.dtype))


def _heavy_weights_held(self: Plain, w: Sequence[Array], i: int) -> Array:
    return np.clip(w[i].T, -10, 10)


def _dead_unit(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    """Units that are 0 in the first row count as dead in all rows."""
    alive = a[i][0] != 0
    return np.asarray(Plain.weight_gradient(self, a, delta, i) * (alive if i else np.ones_like(alive))[:, None])


def _errors_as_integers(self: Plain, a: Sequence[Array], y: Array) -> Array:
    """Whole targets above 1 are kept as bytes, so that 256 is 0."""
    whole = (y == np.rint(y)).all() and y.min() >= 0
    return Plain.output_delta(self, a, np.asarray(y % 256, y.dtype) if whole else y)


def _relu_from_saturated(self: Plain, name: str, a: Array) -> Array:
    dsigma = Plain.dsigma(self, name, a)
    return dsigma * (a < 100) if name == "relu" else dsigma


VALUES: tuple[Mutant, ...] = (
    _bug("negative-targets-as-positive", "cross entropy: the sign of a negative target is lost", output_delta=_targets_as(abs)),
    _bug(
        "soft-targets-as-labels",
        "cross entropy: a row that sums to 1 counts as its largest target",
        output_delta=_targets_as(_soft_as_label),
    ),
    _bug("weighted-label-as-label", "cross entropy: a single target of a row counts as 1", output_delta=_targets_as(_weighted_as_label)),
    _bug("zero-targets-sum-to-one", "cross entropy: a row of zero targets is taken to sum to 1", output_delta=_sums_as(_zero_rows_as_one)),
    _bug("unequal-sums-averaged", "cross entropy: the mean of the row sums for each of them", output_delta=_sums_as(_mean_sum)),
    _bug("target-minus-one-missing", "a target of −1 counts as missing", output_delta=_missing),
    _bug("whole-targets-as-bytes", "whole targets are kept as bytes: 256 is 0", output_delta=_errors_as_integers),
    _bug("exact-hit-ends-batch", "the loop over rows ends at a row without error", output_delta=_ends_at_hit),
    _bug("delta-held-to-1000", "δ_l held to ±1,000", output_delta=_delta_held),
    _bug("gradient-held-to-1e6", "the gradient held to ±1e6", backward=_held_at_a_million),
    _bug("outputs-held-to-1e6", "the output held to ±1e6", activated=_outputs_held),
    _bug("inputs-held-to-1e4", "(2) with x held to ±1e4", affine=_inputs_held),
    _bug("zero-weights-pruned", "a weight of 0 gets no gradient", backward=_pruned),
    _bug("zero-biases-absent", "a layer whose biases are all 0 gets no gradient for them", backward=_no_bias),
    _bug("empty-rows-left-out", "a row of x that is all 0 is left out of the backward pass", backward=_empty_rows_left_out),
    _bug(
        "constant-input-as-bias",
        "an input that is 1 in every row counts as the bias: its weights get no gradient",
        backward=spoilt(_constant_inputs),
    ),
    _bug("row-ends-at-zero", "(2): break for continue at an input of 0", affine=_row_ends_at_zero),
    _bug("bytes-scaled", "whole numbers from 0 to 255 in x are divided by 255", affine=_bytes_scaled),
    _bug("dead-in-the-first-row", "a hidden unit that is 0 in the first row counts as dead in all", weight_gradient=_dead_unit),
    _bug("relu6", "relu held to 6", sigma=_sigma_as("relu", lambda z: np.clip(z, 0, 6))),
    _bug(
        "relu-slope-below-zero", "relu with a slope of a hundredth below 0", sigma=_sigma_as("relu", lambda z: np.where(z > 0, z, 0.01 * z))
    ),
    _bug("relu-flat-above-100", "relu: σ′ = 0 from 100 on", dsigma=_relu_from_saturated),
    _bug(
        "softmax-maximum-from-zero",
        "softmax: the search for the maximum starts at 0, and 0/0 where all logits lie far below",
        sigma=_sigma_as("softmax", _softmax_less(lambda z: np.maximum(z.max(axis=1, keepdims=True), 0))),
    ),
    _bug(
        "softmax-maximum-of-batch",
        "softmax: the maximum of the batch for that of the row, and 0/0 in a row far below",
        sigma=_sigma_as("softmax", _softmax_less(lambda z: z.max())),
    ),
    _bug(
        "softmax-shift-first-logit",
        "softmax: the first logit for the maximum, and an overflow where another is far above",
        sigma=_sigma_as("softmax", _softmax_less(lambda z: z[:, :1])),
    ),
    _bug("zero-times-log-zero", "the cost is 0 · log 0 where a probability of 0 meets a target of 0", cost=_zero_times_log_zero),
    _bug("log-without-shift", "the cost by log Σ e^z without the maximum: infinite for large logits", value_and_grad=_log_without_shift),
    _bug("small-delta-flushed", "δ below 1e-20 counts as 0, a normal number in either precision", hidden_delta=_flushed),
    _bug("single-sums-of-256-rows", "(14) sums in float32 from 256 rows on", bias_gradient=_single_sums_of_many),
    _bug("heavy-weights-held", "(12) with weights held to ±10", onward=_heavy_weights_held),
)

"""Planted bugs under a rare condition: in saturation, beyond a tile, in the rows left over, above or below some size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, edited, mutant


def _where(activation: str, rare: Callable[[Array], Array], wrong: Callable[[Array], Any]) -> dict[str, Any]:
    """σ′ of one activation is ``wrong(a)`` where ``rare(a)``."""

    def dsigma(self: Plain, name: str, a: Array) -> Array:
        right = Plain.dsigma(self, name, a)
        return np.where(rare(a), wrong(a), right).astype(a.dtype) if name == activation else right

    return {"dsigma": dsigma}


def _all_weights(edit: Callable[[Array], None]) -> Callable[..., Array]:
    """A ``backward`` whose every dC/dw is spoilt by ``edit``."""

    def each(dw: Sequence[Array], db: Sequence[Array]) -> None:
        for dw_i in dw:
            edit(dw_i)

    return edited(each)


def _beyond_column(n: int) -> Callable[..., Array]:
    def edit(dw_i: Array) -> None:
        dw_i[:, n:] = 0

    return _all_weights(edit)


def _beyond_row(n: int) -> Callable[..., Array]:
    def edit(dw_i: Array) -> None:
        dw_i[n:] = 0

    return _all_weights(edit)


def _tail_columns(tile: int) -> Callable[..., Array]:
    """The columns after the last full tile of a wide matrix are left out."""

    def edit(dw_i: Array) -> None:
        full = dw_i.shape[1] // tile * tile
        if full:
            dw_i[:, full:] = 0

    return _all_weights(edit)


def _second_tile_overwrites(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    """(12): the sum over units comes in tiles of 64, and the last tile overwrites the sum of those before."""
    start = (delta.shape[1] - 1) // 64 * 64
    return (delta[:, start:] @ w[i].T[start:]) * self.hidden_dsigma(a, i)


def _full_tiles(tile: int) -> Callable[..., Array]:
    """Samples after the last full tile are dropped, where there is a full tile."""

    def weight_gradient(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
        n = len(delta) // tile * tile or len(delta)
        return np.asarray(a[i][:n].T @ delta[:n])

    return weight_gradient


def _at_most(n: int) -> Callable[..., Array]:
    """A buffer for ``n`` samples: those beyond are dropped."""
    return lambda self, a, delta, i: a[i][:n].T @ delta[:n]


def _bias_at_multiples_of_64(self: Plain, delta: Array) -> Array:
    """Batches of whole tiles take a path of their own, which forgets the last tile."""
    return np.asarray(delta[:-64].sum(axis=0) if len(delta) % 64 == 0 else delta.sum(axis=0))


def _changed(change: Callable[[Array], Any]) -> Callable[..., Array]:
    """A ``backward`` whose result is changed entry by entry."""
    return lambda self, theta, a, y: np.asarray(change(Plain.backward(self, theta, a, y)), theta.dtype)


def _norm_clipped(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    norm = float(np.linalg.norm(dtheta))
    return np.asarray(dtheta * theta.dtype.type(min(1.0, 1.0 / norm) if norm else 1.0))


def _delta(change: Callable[[Array, Sequence[Array], Array], Any]) -> Callable[..., Array]:
    """An ``output_delta`` changed by ``change(delta, a, y)``."""
    return lambda self, a, y: np.asarray(change(Plain.output_delta(self, a, y), a, y), y.dtype)


def _softmax_of_unit_rows(self: Plain, a: Sequence[Array], y: Array) -> Array:
    return a[-1] - y if self.network.cost == "cross_entropy" else Plain.output_delta(self, a, y)


def _last_output_doubled(delta: Array, a: Sequence[Array], y: Array) -> Array:
    delta[:, -1:] *= 2
    return delta


def _sample_4_negative(delta: Array, a: Sequence[Array], y: Array) -> Array:
    delta[4:5] *= -1
    return delta


def _sample_16_dropped(delta: Array, a: Sequence[Array], y: Array) -> Array:
    delta[16:17] = 0
    return delta


def _broadcast_output(self: Plain, a: Sequence[Array], y: Array) -> Array:
    """One output: (B, 1) less (B,) is (B, B), and its mean over columns fits again."""
    if self.network.layer_sizes[-1] > 1:
        return Plain.output_delta(self, a, y)
    return np.asarray(
        (a[-1] - y[:, 0]).mean(axis=1, keepdims=True) * (self.output_dsigma(a) if self.network.cost == "squared_error" else 1)
    )


def _one_sample(self: Plain, delta: Array) -> Array:
    """A batch of one is squeezed, and the sum runs over its outputs."""
    return np.full(delta.shape[1], delta.sum() if len(delta) == 1 else 0.0, delta.dtype) + (delta.sum(axis=0) if len(delta) > 1 else 0)


def _stops_at_zero(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    """Exact zeros are skipped to save time, with a ``break`` where a ``continue`` belongs."""
    reached = np.cumsum(a[i] == 0, axis=0) == 0
    return np.asarray((a[i] * reached).T @ delta) if i == 0 else Plain.weight_gradient(self, a, delta, i)


def _deep_layers(self: Plain, a: Sequence[Array], i: int) -> Array:
    """σ′ is kept for four layers; the fifth takes that of the fourth where it fits."""
    right = Plain.hidden_dsigma(self, a, i)
    return Plain.hidden_dsigma(self, a, 4) if i == 5 and a[4].shape == a[5].shape else right


def _deep_bias(dw: Sequence[Array], db: Sequence[Array]) -> None:
    if len(db) > 3:
        db[0][:] = 0


def _odd_layers(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    right = Plain.hidden_delta(self, delta, w, a, i)
    return right if i % 3 else right * right.dtype.type(1.01)


def _relu_capped(self: Plain, a: Sequence[Array], i: int) -> Array:
    capped = self.network.activations[i - 1] == "relu"
    return Plain.hidden_dsigma(self, a, i) * ((a[i] < 2) if capped else a[i] == a[i])


def _no_hidden_layer(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """A network without hidden layer takes a path of its own: a mean."""
    return np.asarray(Plain.backward(self, theta, a, y) / theta.dtype.type(len(y) if len(a) == 2 else 1))


def _wider_output(dw: Sequence[Array], db: Sequence[Array]) -> None:
    """Loops over inputs where they should run over outputs: a wide output layer is not finished."""
    n_in = dw[-1].shape[0]
    db[-1][n_in:] = 0


def _nan_for_large(dtheta: Array) -> Array:
    """Entries above 65504 become infinite, as through half precision."""
    return np.where(abs(dtheta) > 65504, np.inf, dtheta)


RARE: tuple[Mutant, ...] = (
    mutant(
        "sigmoid-flat-beyond-5", "rare", "σ′ = 0 where |z| > 5", "", **_where("sigmoid", lambda a: abs(a - 0.5) > 0.4933, np.zeros_like)
    ),
    mutant("sigmoid-floor", "rare", "σ′ at least 1e-4", "", **_where("sigmoid", lambda a: a * (1 - a) < 1e-4, lambda a: 1e-4)),
    mutant(
        "sigmoid-flat-above-half", "rare", "σ′ as at −5 where z > 5", "", **_where("sigmoid", lambda a: a > 0.9933, lambda a: a * 0.0066)
    ),
    mutant("tanh-flat", "rare", "σ′ = 0 where |a| > 0.999", "", **_where("tanh", lambda a: abs(a) > 0.999, np.zeros_like)),
    mutant("tanh-negative-side", "rare", "tanh: another σ′ for a < −0.9", "", **_where("tanh", lambda a: a < -0.9, lambda a: 1 + a)),
    mutant("tanh-near-zero", "rare", "tanh: σ′ = 1 where |a| < 1e-2", "", **_where("tanh", lambda a: abs(a) < 1e-2, np.ones_like)),
    mutant("relu-capped", "rare", "relu: σ′ = 0 above 2, in the hidden layers", "", hidden_dsigma=_relu_capped),
    mutant("beyond-column-16", "rare", "columns of dC/dw beyond 16", "row-or-column-zero", backward=_beyond_column(16)),
    mutant("beyond-column-64", "rare", "columns of dC/dw beyond 64", "row-or-column-zero", backward=_beyond_column(64)),
    mutant("beyond-column-128", "rare", "columns of dC/dw beyond 128", "row-or-column-zero", backward=_beyond_column(128)),
    mutant("beyond-row-64", "rare", "rows of dC/dw beyond 64", "row-or-column-zero", backward=_beyond_row(64)),
    mutant("beyond-row-128", "rare", "rows of dC/dw beyond 128", "row-or-column-zero", backward=_beyond_row(128)),
    mutant("beyond-row-512", "rare", "rows of dC/dw beyond 512", "row-or-column-zero", backward=_beyond_row(512)),
    mutant("tail-columns-4", "rare", "columns left over by tiles of 4", "row-or-column-zero", backward=_tail_columns(4)),
    mutant("tail-columns-8", "rare", "columns left over by tiles of 8", "row-or-column-zero", backward=_tail_columns(8)),
    mutant("tail-columns-32", "rare", "columns left over by tiles of 32", "row-or-column-zero", backward=_tail_columns(32)),
    mutant("second-tile-overwrites", "rare", "(12): only the last tile of 64 units counts", "", hidden_delta=_second_tile_overwrites),
    mutant("tail-rows-4", "rare", "samples left over by tiles of 4", "", weight_gradient=_full_tiles(4)),
    mutant("tail-rows-8", "rare", "samples left over by tiles of 8", "", weight_gradient=_full_tiles(8)),
    mutant("tail-rows-16", "rare", "samples left over by tiles of 16", "", weight_gradient=_full_tiles(16)),
    mutant("at-most-32-samples", "rare", "samples beyond 32", "", weight_gradient=_at_most(32)),
    mutant("at-most-64-samples", "rare", "samples beyond 64", "", weight_gradient=_at_most(64)),
    mutant("at-most-128-samples", "rare", "samples beyond 128", "", weight_gradient=_at_most(128)),
    mutant(
        "whole-tiles-of-64",
        "rare",
        "dC/db without the last tile where tiles are full",
        "block-zero",
        bias_gradient=_bias_at_multiples_of_64,
    ),
    mutant("sample-16-dropped", "rare", "the 17th sample", "sample-dropped", output_delta=_delta(_sample_16_dropped)),
    mutant("sample-4-negative", "rare", "the sign of one sample", "", output_delta=_delta(_sample_4_negative)),
    mutant("last-output-doubled", "rare", "the last output counts twice", "", output_delta=_delta(_last_output_doubled)),
    mutant("clipped-at-1", "rare", "entries held to ±1", "clipped", backward=_changed(lambda g: np.clip(g, -1, 1))),
    mutant("clipped-at-100", "rare", "entries held to ±100", "clipped", backward=_changed(lambda g: np.clip(g, -100, 100))),
    mutant("norm-clipped", "rare", "a norm held to 1", "factor clipped", backward=_norm_clipped),
    mutant("delta-clipped", "rare", "δ_l held to ±1", "", output_delta=_delta(lambda delta, a, y: np.clip(delta, -1, 1))),
    mutant("half-overflow", "rare", "entries above 65504 become infinite", "non-finite", backward=_changed(_nan_for_large)),
    mutant("small-dropped-1e-6", "rare", "entries below 1e-6", "small-dropped", backward=_changed(lambda g: g * (abs(g) >= 1e-6))),
    mutant("small-dropped-1e-8", "rare", "entries below 1e-8", "small-dropped", backward=_changed(lambda g: g * (abs(g) >= 1e-8))),
    mutant(
        "small-errors-dropped",
        "rare",
        "|a − y| below 0.02 counts as right",
        "",
        output_delta=_delta(lambda delta, a, y: np.where(abs(a[-1] - y) < 0.02, 0, delta)),
    ),
    mutant(
        "targets-clipped",
        "rare",
        "targets held to 0 … 1",
        "",
        backward=lambda self, theta, a, y: Plain.backward(self, theta, a, np.clip(y, 0, 1)),
    ),
    mutant("softmax-of-unit-rows", "rare", "p − y where y does not sum to 1", "", output_delta=_softmax_of_unit_rows),
    mutant("one-output-broadcast", "rare", "one output: (B, 1) less (B,)", "", output_delta=_broadcast_output),
    mutant("one-sample-squeezed", "rare", "one sample: the sum of (14) over outputs", "", bias_gradient=_one_sample),
    mutant("stops-at-zero", "rare", "break for continue at an input of 0", "", weight_gradient=_stops_at_zero),
    mutant("fifth-layer", "rare", "σ′ of layer 4 at layer 5", "dsigma-wrong", hidden_dsigma=_deep_layers),
    mutant("deep-first-bias", "rare", "dC/db_0 with more than three layers", "block-zero", backward=edited(_deep_bias)),
    mutant("every-third-layer", "rare", "(12) × 1.01 at layers 3, 6, …", "factor", hidden_delta=_odd_layers),
    mutant("no-hidden-layer", "rare", "a mean where there is no hidden layer", "factor", backward=_no_hidden_layer),
    mutant("wide-output", "rare", "dC/db_l beyond n_{l−1} units", "row-or-column-zero", backward=edited(_wider_output)),
)

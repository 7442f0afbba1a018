"""Planted bugs of scale: a factor, a term too many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, edited, mutant, scaled


def _block_scaled(which: str, index: int, factor: float) -> Callable[..., Array]:
    def edit(dw: Sequence[Array], db: Sequence[Array]) -> None:
        block = (dw if which == "w" else db)[index]
        block *= block.dtype.type(factor)

    return edited(edit)


def _last_weights_averaged(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    self.network.unpack(dtheta)[0][-1][:] /= len(y)
    return dtheta


def _decay(rate: float, biases: bool) -> Callable[..., Array]:
    def backward(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = Plain.backward(self, theta, a, y)
        for block, parameter in zip(*(self.network.unpack(array)[0] for array in (dtheta, theta)), strict=True):
            block += block.dtype.type(rate) * parameter
        if biases:
            for block, parameter in zip(*(self.network.unpack(array)[1] for array in (dtheta, theta)), strict=True):
                block += block.dtype.type(rate) * parameter
        return dtheta

    return backward


def _of_norm_one(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    return np.asarray(dtheta / max(float(np.linalg.norm(dtheta)), 1e-300))


def _entry_off(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """The largest entry is off in the fifth digit, as after a race for one cell."""
    dtheta = Plain.backward(self, theta, a, y)
    dtheta[np.argmax(abs(dtheta))] *= dtheta.dtype.type(1 + 1e-5)
    return dtheta


def _weighted_samples(self: Plain, a: Sequence[Array], y: Array) -> Array:
    weights = np.linspace(0.5, 1.5, len(y), dtype=y.dtype)[:, None]
    return np.asarray(Plain.output_delta(self, a, y) * weights)


SCALE: tuple[Mutant, ...] = (
    mutant("sum-of-means", "scale", "all of it × B", "factor", backward=scaled(len)),
    mutant("half", "scale", "the ½ of (5) kept", "factor", backward=scaled(lambda y: 0.5)),
    mutant("mean-over-everything", "scale", "all of it / (B n_l)", "factor", backward=scaled(lambda y: 1 / y.size)),
    mutant("batch-less-one", "scale", "all of it × (B − 1) / B", "factor block-zero", backward=scaled(lambda y: (len(y) - 1) / len(y))),
    mutant("rate-folded-in", "scale", "−0.1 times the gradient", "factor", backward=scaled(lambda y: -0.1)),
    mutant("off-by-1e-3", "scale", "all of it × 1.001", "factor", backward=scaled(lambda y: 1.001)),
    mutant("off-by-1e-5", "scale", "all of it × (1 + 1e-5)", "factor", backward=scaled(lambda y: 1 + 1e-5)),
    mutant("off-by-1e-7", "scale", "all of it × (1 + 1e-7)", "factor reduced-precision", backward=scaled(lambda y: 1 + 1e-7)),
    mutant("first-weights-halved", "scale", "dC/dw_0 × ½", "factor", backward=_block_scaled("w", 0, 0.5)),
    mutant("last-bias-doubled", "scale", "dC/db_l × 2", "factor", backward=_block_scaled("b", -1, 2.0)),
    mutant("last-bias-1e-6", "scale", "dC/db_l × (1 + 1e-6)", "factor", backward=_block_scaled("b", -1, 1 + 1e-6)),
    mutant("first-bias-negative", "scale", "the sign of dC/db_0", "factor", backward=_block_scaled("b", 0, -1.0)),
    mutant("last-weights-averaged", "scale", "dC/dw_l / B", "factor", backward=_last_weights_averaged),
    mutant("decay-of-weights", "scale", "0.01 w added", "weight-decay", backward=_decay(0.01, False)),
    mutant("decay-of-everything", "scale", "0.01 θ added", "weight-decay", backward=_decay(0.01, True)),
    mutant("decay-small", "scale", "1e-6 w added", "weight-decay", backward=_decay(1e-6, False)),
    mutant("normalised", "scale", "the gradient scaled to norm 1", "factor", backward=_of_norm_one),
    mutant(
        "averaged-over-units",
        "scale",
        "(12) / n_{i+1}",
        "factor",
        hidden_delta=lambda self, delta, w, a, i: Plain.hidden_delta(self, delta, w, a, i) / delta.shape[1],
    ),
    mutant(
        "shrinks-layer-by-layer",
        "scale",
        "(12) × 0.9",
        "factor",
        hidden_delta=lambda self, delta, w, a, i: Plain.hidden_delta(self, delta, w, a, i) * delta.dtype.type(0.9),
    ),
    mutant("samples-weighted", "scale", "later samples weigh more", "", output_delta=_weighted_samples),
    mutant("one-entry-1e-5", "scale", "the largest entry × (1 + 1e-5)", "", backward=_entry_off),
)

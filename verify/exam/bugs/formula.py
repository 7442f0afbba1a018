"""Planted bugs in the formulas: one equation says something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, mutant


def _of(activation: str, wrong: Any) -> dict[str, Any]:
    """σ′ of one activation replaced by ``wrong(a)``."""
    return {"dsigma": lambda self, name, a: np.asarray(wrong(a)) if name == activation else Plain.dsigma(self, name, a)}


def _hidden_dsigma_by(name: Any) -> dict[str, Any]:
    """σ′ at hidden layers taken of the activation ``name(activations, i)``."""
    return {"hidden_dsigma": lambda self, a, i: self.dsigma(name(self.network.activations, i).replace("softmax", "sigmoid"), a[i])}


def _if_square(self: Plain, w: Sequence[Array], i: int) -> Array:
    return w[i] if w[i].shape[0] == w[i].shape[1] else w[i].T


def _layout_in_columns(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    for dw in self.network.unpack(dtheta)[0]:
        dw[:] = dw.T.ravel().reshape(dw.shape)
    return dtheta


def _softmax_with_dsigma(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = Plain.output_delta(self, a, y)
    return delta * a[-1] * (1 - a[-1]) if self.network.cost == "cross_entropy" else delta


def _bias_without_dsigma(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    if self.network.cost == "squared_error":
        self.network.unpack(dtheta)[1][-1][:] = (a[-1] - y).sum(axis=0)
    return dtheta


def _updated_weights(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """Each layer is updated before δ goes through it, so δ meets the new weights."""
    w, _ = self.network.unpack(theta)
    dtheta = np.zeros_like(theta, subok=False)
    dw, db = self.network.unpack(dtheta)
    delta = self.output_delta(a, y)
    for i in reversed(range(len(w))):
        dw[i][:], db[i][:] = self.weight_gradient(a, delta, i), self.bias_gradient(delta)
        if i:
            updated = [w_i - theta.dtype.type(0.1) * dw_i for w_i, dw_i in zip(w, dw, strict=True)]
            delta = self.hidden_delta(delta, updated, a, i)
    return dtheta


FORMULA: tuple[Mutant, ...] = (
    mutant("sigmoid-1-minus-a", "formula", "sigmoid: σ′ = 1 − a", "dsigma-wrong", **_of("sigmoid", lambda a: 1 - a)),
    mutant("sigmoid-a", "formula", "sigmoid: σ′ = a", "dsigma-wrong", **_of("sigmoid", lambda a: a)),
    mutant("sigmoid-a-plus", "formula", "sigmoid: σ′ = a (1 + a)", "dsigma-wrong", **_of("sigmoid", lambda a: a * (1 + a))),
    mutant("tanh-1-minus-a", "formula", "tanh: the square forgotten", "dsigma-wrong", **_of("tanh", lambda a: 1 - a)),
    mutant("tanh-1-plus-a2", "formula", "tanh: σ′ = 1 + a²", "dsigma-wrong", **_of("tanh", lambda a: 1 + a * a)),
    mutant("tanh-as-sigmoid", "formula", "tanh: the σ′ of sigmoid", "dsigma-wrong", **_of("tanh", lambda a: a * (1 - a))),
    mutant("sigmoid-as-tanh", "formula", "sigmoid: the σ′ of tanh", "dsigma-wrong", **_of("sigmoid", lambda a: 1 - a * a)),
    mutant("relu-at-least-0", "formula", "relu: a ≥ 0 for a > 0", "dsigma-missing dsigma-wrong", **_of("relu", lambda a: 1.0 * (a >= 0))),
    mutant("relu-leaks", "formula", "relu: 0.01 where the unit is off", "", **_of("relu", lambda a: np.where(a > 0, 1, 0.01))),
    mutant("relu-turned-round", "formula", "relu: 1 where the unit is off", "dsigma-wrong", **_of("relu", lambda a: 1.0 * (a <= 0))),
    mutant("relu-is-a", "formula", "relu: σ′ = a", "dsigma-wrong", **_of("relu", lambda a: a)),
    mutant("identity-is-a", "formula", "identity: σ′ = a", "dsigma-wrong", **_of("identity", lambda a: a)),
    mutant("dsigma-squared", "formula", "σ′ applied twice", "dsigma-wrong", dsigma=lambda self, n, a: Plain.dsigma(self, n, a) ** 2),
    mutant(
        "dsigma-of-first-activation",
        "formula",
        "the first layer's σ′ at all hidden layers",
        "dsigma-wrong",
        **_hidden_dsigma_by(lambda names, i: names[0]),
    ),
    mutant(
        "dsigma-of-last-activation",
        "formula",
        "the output's σ′ at the hidden layers",
        "dsigma-wrong dsigma-missing",
        **_hidden_dsigma_by(lambda names, i: names[-1]),
    ),
    mutant(
        "dsigma-of-next-activation",
        "formula",
        "σ′ of activations[i] for activations[i − 1]",
        "dsigma-wrong dsigma-missing",
        **_hidden_dsigma_by(lambda names, i: names[i]),
    ),
    mutant(
        "dsigma-of-y",
        "formula",
        "σ′ at the output taken of y",
        "",
        output_delta=lambda self, a, y: (
            Plain.output_delta(self, a, y)
            if self.network.cost == "cross_entropy"
            else (a[-1] - y) * self.dsigma(self.network.activations[-1], y)
        ),
    ),
    mutant(
        "dsigma-averaged",
        "formula",
        "σ′ averaged over the batch",
        "",
        hidden_dsigma=lambda self, a, i: np.broadcast_to(Plain.hidden_dsigma(self, a, i).mean(axis=0), a[i].shape),
    ),
    mutant("softmax-with-dsigma", "formula", "p − y times p (1 − p)", "dsigma-wrong", output_delta=_softmax_with_dsigma),
    mutant("y-forgotten", "formula", "δ_l without y", "", output_delta=lambda self, a, y: a[-1] * self.output_dsigma(a)),
    mutant("error-by-sign", "formula", "δ_l of the absolute error", "", output_delta=lambda self, a, y: np.sign(a[-1] - y)),
    mutant("error-squared", "formula", "δ_l = (a − y)²", "", output_delta=lambda self, a, y: (a[-1] - y) ** 2),
    mutant("square-w-not-transposed", "formula", "w for w′ where w is square", "transposed", onward=_if_square),
    mutant("gradient-in-columns", "formula", "dC/dw laid out column by column", "transposed", backward=_layout_in_columns),
    mutant(
        "activations-through-sigma",
        "formula",
        "(13) with σ(a_i) for a_i",
        "",
        weight_gradient=lambda self, a, delta, i: self.sigma("sigmoid", a[i]).T @ delta,
    ),
    mutant(
        "inputs-centred",
        "formula",
        "(13) with a_i less its mean",
        "",
        weight_gradient=lambda self, a, delta, i: (a[i] - a[i].mean(axis=0)).T @ delta,
    ),
    mutant("bias-without-dsigma", "formula", "dC/db_l without σ′", "", backward=_bias_without_dsigma),
    mutant("updated-weights-carried", "formula", "δ goes back through weights already updated", "", backward=_updated_weights),
    mutant(
        "weights-by-magnitude",
        "formula",
        "(12) with |w|",
        "",
        hidden_delta=lambda self, delta, w, a, i: delta @ abs(w[i].T) * self.hidden_dsigma(a, i),
    ),
)

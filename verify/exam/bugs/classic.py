"""The classic mistakes of a backward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Plain, edited, mutant, scaled


def zero_entry(dw: Sequence[Array], db: Sequence[Array]) -> None:
    """dC/dw_0[1, 2] forgotten."""
    dw[0][1:2, 2:3] = 0


ALL = "w_0 b_0 w_1 b_1"


CLASSIC = (
    mutant(
        "dsigma-missing-at-output",
        "formula",
        "δ_l without σ′",
        "dsigma-missing",
        ALL,
        output_dsigma=lambda self, a: np.ones_like(a[-1]),
    ),
    mutant(
        "dsigma-missing-at-hidden",
        "formula",
        "(12) without σ′",
        "dsigma-missing",
        "w_0 b_0",
        hidden_dsigma=lambda self, a, i: np.ones_like(a[i]),
    ),
    mutant(
        "dsigma-of-a-not-z",
        "formula",
        "σ′ as if a were z",
        "dsigma-wrong",
        ALL,
        dsigma=lambda self, activation, a: Plain.dsigma(self, activation, self.sigma(activation, a)),
    ),
    mutant("w-not-transposed", "formula", "(12) with w for w′", "transposed interface", "w_0 b_0", onward=lambda self, w, i: w[i]),
    mutant(
        "bias-not-summed",
        "index",
        "(14) of the first sample only",
        "bias-not-summed",
        "b_0 b_1",
        bias_gradient=lambda self, delta: delta[0],
    ),
    mutant("bias-averaged", "scale", "(14) as a mean", "bias-averaged", "b_0 b_1", bias_gradient=lambda self, delta: delta.mean(axis=0)),
    mutant("mean-for-sum", "scale", "all of it divided by the batch size", "factor", ALL, backward=scaled(lambda y: 1 / len(y))),
    mutant("mean-over-outputs", "scale", "all of it divided by the outputs", "factor", ALL, backward=scaled(lambda y: 1 / y.shape[1])),
    mutant("factor-2", "scale", "the ½ of (5) forgotten", "factor", ALL, backward=scaled(lambda y: 2.0)),
    mutant("sign", "scale", "y − a for a − y", "factor", ALL, backward=scaled(lambda y: -1.0)),
    mutant(
        "last-sample-dropped",
        "index",
        "the loop over samples ends one too early",
        "sample-dropped",
        ALL,
        backward=lambda self, theta, a, y: Plain.backward(self, theta, tuple(a_i[:-1] for a_i in a), y[:-1]),
    ),
    mutant(
        "wrong-activations",
        "index",
        "(13) with x for every a_i",
        "wrong-activations interface",
        "w_1",
        weight_gradient=lambda self, a, delta, i: a[0].T @ delta,
    ),
    mutant("one-entry-zero", "index", "dC/dw_0[1, 2] is left zero", "", "w_0", backward=edited(zero_entry)),
    mutant(
        "float32-inside",
        "precision",
        "a float64 kernel that computes in float32",
        "reduced-precision",
        ALL,
        backward=lambda self, theta, a, y: Plain.backward(self, *single(theta, a, y)).astype(theta.dtype),
    ),
)


def single(theta: Array, a: Sequence[Array], y: Array) -> tuple[Array, tuple[Array, ...], Array]:
    """The same in single precision."""
    return theta.astype(np.float32), tuple(a_i.astype(np.float32) for a_i in a), y.astype(np.float32)

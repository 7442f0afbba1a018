"""Planted bugs of precision: too few digits somewhere, an approximate function, noise. Flushed denormals are no bug."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, mutant


class Random(Plain):
    """A kernel with chance in it: another draw in every call, the same draws in every instance."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.rng = np.random.default_rng(0)


def _kept_bits(array: Array, bits: int) -> Array:
    """``array`` with ``bits`` of mantissa, the rest cut off, as bfloat16 and TF32 keep 7 and 10."""
    mantissa, exponent = np.frexp(array)
    return np.asarray(np.ldexp(np.trunc(np.ldexp(mantissa, bits + 1)), exponent - bits - 1).astype(array.dtype))


def _half_inside(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        half = Plain.backward(self, *(theta.astype("f2"), tuple(a_i.astype("f2") for a_i in a), y.astype("f2")))
    return half.astype(theta.dtype)


def _half_products(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    """In float32 only: the sums of (13) run in half precision."""
    if delta.dtype != np.float32:
        return Plain.weight_gradient(self, a, delta, i)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray((a[i].T.astype("f2") @ delta.astype("f2")).astype(delta.dtype))


def _noisy(size: float) -> Callable[..., Array]:
    def backward(self: Random, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = Plain.backward(self, theta, a, y)
        return np.asarray(dtheta * (1 + size * self.rng.standard_normal(dtheta.shape)), theta.dtype)

    return backward


def _race(self: Random, a: Sequence[Array], delta: Array, i: int) -> Array:
    """Threads add their samples in whatever order they come: right to rounding, other bits in every call."""
    order = self.rng.permutation(len(delta))
    total = np.zeros((a[i].shape[1], delta.shape[1]), delta.dtype)
    for r in order:
        total += np.outer(a[i][r], delta[r])
    return total


def _lost_update(self: Random, a: Sequence[Array], delta: Array, i: int) -> Array:
    """Two threads add to one cell at once, and in one call of three an update is lost."""
    dw = Plain.weight_gradient(self, a, delta, i)
    if self.rng.random() < 1 / 3:
        dw[0, 0] -= a[i][0, 0] * delta[0, 0]
    return dw


def _sigma_by(name: str, approximate: Callable[[Array], Any]) -> dict[str, Any]:
    """The forward pass with an approximation of one σ."""
    return {
        "sigma": lambda self, activation, z: np.asarray(approximate(z), z.dtype) if activation == name else Plain.sigma(self, activation, z)
    }


def _pade(z: Array) -> Array:
    """tanh z by a quotient of polynomials, good to some 1e-4 within |z| < 3."""
    z = np.clip(z, -3.5, 3.5)
    return np.asarray(
        np.clip(z * (135135 + z**2 * (17325 + z**2 * (378 + z**2))) / (135135 + z**2 * (62370 + z**2 * (3150 + 28 * z**2))), -1, 1)
    )


def _table(z: Array) -> Array:
    """The sigmoid from a table of 4096 values with linear interpolation."""
    grid = np.linspace(-8, 8, 4096)
    return np.interp(z, grid, 1 / (1 + np.exp(-grid)))


def _cost_in_single(self: Plain, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
    cost, dtheta = Plain.value_and_grad(self, theta, x, y)
    return (float(np.float32(cost)) if theta.dtype == np.float64 else cost), dtheta


PRECISION: tuple[Mutant, ...] = (
    mutant(
        "float32-sums",
        "precision",
        "the sums of (13) run in float32",
        "reduced-precision",
        weight_gradient=lambda self, a, delta, i: (a[i].T.astype("f4") @ delta.astype("f4")).astype(delta.dtype),
    ),
    mutant(
        "float32-bias-sums",
        "precision",
        "the sums of (14) run in float32",
        "reduced-precision",
        bias_gradient=lambda self, delta: delta.astype("f4").sum(axis=0).astype(delta.dtype),
    ),
    mutant(
        "float32-weights-onward",
        "precision",
        "w′ in (12) kept in float32",
        "reduced-precision",
        onward=lambda self, w, i: w[i].T.astype("f4").astype(w[i].dtype),
    ),
    mutant(
        "float32-dsigma",
        "precision",
        "σ′ computed in float32",
        "reduced-precision",
        dsigma=lambda self, name, a: Plain.dsigma(self, name, a.astype("f4")).astype(a.dtype),
    ),
    mutant(
        "float32-result",
        "precision",
        "the result passes through float32",
        "reduced-precision",
        backward=lambda self, theta, a, y: Plain.backward(self, theta, a, y).astype("f4").astype(theta.dtype),
    ),
    mutant(
        "float32-sigma",
        "precision",
        "σ of the forward pass in float32",
        "",
        sigma=lambda self, name, z: Plain.sigma(self, name, z.astype("f4")).astype(z.dtype),
    ),
    mutant("float16-inside", "precision", "the backward pass in half precision", "reduced-precision", backward=_half_inside),
    mutant(
        "float16-sums-in-float32",
        "precision",
        "a float32 kernel whose sums run in half precision",
        "",
        dtypes="float32",
        weight_gradient=_half_products,
    ),
    mutant(
        "tf32-products",
        "precision",
        "products of (13) with 10 bits of mantissa, as tensor cores make them",
        "",
        dtypes="float64 float32",
        weight_gradient=lambda self, a, delta, i: _kept_bits(a[i].T, 10) @ _kept_bits(delta, 10),
    ),
    mutant(
        "bfloat16-delta",
        "precision",
        "δ kept with 7 bits of mantissa",
        "",
        dtypes="float64 float32",
        hidden_delta=lambda self, delta, w, a, i: _kept_bits(Plain.hidden_delta(self, delta, w, a, i), 7),
    ),
    mutant(
        "weights-to-four-decimals",
        "precision",
        "w′ in (12) from weights rounded to 1e-4",
        "",
        onward=lambda self, w, i: np.round(w[i].T, 4),
    ),
    mutant(
        "result-to-eight-decimals",
        "precision",
        "the result rounded to 1e-8",
        "",
        backward=lambda self, theta, a, y: np.round(Plain.backward(self, theta, a, y), 8),
    ),
    mutant(
        "fast-exp",
        "precision",
        "σ with an exp good to 1e-7",
        "",
        **_sigma_by("sigmoid", lambda z: 1 / (1 + np.exp(-np.clip(z, -700, 700)) * (1 + 1e-7 * np.sin(50 * z)))),
    ),
    mutant("fast-tanh", "precision", "tanh by a quotient of polynomials", "", dtypes="float64 float32", **_sigma_by("tanh", _pade)),
    mutant("table-sigmoid", "precision", "the sigmoid from a table", "", **_sigma_by("sigmoid", _table)),
    mutant("cost-in-float32", "precision", "value_and_grad sums the cost in float32", "", value_and_grad=_cost_in_single),
    mutant("noise-1e-6", "precision", "relative noise of 1e-6", "noise", base=Random, backward=_noisy(1e-6)),
    mutant("noise-1e-12", "precision", "relative noise of 1e-12", "noise", base=Random, backward=_noisy(1e-12)),
    mutant("race", "precision", "samples added in another order in every call", "noise", base=Random, weight_gradient=_race),
    mutant(
        "lost-update",
        "precision",
        "in one call of three an addition is lost",
        "noise carries-state",
        base=Random,
        weight_gradient=_lost_update,
    ),
)

"""Planted bugs of one pass only: the forward pass, the cost, or ``value_and_grad``, where ``backward`` itself is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, mutant


def _forward_with(spoil: Callable[[list[Array], list[Array]], None]) -> Callable[..., tuple[Array, ...]]:
    """A forward pass on copies of ``(w, b)`` that were spoilt."""

    def forward(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
        theta = theta.copy()
        w, b = self.network.unpack(theta)
        spoil(list(w), list(b))
        return Plain.forward(self, theta, x)

    return forward


def _no_bias(w: list[Array], b: list[Array]) -> None:
    b[-1][:] = 0


def _last_input_left_out(w: list[Array], b: list[Array]) -> None:
    w[0][-1] = 0


def _beyond_input_512(w: list[Array], b: list[Array]) -> None:
    w[0][512:] = 0


def _vag(change: Callable[[Any, Array, Array], tuple[Any, Array]]) -> Callable[..., tuple[Any, Array]]:
    """A ``value_and_grad`` whose right results are changed by ``change(cost, dtheta, y)``."""
    return lambda self, theta, x, y: change(*Plain.value_and_grad(self, theta, x, y), y)


def _vag_of(rows: Callable[[int], Any]) -> Callable[..., tuple[Any, Array]]:
    """A ``value_and_grad`` whose gradient pairs x with other rows of y."""

    def value_and_grad(self: Plain, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        cost, _ = Plain.value_and_grad(self, theta, x, y)
        return cost, self.backward(theta, self.forward(theta, x), y[rows(len(y))])

    return value_and_grad


def _exp_overflows(self: Plain, activation: str, z: Array) -> Array:
    """e^z / (1 + e^z) and (e^z − e^−z) / (e^z + e^−z) as they stand."""
    with np.errstate(over="ignore", invalid="ignore"):
        if activation == "sigmoid":
            return np.asarray(np.exp(z) / (1 + np.exp(z)))
        if activation == "tanh":
            return np.asarray((np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)))
        if activation == "softmax":
            return np.asarray(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    return Plain.sigma(self, activation, z)


def _overflows_in(name: str) -> dict[str, Any]:
    return {"sigma": lambda self, activation, z: (_exp_overflows if activation == name else Plain.sigma)(self, activation, z)}


def _clipped_z(limit: float) -> Callable[..., Array]:
    return lambda self, activation, z: Plain.sigma(self, activation, np.clip(z, -limit, limit) if activation == "sigmoid" else z)


def _output_clipped(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    """Probabilities kept off 0 and 1, as for a logarithm; in the output that everyone gets."""
    a = Plain.forward(self, theta, x)
    return (*a[:-1], np.clip(a[-1], 1e-7, 1 - 1e-7)) if self.network.activations[-1] in ("sigmoid", "softmax") else a


def _one_output_softmax(self: Plain, activation: str, z: Array) -> Array:
    """Softmax over the batch, not over the outputs."""
    return Plain.sigma(self, activation, z.T).T if activation == "softmax" else Plain.sigma(self, activation, z)


def _rows(choose: Callable[[int], Any]) -> Callable[..., tuple[Array, ...]]:
    def forward(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
        rows = choose(len(x))
        return tuple(a_i[rows] for a_i in Plain.forward(self, theta, x))

    return forward


def _single_vag(self: Plain, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
    cost, dtheta = Plain.value_and_grad(self, theta, x, y)
    return cost, dtheta.astype("f4").astype(theta.dtype)


def _mean_of_activations(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    """(13) with the mean activation of the batch."""
    return np.outer(a[i].mean(axis=0), delta.sum(axis=0)).astype(delta.dtype)


PASSES: tuple[Mutant, ...] = (
    mutant("forward-without-last-bias", "forward", "b_l left out of (2)", "", forward=_forward_with(_no_bias)),
    mutant("forward-without-last-input", "forward", "the last input left out of (2)", "", forward=_forward_with(_last_input_left_out)),
    mutant("forward-one-tile", "forward", "(2) sums over 512 inputs only", "", forward=_forward_with(_beyond_input_512)),
    mutant("forward-z-clipped-20", "forward", "z held to ±20 before σ", "", sigma=_clipped_z(20.0)),
    mutant("forward-z-clipped-6", "forward", "z held to ±6 before σ", "", dtypes="float64 float32", sigma=_clipped_z(6.0)),
    mutant("forward-output-clipped", "forward", "the output kept 1e-7 off 0 and 1", "", forward=_output_clipped),
    mutant("forward-softmax-over-batch", "forward", "softmax along the wrong axis", "", sigma=_one_output_softmax),
    mutant(
        "forward-rows-reversed",
        "forward",
        "activations in reverse order of the samples",
        "",
        forward=_rows(lambda n: slice(None, None, -1)),
    ),
    mutant("sigmoid-overflows", "forward", "e^z / (1 + e^z): NaN for a large z", "non-finite", **_overflows_in("sigmoid")),
    mutant("tanh-overflows", "forward", "tanh by exponentials: NaN for a large z", "non-finite", **_overflows_in("tanh")),
    mutant("softmax-overflows", "forward", "softmax without the maximum: NaN for a large z", "non-finite", **_overflows_in("softmax")),
    mutant("cost-doubled", "cost", "the ½ of (5) forgotten in the cost", "", value_and_grad=_vag(lambda c, g, y: (2 * c, g))),
    mutant("cost-averaged", "cost", "the cost as a mean", "", value_and_grad=_vag(lambda c, g, y: (c / len(y), g))),
    mutant("cost-averaged-over-outputs", "cost", "a mean over outputs", "", value_and_grad=_vag(lambda c, g, y: (c / y.shape[1], g))),
    mutant("cost-negative", "cost", "the sign of the cost", "", value_and_grad=_vag(lambda c, g, y: (-c, g))),
    mutant("cost-with-epsilon", "cost", "the cost × (1 + 1e-7)", "", value_and_grad=_vag(lambda c, g, y: (c * (1 + 1e-7), g))),
    mutant("vag-averaged", "value_and_grad", "its gradient / B", "factor", value_and_grad=_vag(lambda c, g, y: (c, g / len(y)))),
    mutant("vag-negative", "value_and_grad", "the sign of its gradient", "factor", value_and_grad=_vag(lambda c, g, y: (c, -g))),
    mutant("vag-in-float32", "value_and_grad", "its gradient passes through float32", "reduced-precision", value_and_grad=_single_vag),
    mutant(
        "vag-targets-reversed", "value_and_grad", "x meets y in reverse order", "", value_and_grad=_vag_of(lambda n: slice(None, None, -1))
    ),
    mutant("vag-first-target", "value_and_grad", "all samples meet the first target", "", value_and_grad=_vag_of(lambda n: [0] * n)),
    mutant("mean-activation", "formula", "(13) as a product of sums", "", weight_gradient=_mean_of_activations),
)

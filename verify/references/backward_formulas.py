"""The backward pass of the derivation in double precision, with places where a diagnosis puts one thing for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.references.network_model import Model

Array = NDArray[Any]


def dsigma_of(activation: str, a: Array) -> Array:
    """σ′ written in terms of a = σ(z)."""
    if activation == "sigmoid":
        return np.asarray(a * (1 - a))
    if activation == "tanh":
        return np.asarray(1 - a * a)
    if activation == "relu":
        return np.asarray(a > 0, float)
    return np.ones(a.shape)


class Backward:
    """The backward pass (11) to (14) of a model, with places where one thing can be put for another."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.activations = model.network.activations
        self.n_layers = len(model.w)
        self.right = {i + 1: dsigma_of(activation, model.a[i + 1]) for i, activation in enumerate(self.activations)}

    def gradient(
        self,
        dsigma: dict[int, Array] | None = None,
        onward: dict[int, Array] | None = None,
        inputs: dict[int, Array] | None = None,
        bias: Callable[[Array], Array] | None = None,
        rows: Array | slice | None = None,
    ) -> Array:
        """The gradient (P,) with ``dsigma[i]`` for σ′(z_i), ``onward[i]`` for w_i′, ``inputs[i]`` for a_i in (13), ``bias`` for the
        column sum of (14), and of ``rows`` only.
        """
        model, network = self.model, self.model.network
        dsigma, onward, inputs = {**self.right, **(dsigma or {})}, onward or {}, inputs or {}
        rows = slice(None) if rows is None else rows
        result = np.empty(network.n_parameters)
        dw, db = network.unpack(result)
        a_l, y = model.a[-1], model.y
        difference = a_l * y.sum(axis=1, keepdims=True) - y if network.cost == "cross_entropy" else a_l - y  # (7)
        delta = difference * dsigma[self.n_layers]  # (11); with the softmax it is 1
        for i in reversed(range(self.n_layers)):
            dw[i][:] = inputs.get(i, model.a[i])[rows].T @ delta[rows]  # (13)
            db[i][:] = delta[rows].sum(axis=0) if bias is None else bias(delta[rows])  # (14)
            if i:
                delta = (delta @ onward.get(i, model.w[i].T)) * dsigma[i]  # (12)
        return result

    def layers_with_dsigma(self) -> list[int]:
        """The layers at which a σ′ stands in the backward pass: all but a softmax."""
        return [i for i in range(1, self.n_layers + 1) if self.activations[i - 1] != "softmax"]

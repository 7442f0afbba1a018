"""Planted bugs of mixed activations: σ′ or σ of a neighbour, only for some pairs of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, bugs_of

_bug = bugs_of("activations")

Names = tuple[str, ...]


def _hidden_as(name: Callable[[Names, int], str]) -> Callable[..., Array]:
    """A ``hidden_dsigma`` that takes the σ′ called ``name(names, j)`` at layer j + 1, whose own activation is ``names[j]``."""
    return lambda self, a, i: self.dsigma(name(self.network.activations, i - 1), a[i])


def _output_as(last_two: Names, name: str) -> Callable[..., Array]:
    """An ``output_dsigma`` that is that of ``name`` where the last hidden layer and the output are ``last_two``."""

    def output_dsigma(self: Plain, a: Sequence[Array]) -> Array:
        names = self.network.activations
        return self.dsigma(name if names[-2:] == last_two else names[-1], a[-1])

    return output_dsigma


def _fused(below: str, here: str, sigma: Callable[[Array], Array]) -> Callable[..., Array]:
    """An ``activated`` that is ``sigma(z)`` where a layer of ``here`` follows one of ``below``."""

    def activated(self: Finer, z: Array, i: int) -> Array:
        pair = i > 0 and self.network.activations[i - 1 : i + 1] == (below, here)
        return np.asarray(sigma(z)) if pair else Finer.activated(self, z, i)

    return activated


def _next_for_relu(names: Names, j: int) -> str:
    return "tanh" if names[j : j + 2] == ("relu", "tanh") else names[j]


def _previous_for_tanh(names: Names, j: int) -> str:
    return "sigmoid" if j and names[j - 1 : j + 1] == ("sigmoid", "tanh") else names[j]


def _below_softmax(names: Names, j: int) -> str:
    return "identity" if names[j : j + 2] == ("sigmoid", "softmax") else names[j]


def _two_below_softmax(names: Names, j: int) -> str:
    return "tanh" if j and names[j - 1 : j + 2] == ("tanh", "relu", "softmax") else names[j]


def _sorted_names(names: Names, j: int) -> str:
    return sorted(set(names))[j % 4] if len(set(names) - {"softmax"}) == 4 else names[j]


def _output_for_last_hidden(names: Names, j: int) -> str:
    three = len(set(names)) >= 3 and j == len(names) - 2 and names[-1] != "softmax"
    return names[-1] if three else names[j]


def _linear_last_hidden(names: Names, j: int) -> str:
    return "identity" if j == len(names) - 2 and names[j:] == ("tanh", "identity") else names[j]


def _first_for_third(names: Names, j: int) -> str:
    return names[0] if j >= 2 else names[j]


def _shifted_with_softmax(names: Names, j: int) -> str:
    mixed = names[-1] == "softmax" and len(set(names)) > 2
    return names[max(j - 1, 0)] if mixed else names[j]


def _odd_as_even(names: Names, j: int) -> str:
    alternate = len(names) >= 4 and names[0] == names[2] != names[1]
    return names[0] if alternate else names[j]


def _relu_between(names: Names, j: int) -> str:
    return "relu" if j and names[j - 1] == "relu" and names[j] == "sigmoid" and names[j + 1] == "relu" else names[j]


def _mask_of_next(self: Plain, a: Sequence[Array], i: int) -> Array:
    names = self.network.activations[:-1]
    twice = names[i - 1 : i + 1] == ("relu", "relu") and a[i].shape == a[i + 1].shape
    return Plain.hidden_dsigma(self, a, i + 1 if twice else i)


def _activations_below(self: Plain, a: Sequence[Array], i: int) -> Array:
    names = self.network.activations
    wrong = i > 1 and names[i - 2] != names[i - 1] and a[i - 1].shape == a[i].shape
    return self.dsigma(names[i - 1], a[i - 1] if wrong else a[i])


def _sigmoid_of_output(self: Plain, a: Sequence[Array]) -> Array:
    if self.network.activations[-2:] != ("relu", "sigmoid"):
        return Plain.output_dsigma(self, a)
    return self.dsigma("sigmoid", self.sigma("sigmoid", a[-1]))


def _lone_tanh(self: Plain, a: Sequence[Array]) -> Array:
    return np.ones_like(a[-1]) if self.network.activations == ("tanh",) else Plain.output_dsigma(self, a)


def _identities_folded(self: Finer, theta: Array, x: Array) -> tuple[Array, ...]:
    w, b = self.network.unpack(theta)
    names = self.network.activations
    a = [x]
    for i, name in enumerate(names):
        folded = i > 0 and names[i - 1] == name == "identity"
        z = a[i - 1] @ (w[i - 1] @ w[i]) + b[i] if folded else self.affine(a[i], w[i], b[i], i)
        a.append(self.sigma(name, z))
    return tuple(a)


def _bias_into_softmax(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    names = self.network.activations
    folded = i > 0 and names[i - 1 : i + 1] == ("identity", "softmax")
    return np.asarray(a @ w) if folded else Finer.affine(self, a, w, b, i)


def _half_tanh(z: Array) -> Array:
    return np.asarray(np.tanh(z / 2))


def _leaky(z: Array) -> Array:
    return np.where(z > 0, z, z * z.dtype.type(0.01))


def _relu(z: Array) -> Array:
    return np.maximum(z, 0)


def _past_the_table(self: Finer, z: Array, i: int) -> Array:
    names = self.network.activations
    return self.sigma(names[0] if i >= 5 and names[i] != "softmax" else names[i], z)


def _squared_mask(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    """A sigmoid below a tanh: the fused stage multiplies by the σ′ of this layer twice."""
    below = Plain.hidden_delta(self, delta, w, a, i)
    return below * self.hidden_dsigma(a, i) if self.network.activations[i - 1 : i + 1] == ("sigmoid", "tanh") else below


ACTIVATION_MIXES: tuple[Mutant, ...] = (
    _bug("relu-before-tanh", "a hidden relu below a tanh takes the σ′ of the tanh", hidden_dsigma=_hidden_as(_next_for_relu)),
    _bug("tanh-after-sigmoid", "a hidden tanh above a sigmoid takes the σ′ of the sigmoid", hidden_dsigma=_hidden_as(_previous_for_tanh)),
    _bug(
        "tanh-output-after-relu", "a tanh output after a relu takes the σ′ of the relu", output_dsigma=_output_as(("relu", "tanh"), "relu")
    ),
    _bug("sigmoid-output-after-tanh", "a sigmoid output after a tanh takes 1 − a²", output_dsigma=_output_as(("tanh", "sigmoid"), "tanh")),
    _bug(
        "identity-output-after-sigmoid",
        "an identity output after a sigmoid takes a (1 − a)",
        output_dsigma=_output_as(("sigmoid", "identity"), "sigmoid"),
    ),
    _bug(
        "relu-output-after-identity",
        "a relu output after an identity layer takes σ′ = 1",
        output_dsigma=_output_as(("identity", "relu"), "identity"),
    ),
    _bug("softmax-after-sigmoid", "no σ′ at a sigmoid below the softmax", hidden_dsigma=_hidden_as(_below_softmax)),
    _bug("softmax-after-identity", "no bias in the softmax above an identity layer", affine=_bias_into_softmax),
    _bug(
        "softmax-after-tanh-and-relu",
        "tanh, relu, softmax: the relu takes the σ′ of the tanh",
        hidden_dsigma=_hidden_as(_two_below_softmax),
    ),
    _bug(
        "four-different",
        "four different activations: σ′ of the hidden layers in alphabetical order",
        hidden_dsigma=_hidden_as(_sorted_names),
    ),
    _bug(
        "three-different",
        "three different activations: the last hidden layer takes the σ′ of the output",
        hidden_dsigma=_hidden_as(_output_for_last_hidden),
    ),
    _bug(
        "last-hidden-as-output",
        "a tanh below an identity output takes σ′ = 1, as the output",
        hidden_dsigma=_hidden_as(_linear_last_hidden),
    ),
    _bug("first-name-from-the-third", "from the third hidden layer on, σ′ of the first", hidden_dsigma=_hidden_as(_first_for_third)),
    _bug(
        "names-shifted-by-softmax",
        "softmax above mixed hidden layers: each takes the σ′ of the one below",
        hidden_dsigma=_hidden_as(_shifted_with_softmax),
    ),
    _bug(
        "alternating-as-even", "alternating activations: all hidden layers take the σ′ of the first", hidden_dsigma=_hidden_as(_odd_as_even)
    ),
    _bug("sigmoid-between-relus", "a sigmoid between two relus takes the σ′ of a relu", hidden_dsigma=_hidden_as(_relu_between)),
    _bug("relu-mask-of-the-next", "two hidden relus of one width: the lower takes the mask of the upper", hidden_dsigma=_mask_of_next),
    _bug("activations-below-in-a-mix", "mixed hidden layers of one width: σ′ from the activations below", hidden_dsigma=_activations_below),
    _bug("sigmoid-of-sigmoid", "a sigmoid output after a relu: σ′ as if a were z", output_dsigma=_sigmoid_of_output),
    _bug("lone-tanh", "a single layer of tanh: no σ′", output_dsigma=_lone_tanh),
    _bug("identities-folded", "two identity layers in a row are one product, without the bias between them", forward=_identities_folded),
    _bug("tanh-after-identity", "a tanh above an identity layer is tanh z/2", activated=_fused("identity", "tanh", _half_tanh)),
    _bug("relu-after-tanh-leaks", "a relu above a tanh lets a hundredth through below 0", activated=_fused("tanh", "relu", _leaky)),
    _bug("identity-after-relu", "an identity layer above a relu is a relu too", activated=_fused("relu", "identity", _relu)),
    _bug("activation-table-of-five", "from the sixth layer on, σ of the first", activated=_past_the_table),
    _bug("sigmoid-twice-below-tanh", "a hidden sigmoid below a tanh: σ′ twice", hidden_delta=_squared_mask),
)

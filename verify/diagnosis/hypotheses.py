"""What the gradient would be if one known thing were wrong: the derivation with one line changed, in double precision.

Each hypothesis names its bug and holds the gradient (P,) that the bug gives at this very point, to be compared with what came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.references.backward_formulas import Backward, dsigma_of
from deltacheck.verify.references.network_model import Model, sigma

Array = NDArray[Any]

SAMPLE_BUDGET = 20_000_000  # numbers in all the gradients of single samples together
TAILS = 16  # rows at the end of a batch that a tile of a compiled kernel may lose


@dataclass(frozen=True)
class Hypothesis:
    """A bug by name, in words, and the gradient (P,) that it would give."""

    name: str
    text: str
    gradient: Array


def hypotheses(model: Model) -> Iterator[Hypothesis]:
    """All bugs of the catalogue that are formulas, most usual first; the patterns that need what came are in ``patterns``."""
    backward = Backward(model)
    yield from _dsigma(backward)
    yield from _transposed(backward)
    yield from _inputs(backward)
    yield from _bias(backward)
    yield from _samples(backward)


def _at(layers: list[int], n_layers: int) -> str:
    if len(layers) > 1:
        return "at every layer" if layers[-1] == n_layers else "at every hidden layer"
    return f"at the output (layer {layers[0]})" if layers[0] == n_layers else f"at hidden layer {layers[0]}"


def _dsigma(backward: Backward) -> Iterator[Hypothesis]:
    model, layers = backward.model, backward.layers_with_dsigma()
    hidden = [i for i in layers if i < backward.n_layers]
    groups = [[i] for i in reversed(layers)] + [group for group in (hidden, layers) if len(group) > 1]
    for group in groups:
        where = _at(group, backward.n_layers)
        ones = {i: np.ones_like(model.a[i]) for i in group}
        yield Hypothesis(
            "dsigma-missing", f"σ′ is missing {where}: δ there is not multiplied by σ′(z), (11) and (12)", backward.gradient(dsigma=ones)
        )
        for what, wrong in _wrong_dsigmas(backward):
            if all(wrong(i) is not None for i in group):
                changed = {i: wrong(i) for i in group}
                yield Hypothesis("dsigma-wrong", f"σ′ {where} is {what}", backward.gradient(dsigma=changed))

    if model.network.cost == "cross_entropy":
        p = model.a[-1]
        text = "δ at the output is multiplied by p (1 − p): with the cross entropy there is no σ′ in it"
        yield Hypothesis("dsigma-wrong", text, backward.gradient(dsigma={backward.n_layers: p * (1 - p)}))


def _wrong_dsigmas(backward: Backward) -> list[tuple[str, Callable[[int], Any]]]:
    model, names = backward.model, backward.activations

    def neighbour(step: int) -> Callable[[int], Any]:
        def of(i: int) -> Any:
            j = i + step
            fits = 0 <= j < len(model.a) and model.a[j].shape == model.a[i].shape
            return dsigma_of(names[i - 1], model.a[j]) if fits else None

        return of

    def other(name: str) -> Callable[[int], Any]:
        return lambda i: dsigma_of(name, model.a[i]) if names[i - 1] != name else None

    return [
        (
            "taken at a = σ(z) instead of z, as if σ had been applied twice",
            lambda i: dsigma_of(names[i - 1], sigma(names[i - 1], model.a[i])),
        ),
        ("written for a = σ(z) but given z", lambda i: dsigma_of(names[i - 1], model.z[i])),
        ("σ itself: a where a derivative belongs", lambda i: model.a[i]),
        ("1 − a: the factor a is missing", lambda i: 1 - model.a[i] if names[i - 1] == "sigmoid" else None),
        ("1 − a: the square is missing", lambda i: 1 - model.a[i] if names[i - 1] == "tanh" else None),
        ("1 + a²: a sign is wrong", lambda i: 1 + model.a[i] ** 2 if names[i - 1] == "tanh" else None),
        ("a (1 + a): a sign is wrong", lambda i: model.a[i] * (1 + model.a[i]) if names[i - 1] == "sigmoid" else None),
        ("applied twice", lambda i: backward.right[i] ** 2 if names[i - 1] != "relu" else None),
        ("that of the layer before", neighbour(-1)),
        ("that of the layer after", neighbour(1)),
        *((f"that of {name}", other(name)) for name in ("sigmoid", "tanh", "relu")),
        ("1 where the unit is off: the step of relu is turned round", lambda i: 1 - backward.right[i] if names[i - 1] == "relu" else None),
    ]


def _transposed(backward: Backward) -> Iterator[Hypothesis]:
    model = backward.model
    square = [i for i in range(1, backward.n_layers) if model.w[i].shape[0] == model.w[i].shape[1]]
    for group in [[i] for i in reversed(square)] + ([square] if len(square) > 1 else []):
        names = ", ".join(f"w_{i}" for i in group)
        changed = backward.gradient(onward={i: model.w[i] for i in group})
        yield Hypothesis("transposed", f"δ goes back through {names}, not through its transpose, (8) and (12)", changed)
    right = backward.gradient()
    every = right.copy()
    for i in reversed(range(backward.n_layers)):
        one = right.copy()
        for target in (one, every):
            dw = model.network.unpack(target)[0][i]
            dw[:] = dw.T.copy().reshape(dw.shape)
        yield Hypothesis("transposed", f"dC/dw_{i} is the transpose", one)
    yield Hypothesis("transposed", "each dC/dw is the transpose", every)


def _inputs(backward: Backward) -> Iterator[Hypothesis]:
    model = backward.model
    for i in reversed(range(backward.n_layers)):
        for j in range(len(model.a)):
            if j != i and model.a[j].shape == model.a[i].shape:
                text = f"dC/dw_{i} is built with the activations of layer {j} instead of layer {i}, (13)"
                yield Hypothesis("wrong-activations", text, backward.gradient(inputs={i: model.a[j]}))
        if i:
            text = f"dC/dw_{i} is built with z_{i} instead of a_{i} = σ(z_{i}), (13)"
            yield Hypothesis("wrong-activations", text, backward.gradient(inputs={i: model.z[i]}))
    if backward.n_layers > 1:
        text = "each dC/dw is built with z instead of a = σ(z), (13)"
        yield Hypothesis("wrong-activations", text, backward.gradient(inputs={i: model.z[i] for i in range(1, backward.n_layers)}))
        same = {i: model.a[0] for i in range(1, backward.n_layers) if model.a[i].shape == model.a[0].shape}
        yield Hypothesis("wrong-activations", "each dC/dw is built with x instead of a_i, (13)", backward.gradient(inputs=same))


def _bias(backward: Backward) -> Iterator[Hypothesis]:
    if len(backward.model.x) == 1:
        return
    for which, row in (("first", 0), ("last", -1)):
        text = f"dC/db is the δ of the {which} sample: the sum over the batch of (14) is missing"
        yield Hypothesis("bias-not-summed", text, backward.gradient(bias=lambda delta, row=row: delta[row]))  # type: ignore[misc]
    text = f"dC/db is averaged over the batch (B = {len(backward.model.x)}) where (14) is a sum"
    yield Hypothesis("bias-averaged", text, backward.gradient(bias=lambda delta: np.asarray(delta.mean(axis=0))))


def _samples(backward: Backward) -> Iterator[Hypothesis]:
    n = len(backward.model.x)
    right = backward.gradient()
    if n == 1 or n * right.size > SAMPLE_BUDGET:
        return
    for count in range(2, min(TAILS, n)):
        for which, rows in (("last", slice(n - count, n)), ("first", slice(0, count))):
            part = backward.gradient(rows=rows)
            yield Hypothesis("sample-dropped", f"the {which} {count} of {n} samples are left out", right - part)
    for r in range(n):
        part = backward.gradient(rows=slice(r, r + 1))
        yield Hypothesis("sample-dropped", f"sample {r} of {n} (counted from 0) is left out", right - part)
        yield Hypothesis("sample-doubled", f"sample {r} of {n} (counted from 0) is counted twice", right + part)
        for other in (r - 1, 0):
            if other >= 0 and other != r and n <= 40:
                moved = right - part + backward.gradient(rows=slice(other, other + 1))
                yield Hypothesis("sample-doubled", f"sample {other} is counted twice and sample {r} is left out", moved)

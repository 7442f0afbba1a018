"""The points at which kernels are judged. Each is there for a reason, and the reason is shown when it fails."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import Network, load
from deltacheck.kernels.descent import descend
from deltacheck.suites.selection import Selection
from deltacheck.verify.references.network_reference import Reference, reference
from deltacheck.verify.suite.digits import digits

Array = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A network and how its parameters and data are drawn; ``name`` seeds the draw, so a case never changes with its neighbours."""

    name: str
    reason: str
    layers: tuple[int, ...]
    batch: int
    activation: str | tuple[str, ...] = "sigmoid"
    cost: str = "squared_error"
    weights: float = 1.0  # times Network.initial
    inputs: float = 1.0  # times standard normal numbers
    targets: float = 1.0  # times uniform numbers in 0 … 1, or times one-hot rows for the cross entropy
    offset: float = 0.0  # added to the targets
    sparse: bool = False  # half of the inputs exactly 0, as pixels are
    far: float = 0.0  # added to some biases, taken from others: |z| beyond what e^z can hold

    @property
    def network(self) -> Network:
        """The network of the case."""
        return Network(self.layers, self.activation, self.cost)

    def point(self, dtype: str) -> tuple[Array, Array, Array]:
        """``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l): the same numbers for both dtypes, rounded to ``dtype``."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        theta = self.network.initial(rng) * self.weights
        for b, activation in zip(self.network.unpack(theta)[1], self.network.activations, strict=True):
            b += self.far * (1.0 if activation == "softmax" else np.resize([1.0, -1.0, 0.0, 0.0, 0.0], b.shape))
        x = rng.standard_normal((self.batch, self.layers[0])) * self.inputs
        if self.sparse:
            x *= rng.random(x.shape) < 0.5
        if self.cost == "cross_entropy":
            y = np.eye(self.layers[-1])[rng.integers(self.layers[-1], size=self.batch)]
        else:
            y = rng.random((self.batch, self.layers[-1]))
        return theta.astype(dtype), x.astype(dtype), (y * self.targets + self.offset).astype(dtype)

    def __str__(self) -> str:
        """The name, and what it is."""
        return f"{self.name} ({self.network}, batch {self.batch})"


@dataclass(frozen=True)
class DigitsCase(Case):
    """A network on handwritten digits after ``epochs`` of full-batch descent on the very rows that are judged."""

    epochs: int = 0
    rate: float = 0.05

    def point(self, dtype: str) -> tuple[Array, Array, Array]:
        """See ``Case.point``; the parameters are trained in float64."""
        theta, x, y = _trained(self)
        return theta.astype(dtype), x.astype(dtype), y.astype(dtype)


@cache
def _trained(case: DigitsCase) -> tuple[Array, Array, Array]:
    x, y = digits()
    x, y = x[: case.batch], y[: case.batch]
    theta = case.network.initial(np.random.default_rng(0))
    theta, _ = descend(load("numpy"), case.network, theta, x, y, rate=case.rate, epochs=case.epochs)
    return theta, x, y


CASES: tuple[Case, ...] = (
    # Shapes. Of ten classic mistakes 1-1 with one sample hides eight, 3-2 with one sample seven, 3-1 × 5 six; 3-3-3 × 5 none.
    Case("equal-widths", "a missing transpose is a wrong number here, not a shape error", (3, 3, 3), 5),
    Case("unequal-widths", "every dimension differs, so no two can be swapped unseen", (4, 6, 5, 3), 7),
    Case("all-ones", "every dimension 1: loops that assume more than one turn", (1, 1, 1), 1),
    Case("one-sample", "the code for a single row is often a path of its own", (5, 4, 3), 1),
    Case("no-hidden-layer", "the first layer is the last one as well", (4, 3), 6),
    Case("one-output", "sums over one output hide a mean over outputs, which the other cases show", (5, 4, 1), 7),
    Case("many-outputs", "more outputs than inputs, and than any unit of vector code", (3, 4, 19), 6),
    Case("deep", "an error of one layer index, and the σ′ of every hidden layer", (4, 5, 5, 5, 5, 5, 3), 9),
    # Functions.
    Case("tanh", "σ′ = 1 − a²", (4, 5, 5, 3), 7, "tanh"),
    Case("relu", "σ′ is 0 or 1", (4, 6, 6, 3), 7, "relu"),
    Case("identity", "σ′ = 1; a linear network has no curvature to hide behind", (4, 5, 5, 3), 7, "identity"),
    Case("mixed", "each layer its own σ: the σ′ of the wrong layer is another function", (4, 6, 5, 3), 8, ("tanh", "relu", "sigmoid")),
    Case("mixed-linear-output", "σ′ is 1 at the output only", (5, 4, 6, 2), 9, ("sigmoid", "tanh", "identity")),
    Case("relu-output", "σ′ of relu at the output", (4, 5, 3), 8, ("identity", "relu")),
    Case("softmax", "cross entropy: δ_l is p − y, without σ′", (5, 6, 4), 7, "tanh", "cross_entropy"),
    Case("softmax-no-hidden", "logistic regression", (4, 3), 6, "sigmoid", "cross_entropy"),
    Case(
        "softmax-any-targets",
        "rows of y that do not sum to 1: δ_l is Σy·p − y",
        (4, 5, 3),
        7,
        "relu",
        "cross_entropy",
        targets=0.7,
        offset=0.2,
    ),
    Case("softmax-one-class", "the only class has the probability 1, and the gradient is 0", (4, 3, 1), 5, "tanh", "cross_entropy"),
    # Magnitudes.
    Case("saturated-sigmoid", "weights × 10: σ′ close to 0, 1 − a loses its digits", (4, 6, 5, 3), 7, weights=10.0),
    Case("saturated-tanh", "weights × 5: 1 − a² loses its digits", (4, 6, 5, 3), 7, "tanh", weights=5.0),
    Case("saturated-softmax", "p close to 0 and 1", (4, 6, 4), 7, "tanh", "cross_entropy", weights=6.0),
    Case("far-sigmoid", "|z| of 1000: e^z and e^{−z} overflow, σ is 0 or 1", (4, 7, 6, 5), 7, far=1000.0),
    Case("far-tanh", "|z| of 1000: tanh from exponentials overflows", (4, 7, 6, 5), 7, "tanh", far=1000.0),
    Case("far-softmax", "z_l around 1000: softmax without the row's maximum overflows", (4, 6, 5), 7, "tanh", "cross_entropy", far=1000.0),
    Case("small-weights", "weights × 0.01: gradients that shrink from layer to layer", (4, 5, 5, 3), 7, "tanh", weights=0.01),
    Case("gradients-above-1", "clipping at 1 is seen", (4, 5, 3), 7, ("tanh", "identity"), weights=2.0, targets=300.0),
    Case(
        "gradients-below-1e-6",
        "small entries dropped, or hidden by an absolute tolerance",
        (4, 5, 3),
        7,
        "tanh",
        inputs=1e-3,
        targets=1e-5,
        weights=1e-2,
    ),
    Case(
        "cost-offset", "targets of 1e4: a cost of 1e8 under gradients of ordinary spread", (4, 5, 3), 7, ("sigmoid", "identity"), offset=1e4
    ),
    Case("sparse-inputs", "exact zeros, as pixels have: rows of dC/dw_0 that are sums of a few terms", (12, 7, 5), 6, "relu", sparse=True),
    # Edges of tiles and vectors: widths and batches on both sides of 8, 16, 32, 64 and 128.
    Case("edges-8", "around 8", (7, 8, 9), 8, "tanh"),
    Case("edges-16", "around 16", (15, 16, 17, 4), 16),
    Case("edges-32", "around 32", (31, 32, 33, 5), 31, "tanh"),
    Case("edges-64", "around 64: an error beyond column 64", (63, 65, 66, 3), 6),
    Case("edges-128", "around 128: an error beyond column 128", (20, 131, 9), 5),
    Case("wide-input", "784 inputs, as MNIST has: long sums", (784, 12, 10), 5, sparse=True),
    Case("batch-17", "one row beyond 16", (6, 7, 5), 17),
    Case("batch-33", "one row beyond 32", (5, 6, 4), 33, "tanh", "cross_entropy"),
    Case("batch-64", "a multiple of every tile", (6, 8, 4), 64),
    Case("batch-131", "three rows beyond 128", (5, 6, 3), 131, "tanh"),
    # Real data, through training.
    DigitsCase("digits-untrained", "64-30-10 on digits as it starts", (64, 30, 10), 30),
    DigitsCase("digits-training", "the same in mid-training", (64, 30, 10), 30, epochs=100),
    DigitsCase("digits-converged", "the same converged: small residuals, terms that cancel", (64, 30, 10), 30, epochs=10_000),
    DigitsCase("digits-softmax", "softmax on digits in mid-training", (64, 16, 10), 30, "relu", "cross_entropy", epochs=40, rate=0.01),
)


# The points of the contract's checks, which call a kernel some thousand times each.
CONTRACT_S = 30.0  # what would take a kernel longer at one of them is left out, and listed so
CONTRACT_CASES: tuple[Case, ...] = (
    Case("contract", "state, aliasing, threads, dtypes, batch sizes and memory, on a network with a hidden layer", (4, 5, 3), 7, "tanh"),
    Case("contract-softmax", "the same with the cross entropy", (5, 4, 6, 3), 6, ("relu", "sigmoid", "sigmoid"), "cross_entropy"),
    Case("contract-one-layer", "the same without a hidden layer", (4, 3), 5),
    Case(
        "contract-wide",
        "the same where arrays are too large for a short cut that small ones take",
        (48, 56, 40, 5),
        70,
        ("relu", "tanh", "identity"),
    ),
)


def cases_for(selection: Selection) -> tuple[Case, ...]:
    """The built-in cases; or, where a network was selected, that network as it starts and with larger weights."""
    if not selection.network_given:
        return CASES
    chosen = []
    for network in selection.networks(default_layers=[(5, 4, 3)]):
        for batch in selection.batches or (7,):
            name = f"{'-'.join(map(str, network.layer_sizes))}-x{batch}-{','.join(network.activations)}"
            fresh = Case(name, "the network asked for, as it starts", network.layer_sizes, batch, network.activations, network.cost)
            large = replace(fresh, name=f"{name}-weights-x3", reason="the network asked for, with larger weights", weights=3.0)
            chosen += [_alive(fresh), _alive(large)]
    return tuple(dict.fromkeys(chosen))


def _alive(case: Case) -> Case:
    """The case, or a like one with another draw where the gradient of the first is 0 throughout (small networks of relu)."""
    for draw in range(2, 20):
        theta, x, y = case.point("float64")
        if load("numpy")(case.network).backward(theta, load("numpy")(case.network).forward(theta, x), y).any():
            break
        case = replace(case, name=f"{case.name.partition('-draw-')[0]}-draw-{draw}")
    return case


@cache
def point(case: Case, dtype: str) -> tuple[Array, Array, Array]:
    """``case.point(dtype)``, made once and read-only."""
    arrays = case.point(dtype)
    for array in arrays:
        array.flags.writeable = False
    return arrays


@cache
def reference_of(case: Case, dtype: str) -> Reference:
    """The reference of a case, made once for all kernels."""
    return reference(case.network, *point(case, dtype))

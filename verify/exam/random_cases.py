"""Random networks and data, from a seed: every activation and cost, weights, inputs and targets over many magnitudes."""

from __future__ import annotations

import numpy as np

from deltacheck.kernels import ACTIVATIONS
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.suite.cases import Case, DigitsCase

STAGES = ((0, 0.05), (15, 0.05), (150, 0.05), (1500, 0.05))  # epochs and rate: as it starts, in training, settled


def ordinary(seed: int) -> Case:
    """A network as people have them: weights, inputs and targets of ordinary size."""
    return _alive(f"ordinary-{seed}", np.random.default_rng([0, seed]), wild=False)


def wild(seed: int) -> Case:
    """Weights × 0.01 … 100, inputs × 1e-3 … 100, targets × 1e-3 … 300 (costs × 1e-6 … 1e5), now and then an offset up to 1e4."""
    return _alive(f"wild-{seed}", np.random.default_rng([1, seed]), wild=True)


def on_digits(seed: int) -> DigitsCase:
    """A small network on real data, at some stage of its training."""
    rng = np.random.default_rng([2, seed])
    epochs, rate = STAGES[seed % len(STAGES)]
    softmax = bool(rng.random() < 0.4)
    return DigitsCase(
        name=f"digits-{seed}",
        reason="real data",
        layers=(64, int(rng.integers(3, 12)), 10),
        batch=int(rng.integers(5, 25)),
        activation=str(rng.choice(["sigmoid", "tanh", "relu"])) if softmax else str(rng.choice(["sigmoid", "tanh"])),
        cost="cross_entropy" if softmax else "squared_error",
        epochs=epochs,
        rate=0.01 if softmax else rate,
    )


def _alive(name: str, rng: np.random.Generator, wild: bool) -> Case:
    """The first draw whose gradient is not 0 throughout (relu units all off): there is nothing to judge at such a point, and the
    verifier says "inconclusive", as a test of its own shows.
    """
    while True:
        case = _drawn(name, rng, wild)
        theta, x, y = case.point("float64")
        kernel = Plain(case.network)
        with np.errstate(all="ignore"):
            if kernel.backward(theta, kernel.forward(theta, x), y).any():
                return case
        name += "'"


def _drawn(name: str, rng: np.random.Generator, wild: bool) -> Case:
    layers = tuple(int(n) for n in rng.integers(1, 10, size=rng.integers(2, 6)))
    cross_entropy = bool(rng.random() < 0.3) and layers[-1] > 1
    mixed = tuple(str(activation) for activation in rng.choice(ACTIVATIONS, size=len(layers) - 1))
    # relu and identity in each of many layers let activations grow without bound, which no one trains
    activation = mixed if rng.random() < 0.4 else str(rng.choice(ACTIVATIONS))

    def magnitude(low: float, high: float) -> float:
        return float(10 ** rng.uniform(np.log10(low), np.log10(high))) if wild and rng.random() < 0.6 else 1.0

    return Case(
        name=name,
        reason="drawn at random",
        layers=layers,
        batch=int(rng.integers(1, 21)),
        activation=activation,
        cost="cross_entropy" if cross_entropy else "squared_error",
        weights=magnitude(0.01, 100),
        inputs=magnitude(1e-3, 100),
        targets=magnitude(1e-3, 300) if not cross_entropy else magnitude(0.1, 10),
        offset=magnitude(1e-2, 1e4) if wild and not cross_entropy and rng.random() < 0.3 else 0.0,
        sparse=bool(rng.random() < 0.2),
    )

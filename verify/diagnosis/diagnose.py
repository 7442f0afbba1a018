"""What is wrong, by name: hypotheses from a closed catalogue, stated only when they fit the numbers that came.

A hypothesis fits when the gradient that it predicts is what the kernel returned, entry for entry, to rounding, and when it
leaves almost nothing of the error. Where nothing fits, that is said: "unknown pattern".
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.diagnosis.error_patterns import meanings_of, patterns
from deltacheck.verify.diagnosis.hypotheses import Hypothesis, hypotheses
from deltacheck.verify.references.backward_formulas import Backward
from deltacheck.verify.references.network_model import Model
from deltacheck.verify.references.one_thread import on_one_thread
from deltacheck.verify.references.rounding_bound import allowed
from deltacheck.verify.verdict.array_verdict import UNKNOWN, Diagnosis
from deltacheck.verify.verdict.parameter_blocks import spans

Array = NDArray[Any]

SLACK = 8.0  # a wrong formula rounds otherwise than the right one: its bound is taken this much wider
LEFT = 0.02  # the share of the error that may stay unexplained
ABSURD = 1e100  # beyond it, squares overflow
MOST = 3  # diagnoses shown
AMBIGUOUS = "ambiguous"
BY_CHANCE = ("factor", "sample-dropped", "dsigma-wrong", "weight-decay")  # what explains a number or two whatever the bug is
FEW = 3  # numbers that are explained, at least


@on_one_thread
def diagnose(model: Model, got: Array, bounds: Array) -> tuple[Diagnosis, ...]:
    """Names for what is wrong with ``got`` (P,), whose entries are allowed ``bounds`` (P,); most likely first, never empty.

    Where no bug of the catalogue explains the whole gradient, those that explain the first wrong layer, counted from the
    output, are named for that layer. What explains everything, but too few numbers for it to be more than a coincidence, is
    called ambiguous.
    """
    got = got.astype(np.float64)
    if not np.isfinite(got).all():
        return (_non_finite(model, got),)
    if abs(got).max() > ABSURD:
        return (Diagnosis("non-finite", f"entries up to {abs(got).max():.1g}: an overflow, or memory that was never written?"),)
    right, parts = Backward(model).gradient(), spans(model.network)
    wrong = ~(abs(got - right) <= bounds)
    if not wrong.any():
        return (UNKNOWN,)
    proposed = list(
        chain(
            hypotheses(model),
            patterns(parts, got, right, model.theta, wrong, meanings_of(model.network, len(model.x))),
            _products(model, got),
        )
    )
    fitting = _fitting([one for one in proposed if _is_no_coincidence(one, model, right, wrong)], got, right, bounds, slice(None))
    if fitting:
        return fitting
    fitting = _fitting(proposed, got, right, bounds, slice(None))
    if fitting:
        return (Diagnosis(AMBIGUOUS, f"too few numbers here to name it; one of several things that fit: {fitting[0].text}"),)
    precision = _precision(model, got, right, bounds)
    if precision:
        return (precision,)
    layer = _first_wrong_layer(model, wrong)
    at = np.zeros(len(got), bool)
    for part in parts:
        at[part.at] = part.name.endswith(f"_{layer}")
    there = _fitting([one for one in proposed if _is_no_coincidence(one, model, right, wrong & at)], got, right, bounds, at)
    where = f"in dC/dw_{layer} and dC/db_{layer}, the first wrong ones from the output"
    return tuple(Diagnosis(found.name, f"{where}: {found.text}") for found in there) or (UNKNOWN,)


def _fitting(proposed: list[Hypothesis], got: Array, right: Array, bounds: Array, at: Any) -> tuple[Diagnosis, ...]:
    """The proposals that predict ``got[at]``, the closest first, one of each name."""
    got, right, bounds = got[at], right[at], bounds[at]
    error = float(np.linalg.norm(got - right))
    scale = float(abs(right).max())
    relative = float(bounds.max()) / scale if scale else 0.0
    fits: list[tuple[float, Hypothesis]] = []
    for hypothesis in proposed:
        predicted = hypothesis.gradient[at]
        off = abs(got - predicted)
        allowance = SLACK * (bounds + relative * abs(predicted))
        left = float(np.linalg.norm(off)) / error if error else np.inf
        if left <= LEFT and (off <= allowance).all():
            fits.append((left, hypothesis))
    closest = min((left for left, _ in fits), default=0.0)
    found: dict[str, Diagnosis] = {}
    shown: list[Array] = []
    for left, hypothesis in fits:  # the usual ones come first, and stay first among those that fit about as well
        predicted = hypothesis.gradient[at]
        told = any((abs(predicted - other) <= SLACK * bounds).all() for other in shown)
        if left <= 100 * closest + 1e-12 and hypothesis.name not in found and not told:
            found[hypothesis.name] = Diagnosis(hypothesis.name, hypothesis.text)
            shown.append(predicted)
    return tuple(found.values())[:MOST]


def _is_no_coincidence(hypothesis: Hypothesis, model: Model, right: Array, wrong: Array) -> bool:
    """Whether more is wrong than the hypothesis has numbers to fit it by.

    In a network with a single number in each layer's δ, whatever is wrong is a factor, and σ′ of something. A factor of a tensor's own
    needs several entries that it explains.
    """
    if hypothesis.name not in BY_CHANCE:
        return True
    n_deltas = len(model.x) * min(model.network.layer_sizes[1:])
    if n_deltas < FEW or wrong.sum() < FEW:
        return False
    if hypothesis.name != "factor":
        return True
    by_factor: dict[str, int] = {}
    for _, at, _ in spans(model.network):
        size = float(right[at] @ right[at])
        if wrong[at].any() and size:
            factor = f"{float(hypothesis.gradient[at] @ right[at]) / size:.5g}"
            by_factor[factor] = by_factor.get(factor, 0) + int(wrong[at].sum())
    return all(count >= FEW for count in by_factor.values())


def _products(model: Model, got: Array) -> list[Hypothesis]:
    """A formula's bug together with a constant factor: a mean over the batch and a missing σ′ go unseen one by one otherwise."""
    products = []
    for hypothesis in hypotheses(model):
        size = float(hypothesis.gradient @ hypothesis.gradient)
        factor = float(got @ hypothesis.gradient) / size if size else 0.0
        if factor and abs(factor - 1) > 1e-6 and hypothesis.name in ("dsigma-missing", "dsigma-wrong", "transposed"):
            products.append(
                Hypothesis(hypothesis.name, f"{hypothesis.text}; and all of it is × {factor:.9g}", factor * hypothesis.gradient)
            )
    return products


def _precision(model: Model, got: Array, right: Array, bounds: Array) -> Diagnosis | None:
    """Errors of the size that arithmetic with fewer digits makes, and no larger anywhere."""
    off = abs(got - right)
    if np.array_equal(got, got.astype(np.float32)) and got.any() and (bounds < 1e-9 * abs(got).max()).all():
        return Diagnosis(
            "reduced-precision", "every entry is a float32 number: the gradient is computed in, or passes through, single precision"
        )
    single = allowed(model, np.float32).gradient
    if (off <= single).all() and (bounds < 1e-3 * single).all():
        size = float(np.linalg.norm(off) / np.linalg.norm(right))
        return Diagnosis(
            "reduced-precision", f"errors of {size:.1g} relative, as float32 arithmetic inside or an approximate function makes them"
        )
    return None


def _first_wrong_layer(model: Model, wrong: Array) -> int:
    return max(int(part.name.rsplit("_", 1)[1]) for part in spans(model.network) if wrong[part.at].any())


def _non_finite(model: Model, got: Array) -> Diagnosis:
    blocks = [part.name for part in spans(model.network) if not np.isfinite(got[part.at]).all()]
    return Diagnosis("non-finite", f"NaN or infinity in {', '.join(blocks)} where the gradient is finite")

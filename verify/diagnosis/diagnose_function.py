"""What is wrong with the gradient of a function of which nothing is known: what shows in the numbers themselves.

A name must explain every wrong entry within its own bound, by more than the numbers that it was fitted to; else none is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.diagnosis.diagnose import ABSURD, SLACK
from deltacheck.verify.diagnosis.error_patterns import USUAL, patterns
from deltacheck.verify.diagnosis.hypotheses import Hypothesis
from deltacheck.verify.verdict.array_verdict import UNKNOWN, Diagnosis
from deltacheck.verify.verdict.parameter_blocks import Span

Array = NDArray[Any]

MOST = 2  # diagnoses shown
USUAL_FACTORS = (*(factor for factor, _ in USUAL), 0.0)
SINGLE = 2.0**-20  # relative error up to which single precision inside may be the reason


def diagnose_function(parts: list[Span], theta: Array, got: Array, right: Array, bounds: Array, wrong: Array) -> tuple[Diagnosis, ...]:
    """Names for what is wrong with ``got``, most likely first, never empty. All arrays (P,).

    ``right`` is NaN where there is no reference; ``bounds``: what was allowed; ``wrong``: the entries that failed.
    """
    if not np.isfinite(got[wrong]).all():
        return (_non_finite(got, wrong),)
    if abs(got[wrong]).max() > ABSURD:
        return (Diagnosis("non-finite", f"entries up to {abs(got[wrong]).max():.1g}: an overflow, or memory that was never written?"),)
    if (abs(right[wrong]) <= bounds[wrong]).all():
        count = int(wrong.sum())
        text = f"the slope of the cost is 0 by {'this entry' if count == 1 else f'these {count} entries'}; the gradient is not"
        return (Diagnosis("not-zero", text),)
    parts = [part if part.shape else part._replace(shape=(1,)) for part in parts]
    known = ~np.isnan(right)
    right, bounds = np.where(known, right, got), np.where(known, bounds, 0.0)
    proposed = [*patterns(parts, got, right, theta.astype(np.float64), wrong), *_signs(got, right, wrong)]
    found: dict[str, Diagnosis] = {}
    for hypothesis in proposed:
        if hypothesis.name == "weight-decay" and "factor" in found:
            continue
        if hypothesis.name not in found and _explains(hypothesis, got, right, bounds, wrong):
            found[hypothesis.name] = Diagnosis(hypothesis.name, hypothesis.text)
    if not found and _is_single(got, right, wrong):
        text = "every wrong entry is a float32 number: the gradient is computed in, or passes through, single precision"
        return (Diagnosis("reduced-precision", text),)
    return tuple(found.values())[:MOST] or (UNKNOWN,)


def _explains(hypothesis: Hypothesis, got: Array, right: Array, bounds: Array, wrong: Array) -> bool:
    """Whether the proposal is what came, in each entry, and no mere fit to one number."""
    predicted = hypothesis.gradient
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.where(right != 0, abs(predicted / right), 1.0)
    allowance = SLACK * bounds * np.maximum(1.0, np.where(np.isfinite(grown), grown, 1.0))
    off = abs(got - predicted)
    if not (off <= allowance).all() or not (off[wrong] <= 0.02 * abs(got - right)[wrong]).all():
        return False
    counts = wrong & (abs(right) > 4 * bounds)
    if hypothesis.name == "factor":
        factors = predicted[counts] / right[counts]
        usual = counts.any() and any(abs(factors - factor).max() <= 1e-5 for factor in USUAL_FACTORS)
        return bool(usual or (counts.sum() > 2 and (counts == wrong).all()))
    return hypothesis.name != "weight-decay" or wrong.sum() > 2


def _signs(got: Array, right: Array, wrong: Array) -> Iterator[Hypothesis]:
    """The sign of some entries is turned."""
    if wrong.any():
        yield Hypothesis("sign", f"the sign of {int(wrong.sum())} entries is wrong", np.where(wrong, -right, got))


def _is_single(got: Array, right: Array, wrong: Array) -> bool:
    exact = got[wrong].astype(np.float32).astype(np.float64) == got[wrong]
    return bool(exact.all() and got[wrong].any() and (abs(got - right)[wrong] <= SINGLE * abs(right[wrong])).all())


def _non_finite(got: Array, wrong: Array) -> Diagnosis:
    bad = got[wrong & ~np.isfinite(got)]
    what = "NaN" if np.isnan(bad).all() else "infinite" if np.isinf(bad).all() else "NaN or infinite"
    return Diagnosis(
        "non-finite", f"{len(bad)} {'entry' if len(bad) == 1 else 'entries'} of the gradient {'is' if len(bad) == 1 else 'are'} {what}"
    )

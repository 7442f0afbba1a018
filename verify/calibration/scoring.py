"""The checker at draws from the families: what it says of right gradients, whether its reference keeps its bound, what it catches."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.calibration.family import Draw, Family
from deltacheck.verify.check_gradient import check_gradient

Array = NDArray[Any]
Check = Callable[..., Any]  # check_gradient, or what stands for it in a test

PLANTED_FACTOR = 3.0  # the planted error, in certificates of its entry
PLANTED_BELOW = 0.3  # a larger certificate promises nothing that an error could be planted for
DOUBTS_OF_A_UNIT = 20  # that are noted one by one


@dataclass
class Scores:
    """Of one family, counted over some of its draws."""

    family: str
    dtype: str
    kind: str
    entries: int = 0
    draws: int = 0
    false_fails: int = 0  # entries of right gradients said to be wrong
    inconclusive: int = 0
    reference_outside_bound: int = 0  # of those with a known truth
    truth_known: int = 0
    planted: int = 0
    caught: int = 0
    raised: int = 0  # draws at which the checker raised
    evaluations: int = 0
    seconds: float = 0.0
    certificates: list[float] = field(default_factory=list)  # of entries whose truth is not 0
    doubts: list[dict[str, Any]] = field(default_factory=list)


def draw_of(family: Family, seed: int, number: int) -> Draw:
    """The draw of that number: the same wherever and in whatever order it is asked for."""
    return family.draw(_rng(family, seed, number))


def score(family: Family, seed: int, numbers: range, entries: int, check: Check = check_gradient) -> Scores:
    """Score draws in the order of ``numbers`` until ``entries`` entries are judged or the numbers are used up."""
    scores = Scores(family.name, family.dtype, family.kind)
    for number in numbers:
        if scores.entries >= entries:
            break
        _score_draw(scores, draw_of(family, seed, number), seed, number, check)
    return scores


def _rng(family: Family, seed: int, number: int, purpose: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(str(family).encode()), number, purpose])


def _score_draw(scores: Scores, draw: Draw, seed: int, number: int, check: Check) -> None:
    rng = np.random.default_rng([seed, number, 1])
    started = time.perf_counter()
    scores.draws += 1
    try:
        with np.errstate(all="ignore"):
            report = check(draw.cost, draw.gradient, draw.theta.copy(), seed=seed)
            _count(scores, draw, report, number)
            _plant(scores, draw, report, rng, seed, number, check)
    except Exception as error:  # a checker that raises at one draw is to be told of, after the others
        scores.raised += 1
        scores.entries += draw.theta.size  # so that the unit comes to an end
        _note(scores, {"draw": number, "what": "raised", "message": f"{type(error).__name__}: {error}"})
    scores.seconds += time.perf_counter() - started


def _count(scores: Scores, draw: Draw, report: Any, number: int) -> None:
    """The right gradient's report, entry by entry."""
    table = report.entries
    scores.evaluations += int(report.evaluations)
    if not len(table):  # the contract was broken, it says, before any entry was looked at
        scores.entries += draw.theta.size
        scores.false_fails += report.verdict == "fail"
        _note(scores, {"draw": number, "what": "false fail", "message": str(report).splitlines()[0]})
        return
    at = tuple(np.array([index if isinstance(index, tuple) else (index,) for index in table["index"]]).T)
    truth, truth_error = draw.truth[at], draw.truth_error[at]
    got, reference, error, allowed = (table[name].to_numpy(float) for name in ("got", "reference", "reference_error", "allowed"))
    verdicts = table["verdict"].to_numpy()
    known = np.isfinite(truth) & np.isfinite(reference)
    outside = known & (abs(reference - truth) > error + truth_error)
    failed = verdicts == "fail"
    scores.entries += len(table)
    scores.false_fails += max(int(failed.sum()), int(report.verdict == "fail"))
    scores.inconclusive += int((verdicts == "inconclusive").sum())
    scores.truth_known += int(known.sum())
    scores.reference_outside_bound += int(outside.sum())
    certificates = table["certificate"].to_numpy(float)[~(truth == 0)]
    scores.certificates += np.where(np.isnan(certificates), np.inf, certificates).tolist()
    if report.verdict == "fail" and not failed.any():
        _note(scores, {"draw": number, "what": "false fail", "message": str(report).splitlines()[0]})
    for row in np.flatnonzero(failed | outside):
        _note(
            scores,
            {
                "draw": number,
                "what": "false fail" if failed[row] else "reference outside its bound",
                "index": table["index"].iloc[row],
                "got": got[row],
                "reference": reference[row],
                "reference_error": error[row],
                "allowed": allowed[row],
                "truth": truth[row],
                "truth_error": truth_error[row],
                "method": table["method"].iloc[row],
                "step": table["step"].iloc[row],
            },
        )


def _plant(scores: Scores, draw: Draw, report: Any, rng: np.random.Generator, seed: int, number: int, check: Check) -> None:
    """One error of three certificates in one entry, in a run of its own."""
    table = report.entries
    certificate, reference = table["certificate"].to_numpy(float), table["reference"].to_numpy(float)
    fit = np.flatnonzero((certificate > 0) & (certificate < PLANTED_BELOW) & np.isfinite(reference))
    if report.verdict == "fail" or not fit.size:
        return
    row = int(rng.choice(fit))
    index = table["index"].iloc[row]
    error = PLANTED_FACTOR * certificate[row] * abs(reference[row]) * float(rng.choice([-1.0, 1.0]))

    def wrong(theta: Array) -> Array:
        gradient = np.array(draw.gradient(theta))
        gradient[index] += error
        return gradient

    verdict = check(draw.cost, wrong, draw.theta.copy(), seed=seed).verdict
    scores.planted += 1
    scores.caught += verdict == "fail"
    if verdict != "fail":
        place = {"index": index, "got": table["got"].iloc[row], "reference": reference[row], "allowed": table["allowed"].iloc[row]}
        _note(scores, {"draw": number, "what": "planted, not caught", **place, "message": f"off by {error:.3g}: {verdict}"})


def _note(scores: Scores, doubt: dict[str, Any]) -> None:
    if len(scores.doubts) < DOUBTS_OF_A_UNIT:
        scores.doubts.append({"family": scores.family, "dtype": scores.dtype, **doubt})

"""Check the gradient of any function: ``check_gradient(cost, gradient, theta)``. No network, no kernel.

Each entry is compared with a derivative of the cost that was measured for it, within the error of that derivative and the rounding
that the entry was seen to have. Every entry where that can be afforded; else a sample of each block, and whole blocks along
random directions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.diagnosis.diagnose_function import diagnose_function
from deltacheck.verify.functions.arguments import checked_blocks, checked_theta
from deltacheck.verify.functions.cost import Cost, quiet
from deltacheck.verify.functions.directions import along_signs, stale
from deltacheck.verify.functions.entries import Judged, Judgement, judge_entries
from deltacheck.verify.functions.gradient import Gradient, UnusableError
from deltacheck.verify.functions.one_sided import EDGE
from deltacheck.verify.functions.sampling import chosen_entries
from deltacheck.verify.functions.ties import no_subgradient
from deltacheck.verify.verdict.array_verdict import Block, Diagnosis, block_of
from deltacheck.verify.verdict.entries import Entries
from deltacheck.verify.verdict.parameter_blocks import Span
from deltacheck.verify.verdict.report import Report

Array = NDArray[Any]

DIGITS = 7  # fewer, of a gradient in float64, are worth a note
EVALUATIONS, COMPLEX_EVALUATIONS = 8, 3  # of the cost for an entry, about: how many entries can be afforded


def check_gradient(
    cost: Callable[[Array], Any],
    gradient: Callable[[Array], Any],
    theta: Array,
    *,
    blocks: Mapping[str, slice] | None = None,
    max_evaluations: int = 300_000,
    deterministic: bool = False,
    seed: int = 0,
) -> Report:
    """Judge ``gradient(theta)`` against derivatives of ``cost(theta)`` that are made from its values alone.

    ``theta``: an array of float32 or float64, any shape, not empty; both functions are given a new array of that shape.
    ``cost`` returns a real number, ``gradient`` an array of theta's shape. ``blocks``: names for parts of the flattened theta, reported
    each on its own (default: one block, ``theta``). ``max_evaluations``: of the cost, about; beyond it entries are sampled, an
    equal share in each block, and each block is checked along random directions of signs as well. ``deterministic``: fail when calls
    at the same theta differ at all. ``seed``: of what is drawn at random.

    Returns a ``Report``: ``verdict``, ``bool(report)`` (a pass), ``table``, ``entries``, ``str(report)``, ``raise_if_failed()``.
    Raises ``TypeError`` and ``ValueError`` that name the argument; what the two functions raise at ``theta`` itself is let through.
    The references: Richardson extrapolation that finer steps confirm (Ridders 1982), noise as by Moré & Wild (2011), the complex
    step (Squire & Trapp 1998) where the cost is analytic as it is written.
    """
    started = time.perf_counter()
    theta = checked_theta(theta)
    parts = checked_blocks(blocks, theta)
    rng = np.random.default_rng(_seed(seed))
    most = _count(max_evaluations)
    measured = Cost(cost, theta)
    try:
        given = Gradient(gradient, measured, rng)
    except UnusableError as unusable:
        return Report((), (), (unusable.diagnosis,), (unusable.diagnosis,), seconds=time.perf_counter() - started)
    chosen = chosen_entries(parts, most // (COMPLEX_EVALUATIONS if measured.analytic else EVALUATIONS), rng)
    with quiet():
        judgement = judge_entries(measured, given, np.concatenate(chosen), most, rng)
        sampled = len(judgement.entries) < theta.size
        violations = [*given.violations, *_broken(measured, given, judgement, deterministic, rng)]
        found = [_block(part, given.got, judgement) for part in parts]
        if sampled:
            found = [along_signs(measured, part, given, rng, block) for part, block in zip(parts, found, strict=True)]
    entries = _entries(parts, given.got, judgement)
    named = _named(parts, theta, given.got, judgement)
    methods = dict.fromkeys(item.method for item in judgement.entries.values())
    return Report(
        tuple(found),
        (),
        tuple(violations),
        (*violations, *named),
        ", ".join([*methods, *(["sampled entries and random directions"] if sampled else [])]),
        time.perf_counter() - started,
        rows=entries,
        notes=tuple(_notes(measured, given, judgement)),
        evaluations=measured.evaluations,
    )


def _seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed: got {seed!r}; expected an integer of at least 0")
    return int(seed)


def _count(most: Any) -> int:
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1:
        raise ValueError(f"max_evaluations: got {most!r}; expected a positive integer")
    return int(most)


def _broken(cost: Cost, gradient: Gradient, judgement: Judgement, deterministic: bool, rng: np.random.Generator) -> list[Diagnosis]:
    """What shows in the gradient as a whole: a stale result, no subgradient, calls that differ."""
    if gradient.violations:
        return []
    found = []
    again = gradient.at(cost.flat)
    if again is None or not gradient.repeats(again):
        found.append(Diagnosis("state", "the gradient at theta is another one after some calls"))
    else:
        text = stale(cost, gradient, [entry for entry, item in judgement.entries.items() if not item.kink], rng)
        if text:
            found.append(Diagnosis("stale", text))
    kinks = np.array([entry for entry, item in judgement.entries.items() if item.kink])
    if len(kinks) > 1 and np.isfinite(gradient.got).all():
        text = no_subgradient(cost, gradient.got, kinks, gradient.unit, rng)
        if text:
            found.append(Diagnosis("no-subgradient", text))
    if deterministic and (gradient.wobble.any() or cost.wobble):
        what = f"cost by {cost.wobble:.2g}" if cost.wobble else f"gradient by up to {gradient.wobble.max():.2g}"
        found.append(Diagnosis("noise", f"calls at the same theta differ: the {what}"))
    return found


def _block(part: Span, got: Array, judgement: Judgement) -> Block:
    count = part.at.stop - part.at.start
    expected, allowed = np.full(count, np.nan), np.full(count, np.inf)
    checked, wrong, unknown = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, bool)
    for n, entry in enumerate(range(part.at.start, part.at.stop)):
        item = judgement.entries.get(entry)
        if item is not None:
            expected[n], allowed[n], checked[n] = item.reference, item.allowed, True
            wrong[n], unknown[n] = item.verdict == "fail", item.verdict == "inconclusive"
    why = f"{int(unknown.sum())} of {int(checked.sum())} entries could not be judged" if unknown.any() else ""
    arrays = [array.reshape(part.shape) for array in (got[part.at], expected, allowed, checked, wrong, unknown)]
    return block_of(part.name, why, *arrays)


def _entries(parts: list[Span], got: Array, judgement: Judgement) -> Entries:
    rows: list[tuple[str, tuple[int, ...], int, Judged]] = []
    for part in parts:
        for entry in range(part.at.start, part.at.stop):
            if entry in judgement.entries:
                index = tuple(int(n) for n in np.unravel_index(entry - part.at.start, part.shape)) if part.shape else ()
                rows.append((part.name, index, entry, judgement.entries[entry]))
    return Entries(
        [row[0] for row in rows],
        [row[1] for row in rows],
        got[[row[2] for row in rows]],
        np.array([row[3].reference for row in rows]),
        np.array([row[3].reference_error for row in rows]),
        np.array([row[3].allowed for row in rows]),
        [row[3].method for row in rows],
        np.array([row[3].step for row in rows]),
        [row[3].verdict for row in rows],
    )


def _named(parts: list[Span], theta: Array, got: Array, judgement: Judgement) -> tuple[Diagnosis, ...]:
    right, allowed, wrong = np.full(theta.size, np.nan), np.full(theta.size, np.nan), np.zeros(theta.size, bool)
    for entry, item in judgement.entries.items():
        if item.verdict != "inconclusive":
            right[entry], allowed[entry], wrong[entry] = item.reference, item.allowed, item.verdict == "fail"
    if not wrong.any():
        return ()
    with np.errstate(all="ignore"):  # numbers of any size may come from a wrong gradient
        return diagnose_function(parts, theta.ravel(), got, right, allowed, wrong)


def _notes(cost: Cost, gradient: Gradient, judgement: Judgement) -> list[str]:
    """What was assumed, or measured, that the verdict rests on."""
    notes = []
    if not cost.repeatable:
        notes.append(f"the cost changes from call to call at the same theta, by {cost.wobble:.2g}: nothing can be passed")
    elif cost.wobble or gradient.wobble.any():
        notes.append("calls at the same theta differ in rounding; judged with the spread that was measured")
    if cost.theta.dtype != cost.dtype:
        notes.append(f"theta is {cost.theta.dtype}; the references come from the same cost in {cost.dtype}")
    if gradient.lower is not None:
        notes.append(f"the gradient comes in {np.dtype(gradient.lower)} and is judged to that precision")
    if judgement.digits < 12 and cost.unit < 2.0**-40:
        notes.append(f"the cost has about {judgement.digits} correct digits")
    if gradient.digits < DIGITS and cost.theta.dtype == np.float64 and gradient.lower is None:
        notes.append(f"rounding leaves the gradient itself about {gradient.digits} correct digits")
    kinks = sum(item.kink for item in judgement.entries.values())
    if kinks:
        notes.append(f"{kinks} {'entry lies' if kinks == 1 else 'entries lie'} on a kink: any slope between the one-sided ones is right")
    edges = sum(item.method == EDGE for item in judgement.entries.values())
    if edges:
        notes.append(
            f"{edges} {'entry lies' if edges == 1 else 'entries lie'} on the edge of the cost's domain: judged by the slope inside"
        )
    return notes + judgement.notes

"""Bugs that show in the numbers that came: a constant factor, zeros, a clip, a term λ w, few digits, swapped units.

Each looks at one gradient (P,) beside the right one and proposes what it should be if the pattern were the whole story.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels.network import Network
from deltacheck.verify.diagnosis.hypotheses import Hypothesis
from deltacheck.verify.verdict.parameter_blocks import Span

Array = NDArray[Any]

SWAPS_WIDEST = 8  # wrong units among which an exchange of two is searched


def patterns(
    parts: Sequence[Span], got: Array, right: Array, theta: Array, wrong: Array, meanings: Sequence[tuple[float, str]] = ()
) -> Iterator[Hypothesis]:
    """Proposals for ``got`` beside ``right``, both (P,); ``wrong`` (P,) marks the entries outside their bound.

    ``parts``: the tensors; ``meanings``: factors that mean something here, in words.
    """
    yield from _factors(parts, got, right, wrong, [*USUAL, *meanings])
    yield from _zeros(parts, got, right, wrong)
    yield from _clipped(got, right, wrong)
    yield from _decay(parts, got, right, theta, wrong)
    yield from _swapped(parts, got, right, wrong)


def meanings_of(network: Network, batch: int) -> list[tuple[float, str]]:
    """What a factor may mean in a network: a mean over the batch, over the outputs, over both."""
    n_out = network.layer_sizes[-1]
    return [
        (1 / batch, f"a mean over the batch, B = {batch}, stands for the sum"),
        (2 / batch, f"2/B with B = {batch}: a mean over the batch, and the ½ of (5) is missing"),
        (1 / n_out, f"a mean over the {n_out} outputs stands for the sum"),
        (2 / n_out, f"2/n with n = {n_out} outputs: a mean over outputs, and the ½ of (5) is missing"),
        (1 / (batch * n_out), f"a mean over batch and outputs, B n = {batch * n_out}, stands for the sum"),
        (2 / (batch * n_out), f"2/(B n) with B n = {batch * n_out}: a mean squared error"),
        (float(batch), f"multiplied by the batch size, B = {batch}"),
        (float(n_out), f"multiplied by the number of outputs, {n_out}"),
    ]


USUAL = (
    (-1.0, "the sign is wrong"),
    (2.0, "a ½ is missing, or something is added twice"),
    (0.5, "a ½ too much: that of a square is gone once differentiated"),
)


def _factors(parts: Sequence[Span], got: Array, right: Array, wrong: Array, meanings: Sequence[tuple[float, str]]) -> Iterator[Hypothesis]:
    """One factor for the whole gradient, or for the blocks that are wrong, each its own."""
    if right @ right > 0:
        factor = float(got @ right / (right @ right))
        if factor:
            yield Hypothesis("factor", f"the whole gradient is {_named(factor, meanings)}", factor * right)
        else:
            yield Hypothesis("block-zero", "the whole gradient is zero", factor * right)
    fitted, factors = right.copy(), {}
    for name, at, _ in parts:
        if wrong[at].any() and right[at].any():
            factors[name] = float(got[at] @ right[at] / (right[at] @ right[at]))
            fitted[at] = factors[name] * right[at]
    if not factors:
        return
    if not any(factors.values()):
        yield Hypothesis("block-zero", f"{_listed(list(factors))} {'is' if len(factors) == 1 else 'are'} zero", fitted)
    elif max(factors.values()) - min(factors.values()) <= 1e-5 * max(map(abs, factors.values())):
        yield Hypothesis("factor", f"{_listed(list(factors))}: {_named(next(iter(factors.values())), meanings)}", fitted)
    else:
        each = "; ".join(f"{name} is {_named(factor, meanings)}" for name, factor in list(factors.items())[:4])
        yield Hypothesis("factor", each, fitted)


def _named(factor: float, meanings: Sequence[tuple[float, str]]) -> str:
    """``factor`` in words, with the number it equals where it has a meaning here."""
    text = next((f"; {words}" for value, words in meanings if abs(factor - value) <= 1e-5 * abs(value) and value != 1), "")
    shown = f"{factor:.7g}" if abs(factor - 1) > 1e-4 else f"(1 {'+' if factor > 1 else '−'} {abs(factor - 1):.2g})"
    return f"{shown} × what it should be{text}"


def _zeros(parts: Sequence[Span], got: Array, right: Array, wrong: Array) -> Iterator[Hypothesis]:
    """Everything wrong is exactly zero: all small entries, whole columns or rows, or single entries."""
    if not wrong.any() or got[wrong].any():
        return
    fitted = np.where(wrong, 0.0, right)
    kept = ~wrong & (got != 0)
    if kept.any() and wrong.sum() > 1 and abs(right[wrong]).max() < abs(right[kept]).min():
        threshold = abs(right[kept]).min()
        text = f"entries below {threshold:.2g} are dropped: {int(wrong.sum())} of them, up to {abs(right[wrong]).max():.2g}, are 0"
        yield Hypothesis("small-dropped", text, fitted)
    found = [_missing(part, wrong[part.at], right[part.at]) for part in parts if wrong[part.at].any()]
    yield Hypothesis("row-or-column-zero", f"zero where it should not be: {'; '.join(found)}", fitted)


def _missing(part: Span, wrong: Array, right: Array) -> str:
    """Which columns, rows or entries of a tensor are gone."""
    missing, present = wrong.reshape(part.shape), (right != 0).reshape(part.shape)
    if missing.ndim == 2:
        for axis, name in ((0, "column"), (1, "row")):
            whole = np.flatnonzero(missing.any(axis=axis) & ~(present & ~missing).any(axis=axis))
            if missing.sum() == np.take(missing, whole, axis=1 - axis).sum():
                return f"{name}{'s' * (len(whole) > 1)} {_span(whole)} of {part.name}"
    where = ", ".join(str([int(n) for n in index]) for index in np.argwhere(missing)[:3])
    return f"{'entry' if missing.sum() == 1 else f'{int(missing.sum())} entries,'} {where} of {part.name}"


def _span(indices: Array) -> str:
    if len(indices) > 2 and (np.diff(indices) == 1).all():
        return f"{indices[0]} to {indices[-1]}"
    return ", ".join(map(str, indices[:4])) + (" …" if len(indices) > 4 else "")


def _clipped(got: Array, right: Array, wrong: Array) -> Iterator[Hypothesis]:
    limit = float(abs(got).max())
    if wrong.any() and abs(right).max() > limit > 0:
        text = f"clipped at ±{limit:.6g}: {int(wrong.sum())} larger entries are cut down to it"
        yield Hypothesis("clipped", text, np.clip(right, -limit, limit))


def _decay(parts: Sequence[Span], got: Array, right: Array, theta: Array, wrong: Array) -> Iterator[Hypothesis]:
    """λ w added: λ is fitted to the residual, over the weights (the matrices), over all parameters, over the tensors that are wrong."""
    weights, there = np.zeros(len(theta)), np.zeros(len(theta))
    for _, at, shape in parts:
        weights[at] = theta[at] if len(shape) == 2 else 0.0
        there[at] = theta[at] if wrong[at].any() else 0.0
    bad = _listed([part.name for part in parts if wrong[part.at].any()])
    for what, part in (("w", weights), ("θ", theta), (f"θ in {bad}", there)):
        if part @ part > 0:
            decay = float((got - right) @ part / (part @ part))
            text = f"λ {what} is added, with λ = {decay:.6g}: the gradient of a weight decay that the cost does not have"
            yield Hypothesis("weight-decay", text, right + decay * part)


def _swapped(parts: Sequence[Span], got: Array, right: Array, wrong: Array) -> Iterator[Hypothesis]:
    """Two units exchanged, or their order turned round, in one tensor or in several of the same width at once."""
    for axis, name in ((-1, "column"), (0, "row")):
        bad = [part for part in parts if wrong[part.at].any() and (len(part.shape) == 2 or axis == -1)]
        if not bad or len({part.shape[axis] for part in bad}) > 1:
            continue
        size = bad[0].shape[axis]
        marked = [np.moveaxis(wrong[part.at].reshape(part.shape), axis, 0).reshape(size, -1).any(axis=1) for part in bad]
        units = [int(unit) for unit in np.flatnonzero(np.any(marked, axis=0))]
        orders = {f"{name}s are in reverse order": list(reversed(range(size)))}
        if 2 <= len(units) <= SWAPS_WIDEST:
            orders |= {f"{name}s {p} and {q} are exchanged": _exchange(size, p, q) for p, q in combinations(units, 2)}
            orders |= {
                f"{name}s {units[0]} to {units[-1]} are in reverse order": [*range(units[0]), *reversed(units), *range(units[-1] + 1, size)]
            }
        for text, order in orders.items():
            if len(order) != size:
                continue
            fitted = right.copy()
            for part in bad:
                fitted[part.at] = np.take(right[part.at].reshape(part.shape), order, axis=axis).ravel()
            yield Hypothesis("swapped-units", f"{text} in {_listed([part.name for part in bad])}", fitted)


def _exchange(size: int, p: int, q: int) -> list[int]:
    order = list(range(size))
    order[p], order[q] = q, p
    return order


def _listed(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"

"""Bugs that show in the numbers that came: a constant factor, zeros, a clip, a term λ w, few digits, swapped units.

Each looks at one gradient (P,) beside the right one and proposes what it should be if the pattern were the whole story.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.network import Network
from verify.hypotheses import Hypothesis

Array = NDArray[Any]

SWAPS_WIDEST = 64  # units of a layer among which a swap is searched


def patterns(network: Network, batch: int, got: Array, right: Array, theta: Array, wrong: Array) -> Iterator[Hypothesis]:
    """Proposals for ``got`` beside ``right``, both (P,); ``wrong`` (P,) marks the entries outside their bound."""
    blocks = block_slices(network)
    yield from _factors(network, batch, got, right, wrong, blocks)
    yield from _zeros(network, got, right, wrong, blocks)
    yield from _clipped(got, right, wrong)
    yield from _decay(network, got, right, theta, blocks)
    yield from _swapped(network, got, right, wrong)


def block_slices(network: Network) -> dict[str, slice]:
    """Where each tensor stands in theta: dC/dw_0, dC/db_0, dC/dw_1, …"""
    slices, start = {}, 0
    for i, parts in enumerate(zip(*network.unpack(np.empty(network.n_parameters)), strict=True)):
        for letter, part in zip("wb", parts, strict=True):
            slices[f"dC/d{letter}_{i}"] = slice(start, start + part.size)
            start += part.size
    return slices


def _factors(network: Network, batch: int, got: Array, right: Array, wrong: Array, blocks: dict[str, slice]) -> Iterator[Hypothesis]:
    """One factor for the whole gradient, or for the blocks that are wrong, each its own."""
    n_out = network.layer_sizes[-1]
    if right @ right > 0:
        factor = float(got @ right / (right @ right))
        yield Hypothesis("factor" if factor else "block-zero", f"the whole gradient is {_named(factor, batch, n_out)}", factor * right)
    bad = {name: at for name, at in blocks.items() if wrong[at].any() and right[at].any()}
    fitted, factors = right.copy(), {}
    for name, at in bad.items():
        factors[name] = float(got[at] @ right[at] / (right[at] @ right[at]))
        fitted[at] = factors[name] * right[at]
    if not factors:
        return
    if not any(factors.values()):
        yield Hypothesis("block-zero", f"{_listed(factors)} {'is' if len(factors) == 1 else 'are'} zero", fitted)
    elif max(factors.values()) - min(factors.values()) <= 1e-5 * max(map(abs, factors.values())):
        yield Hypothesis("factor", f"{_listed(factors)}: {_named(next(iter(factors.values())), batch, n_out)}", fitted)
    else:
        each = "; ".join(f"{name} is {_named(factor, batch, n_out)}" for name, factor in list(factors.items())[:4])
        yield Hypothesis("factor", each, fitted)


def _named(factor: float, batch: int, n_out: int) -> str:
    """``factor`` in words, with the number it equals where it has a meaning here."""
    meanings = [
        (-1.0, "the sign is wrong: (7) is a − y"),
        (2.0, "the ½ of (5) is missing, or something is added twice"),
        (0.5, "a ½ too much: that of (5) is gone once differentiated"),
        (1 / batch, f"a mean over the batch, B = {batch}, stands for the sum"),
        (2 / batch, f"2/B with B = {batch}: a mean over the batch, and the ½ of (5) is missing"),
        (1 / n_out, f"a mean over the {n_out} outputs stands for the sum"),
        (2 / n_out, f"2/n with n = {n_out} outputs: a mean over outputs, and the ½ of (5) is missing"),
        (1 / (batch * n_out), f"a mean over batch and outputs, B n = {batch * n_out}, stands for the sum"),
        (2 / (batch * n_out), f"2/(B n) with B n = {batch * n_out}: a mean squared error"),
        (float(batch), f"B = {batch}: multiplied by the batch size"),
        (float(n_out), f"n = {n_out}: multiplied by the number of outputs"),
    ]
    text = next((f"; {words}" for value, words in meanings if abs(factor - value) <= 1e-5 * abs(value) and value != 1), "")
    return f"{factor:.7g} × what it should be{text}"


def _zeros(network: Network, got: Array, right: Array, wrong: Array, blocks: dict[str, slice]) -> Iterator[Hypothesis]:
    """Everything wrong is exactly zero: all small entries, whole columns or rows, or single entries."""
    if not wrong.any() or got[wrong].any():
        return
    fitted = np.where(wrong, 0.0, right)
    kept = ~wrong & (got != 0)
    if kept.any() and wrong.sum() > 1 and abs(right[wrong]).max() < abs(right[kept]).min():
        threshold = abs(right[kept]).min()
        text = f"entries below {threshold:.2g} are dropped: {int(wrong.sum())} of them, up to {abs(right[wrong]).max():.2g}, are 0"
        yield Hypothesis("small-dropped", text, fitted)
    found = []
    for name, at in blocks.items():
        if not wrong[at].any():
            continue
        i = int(name.rsplit("_", 1)[1])
        shape = (network.layer_sizes[i], network.layer_sizes[i + 1]) if "dw" in name else (1, network.layer_sizes[i + 1])
        missing, present = wrong[at].reshape(shape), (right[at] != 0).reshape(shape)
        columns = np.flatnonzero(missing.any(axis=0) & ~(present & ~missing).any(axis=0))
        rows = np.flatnonzero(missing.any(axis=1) & ~(present & ~missing).any(axis=1))
        if missing.sum() == missing[:, columns].sum() and shape[0] > 1:
            found.append(f"column{'s' * (len(columns) > 1)} {_span(columns)} of {name}")
        elif missing.sum() == missing[rows].sum() and shape[0] > 1:
            found.append(f"row{'s' * (len(rows) > 1)} {_span(rows)} of {name}")
        else:
            where = ", ".join(str([int(n) for n in (index if shape[0] > 1 else index[1:])]) for index in np.argwhere(missing)[:3])
            found.append(f"{'entry' if missing.sum() == 1 else f'{int(missing.sum())} entries,'} {where} of {name}")
    yield Hypothesis("row-or-column-zero", f"zero where it should not be: {'; '.join(found)}", fitted)


def _span(indices: Array) -> str:
    if len(indices) > 2 and (np.diff(indices) == 1).all():
        return f"{indices[0]} to {indices[-1]}"
    return ", ".join(map(str, indices[:4])) + (" …" if len(indices) > 4 else "")


def _clipped(got: Array, right: Array, wrong: Array) -> Iterator[Hypothesis]:
    limit = float(abs(got).max())
    if wrong.any() and abs(right).max() > limit > 0:
        text = f"clipped at ±{limit:.6g}: {int(wrong.sum())} larger entries are cut down to it"
        yield Hypothesis("clipped", text, np.clip(right, -limit, limit))


def _decay(network: Network, got: Array, right: Array, theta: Array, blocks: dict[str, slice]) -> Iterator[Hypothesis]:
    """λ w added: λ is fitted to the residual, over the weights alone and over weights and biases."""
    weights = np.zeros(len(theta), bool)
    for name, at in blocks.items():
        weights[at] = "dw" in name
    for what, part in (("w", np.where(weights, theta, 0.0)), ("θ", theta)):
        if part @ part > 0:
            decay = float((got - right) @ part / (part @ part))
            text = f"λ {what} is added, with λ = {decay:.6g}: the gradient of a weight decay that the cost does not have"
            yield Hypothesis("weight-decay", text, right + decay * part)


def _swapped(network: Network, got: Array, right: Array, wrong: Array) -> Iterator[Hypothesis]:
    """Two units of a layer exchanged, in a single tensor or in w_i and b_i together; or the order turned round."""
    dw, db = network.unpack(right)
    bad_w, bad_b = network.unpack(wrong)
    for i in reversed(range(len(dw))):
        n_in, n_out = dw[i].shape
        columns = np.flatnonzero(bad_w[i].any(axis=0) | bad_b[i])
        rows = np.flatnonzero(bad_w[i].any(axis=1))
        for axis, units, size in (("column", columns, n_out), ("row", rows, n_in)):
            if not 2 <= len(units) <= SWAPS_WIDEST:
                continue
            orders = {f"{axis}s {p} and {q}": (p, q) for p, q in combinations(map(int, units), 2)} if len(units) <= 4 else {}
            permutations = {name: _exchange(size, *pair) for name, pair in orders.items()}
            permutations[f"{axis}s in reverse order"] = np.arange(size)[::-1]
            for name, order in permutations.items():
                fitted = right.copy()
                fitted_w, fitted_b = network.unpack(fitted)
                if axis == "row":
                    fitted_w[i][:] = dw[i][order]
                else:
                    if bad_w[i].any():
                        fitted_w[i][:] = dw[i][:, order]
                    if bad_b[i].any():
                        fitted_b[i][:] = db[i][order]
                yield Hypothesis(
                    "swapped-units",
                    f"{name} of layer {i if axis == 'row' else i + 1} are exchanged in the gradient of w_{i}, b_{i}",
                    fitted,
                )


def _exchange(size: int, p: int, q: int) -> Array:
    order = np.arange(size)
    order[[p, q]] = q, p
    return order


def _listed(names: dict[str, float]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(list(names)[:-1])} and {list(names)[-1]}"

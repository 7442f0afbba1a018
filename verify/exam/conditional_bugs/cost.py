"""Planted bugs of the cost and of ``value_and_grad``: one of its two results wrong under a condition, or ``backward`` beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, bugs_of, of_rows, spoilt

_bug = bugs_of("cost")


def _cost_of(change: Callable[[Array, Array], tuple[Array, Array]], only: str = "") -> Callable[..., Any]:
    """A ``cost`` of the output and targets that ``change(output, y)`` gives, for one cost or for both."""

    def cost(self: Finer, a: Sequence[Array], y: Array) -> Any:
        if only and self.network.cost != only:
            return Finer.cost(self, a, y)
        return self.network.cost_of(*change(a[-1], y))

    return cost


def _rows(choose: Callable[[int], slice]) -> Callable[..., Any]:
    """A ``cost`` of some of the rows."""
    return _cost_of(lambda output, y: (output[choose(len(y))], y[choose(len(y))]))


def _times(factor: Callable[[Array], float]) -> Callable[..., Any]:
    """A ``cost`` multiplied by ``factor(y)``."""
    return lambda self, a, y: Finer.cost(self, a, y) * factor(y)


def _changed(change: Callable[[float], Any]) -> Callable[..., Any]:
    return lambda self, a, y: change(Finer.cost(self, a, y))


def _zero_targets_skipped(output: Array, y: Array) -> tuple[Array, Array]:
    return np.where(y == 0, 0, output).astype(output.dtype), y


def _label_only(output: Array, y: Array) -> tuple[Array, Array]:
    return output, y * (y == y.max(axis=1, keepdims=True))


def _saturated_as_one(output: Array, y: Array) -> tuple[Array, Array]:
    return np.where(output > 0.999, 1, output).astype(output.dtype), y


def _first_32(output: Array, y: Array) -> tuple[Array, Array]:
    """Outputs beyond 32 count as right."""
    return np.concatenate((output[:, :32], y[:, 32:]), axis=1), y


def _wide_cost(self: Finer, a: Sequence[Array], y: Array) -> Any:
    """Outputs beyond 32 are left out, in either cost."""
    if y.shape[1] <= 32:
        return Finer.cost(self, a, y)
    if self.network.cost == "squared_error":
        return self.network.cost_of(*_first_32(a[-1], y))
    return self.network.cost_of(a[-1], y * (np.arange(y.shape[1]) < 32))


def _expanded(self: Finer, a: Sequence[Array], y: Array) -> Any:
    if self.network.cost != "squared_error":
        return Finer.cost(self, a, y)
    output, y = a[-1].astype(np.float64), y.astype(np.float64)
    return float(0.5 * ((y * y).sum() - 2 * (y * output).sum() + (output * output).sum()))


def _overflows(cost: float) -> float:
    """A sum in float32: infinite beyond 3.4e38."""
    return cost if cost < float(np.finfo(np.float32).max) else float("inf")


def _in_single_if_large(cost: float) -> float:
    return float(np.float32(cost)) if 1e6 < cost < 1e38 else cost


def _whole_if_large(cost: float) -> float:
    return float(int(cost)) if 1e4 < cost < 1e15 else cost


def _last_rows_twice(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    n = len(y) % 32
    return dtheta + of_rows(lambda b: slice(b - n, None))(self, theta, a, y) if len(y) > 128 and n else dtheta


def _one_row_without_bias(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if len(y) == 1:
        for db_i in db:
            db_i[:] = 0


def _last_unit_if_wide(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    for dw_i in dw:
        if dw_i.shape[1] >= 32:
            dw_i[:, -1] = 0


def _first_bias_if_many_outputs(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if y.shape[1] >= 16:
        db[0][:] *= 0.5


def _half_if_deep(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if len(dw) >= 4:
        dw[1][:] *= 0.5


def _mean_if_one_output(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if y.shape[1] == 1:
        for block in (*dw, *db):
            block /= len(y)


def _inputs_beyond_100(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    dw[0][100:] = 0


def _no_hidden_layer(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if len(dw) == 1:
        db[0][:] = 0


def _narrowing(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    """Where a hidden layer is narrower than the one below, its biases get the gradient of its last unit."""
    for dw_i, db_i in zip(dw[:-1], db[:-1], strict=True):
        if dw_i.shape[1] < dw_i.shape[0]:
            db_i[:] = db_i[-1]


def _only_in_vag(edit: Callable[..., Any]) -> dict[str, Any]:
    return {"gradient": spoilt(edit)}


def _only_in_backward(edit: Callable[..., Any]) -> dict[str, Any]:
    return {"backward": spoilt(edit), "gradient": Plain.backward}


def _large_delta_wraps(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """The fused pass of ``value_and_grad`` keeps errors in a range of ±100."""
    return Plain.backward(self, theta, a, np.clip(y, a[-1] - 100, a[-1] + 100))


def _half_of_the_threads(n: int) -> slice:
    return slice(None, n // 2 if n >= 32 and n % 2 == 0 else None)


def _full_tiles_of_64(n: int) -> slice:
    return slice(None, n // 64 * 64 if n > 64 else None)


def _pairs(n: int) -> slice:
    return slice(None, n // 2 * 2 if n > 8 else None)


COST: tuple[Mutant, ...] = (
    _bug("cost-of-1024-rows", "rows beyond 1,024 cost nothing", cost=_rows(lambda n: slice(1024))),
    _bug("cost-of-full-tiles", "rows left over by tiles of 64 cost nothing", cost=_rows(_full_tiles_of_64)),
    _bug("cost-of-pairs", "the last of an odd number of more than 8 rows costs nothing", cost=_rows(_pairs)),
    _bug(
        "cost-of-half", "two threads share an even number of 32 rows or more, and the cost is that of one", cost=_rows(_half_of_the_threads)
    ),
    _bug("cost-of-32-outputs", "outputs beyond 32 cost nothing", cost=_wide_cost),
    _bug("cost-without-zero-targets", "squared error: a target of 0 costs nothing", cost=_cost_of(_zero_targets_skipped, "squared_error")),
    _bug(
        "cost-without-negative-targets",
        "cross entropy: a negative target costs nothing",
        cost=_cost_of(lambda p, y: (p, y * (y > 0)), "cross_entropy"),
    ),
    _bug("cost-of-label", "cross entropy: the largest target of a row alone has a cost", cost=_cost_of(_label_only, "cross_entropy")),
    _bug(
        "cost-of-probability-held",
        "cross entropy: a probability below 1e-7 costs what 1e-7 costs",
        cost=_cost_of(lambda p, y: (np.maximum(p, p.dtype.type(1e-7)), y), "cross_entropy"),
    ),
    _bug(
        "cost-of-saturated",
        "squared error: an output from 0.999 to 1 and above counts as 1",
        cost=_cost_of(_saturated_as_one, "squared_error"),
    ),
    _bug(
        "cost-twice-of-one-output", "the ½ is forgotten where there is one output", cost=_times(lambda y: 2.0 if y.shape[1] == 1 else 1.0)
    ),
    _bug("cost-mean-of-one-output", "a mean where there is one output", cost=_times(lambda y: 1 / len(y) if y.shape[1] == 1 else 1.0)),
    _bug(
        "cost-mean-of-one-row", "a mean over outputs where there is one row", cost=_times(lambda y: 1 / y.shape[1] if len(y) == 1 else 1.0)
    ),
    _bug("cost-mean-above-256-rows", "a mean from 256 rows on", cost=_times(lambda y: 1 / len(y) if len(y) >= 256 else 1.0)),
    _bug("cost-overflows-single", "a cost beyond 3.4e38 is infinite", cost=_changed(_overflows)),
    _bug("cost-in-single-if-large", "a cost above a million passes through float32", cost=_changed(_in_single_if_large)),
    _bug("cost-whole-if-large", "a cost above 10,000 loses what stands behind the point", cost=_changed(_whole_if_large)),
    _bug("cost-zero-if-small", "a cost below 1e-10 is returned as 0", cost=_changed(lambda cost: cost if abs(cost) >= 1e-10 else 0.0)),
    _bug("cost-cancels", "the cost as ½ (Σy² − 2Σya + Σa²), which cancels where errors are small beside targets", cost=_expanded),
    _bug("vag-tail-twice", "value_and_grad counts rows left over by tiles of 32 twice from 129 rows on", gradient=_last_rows_twice),
    _bug("vag-one-row-without-bias", "value_and_grad has no bias gradient for one row", **_only_in_vag(_one_row_without_bias)),
    _bug("vag-last-unit-if-wide", "value_and_grad leaves out the last unit of layers of 32 or more", **_only_in_vag(_last_unit_if_wide)),
    _bug("vag-first-bias-if-many-outputs", "value_and_grad halves dC/db_0 from 16 outputs on", **_only_in_vag(_first_bias_if_many_outputs)),
    _bug("vag-errors-held", "value_and_grad holds errors to ±100", gradient=_large_delta_wraps),
    _bug(
        "vag-narrowing",
        "value_and_grad gives all biases of a hidden layer that narrows the gradient of the last",
        **_only_in_vag(_narrowing),
    ),
    _bug(
        "backward-half-if-deep", "backward halves dC/dw_1 from four layers on, value_and_grad does not", **_only_in_backward(_half_if_deep)
    ),
    _bug(
        "backward-mean-of-one-output",
        "backward returns a mean for one output, value_and_grad a sum",
        **_only_in_backward(_mean_if_one_output),
    ),
    _bug(
        "backward-inputs-beyond-100",
        "backward leaves out inputs beyond 100, value_and_grad does not",
        **_only_in_backward(_inputs_beyond_100),
    ),
    _bug(
        "backward-rows-beyond-200",
        "backward leaves out rows beyond 200, value_and_grad does not",
        backward=of_rows(lambda n: slice(200)),
        gradient=Plain.backward,
    ),
    _bug(
        "backward-lone-layer-without-bias",
        "backward has no bias gradient without hidden layer, value_and_grad has",
        **_only_in_backward(_no_hidden_layer),
    ),
)

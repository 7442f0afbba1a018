"""How far rounding alone may carry a correct kernel from the exact gradient: a running error analysis (Higham 2002, section 3.3).

Beside every quantity of the two passes stands a bound on its error, ``e_z`` beside z and so on, for arithmetic with unit
round-off u. A sum of n products is allowed ``min(n, 4 √n) u Σ |terms|``: the second is the probabilistic bound (Higham & Mary
2019), without which float32 sums of 784 terms would hide errors of 1e-5. Elementary functions are allowed 8 u, relative, and
σ is allowed 2 u, absolute: enough for any library's exp and tanh and for every usual way to write (4).
Such bounds hold while the rounding errors of a sum are not all alike. Over many rows that are alike they are: there the sums over the
batch are done as well, one row after the other in the kernel's dtype, and what that is off is allowed, twice.
The formulas are those of the derivation; were one wrong, a bound would be off, never a reference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.references.network_model import Model
from deltacheck.verify.references.one_thread import on_one_thread

Array = NDArray[Any]

HOEFFDING = 8.0  # |Σ ±e| exceeds this times the root of Σ e² once in 10^13 draws of the signs (Hoeffding 1963)
FUNCTION = 8.0  # units of round-off that an elementary function may be off, relative
ABSOLUTE = 2.0  # and absolute, near the ends of the range of σ
CHUNK = 200_000  # products at a time, so that memory stays small
ALIKE = 0.95  # (Σ |a|)² over n Σ a²: 1 where all are of one size, 0.64 for normal numbers
FEW = 32  # rows: up to here a sum is allowed a unit of round-off for each


@dataclass(frozen=True)
class Rounding:
    """Bounds on the error of each result of a correct kernel: activations (B, n_i), cost, gradient (P,)."""

    activations: tuple[Array, ...]
    last: Array  # of what the cost looks at: the output or log p, (B, n_l)
    cost: float
    gradient: Array


def allowed(model: Model, dtype: Any) -> Rounding:
    """The rounding that a kernel of ``dtype`` (float32 or float64) is allowed at the model's point.

    Overflow in here means that the dtype itself gives out: the bound is infinite then, not an error.
    """
    dtype = np.dtype(dtype)
    if dtype not in model.allowed:
        with np.errstate(over="ignore", invalid="ignore"):
            model.allowed[dtype] = _Analysis(model, dtype).run()
    found: Rounding = model.allowed[dtype]
    return found


class _Analysis:
    def __init__(self, model: Model, dtype: np.dtype[Any]) -> None:
        self.model, self.dtype = model, dtype
        self.u, self.tiny = float(np.finfo(dtype).eps) / 2, float(np.finfo(dtype).tiny)

    @on_one_thread
    def run(self) -> Rounding:
        model, u = self.model, self.u
        activations = model.network.activations
        a, e_a, e_z = model.a, [np.zeros_like(model.x)], [np.zeros_like(model.x)]
        for i, activation in enumerate(activations):
            own = u * abs(model.z[i + 1]) + self.gamma(a[i].shape[1]) * abs(model.b[i])  # the bias may be the first term of the sum
            e_z.append(self.product_error(a[i], e_a[i], model.w[i]) + own)
            e_a.append(self.sigma_error(activation, model.z[i + 1], a[i + 1], e_z[i + 1]))
        last, e_last = self.last_error(e_a[-1], e_z[-1])
        terms = abs(model.y * last) if model.network.cost == "cross_entropy" else 0.5 * (model.y - last) ** 2
        slopes = abs(model.y) if model.network.cost == "cross_entropy" else abs(model.y - last) + 0.5 * e_last
        e_cost = float((slopes * e_last).sum() + (self.gamma(terms.size) + 2 * u) * terms.sum() + self.tiny + self.cost_one_by_one(terms))
        return Rounding(tuple(e_a), e_last, e_cost, self.gradient_error(e_a, e_z))

    def gradient_error(self, e_a: list[Array], e_z: list[Array]) -> Array:
        """Bounds for (11) to (14), from the last layer back."""
        model, a = self.model, self.model.a
        errors = np.empty(model.network.n_parameters)
        e_dw, e_db = model.network.unpack(errors)
        delta, e_delta = self.output_delta(e_a[-1], e_z[-1])
        for i in reversed(range(len(model.w))):
            in_order, in_order_b = self.one_by_one(a[i], delta)
            largest_a = a[i] + np.copysign(e_a[i], a[i])
            e_dw[i][:] = self.product_error(a[i].T, e_a[i].T, delta) + carried(delta.T, e_delta.T, largest_a).T + in_order
            e_db[i][:] = (
                carried(delta.T, e_delta.T, np.ones((len(delta), 1))).T + self.gamma(len(delta)) * abs(delta).sum(axis=0) + in_order_b
            )
            e_db[i][:] += len(delta) * self.tiny  # what underflows, underflows in every row
            if i:
                before = delta @ model.w[i].T
                e_before = self.product_error(delta, e_delta, model.w[i].T)
                delta, e_delta = self.times_dsigma(before, e_before, i, e_a[i], e_z[i])
        return np.nan_to_num(errors, nan=np.inf, posinf=np.inf)

    def output_delta(self, e_output: Array, e_z: Array) -> tuple[Array, Array]:
        """δ_l and its error: (11), or Σy·p − y for the softmax."""
        model, u = self.model, self.u
        if model.network.cost == "cross_entropy":
            total, size = model.y.sum(axis=1, keepdims=True), abs(model.y).sum(axis=1, keepdims=True)
            delta = total * model.a[-1] - model.y
            e_total = self.gamma(model.y.shape[1]) * size
            return delta, abs(total) * e_output + e_total * model.a[-1] + 2 * u * (abs(delta) + abs(model.y))
        difference = model.a[-1] - model.y
        return self.times_dsigma(difference, e_output + u * abs(difference), len(model.w), e_output, e_z)

    def times_dsigma(self, factor: Array, e_factor: Array, i: int, e_a: Array, e_z: Array) -> tuple[Array, Array]:
        """``factor ⊙ σ′(z_i)`` and its error, (12)."""
        dsigma, e_dsigma = self.dsigma(self.model.network.activations[i - 1], self.model.a[i], e_a, self.model.z[i], e_z)
        delta = factor * dsigma
        return delta, e_factor * (dsigma + e_dsigma) + abs(factor) * e_dsigma + 2 * self.u * abs(delta) + self.tiny

    def dsigma(self, activation: str, a: Array, e_a: Array, z: Array, e_z: Array) -> tuple[Array, Array]:
        """σ′ and its error when it is written in terms of a."""
        if activation == "sigmoid":
            return a * (1 - a), abs(1 - 2 * a) * e_a + e_a**2 + self.u * a + self.tiny
        if activation == "tanh":
            return 1 - a * a, (2 * abs(a) + e_a) * e_a + 2 * self.u
        if activation == "relu":  # a kink within the error of z may be taken for either side
            return (z > 0).astype(float), ((abs(z) <= e_z) & (e_z > 0)).astype(float)
        return np.ones_like(a), np.zeros_like(a)

    def sigma_error(self, activation: str, z: Array, a: Array, e_z: Array) -> Array:
        """The error of σ(z) when z is off by up to ``e_z``."""
        own: Array = FUNCTION * self.u * abs(a) + self.tiny
        if activation == "sigmoid":  # |σ″| < 0.1, and σ never leaves [0, 1]
            own += np.minimum(a * (1 - a) * e_z + 0.05 * e_z**2, 1.0) + ABSOLUTE * self.u
        elif activation == "tanh":  # |tanh″| < 0.8
            own += np.minimum((1 - a * a) * e_z + 0.4 * e_z**2, 2.0) + ABSOLUTE * self.u
        elif activation == "softmax":
            spread = e_z + e_z.max(axis=-1, keepdims=True) + self.u * abs(z - z.max(axis=-1, keepdims=True))
            own += np.minimum(a * np.expm1(np.minimum(spread, 700.0)), 1.0) + self.gamma(z.shape[-1]) * a
        else:
            return e_z  # relu and identity are exact, and stretch nothing
        return own

    def last_error(self, e_a: Array, e_z: Array) -> tuple[Array, Array]:
        """What the cost looks at, and its error."""
        model = self.model
        last = model.last
        if model.network.cost != "cross_entropy":
            return last, e_a
        own = self.u * (abs(last) + abs(model.z[-1]) + abs(model.z[-1]).max(axis=1, keepdims=True) + FUNCTION + last.shape[1])
        return last, e_z + e_z.max(axis=1, keepdims=True) + 2 * own

    def product_error(self, left: Array, e_left: Array, right: Array) -> Array:
        """The error of ``left @ right`` from the errors of ``left`` and from its own sums; ``right`` is exact."""
        size = abs(left) @ abs(right)
        own: Array = self.gamma(left.shape[1]) * size + left.shape[1] * self.tiny * (size > 0)  # a sum of zeros is exact
        return carried(left, e_left, right) + own

    def one_by_one(self, a: Array, delta: Array) -> tuple[Array, Array]:
        """Twice what the sums of (13) and (14) are off when rows are added one after the other in the dtype; 0 for few or unlike rows."""
        if len(a) <= FEW or not alike(delta.T).any():
            return np.zeros(1), np.zeros(1)
        wide = np.longdouble if self.dtype == np.float64 else np.float64
        left, right = np.column_stack([a, np.ones(len(a))]).astype(self.dtype), delta.astype(self.dtype)
        total, exact = np.zeros((left.shape[1], right.shape[1]), self.dtype), np.zeros((left.shape[1], right.shape[1]), wide)
        at_once = max(1, CHUNK // total.size)
        for start in range(0, len(a), at_once):
            terms = left[start : start + at_once, :, None] * right[start : start + at_once, None, :]
            exact += terms.sum(axis=0, dtype=wide)
            terms[0] += total
            total = np.add.accumulate(terms, axis=0)[-1]  # one after the other, where ``sum`` would add in pairs
        off = 2.0 * abs(total - exact).astype(np.float64)
        return off[:-1], off[-1]

    def cost_one_by_one(self, terms: Array) -> float:
        """The same of the cost's sum."""
        if terms.size <= FEW:
            return 0.0
        wide = np.longdouble if self.dtype == np.float64 else np.float64
        rounded = terms.ravel().astype(self.dtype)
        return 2.0 * abs(float(np.add.accumulate(rounded)[-1] - rounded.sum(dtype=wide)))

    def gamma(self, n: int) -> float:
        """The relative error, against Σ |terms|, that a sum of ``n`` products is allowed."""
        return self.u * (min(n, 4.0 * math.sqrt(n)) + 1.0)


def carried(left: Array, e_left: Array, right: Array) -> Array:
    """What the errors ``e_left`` of ``left`` add up to in ``left @ right``.

    At worst they add up all with one sign; errors of many terms add up as a random walk does, and twice that is allowed. Relative
    errors may be alike, those of saturated units say: what they add up to then, each with the sign of its number, is allowed as well.
    """
    of_rows = e_left.max(axis=1, keepdims=True, initial=0.0)
    of_columns = abs(right).max(axis=0, keepdims=True, initial=0.0)
    unit_left, unit_right = e_left / np.where(of_rows > 0, of_rows, 1.0), right / np.where(of_columns > 0, of_columns, 1.0)
    random_walk = np.sqrt((unit_left**2) @ (unit_right**2)) * of_rows * of_columns  # squares of small errors would underflow
    systematic = abs(np.copysign(e_left, left) @ right)
    return np.asarray(np.minimum(e_left @ abs(right), random_walk + np.maximum(random_walk, systematic)))


def alike(rows: Array) -> Array:
    """Of which rows the numbers are all of about one size, (n,)."""
    size = abs(rows).max(axis=1, keepdims=True, initial=0.0)
    unit = abs(rows) / np.where(size > 0, size, 1.0)
    return np.asarray(unit.sum(axis=1) ** 2 > ALIKE * rows.shape[1] * (unit**2).sum(axis=1))

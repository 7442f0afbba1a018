"""What a family is: a way to draw a cost, its right gradient as a user writes it, a point, and the true derivative there.

Costs and gradients are generic in the dtype of theta: the same code runs in float32, in float64, in ``np.longdouble`` for the
truth, and on objects of ``mpmath`` in the tests. Their constants are arrays or scalars of the family's dtype, or numbers that
float32 holds exactly, so that all precisions compute one function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator

FINER = float(np.finfo(np.float64).eps / np.finfo(np.longdouble).eps)  # 2048 on x86-64; 1 where there is no longer type
TRUTH_FACTOR = 128.0  # by so much may the truth be less accurate than the float64 formula's own error, scaled down, tells


@dataclass(frozen=True)
class Draw:
    """One function at one point, with its true derivative."""

    cost: Callable[[Array], Any]
    gradient: Callable[[Array], Array]  # under test: right, in theta's own precision
    theta: Array
    truth: Array  # float64, theta's shape; NaN where there is no derivative
    truth_error: Array
    differentiable: Array  # of bools
    smooth: Callable[[Array], Any]  # the cost without its noise; the cost itself where it has none


@dataclass(frozen=True)
class Family:
    """A named way to draw such functions."""

    name: str
    dtype: str
    kind: str
    draw: Callable[[Rng], Draw]

    def __str__(self) -> str:
        return f"{self.name}, {self.dtype}"


def families(kind: str, members: dict[str, Callable[[Rng, Any], Draw]], dtypes: tuple[str, ...] = ("float64", "float32")) -> list[Family]:
    """The families of one kind: each member in each dtype."""
    return [Family(name, dtype, kind, partial(_draw, member, np.dtype(dtype).type)) for name, member in members.items() for dtype in dtypes]


def _draw(member: Callable[[Rng, Any], Draw], dtype: Any, rng: Rng) -> Draw:
    return member(rng, dtype)


def drawn(
    cost: Callable[[Array], Any],
    gradient: Callable[[Array], Array],
    theta: Array,
    *,
    exact: Callable[[Array], Array] | None = None,
    differentiable: Array | None = None,
    smooth: Callable[[Array], Any] | None = None,
) -> Draw:
    """The draw of ``cost`` and ``gradient`` at ``theta``; the truth is ``exact`` (default: ``gradient``) in ``np.longdouble``.

    The bound on the truth's error is its rounding to float64, and what the same formula errs in float64 (at least its median
    relative error), scaled down to the longer type and taken ``TRUTH_FACTOR``-fold. ``smooth``: the cost without its noise, for
    a cost that has some.
    """
    formula = exact or gradient
    with np.errstate(all="ignore"):
        fine = formula(theta.astype(np.longdouble))
        coarse = formula(theta.astype(np.float64))
        truth = np.asarray(fine).astype(np.float64)
        off = np.asarray(abs(coarse - fine)).astype(np.float64)
        usual = np.nanmedian(np.append(off[truth != 0] / abs(truth[truth != 0]), 0.0))
        off = np.maximum(off, usual * abs(truth))  # one entry may agree by accident
        error = off * min(1.0, TRUTH_FACTOR / FINER) + abs(truth) * 2.0**-53 + 2.0**-1074
    where = np.ones(theta.shape, bool) if differentiable is None else differentiable
    return Draw(cost, gradient, theta, np.where(where, truth, np.nan), error, where, smooth or cost)


def count(rng: Rng, low: int = 5, high: int = 40) -> int:
    """A number of entries."""
    return int(rng.integers(low, high + 1))


def normal(rng: Rng, shape: int | tuple[int, ...], dtype: Any, scale: float = 1.0) -> Array:
    """Normal numbers, rounded to ``dtype``."""
    return (scale * rng.standard_normal(shape)).astype(dtype)


def uniform(rng: Rng, low: float, high: float, shape: int | tuple[int, ...], dtype: Any) -> Array:
    """Uniform numbers, rounded to ``dtype``."""
    return rng.uniform(low, high, shape).astype(dtype)


def powers(rng: Rng, low: float, high: float, shape: int | tuple[int, ...], dtype: Any) -> Array:
    """Positive numbers whose decimal logarithms are uniform from ``low`` to ``high``."""
    return (10.0 ** rng.uniform(low, high, shape)).astype(dtype)


def signs(rng: Rng, shape: int | tuple[int, ...], dtype: Any) -> Array:
    """Plus and minus 1."""
    return rng.choice([-1.0, 1.0], shape).astype(dtype)


def wide(dtype: Any, in_float64: float, in_float32: float) -> float:
    """A range that depends on what the dtype can hold."""
    return in_float64 if dtype == np.float64 else in_float32

"""Check the gradient of any function: ``check_gradient(cost, gradient, theta)``. No network, no kernel.

The reference is central differences with their own error, the cost's noise measured first; where the cost takes complex
numbers and agrees with them, the complex step besides. Every entry where that can be afforded; else a sample of each block,
and whole blocks along random directions.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.diagnosis.diagnose import diagnose_values
from deltacheck.verify.references.complex_step import COMPLEX_STEP
from deltacheck.verify.references.finite_difference import RATIO, Estimate, central_differences
from deltacheck.verify.verdict.array_verdict import Block, Diagnosis, compare
from deltacheck.verify.verdict.parameter_blocks import Span
from deltacheck.verify.verdict.report import Report

Array = NDArray[Any]

RUNGS = 9  # from a quarter of the parameter's size down to a millionth: kinks and edges of domains are stepped inside of
N_DIRECTIONS = 6
GRADIENT_ROUNDING = 256.0  # units of round-off of a block's largest entry that a gradient in theta's dtype may be off
NOISE_POINTS = 9


def check_gradient(
    cost: Callable[[Array], Any],
    gradient: Callable[[Array], Any],
    theta: Array,
    *,
    blocks: Mapping[str, slice] | None = None,
    max_evaluations: int = 40_000,
    seed: int = 0,
) -> Report:
    """Judge ``gradient(theta)`` against differences of ``cost(theta)``.

    ``theta``: an array of float32 or float64, any shape, not empty; both functions are given a copy of that shape.
    ``cost`` returns a number, ``gradient`` an array of theta's shape. ``blocks``: names for parts of the flattened theta, judged
    and reported each on its own (default: one block, ``theta``). ``max_evaluations``: of the cost; beyond it entries are sampled
    (seed ``seed``), an equal share in each block, and each block is checked along random directions of signs as well.

    Returns a ``Report``: ``verdict``, ``table``, ``str(report)``, ``raise_if_failed()``.
    Raises ``TypeError`` and ``ValueError`` that name the argument; what the two functions raise at ``theta`` itself is let through.
    """
    started = time.perf_counter()
    theta, parts = _checked(theta, blocks)
    point = _Point(cost, theta)
    got, violations = _gradient(gradient, theta, point)
    if got is None:
        return Report((), (), violations, violations, "none", time.perf_counter() - started)
    rng = np.random.default_rng(seed)
    noise = point.noise(rng)
    chosen = _chosen(parts, max_evaluations // (2 * RUNGS + 1), rng)
    everything = sum(len(entries) for entries in chosen) == theta.size
    found, exact = [], False
    right, allowed = np.full(theta.size, np.nan), np.full(theta.size, np.nan)
    scale = [float(np.median(abs(theta.ravel()[part.at]))) for part in parts]
    for part, entries, size in zip(parts, chosen, scale, strict=True):
        for entry in entries:
            estimate, exact_here = point.along_entry(int(entry), size, noise)
            right[entry], allowed[entry] = float(estimate.value), float(estimate.error)
            exact = exact or exact_here
        found.append(_block(part, got, right, allowed, theta.dtype))
        if not everything and found[-1].verdict == "pass":
            found[-1] = _along_signs(point, part, got, noise, size, rng, found[-1])
    method = "central differences" + (", complex step" if exact else "") + ("" if everything else ", sampled entries and random directions")
    failed = any(block.verdict == "fail" for block in found)
    with np.errstate(all="ignore"):  # numbers of any size may come from a wrong gradient
        named = diagnose_values(parts, theta.ravel(), got, right, allowed) if failed else ()
    return Report(tuple(found), (), violations, (*violations, *named), method, time.perf_counter() - started)


def _checked(theta: Array, blocks: Mapping[str, slice] | None) -> tuple[Array, list[Span]]:
    if not isinstance(theta, np.ndarray):
        raise TypeError(f"theta: got {type(theta).__name__}; expected a NumPy array of float32 or float64")
    if theta.dtype not in (np.float32, np.float64):
        raise TypeError(f"theta: got dtype {theta.dtype}; expected float32 or float64")
    if not theta.size:
        raise ValueError(f"theta: got an empty array, shape {theta.shape}; there is nothing to check")
    if not np.isfinite(theta).all():
        raise ValueError(f"theta: got {int((~np.isfinite(theta)).sum())} entries that are not finite; expected finite numbers")
    parts = []
    for name, at in (blocks or {"theta": slice(0, theta.size)}).items():
        start, stop, step = at.indices(theta.size)
        if step != 1 or stop <= start:
            raise ValueError(f"blocks[{name!r}]: got {at}; expected a slice with step 1 that holds entries of theta ({theta.size})")
        parts.append(Span(name, slice(start, stop), theta.shape if stop - start == theta.size else (stop - start,)))
    covered = np.zeros(theta.size, int)
    for part in parts:
        covered[part.at] += 1
    if (covered != 1).any():
        entry = int(np.argmax(covered != 1))
        raise ValueError(f"blocks: entry {entry} of theta is in {covered[entry]} of them; expected each of the {theta.size} in exactly one")
    return theta.copy(), parts


def _gradient(gradient: Callable[[Array], Any], theta: Array, point: _Point) -> tuple[Array | None, tuple[Diagnosis, ...]]:
    """The gradient, flat, and what is broken of the contract: intact input, shape, equal bits, a result of one's own."""
    given = theta.copy()
    first = gradient(given)
    if given.tobytes() != theta.tobytes():
        return None, (Diagnosis("writes-input", "gradient writes into theta; inputs must stay as they are"),)
    if not hasattr(first, "__array__") and not isinstance(first, list | tuple | float | int):
        return None, (Diagnosis("interface", f"gradient returned {type(first).__name__}; expected an array of shape {theta.shape}"),)
    got = np.array(first, dtype=np.float64)
    if got.shape != theta.shape:
        return None, (Diagnosis("interface", f"gradient returned shape {got.shape}; expected {theta.shape}, as theta has"),)
    broken = []
    point.cost(theta * theta.dtype.type(0.5))
    again = np.array(gradient(theta.copy()), dtype=np.float64)
    if again.tobytes() != got.tobytes():
        off = float(np.linalg.norm(again - got) / (np.linalg.norm(got) or 1.0))
        if np.allclose(again, 2 * got, rtol=1e-5, atol=0):
            broken.append(Diagnosis("accumulates", "a second call gives twice the gradient of the first: it accumulates over calls"))
        else:
            broken.append(Diagnosis("noise", f"a second call with the same theta gives another gradient: off by {off:.1g}, relative"))
    if np.asarray(first).tobytes() != got.astype(np.asarray(first).dtype).tobytes() and not broken:
        broken.append(Diagnosis("keeps-results", "a later call changes the gradient already returned: it must belong to the caller"))
    return got.ravel(), tuple(broken)


class _Point:
    """The cost around one theta, along lines; whatever it raises or warns of away from theta is a value that is not there (NaN)."""

    def __init__(self, cost: Callable[[Array], Any], theta: Array) -> None:
        self.function, self.theta, self.flat = cost, theta, theta.ravel()
        given = theta.copy()
        value = cost(given)
        if given.tobytes() != theta.tobytes():
            raise ValueError("cost: it writes into theta; expected a function that leaves its input as it is")
        if np.ndim(value) and np.size(value) != 1:
            raise TypeError(f"cost: got an array of shape {np.shape(value)}; expected a number")
        self.value = float(value)
        if not np.isfinite(self.value):
            raise ValueError(f"cost: got {self.value} at theta; expected a finite number")
        self.takes_complex = self._complex_agrees()

    def cost(self, theta: Array) -> float:
        """The cost at ``theta``; NaN where it cannot be had."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return float(self.function(theta.reshape(self.theta.shape)))
            except (ArithmeticError, ValueError):
                return float("nan")

    def noise(self, rng: np.random.Generator) -> float:
        """A bound on the rounding error of the cost, measured (ECnoise: Moré & Wild 2011): the k-th differences of values at
        points a few units of round-off apart hold nothing but noise, scaled by the root of binomial(2k, k).
        """
        u = float(np.finfo(self.theta.dtype).eps)
        worst = u * abs(self.value)
        for _ in range(3):
            direction = rng.choice([-1.0, 1.0], self.flat.size).astype(self.theta.dtype)
            spacing = 64 * u * np.maximum(abs(self.flat), np.median(abs(self.flat)) or 1.0).astype(self.theta.dtype)
            values = np.array([self.cost(self.flat + n * spacing * direction) for n in range(NOISE_POINTS)])
            for k in range(1, NOISE_POINTS):
                values = np.diff(values)
                if k >= 4 and np.isfinite(values).all():
                    gamma = np.prod([(k + n) / n for n in range(1, k + 1)])  # binomial(2k, k)
                    worst = max(worst, float(np.sqrt(np.mean(values**2) / gamma)))
        return 4.0 * worst

    def along_entry(self, entry: int, typical: float, noise: float) -> tuple[Estimate, bool]:
        """The derivative by one entry of theta; and whether the complex step had a part in it."""
        direction = np.zeros(self.flat.size, self.theta.dtype)
        direction[entry] = 1
        size = max(abs(float(self.flat[entry])), typical) or 1.0
        return self.along(direction, size, noise)

    def along(self, direction: Array, size: float, noise: float) -> tuple[Estimate, bool]:
        """The derivative along ``direction`` (P,) for steps of about ``size``: 0-dimensional arrays."""
        first = 2.0 ** np.floor(np.log2(0.25 * size))
        steps = [first / RATIO**rung for rung in range(RUNGS)]
        ends = {h: (self.cost(self._moved(direction, h)), self.cost(self._moved(direction, -h))) for h in steps}
        estimate = central_differences(
            lambda h: np.array((ends[float(h)][0] - ends[float(h)][1]) * self._stretch(direction, float(h))), steps, 2 * noise
        )
        slopes = self._kink(ends, noise)
        if slopes is not None:
            return slopes, False
        if self.takes_complex:
            exact = self._complex(direction)
            if abs(exact - estimate.value) <= estimate.error:
                own = 64 * float(np.finfo(np.float64).eps) * (abs(exact) + abs(self.value) * float(np.finfo(np.float64).tiny))
                return Estimate(np.array(exact), np.minimum(estimate.error, own)), True
        return estimate, False

    def _moved(self, direction: Array, h: float) -> Array:
        return np.asarray(self.flat + direction * self.theta.dtype.type(h), self.theta.dtype)

    def _stretch(self, direction: Array, h: float) -> float:
        """By how much the step that is really taken, θ + h rounded, differs from ``h``, as a factor for the difference."""
        entry = int(np.argmax(abs(direction)))
        taken = float(self._moved(direction, h)[entry]) - float(self._moved(direction, -h)[entry])
        return 2 * h / taken * float(np.sign(direction[entry])) if taken else float("nan")

    def _kink(self, ends: dict[float, tuple[float, float]], noise: float) -> Estimate | None:
        """Where slopes to the left and to the right stay apart however small the step: anything between them is a derivative."""
        gaps = [((plus - self.value) / h, (self.value - minus) / h, 2 * noise / h) for h, (plus, minus) in ends.items()]
        for (right, left, blur), (right_too, left_too, blur_too) in pairwise(gaps[2:]):
            gap, gap_too = abs(right - left), abs(right_too - left_too)
            if not (gap > 20 * blur and gap_too > 20 * blur_too and gap_too > 0.9 * gap):
                return None
        right, left, blur = gaps[len(gaps) // 2]
        return Estimate(np.array((right + left) / 2), np.array(abs(right - left) / 2 * (1 + 1e-3) + blur))

    def _complex(self, direction: Array) -> float:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            moved = self.flat.astype(complex) + 1j * COMPLEX_STEP * direction
            return float(np.imag(self.function(moved.reshape(self.theta.shape)))) / COMPLEX_STEP

    def _complex_agrees(self) -> bool:
        """Whether the cost takes complex numbers and gives the same value for them: float64 only."""
        if self.theta.dtype != np.float64:
            return False
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")
                value = self.function(self.flat.astype(complex).reshape(self.theta.shape))
                slope = self._complex(np.ones(self.flat.size))
        except Exception:
            return False
        return bool(np.iscomplexobj(value) and np.isfinite(slope) and abs(complex(value) - self.value) <= 1e-10 * (abs(self.value) or 1.0))


def _chosen(parts: list[Span], most: int, rng: np.random.Generator) -> list[Array]:
    """The entries checked in each block: all when ``most`` allows it, else an equal share, the first and the last among them."""
    sizes = [part.at.stop - part.at.start for part in parts]
    if sum(sizes) <= most:
        return [np.arange(part.at.start, part.at.stop) for part in parts]
    share = max(4, most // (2 * len(parts)))
    chosen = []
    for part, size in zip(parts, sizes, strict=True):
        if size <= share:
            chosen.append(np.arange(part.at.start, part.at.stop))
        else:
            inner = rng.choice(size - 2, share - 2, replace=False) + 1
            chosen.append(part.at.start + np.sort(np.concatenate([[0, size - 1], inner])))
    return chosen


def _block(part: Span, got: Array, right: Array, allowed: Array, dtype: Any) -> Block:
    known = right[part.at][~np.isnan(right[part.at])]
    rounding = GRADIENT_ROUNDING * float(np.finfo(dtype).eps) / 2 * (float(abs(known).max()) if known.size else 0.0)
    arrays = (array[part.at].reshape(part.shape) for array in (got, right, allowed + rounding))
    return compare(part.name, *arrays)


def _along_signs(point: _Point, part: Span, got: Array, noise: float, size: float, rng: np.random.Generator, block: Block) -> Block:
    """The whole block along a few random directions of signs; the block itself unless one of them is worse."""
    count = part.at.stop - part.at.start
    for _ in range(N_DIRECTIONS):
        direction = np.zeros(point.flat.size, point.theta.dtype)
        direction[part.at] = rng.choice([-1.0, 1.0], count)
        steps_off = 4 * float(np.finfo(point.theta.dtype).eps) * float(np.linalg.norm(point.flat[part.at] * got[part.at]))
        estimate, _ = point.along(direction, (size or 1.0) / np.sqrt(count), noise + steps_off)
        rounding = 8 * GRADIENT_ROUNDING * float(np.finfo(point.theta.dtype).eps) / 2 * float(np.linalg.norm(got[part.at]))
        along = np.array(float(direction[part.at].astype(np.float64) @ got[part.at]))
        judged = compare(f"{part.name} along random signs", along, estimate.value, estimate.error + rounding)
        if judged.verdict != "pass":
            return judged
    return block

"""The gradient under test: what it returns, whether it stays what it was, and how much rounding each of its entries has."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.cost import Cost, quiet
from deltacheck.verify.functions.ladder import Slope
from deltacheck.verify.functions.noise import noise_of_line
from deltacheck.verify.verdict.array_verdict import Diagnosis

Array = NDArray[Any]

PROBES = 8  # gradients at neighbours of theta, for the rounding of each entry
MORE_PROBES = 64  # where an entry is outside the bound by the first
ROUNDING = 8.0  # units of round-off, and times the spread, that a right entry may be off: by the calibration
FLOOR = 4.0  # units of round-off of the largest entry: of saturated terms
BESIDE_COST = 256.0  # units of round-off of the cost over theta: what saturated terms may be off where more digits tell
LOST = 16.0  # times the root of the round-off: what an entry may lose to sums that cancel, relative to itself
GONE = 2.0**-8  # of an error is left in more digits, at most, when it was rounding
SPACING = 2.0**-37  # of the points of a line, relative to theta
NOISE_POINTS = 6
REPEATABLE = 64.0  # units of round-off by which calls at the same theta may differ


FOLLOWS_COST = Diagnosis("state", "the gradient is that at the theta of the last call of the cost, not at the theta that it is given")


class UnusableError(Exception):
    """The gradient has not what can be judged; ``diagnosis`` says why."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.diagnosis = Diagnosis(name, text)


class Gradient:
    """``function`` at ``theta``: ``got`` (P,) float64, ``unit`` the unit round-off of its dtype, ``violations`` of what it must keep.

    ``spread`` (P,): the largest change of each entry between theta and its neighbours, ±2 units in the last place away, and
    between calls at theta. Raises ``UnusableError``; what the function raises at theta itself is let through.
    """

    def __init__(self, function: Callable[[Array], Any], cost: Cost, rng: np.random.Generator) -> None:
        self.function, self.cost, self.rng = function, cost, rng
        self.theta = cost.theta
        given = self.theta.copy(order="K")
        first = function(given)
        if given.tobytes() != self.theta.tobytes():
            raise UnusableError("writes-input", "gradient writes into theta; inputs must stay as they are")
        returned = self._converted(first)
        self.got = returned.ravel()
        dtype = _float_dtype(first)
        if dtype is not None and np.finfo(dtype).eps > np.finfo(np.float32).eps:
            raise UnusableError("reduced-precision", f"gradient returned {dtype}; expected {self.theta.dtype}, as theta has")
        self.lower = dtype if dtype is not None and np.finfo(dtype).eps > np.finfo(self.theta.dtype).eps else None
        self.unit = float(np.finfo(self.lower or self.theta.dtype).eps) / 2
        self.wobble = np.zeros(self.got.size)
        with quiet():
            self.violations = self._kept(first, returned)
            self.spread = self.wobble.copy()
            if not self.violations:
                self._probe(PROBES)

    @property
    def largest(self) -> float:
        """The largest entry, finite ones alone."""
        return float(np.max(abs(self.got[np.isfinite(self.got)]), initial=0.0))

    @property
    def digits(self) -> int:
        """Of the median entry, how many its rounding leaves."""
        there = np.isfinite(self.got) & (self.got != 0)
        relative = np.median(self.allowed[there] / abs(self.got[there])) if there.any() else 0.0
        return int(-np.log10(np.clip(relative, 2.0**-52, 1.0)))

    def most(self) -> Array:
        """What an entry may be off at most by rounding, (P,): where it is the same at another theta, this tells nothing."""
        return self.allowed + self.floor + self.unit * self._beside_cost

    @cached_property
    def allowed(self) -> Array:
        """The rounding error that each entry may have: (P,). Besides its own, that of saturated terms, unless more digits would tell it."""
        own = ROUNDING * (self.unit * np.where(np.isfinite(self.got), abs(self.got), 0.0) + self.spread) + self._beyond_digits
        return own + self.floor if self.by_floor else own

    @cached_property
    def by_floor(self) -> bool:
        """Whether saturated terms are allowed for: not in single precision where double tells them; further digits are slow."""
        return self.theta.dtype != np.float32 or self.in_more_digits is None

    @cached_property
    def floor(self) -> Array:
        """What saturated terms may add, of the size of the largest entry, scaled by theta."""
        size = abs(self.cost.flat)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            scaled = float(np.max(abs(np.nan_to_num(self.got)) * size, initial=0.0)) / size
        return FLOOR * self.unit * np.fmin(self.largest, np.where(size > 0, scaled, np.inf))

    def lost(self, entry: int, off: float, reference: Slope) -> float:
        """What an entry that is ``off`` may be off besides, for digits lost where no neighbour of theta shows it: 0 unless more digits do.

        Of saturated terms: small beside the largest entry, or beside the cost over theta. Of sums that cancel: small beside the entry.
        """
        beside_cost = self.unit * float(self._beside_cost[entry])
        beside_entry = LOST * float(np.sqrt(self.unit)) * max(abs(reference.value), abs(float(self.got[entry])))
        if off > reference.error + float(self.allowed[entry]) + max(float(self.floor[entry]), beside_cost, beside_entry):
            return 0.0
        return off if self.right_in_more_digits(entry, off, reference) else 0.0

    def right_in_more_digits(self, entry: int, off: float, reference: Slope) -> bool:
        """Whether nearly all of an error is gone in the next precision: then it is rounding, and no wrong formula."""
        if self.in_more_digits is None:
            return False
        left = abs(float(self.in_more_digits[entry]) - reference.value)
        return bool(left <= reference.error + off * GONE + 2 * 2.0**-53 * abs(reference.value) + self._beyond_digits[entry])

    @cached_property
    def _beyond_digits(self) -> Array:
        """What saturated terms may be off even in the next precision, (P,)."""
        finer = 2.0**-53 if self.theta.dtype == np.float32 else 2.0**-64
        return self.floor * finer / self.unit + finer * self._beside_cost

    @cached_property
    def _beside_cost(self) -> Array:
        """In units of round-off, what saturated terms may be off that are small beside the cost over theta, (P,)."""
        size = np.maximum(abs(self.cost.flat), float(np.median(abs(self.cost.flat))) / 64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(size > 0, BESIDE_COST * abs(self.cost.value) / size, 0.0)

    @cached_property
    def in_more_digits(self) -> Array | None:
        """The same gradient in the next precision, (P,); None where the function does not take that."""
        dtype = np.dtype(np.float64 if self.theta.dtype == np.float32 else np.longdouble)
        result = self._elsewhere(self.cost.shaped(self.cost.flat, dtype), convert=False)
        if result is None or getattr(result, "dtype", None) != dtype or np.shape(result) != self.theta.shape:
            return None
        return np.asarray(result).astype(np.float64).ravel()

    def widened(self, entry: int, off: float) -> float:
        """What more neighbours of theta add to an entry's bound where it is ``off``: larger changes are jumps at a kink, no rounding."""
        changes = self._more_changes[:, entry]
        return ROUNDING * float(np.max(changes[changes <= off], initial=0.0))

    @cached_property
    def _more_changes(self) -> Array:
        before, self.spread = self.spread, np.zeros(self.got.size)
        rows = []
        for _ in range(MORE_PROBES // PROBES):
            self._probe(PROBES)
            rows.append(self.spread)
            self.spread = np.zeros(self.got.size)
        self.spread = before
        return np.array(rows)

    def at(self, flat: Array) -> Array | None:
        """The gradient at another theta, (P,); None where it has none."""
        result = self._elsewhere(self.cost.shaped(flat, self.theta.dtype))
        return None if result is None else result.ravel()

    def _follows_cost(self, returned: Array) -> bool:
        """Whether it is the right one when the cost is called at theta just before."""
        self.cost(self.cost.flat)
        again = self._elsewhere(self.theta.copy(order="K"))
        return again is not None and self._alike(again, returned)

    def repeats(self, again: Array) -> bool:
        """Whether ``again`` (P,) is the gradient at theta, to rounding."""
        return self._alike(again, self.got)

    def _probe(self, count: int) -> None:
        """``count`` neighbours of theta, and a quarter as many lines of points further away: for roundings that no neighbour changes."""
        unit = np.finfo(self.theta.dtype).eps
        for _ in range(count):
            near = self.theta * (1 + unit * self.rng.integers(-2, 3, self.theta.shape).astype(self.theta.dtype))
            result = self._elsewhere(np.array(near, self.theta.dtype, order=self.cost.order))
            if result is not None:
                self._widen(abs(result.ravel() - self.got))
        for n_line in range(2 * count // PROBES):
            spacing = max(SPACING, 32 * float(unit)) * (1 + 2 * (n_line % 2))
            step = self.rng.choice([-1.0, 1.0], self.got.size) * self.rng.uniform(0.5, 1, self.got.size) * spacing
            line = [self.at(self.cost.flat * (1 + n * step)) for n in range(NOISE_POINTS)]
            if all(values is not None for values in line):
                self._widen(2 * noise_of_line(np.array(line)))

    def _widen(self, change: Array) -> None:
        self.spread = np.fmax(self.spread, np.where(np.isfinite(change), change, 0.0))

    def _elsewhere(self, theta: Array, convert: bool = True) -> Any:
        """The gradient at ``theta``; None where it raises or returns something else."""
        try:
            result = self.function(theta)
            return self._converted(result) if convert else result
        except Exception:
            return None

    def _converted(self, result: Any) -> Array:
        """A float64 array of theta's shape."""
        wanted = f"expected an array of shape {self.theta.shape}"
        if isinstance(result, np.ma.MaskedArray) and np.ma.getmaskarray(result).any():
            count = int(np.ma.getmaskarray(result).sum())
            raise UnusableError("interface", f"gradient returned a masked array that hides {count} entries; {wanted} without a mask")
        if not hasattr(result, "__array__") and not isinstance(result, list | tuple | float | int):
            raise UnusableError("interface", f"gradient returned {type(result).__name__}; {wanted}")
        try:
            array = np.asarray(result)
        except Exception as error:
            raise UnusableError("interface", f"gradient returned what NumPy cannot read ({error}); {wanted}") from None
        if np.iscomplexobj(array):
            raise UnusableError("interface", f"gradient returned {array.dtype}; expected real numbers, as theta has")
        try:
            array = np.array(array, np.float64)
        except (TypeError, ValueError):
            raise UnusableError("interface", f"gradient returned an array of {array.dtype}; expected real numbers") from None
        if array.shape != self.theta.shape:
            raise UnusableError("interface", f"gradient returned shape {array.shape}; expected {self.theta.shape}, as theta has")
        return array

    def _kept(self, first: Any, returned: Array) -> tuple[Diagnosis, ...]:
        """Whether later calls give the same, and leave the first result as it was."""
        found: list[Diagnosis] = []
        other = self.cost.shaped(self.cost.flat * (1 + 2.0**-6 * self.rng.uniform(0.5, 1, self.got.size)) + 2.0**-20, self.theta.dtype)
        buffer = other.copy(order="K")
        for moved in (False, True):  # called again at once, and after calls at another theta
            if moved:
                self._elsewhere(buffer)
                self.cost(other.astype(np.float64).ravel())
                if not self._unchanged(first, returned):
                    text = "a later call changes the gradient already returned: it must belong to the caller"
                    return (Diagnosis("keeps-results", text),)
            again = self._elsewhere(self.theta.copy(order="K"))
            if again is None:
                return (Diagnosis("state", "gradient raises at theta, or returns another type, when it is called again"),)
            if not self._alike(again, returned):
                follows = moved and self._follows_cost(returned)
                found.append(FOLLOWS_COST if follows else _differs(again, returned))
                break
            self.wobble = np.fmax(self.wobble, abs(again - returned).ravel())
        else:
            buffer[...] = self.theta
            refilled = self._elsewhere(buffer)
            if refilled is None or not self._alike(refilled, returned):
                text = "the gradient is stale when theta's array is changed in place: it is kept for the array, not for its values"
                found.append(Diagnosis("stale", text))
        self.wobble = np.nan_to_num(self.wobble)
        return tuple(found)

    def _unchanged(self, first: Any, returned: Array) -> bool:
        try:
            return np.array_equal(self._converted(first), returned, equal_nan=True)
        except UnusableError:
            return False

    def _alike(self, again: Array, returned: Array) -> bool:
        """Equal to rounding, entry by entry; sums may be made in another order."""
        if np.array_equal(again, returned, equal_nan=True):
            return True
        with np.errstate(invalid="ignore", over="ignore"):
            off = abs(again - returned)
        same = (again == returned) | (np.isnan(again) & np.isnan(returned))
        bound = REPEATABLE * self.unit * np.maximum(abs(returned), self.largest)
        return bool((same | (off <= bound)).all())


def _differs(again: Array, returned: Array) -> Diagnosis:
    if np.allclose(again, 2 * returned, rtol=1e-5, atol=0) and returned.any():
        return Diagnosis("accumulates", "a second call gives twice the gradient of the first: it accumulates over calls")
    with np.errstate(all="ignore"):
        off = float(np.linalg.norm(again - returned) / (np.linalg.norm(returned) or 1.0))
    return Diagnosis("noise", f"a second call with the same theta gives another gradient: off by {off:.1g}, relative")


def _float_dtype(result: Any) -> Any:
    """The floating-point dtype of a result that has one."""
    dtype = getattr(result, "dtype", None) if not isinstance(result, list | tuple) else np.asarray(result).dtype
    try:
        return np.dtype(dtype) if dtype is not None and np.issubdtype(np.dtype(dtype), np.floating) else None
    except TypeError:  # of another library
        return None

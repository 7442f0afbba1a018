"""The cost around one theta: how it is called, in which precision, how noisy it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.analytic import is_analytic
from deltacheck.verify.functions.noise import decimal_grain, noise_of_line

Array = NDArray[Any]

REPEATS = 3  # calls at the same theta, with others between
REPEATABLE = 64.0  # units of round-off by which calls at the same theta may differ: sums in another order
NOISE_POINTS = 9
FAR = (0.25, 0.5, 1.0, 2.0, 4.0) * 2  # in sizes of theta: where a cost's decimals are looked at
FIRST_SPACING, LAST_SPACING = 2.0**-46, 2.0**-14  # relative to theta, where noise is looked for


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of functions that are called away from theta."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


class Cost:
    """``function`` around ``theta``, called with float64 where it takes that; what it cannot give away from theta is NaN.

    ``flat`` is theta in float64, ``value`` the cost there. ``evaluations`` counts the calls, ``largest`` is the largest size of a value.
    ``unit`` is the spacing of the numbers in which it is called, relative to 1, and ``value_unit`` that of the numbers that it returns.
    ``wobble``: the largest difference between calls at the same theta. ``analytic``: whether the complex step can be taken.
    Raises ``TypeError`` and ``ValueError`` that name the cost; what the function raises at theta itself is let through.
    """

    def __init__(self, function: Callable[[Array], Any], theta: Array) -> None:
        self.function, self.theta = function, theta
        self.evaluations, self.largest = 0, 0.0
        self.flat = theta.astype(np.float64).ravel()
        self.order: Literal["C", "F"] = "F" if theta.flags.f_contiguous and not theta.flags.c_contiguous else "C"
        self.dtype = theta.dtype
        self.value = self._at_theta()
        with quiet():
            self._look_around()

    def _look_around(self) -> None:
        if self.theta.dtype != np.float64:
            self._in_float64()
        self.unit = float(np.finfo(self.dtype).eps)
        self.value_unit = self._unit_of_value()
        again = [self.value]
        for step in range(1, REPEATS):
            self(self.flat * (1 + step * 2.0**-10))
            again.append(self(self.flat))
        self.wobble = float(np.max(again) - np.min(again))  # NaN when a later call gives none
        self.analytic = (
            self.dtype == np.float64 and self.repeatable and is_analytic(self.function, self.shaped(self.flat, np.float64), self.value)
        )

    @property
    def size(self) -> int:
        """The number of entries of theta."""
        return self.flat.size

    @property
    def repeatable(self) -> bool:
        """Whether calls at the same theta agree to rounding."""
        return self.wobble <= REPEATABLE * self.value_unit * abs(self.value)

    def __call__(self, flat: Array) -> float:
        """The cost at ``flat`` (P,), float64 values; NaN where it raises, or is not a real number."""
        self.evaluations += 1
        try:
            value = self.function(self.shaped(flat, self.dtype))
            number = value if type(value) is float else _number(value)
            self.largest = max(self.largest, abs(number)) if abs(number) < np.inf else self.largest
            return number
        except Exception:  # of whatever library: away from theta it means that there is no value
            return np.nan

    def shaped(self, flat: Array, dtype: Any) -> Array:
        """A new array of theta's shape and memory order."""
        return np.array(flat.reshape(self.theta.shape), dtype, order=self.order)

    def along(self, direction: Array) -> Callable[[float], float]:
        """The cost at theta + t · direction, by t."""
        return lambda t: self(self.flat + t * direction)

    def _at_theta(self) -> float:
        given = self.theta.copy(order="K")
        self.evaluations += 1
        value = self.function(given)
        if given.tobytes() != self.theta.tobytes():
            raise ValueError("cost: it writes into theta; expected a function that leaves its input as it is")
        if np.ndim(value) and np.size(value) != 1:
            raise TypeError(f"cost: got an array of shape {np.shape(value)}; expected a number")
        try:
            number = _number(value)
        except (TypeError, ValueError):
            raise TypeError(f"cost: got {type(value).__name__} at theta; expected a real number") from None
        if np.isnan(number) and np.iscomplexobj(value):
            raise TypeError(f"cost: got {value} at theta; expected a real number")
        if not np.isfinite(number):
            raise ValueError(f"cost: got {number} at theta; expected a finite number")
        return number

    def _in_float64(self) -> None:
        """Call the cost with float64 where that gives the same function in more digits."""
        self.dtype = np.dtype(np.float64)
        self.evaluations += 1
        try:
            value = self.function(self.shaped(self.flat, self.dtype))
            dtype, number = np.asarray(value).dtype, _number(value)
        except Exception:
            self.dtype = self.theta.dtype
            return
        own = self._single_noise()
        if dtype in (np.float64, np.longdouble) and abs(number - self.value) <= own:
            self.value = number
        else:
            self.dtype = self.theta.dtype

    def _unit_of_value(self) -> float:
        """The spacing of the numbers that the cost returns, relative to 1: single precision may come from double."""
        dtype = getattr(self.function(self.shaped(self.flat, self.dtype)), "dtype", None)
        self.evaluations += 1
        single = dtype is not None and str(dtype).rpartition(".")[2] in ("float32", "float16", "bfloat16")
        return 2.0**-23 if single else 2.0**-52

    def _single_noise(self) -> float:
        """How far the cost in theta's own dtype may be from the same cost in more digits, from its changes to neighbours of theta."""
        u, values = float(np.finfo(self.theta.dtype).eps), []
        self.dtype = self.theta.dtype
        for sign in (-1, 1):
            values.append(self(self.flat * (1 + sign * 4 * u)))
        self.dtype = np.dtype(np.float64)
        return float(np.nansum(np.abs(np.subtract(values, self.value)))) * 64 + 4096 * u * abs(self.value)

    def _decimal_grain(self, rng: np.random.Generator, sizes: Array) -> float:
        """The last decimal that a rounded cost is given to, 0 where none shows: all of its values are multiples of it."""
        values = [self.value, *(self(self.flat + sizes * rng.uniform(-reach, reach, self.size)) for reach in FAR)]
        return decimal_grain(np.array(values), self.value_unit)

    def noise(self, rng: np.random.Generator, sizes: Array) -> float:
        """The standard deviation of the rounding error of the cost, measured along a random direction (ECnoise: Moré & Wild 2011).

        ``sizes`` (P,): the size of each entry. The k-th differences of values at equally spaced points hold nothing but noise, and
        have its variance times binomial(2k, k). A spacing within one plateau of a rounded cost gives equal values: it grows until
        they differ.
        """
        least = max(self.value_unit * abs(self.value), self.wobble, self._decimal_grain(rng, sizes))
        direction = rng.choice([-1.0, 1.0], self.size) * rng.uniform(0.5, 1.0, self.size) * sizes
        spacing = max(FIRST_SPACING, 16 * self.unit)
        while spacing <= max(LAST_SPACING, 64 * self.unit):
            values = np.array([self(self.flat + n * spacing * direction) for n in range(NOISE_POINTS)])
            if not np.isfinite(values).all():
                break
            found = float(noise_of_line(values))
            if found and np.count_nonzero(np.diff(values)) >= NOISE_POINTS - 3:
                return max(least, found)
            spacing *= 32
        return least


def _number(value: Any) -> float:
    """A real number as a float, from whatever holds one."""
    if type(value) is np.float64 or isinstance(value, int | float):
        return float(value)
    if isinstance(value, str | bytes) or value is None:
        raise TypeError
    value = np.asarray(value)
    if value.size != 1:
        raise TypeError
    if np.iscomplexobj(value):
        return float(value.real.item()) if value.imag.item() == 0 else np.nan
    return float(value.item())

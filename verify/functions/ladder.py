"""A derivative along a line that finer steps have confirmed, with a bound on its error: finest first.

An extrapolated value is small in its own error estimate wherever the function *looks* smooth at that step; a feature narrower than
the step is stepped over. A derivative is local, so a value that starts at a coarse rung counts only where every finer rung agrees
with it within its own rounding error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

RATIO = 4.0
MOST = 600  # rungs: from 1 down to 1e-300
LEVELS = 4  # of the extrapolation
FINEST = 1e-14  # the least step, relative to the size of the entry
FEWEST = 4  # rungs from which something can be told
SAFETY = 2.5  # on rounding and truncation alike
PLATEAUS = 3  # steps that must be seen to tell a staircase
PARTS = (1, 2, 3, 4)  # of the least difference seen, that a plateau's step may be
MULTIPLE = 1e-3  # of a plateau's step, to which the others are multiples of it
SMALLEST = 2.0**-1060  # step, where even that of a denormal number would be 0
UNDERFLOW = 2.0**-1022  # products below it lose their digits
FINEST_SAFETY = 4.0  # on a value that is made of the finest rungs alone
GROWTH = 2.5  # of second differences from rung to rung (16 for a smooth function, 4 at a kink) that is no noise


@dataclass(frozen=True)
class Slope:
    """A derivative, a bound on its error (infinite where nothing is known) and the coarsest step that it was made of."""

    value: float
    error: float
    step: float = 0.0

    @property
    def known(self) -> bool:
        """Whether there is a value with a bound."""
        return bool(np.isfinite(self.value) and np.isfinite(self.error))


UNKNOWN = Slope(np.nan, np.inf)


class Ladder:
    """The values of ``f`` at x ± h for h = H, H/4, H/16 … down to rounding; ``value`` is f(x).

    ``size``: the largest scale of x, at whose quarter the steps begin; ``least``: the smallest one, from whose rounding they end
    (default: the same). ``dtype``: of the numbers in which f takes its argument.
    ``noise``: a lower bound on the noise of f.
    """

    def __init__(
        self, f: Callable[[float], float], x: float, value: float, size: float, dtype: Any, noise: float = 0.0, least: float = 0.0
    ) -> None:
        self.x, self.value = x, value
        unit = float(np.finfo(dtype).eps)
        first = max(2.0 ** np.floor(np.log2(max(size / 4, SMALLEST))), SMALLEST)
        finest = max(abs(x) * unit * 8, (least or size) * max(FINEST, unit * 16), UNDERFLOW)
        rungs = int((np.log2(first) - np.log2(finest)) / np.log2(RATIO)) + 1
        steps = [first / RATIO**rung for rung in range(min(MOST, max(FEWEST, rungs)))]
        plus, minus = [], []
        for h in steps:
            plus.append(f(x + h))
            minus.append(f(x - h))
        self.steps, self.plus, self.minus = np.array(steps), np.array(plus), np.array(minus)
        self.right = (x + self.steps).astype(dtype).astype(np.float64) - x  # the steps really taken
        self.left = x - (x - self.steps).astype(dtype).astype(np.float64)
        self.fine = unit < 2.0**-40
        self.grain = 0.0  # the smallest difference between two values of f: a plateau's step
        self.noise = max(self._noise(), noise)

    def _noise(self) -> float:
        """From the finest rungs on, the largest second difference before they grow as those of a function do."""
        with np.errstate(all="ignore"):
            ahead, behind = self.plus - self.value, self.minus - self.value
            second = abs(ahead + behind - (ahead - behind) * (self.right - self.left) / (self.right + self.left))
            if np.isfinite(second).sum() < FEWEST:  # the edge of a domain: of one side alone
                side = ahead if np.isfinite(ahead).sum() >= np.isfinite(behind).sum() else behind
                second = abs(side[:-1] - RATIO * side[1:]) / RATIO
        there = np.isfinite(second)
        second = second[there]
        if len(second) < FEWEST:
            return np.inf
        values = np.concatenate([self.plus, self.minus, [self.value]])
        values = values[np.isfinite(values)]
        gaps = np.diff(np.unique(values))
        if gaps.size and (self.fine or gaps.size < len(values) - 1):  # coarse steps alone make gaps, but no equal values
            small = gaps[gaps <= 64 * gaps.min()]
            fits = [part for part in PARTS if (abs(part * small / gaps.min() - np.round(part * small / gaps.min())) <= MULTIPLE).all()]
            if not self.still[-1] or (fits and len(small) >= PLATEAUS):  # else a flat piece beside a slope
                self.grain = float(gaps.min()) / (fits[0] if fits else 1)
        near = np.concatenate([self.plus[-3:], self.minus[-3:], [self.value]])
        floor = max(2.0**-51 * float(abs(near[np.isfinite(near)]).max()), self.grain, UNDERFLOW)
        largest, rung = 0.0, len(second) - 1
        while rung > 0:
            largest = max(largest, float(second[rung]))
            grows = second[rung - 1] > GROWTH * max(largest, floor)
            if grows and (rung == 1 or second[rung - 2] > GROWTH * second[rung - 1]):
                break
            rung -= 1
        return max(floor, largest)

    @property
    def steepest(self) -> float:
        """The largest mean slope from x to a rung, beyond noise: the scale on which a derivative here is large or small."""
        changes = abs(np.concatenate([self.plus - self.value, self.minus - self.value]))
        slopes = np.maximum(0.0, changes - 2 * self.noise) / np.tile(self.steps, 2)
        return float(np.max(slopes[np.isfinite(slopes)], initial=0.0))

    @property
    def still(self) -> Array:
        """The rungs at which the function has exactly its value at x, on both sides."""
        return np.asarray((self.plus == self.value) & (self.minus == self.value))

    def slope(self, side: int = 0) -> Slope:
        """The derivative: central (0), to the right (1) or to the left (−1)."""
        h = self.steps
        if side == 0:
            quotients, order = (self.plus - self.minus) / (self.right + self.left), 2
        elif side > 0:
            quotients, order = (self.plus - self.value) / self.right, 1
        else:
            quotients, order = (self.value - self.minus) / self.left, 1
        with np.errstate(all="ignore"):
            return _confirmed(quotients, self.noise / h * (1.0 if side == 0 else 1.5), h, order)


def _confirmed(quotients: Array, noise: Array, steps: Array, order: int) -> Slope:
    """The value with the least error among those extrapolated ones that all finer rungs confirm."""
    finite = np.isfinite(quotients)
    first = len(quotients) - int(np.argmin(finite[::-1])) if not finite.all() else 0  # coarse rungs may leave the domain
    quotients, noise, steps = quotients[first:], noise[first:], steps[first:]
    if len(quotients) < FEWEST:
        return UNKNOWN
    levels = [(quotients, noise)]
    for level in range(1, LEVELS + 1):
        value, error = levels[-1]
        if len(value) < 2:
            break
        weight = RATIO ** (order * level)
        levels.append(((weight * value[1:] - value[:-1]) / (weight - 1), (weight * error[1:] + error[:-1]) / (weight - 1)))
    simple, blur = levels[1]
    below = np.append(simple[1:], quotients[-1])
    slack = SAFETY * (blur + np.append(blur[1:], noise[-1]))
    rough = np.maximum(0.0, abs(simple - below) - slack)  # what rounding does not explain between neighbours
    rough = np.append(np.maximum.accumulate(rough[::-1])[::-1], 0.0)
    count = len(simple)
    radii, values = np.full((len(levels) - 1, count), np.inf), np.full((len(levels) - 1, count), np.nan)
    for level, (value, error) in enumerate(levels[1:]):
        n = len(value)
        moved = abs(value - levels[level][0][1 : n + 1])
        truncation = np.maximum(moved / RATIO, np.append(abs(np.diff(value)), np.inf))
        if level == 0:  # the finest of all is compared with the plain quotient
            truncation[-1] = abs(value[-1] - below[-1])
        values[level, :n], radii[level, :n] = value, SAFETY * (error + truncation) + rough[1 : n + 1]
    finer = np.arange(count)[None, :] > np.arange(count)[:, None]
    agrees = abs(values[:, :, None] - simple) <= radii[:, :, None] + SAFETY * blur
    confirmed = (agrees | ~finer).all(axis=2) & np.isfinite(values)
    stands = np.logical_and.accumulate(confirmed.any(axis=0)[::-1])[::-1]  # and every finer rung has such a value too
    radii = np.where(confirmed & stands, radii, np.inf)
    best = np.unravel_index(int(np.argmin(radii)), radii.shape)
    if not np.isfinite(radii[best]):
        return UNKNOWN
    unconfirmed = FINEST_SAFETY if best[1] > count - FEWEST else 1.0  # by hardly any finer rung
    return Slope(float(values[best]), unconfirmed * float(radii[best]), float(steps[best[1]]))

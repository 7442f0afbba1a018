"""Reference derivatives by few evaluations: three rungs an entry, or one complex step, confirmed by groups of entries at finer steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.analytic import complex_derivative, step_of
from deltacheck.verify.functions.cost import Cost

Array = NDArray[Any]

COMPLEX = "complex step"
RATIO = 4.0
FINE_RATIO = 64.0
GROUP = 8  # entries confirmed together
ANALYTIC_GROUP = 16
SMALL = 1 / 64  # of the typical size: a smaller entry has two scales, its own and the typical one
ALIKE = 16.0  # within a group, slope times size differ by no more, so that no entry hides behind a larger one
CONVERGES = 32.0  # times smaller than the differences must be what the first extrapolation changes, of a smooth function
COMPLEX_ROUNDING = 16 * 2.0**-53  # relative, of a complex step
UNDERFLOW = 2.0**-1022
NOISE = 4.0  # standard deviations that a value may be off


@dataclass
class Screened:
    """References of some entries of theta, arrays (n,); ``trusted`` where finer steps confirmed them and no kink showed."""

    entries: Array
    value: Array
    error: Array
    step: Array
    trusted: Array
    method: str


def sizes_of(flat: Array) -> Array:
    """The scale of each entry: its own, and not less than a small part of the typical one."""
    typical = typical_of(flat)
    return np.where(flat == 0, typical, np.maximum(abs(flat), typical * SMALL))


def typical_of(flat: Array) -> float:
    """The median size of the entries that are not 0."""
    return float(np.median(abs(flat[flat != 0]))) if flat.any() else 1.0


def has_other_scales(flat: Array) -> Array:
    """The entries that may have a scale far from the typical one: small ones, and zeros where the typical size is not about 1."""
    typical = typical_of(flat)
    unusual = not SMALL**2 <= typical <= SMALL**-2
    return np.where(flat == 0, unusual, abs(flat) < SMALL * max(typical, SMALL))


def by_differences(cost: Cost, entries: Array, sizes: Array, noise: float) -> Screened:
    """Central differences at three steps, extrapolated; ``noise``: the standard deviation of the cost's rounding error."""
    coarse = 2.0**-5 if cost.unit < 2.0**-40 else 2.0**-2
    first = coarse * 2.0 ** np.floor(np.log2(sizes[entries]))
    quotients, seconds = np.empty((3, len(entries))), np.empty((3, len(entries)))
    flat = cost.flat.copy()
    for n, entry in enumerate(entries):
        x, h = flat[entry], first[n]
        for rung in range(3):
            right, left = float(cost.dtype.type(x + h)), float(cost.dtype.type(x - h))
            flat[entry] = right
            plus = cost(flat)
            flat[entry] = left
            minus = cost(flat)
            quotients[rung, n] = (plus - minus) / (right - left) if right != left else np.nan
            seconds[rung, n] = plus + minus - 2 * cost.value
            h /= RATIO
        flat[entry] = x
    with np.errstate(all="ignore"):
        simple = (RATIO**2 * quotients[1:] - quotients[:-1]) / (RATIO**2 - 1)
        value = (RATIO**4 * simple[1] - simple[0]) / (RATIO**4 - 1)
        blur = 1.2 * NOISE * noise / (first / RATIO**2)
        moved = abs(simple[1] - simple[0])
        error = blur + moved / (RATIO**4 - 1) / 2
        seconds = abs(seconds)
        kink = (seconds[2] > seconds[1] / 8) & (seconds[2] > 16 * noise)
        converges = moved <= abs(quotients[1] - quotients[0]) / CONVERGES + 3 * blur
        trusted = np.isfinite(value) & ~kink & converges & ~has_other_scales(cost.flat)[entries]
    return Screened(entries, value, error, first, trusted, "central differences")


def by_complex_step(cost: Cost, entries: Array) -> Screened:
    """One complex evaluation for each entry, for a cost that is analytic as it is written; the error is left to the rounding."""
    value, steps = np.empty(len(entries)), np.empty(len(entries))
    flat, typical = cost.flat.astype(np.complex128), typical_of(cost.flat)
    for n, entry in enumerate(entries):
        x = flat[entry]
        steps[n] = step_of(x.real, typical)
        flat[entry] = x + 1j * steps[n]
        cost.evaluations += 1
        value[n] = complex_derivative(cost.function, cost.shaped(flat, np.complex128), steps[n])
        flat[entry] = x
    error = COMPLEX_ROUNDING * abs(value) + UNDERFLOW / steps
    return Screened(entries, value, error, steps, np.isfinite(value), COMPLEX)


def confirm(cost: Cost, screened: Screened, sizes: Array, noise: float, rng: np.random.Generator) -> None:
    """Compare the references with differences at finer steps, entries of like weight together; what they contradict is not trusted.

    A feature narrower than the steps of an entry shows at finer ones. Along a direction through a group of entries the slope must be
    the sum of theirs.
    """
    size = sizes[screened.entries]
    weight = abs(screened.value) * size
    order = np.flatnonzero(screened.trusted)
    order = order[np.argsort(-weight[order], kind="stable")]
    most = ANALYTIC_GROUP if screened.method == COMPLEX else GROUP
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < min(len(order), start + most) and weight[order[stop]] * ALIKE >= weight[order[start]]:
            stop += 1
        group = order[start:stop]
        start = stop
        if not _confirmed(cost, screened, group, size[group], noise, rng):
            screened.trusted[group] = False


def _confirmed(cost: Cost, screened: Screened, group: Array, size: Array, noise: float, rng: np.random.Generator) -> bool:
    entries, value, error = screened.entries[group], screened.value[group], screened.error[group]
    direction = rng.choice([-1.0, 1.0], len(group)) * rng.uniform(0.5, 1.0, len(group)) * size
    steps = [h for h in (2.0**-9 / FINE_RATIO**rung for rung in range(5)) if h >= 32 * cost.unit]
    at = cost.flat[entries]
    residuals, seconds, blur = [], [], []
    for h in steps:
        right = (at + h * direction).astype(cost.dtype).astype(np.float64)
        left = (at - h * direction).astype(cost.dtype).astype(np.float64)
        flat = cost.flat.copy()
        flat[entries] = right
        plus = cost(flat)
        flat[entries] = left
        minus = cost(flat)
        residuals.append((plus - minus - value @ (right - left)) / (2 * h))
        seconds.append(abs(plus + minus - 2 * cost.value - value @ (right + left - 2 * at)))
        blur.append(NOISE * noise / h)
    own = float(error @ abs(direction)) + COMPLEX_ROUNDING * float(abs(value) @ abs(direction))
    residue = 0.0
    for n in range(len(steps) - 1):
        extrapolated = residuals[n + 1] + (residuals[n + 1] - residuals[n]) / (FINE_RATIO**2 - 1)
        if not abs(extrapolated) <= own + 1.01 * blur[n + 1]:
            return False
        residue = max(residue, abs(float(extrapolated)) - 1.01 * float(blur[n + 1]))
        if seconds[n + 1] > 16 * noise and seconds[n + 1] > seconds[n] / (8 * FINE_RATIO):
            return False
    screened.error[group] = np.maximum(error, 2 * residue / abs(direction))  # any of them may be what the group is off
    return True

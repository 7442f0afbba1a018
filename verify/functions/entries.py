"""The verdict of each entry: few evaluations where these suffice, a full ladder of steps where they do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.analytic import complex_derivative, step_of
from deltacheck.verify.functions.cost import Cost
from deltacheck.verify.functions.gradient import NOISE_POINTS, PROBES, ROUNDING, SPACING, Gradient
from deltacheck.verify.functions.jumps import jump_near
from deltacheck.verify.functions.ladder import UNKNOWN, Ladder, Slope
from deltacheck.verify.functions.noise import is_power_of_ten, noise_of_line
from deltacheck.verify.functions.one_sided import EDGE, at_an_edge, is_kink
from deltacheck.verify.functions.screening import (
    COMPLEX,
    COMPLEX_ROUNDING,
    SMALL,
    UNDERFLOW,
    Screened,
    by_complex_step,
    by_differences,
    confirm,
    sizes_of,
    typical_of,
)
from deltacheck.verify.verdict.array_verdict import Verdict
from deltacheck.verify.verdict.entries import ONE_SIDED

Array = NDArray[Any]

SHARP = 1e-6  # a screened reference whose relative error is larger, and larger than the rounding, is made again by the ladder
WEAK = 0.1  # of the slopes nearby: an allowance beyond it tells nothing
PLATEAU = 2.0**-16  # of the cost: wider steps of a staircase are no rounding
LADDER_EVALUATIONS = 50  # of the cost for a ladder, about
LADDERS = 64  # at most, of entries that the screening finds wrong; the others are wrong by the screening's reference
FAR = 2.0**14  # times further apart lie the points of a second line: for roundings that do not change between the first
FURTHER = (0.5, 1.0, 2.0, 4.0)  # steps, relative to the entry, at which a coarse cost may move
JUMPS = 32.0  # jumps of the cost over the size of an entry: what its slope may be off
SLIGHTLY = 1e-2  # off, relative: more is not explained by jumps
UNSTABLE = 4.0  # times its bound that an error must be to fail where the cost changes from call to call


@dataclass
class Judged:
    """One entry: its verdict, and what that rests on."""

    verdict: Verdict
    reference: float
    reference_error: float
    allowed: float
    method: str
    step: float = 0.0
    kink: bool = False


@dataclass
class Judgement:
    """All entries judged, by their place in theta, and what was found on the way, in words."""

    entries: dict[int, Judged]
    digits: int  # correct ones of the cost, by its noise
    notes: list[str] = field(default_factory=list)


def judge_entries(cost: Cost, gradient: Gradient, chosen: Array, most: int, rng: np.random.Generator) -> Judgement:
    """Judge the entries ``chosen`` of the gradient; a sample of those that need many evaluations, once ``most`` would be exceeded."""
    sizes = sizes_of(cost.flat)
    noise = cost.noise(rng, np.where(cost.flat == 0, np.minimum(sizes, 1.0), abs(cost.flat)))
    judge = _Judge(cost, gradient, sizes, noise, rng)
    return judge.all(chosen, most)


class _Judge:
    def __init__(self, cost: Cost, gradient: Gradient, sizes: Array, noise: float, rng: np.random.Generator) -> None:
        self.cost, self.gradient, self.sizes, self.noise, self.rng = cost, gradient, sizes, noise, rng
        self.typical = typical_of(cost.flat)
        self.notes: list[str] = []

    def all(self, chosen: Array, most: int) -> Judgement:
        judged: dict[int, Judged] = {}
        doubtful = list(map(int, chosen))
        if self.cost.repeatable:
            screened = self._screened(chosen)
            judged, doubtful = self._by_screening(screened)
        affordable = max(LADDERS, (most - self.cost.evaluations) // LADDER_EVALUATIONS)
        if len(doubtful) > affordable:
            doubtful = sorted(map(int, self.rng.choice(doubtful, affordable, replace=False)))
        for entry in doubtful:
            judged[entry] = self._by_ladder(entry)
        relative = self.noise / abs(self.cost.value) if self.cost.value else 0.0
        digits = int(-np.log10(np.clip(relative, 2.0**-52, 1.0)))
        return Judgement({int(entry): judged[int(entry)] for entry in chosen if int(entry) in judged}, digits, self.notes)

    def _screened(self, chosen: Array) -> Screened:
        if self.cost.analytic:
            screened = by_complex_step(self.cost, chosen)
            screened.error += ROUNDING * self.gradient.spread[chosen]
            confirm(self.cost, screened, self.sizes, self.noise, self.rng)
            if screened.trusted.any():
                return screened
        screened = by_differences(self.cost, chosen, self.sizes, self.noise)
        confirm(self.cost, screened, self.sizes, self.noise, self.rng)
        return screened

    def _by_screening(self, screened: Screened) -> tuple[dict[int, Judged], list[int]]:
        """The entries that the screening settles, and those that need a ladder of steps."""
        got = self.gradient.got[screened.entries]
        allowed = screened.error + self.gradient.allowed[screened.entries]
        with np.errstate(invalid="ignore"):
            fine = screened.error <= np.maximum(SHARP * abs(screened.value), allowed - screened.error)
            sharp = screened.trusted & (fine | ((screened.value == 0) & (got == 0)))
            own = allowed - np.where(self.gradient.by_floor, self.gradient.floor, 0.0)[screened.entries]
            right = sharp & (abs(got - screened.value) <= own)
            wrong = sharp & ~right
        suspects = np.flatnonzero(wrong)
        if len(suspects) > LADDERS:
            with np.errstate(invalid="ignore"):
                excess = np.nan_to_num(abs(got - screened.value)[suspects] / allowed[suspects], nan=np.inf)
            closest = suspects[np.argsort(excess, kind="stable")[: LADDERS // 2]]  # the ones that may yet be right
            suspects = np.union1d(closest, self.rng.choice(suspects, LADDERS // 2, replace=False))
        judged, ladders = {}, [int(screened.entries[n]) for n in np.flatnonzero(~sharp)]
        laddered = {
            int(screened.entries[n]): self._by_ladder(
                int(screened.entries[n]), Slope(float(screened.value[n]), float(screened.error[n]), float(screened.step[n]))
            )
            for n in suspects
        }
        sure = all(item.verdict == "fail" for item in laddered.values())
        for n in np.flatnonzero(sharp):
            entry = int(screened.entries[n])
            if right[n] or (sure and entry not in laddered):
                verdict: Verdict = "pass" if right[n] else "fail"
                numbers = (float(array[n]) for array in (screened.value, screened.error, allowed))
                judged[entry] = Judged(verdict, next(numbers), next(numbers), next(numbers), screened.method, float(screened.step[n]))
            elif entry in laddered:
                judged[entry] = laddered[entry]
            else:
                ladders.append(entry)
        return judged, ladders

    def _by_ladder(self, entry: int, screened: Slope = UNKNOWN) -> Judged:
        """By a full ladder of steps; a ``screened`` reference that it confirms is kept where it is the sharper one."""
        got, x = float(self.gradient.got[entry]), float(self.cost.flat[entry])
        ladder, slope = self._ladder(entry, x)
        right, left = ladder.slope(+1), ladder.slope(-1)
        unit = self.gradient.unit
        if is_kink(right, left):
            low, high = sorted((right, left), key=lambda side: side.value)
            error = right.error + left.error
            allowed = error + ROUNDING * unit * abs(got)
            inside = low.value - allowed <= got <= high.value + allowed
            middle, half = (low.value + high.value) / 2, (high.value - low.value) / 2
            return Judged("pass" if inside else "fail", middle, half + error, half + allowed, ONE_SIDED, right.step, kink=True)
        if self._is_staircase(ladder):
            self._note("the cost is constant in steps: its derivative is 0 where it has one, whatever stands for it")
            return Judged("pass" if got == 0 else "inconclusive", 0.0, np.inf, np.inf, "a staircase")
        method = "central differences"
        if not slope.known:
            slope, method = at_an_edge(ladder, right, left)
        else:
            exact = self._exact(entry, slope) if self.cost.analytic else None
            if exact is not None:
                slope, method = exact, COMPLEX
            elif screened.error < slope.error and abs(screened.value - slope.value) <= slope.error + screened.error:
                slope = screened
        if not slope.known:
            return Judged("inconclusive", np.nan, np.inf, np.inf, "no reference")
        return self._compared(entry, got, slope, method, ladder)

    def _is_staircase(self, ladder: Ladder) -> bool:
        """Whether the cost is constant close by and moves in equal steps, on both sides, that are too large to be its rounding."""
        coarse = ladder.grain > PLATEAU * abs(self.cost.value) and not is_power_of_ten(ladder.grain) and ladder.noise >= ladder.grain
        moves = (ladder.plus != ladder.value).any() and (ladder.minus != ladder.value).any()
        return bool(coarse and moves and ladder.still[-4:].all())

    def _ladder(self, entry: int, x: float) -> tuple[Ladder, Slope]:
        """The ladder from the largest scale that the entry may have down to its own: a coarse step counts where all finer ones agree."""
        noise = max(4 * self.cost.wobble, 2 * self.noise)
        size = abs(x)
        widest = max(self.typical, 1.0)
        if size >= SMALL * widest:
            widest = size
        least = size or min(self.typical, 1.0)
        ladder = Ladder(self._by_value(entry), x, self.cost.value, widest, self.cost.dtype, noise, least)
        return ladder, ladder.slope()

    def _by_value(self, entry: int) -> Any:
        def cost(t: float) -> float:
            flat = self.cost.flat.copy()
            flat[entry] = t
            return self.cost(flat)

        return cost

    def _exact(self, entry: int, slope: Slope) -> Slope | None:
        """The complex step where the differences agree with it, its rounding measured at neighbours of theta."""
        unit, step = 2.0**-52, step_of(float(self.cost.flat[entry]), self.typical)
        if step < UNDERFLOW:
            return None
        near = [0.0, *(unit * self.rng.integers(-2, 3, self.cost.size) for _ in range(PROBES))]
        direction = self.rng.choice([-1.0, 1.0], self.cost.size) * self.rng.uniform(0.5, 1, self.cost.size) * 2 * SPACING
        values = [self._complex(entry, moved) for moved in near]
        lines = [[self._complex(entry, n * far * direction) for n in range(NOISE_POINTS)] for far in (1.0, FAR)]
        rounding = max(float(np.max(abs(np.subtract(values, values[0])))), *(2 * float(noise_of_line(np.array(line))) for line in lines))
        known = float(self.gradient.spread[entry])  # of the gradient, which has the same terms: the screening's
        if rounding <= 4 * (known + 2.0**-52 * abs(values[0])):
            rounding = known
        error = COMPLEX_ROUNDING * abs(values[0]) + ROUNDING * rounding + UNDERFLOW / step
        if np.isnan(error) or abs(values[0] - slope.value) > slope.error + error:
            self._note("the complex step contradicts the differences and was not used")
            return None
        return Slope(values[0], error, step) if error < slope.error else None

    def _complex(self, entry: int, moved: Any) -> float:
        """The complex step at theta · (1 + moved)."""
        flat = self.cost.flat * (1 + moved) + 0j
        step = step_of(float(self.cost.flat[entry]), self.typical)
        flat[entry] += 1j * step
        self.cost.evaluations += 1
        return complex_derivative(self.cost.function, self.cost.shaped(flat, np.complex128), step)

    def _compared(self, entry: int, got: float, slope: Slope, method: str, ladder: Ladder) -> Judged:
        if ladder.still.all():  # the cost may have lost what is far smaller than its values elsewhere
            lost = 2 * self.cost.value_unit * self.cost.largest / (abs(float(self.cost.flat[entry])) or self.typical)
            slope = Slope(slope.value, slope.error + (lost if method != COMPLEX else 0.0), slope.step)

        def judged(verdict: Verdict, allowed: float) -> Judged:
            return Judged(verdict, slope.value, slope.error, allowed, method, slope.step)

        allowed = slope.error + float(self.gradient.allowed[entry])
        off = abs(got - slope.value)
        if off > allowed and not np.isinf(off):
            allowed = max(allowed, slope.error + self.gradient.widened(entry, off))
        if off > allowed:
            allowed += self.gradient.lost(entry, off, slope)
        if allowed < off <= SLIGHTLY * abs(slope.value) and not self.cost.analytic and off <= allowed + self._by_jumps(entry):
            self._note(f"the cost jumps by {self.jump:.1g}, as a solver's tolerance makes it: slopes are known to no more than that")
            allowed += self._by_jumps(entry)
        elif self._within_floor(entry, off - slope.error) and not self.gradient.right_in_more_digits(entry, off, slope):
            allowed -= float(self.gradient.floor[entry])
        flat = method != COMPLEX and ladder.still[-4:].all() and abs(slope.value) <= slope.error
        if off > allowed and got and flat and self._moves_further(entry, got):
            self._note("the cost moves with some entries only when they change by more than a quarter: too coarse to judge them")
            return judged("inconclusive", allowed)
        if not np.isfinite(got) or off > allowed:
            sure = self.cost.repeatable or not off <= UNSTABLE * allowed
            if not np.isfinite(got) and method == EDGE:  # at an edge the derivative may be infinite
                sure = slope.error <= WEAK * abs(slope.value)
            return judged("fail" if sure else "inconclusive", allowed)
        jumps = self.gradient.spread[entry] > WEAK * abs(got) and off > slope.error + ROUNDING * self.gradient.unit * abs(got)
        nothing = jumps or allowed > WEAK * max(abs(slope.value), abs(got), ladder.steepest)
        if nothing and ladder.steepest == 0:  # it does not move the cost: 0, or too small beside the cost to be seen
            nothing = not (got == 0 and ladder.still.all()) and not allowed <= SHARP * abs(
                self.cost.value / (self.cost.flat[entry] or self.typical)
            )
        return judged("inconclusive" if nothing or not self.cost.repeatable else "pass", allowed)

    def _moves_further(self, entry: int, got: float) -> bool:
        """Whether the cost, still close by, moves about as the gradient says at larger steps to both sides: it is coarse."""
        x = float(self.cost.flat[entry])
        cost = self._by_value(entry)
        for step in FURTHER:
            h = step * (abs(x) or self.typical)
            moved = np.array([cost(x + h) - self.cost.value, self.cost.value - cost(x - h)]) / h
            if (abs(moved - got) <= abs(got) / 2).all():
                return True
        return False

    @cached_property
    def jump(self) -> float:
        """The largest jump of the cost near theta: looked for when an entry would fail."""
        return jump_near(self.cost, np.where(self.cost.flat == 0, self.sizes, abs(self.cost.flat)), self.noise, self.rng)

    def _by_jumps(self, entry: int) -> float:
        """What a slope may be off between two jumps: the function that is meant lies within a jump of what is computed."""
        size = abs(float(self.cost.flat[entry])) or self.typical
        return JUMPS * self.jump / size

    def _within_floor(self, entry: int, off: float) -> bool:
        """Whether an entry is right only by what saturated terms may add: then more digits tell, where the gradient takes them."""
        own = float(self.gradient.allowed[entry] - self.gradient.floor[entry])
        return self.gradient.by_floor and off > own and self.gradient.in_more_digits is not None

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

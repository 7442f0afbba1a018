"""Whole blocks along random directions, and the gradient at another theta."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.functions.cost import Cost
from deltacheck.verify.functions.gradient import ROUNDING, Gradient
from deltacheck.verify.functions.ladder import Ladder
from deltacheck.verify.functions.screening import sizes_of
from deltacheck.verify.verdict.array_verdict import Block, compare
from deltacheck.verify.verdict.parameter_blocks import Span

Array = NDArray[Any]

N_DIRECTIONS = 6
NEAR = 2.0**-20  # relative: how far from theta a gradient that is kept shows, and a kink hardly lies between


def along_signs(cost: Cost, part: Span, gradient: Gradient, rng: np.random.Generator, block: Block) -> Block:
    """The whole block along a few random directions of signs; ``block`` itself unless it passes and one of them does not."""
    if block.verdict != "pass":
        return block
    size = float(np.median(sizes_of(cost.flat)[part.at]))
    for _ in range(N_DIRECTIONS):
        direction = np.zeros(cost.size)
        direction[part.at] = rng.choice([-1.0, 1.0], part.at.stop - part.at.start)
        slope = _ladder(cost, cost.flat, cost.value, direction, size).slope()
        if not slope.known:
            continue
        rounding = 8 * ROUNDING * gradient.unit * float(np.linalg.norm(gradient.got[part.at])) + ROUNDING * float(
            gradient.spread[part.at].sum()
        )
        along = np.array(float(direction @ gradient.got))
        judged = compare(f"{part.name} along random signs", along, np.array(slope.value), np.array(slope.error + rounding))
        if judged.verdict != "pass":
            return judged
    return block


def stale(cost: Cost, gradient: Gradient, smooth: list[int], rng: np.random.Generator) -> str:
    """Whether entries that stay the same at another theta ought to have changed, in words; empty when not.

    ``smooth``: the entries that lie on no kink; on one, any constant between the slopes is right.
    """
    move = sizes_of(cost.flat) * rng.uniform(0.5, 1.0, cost.size) * max(NEAR, 64 * float(np.finfo(cost.theta.dtype).eps))
    missed, same = [], np.zeros(cost.size, bool)
    same[smooth] = True
    for sign in (1, -1):
        other = (cost.flat + sign * move).astype(cost.theta.dtype).astype(np.float64)
        there, value = gradient.at(other), cost(other)
        if there is None or not np.isfinite(value):
            return ""
        same &= (there == gradient.got) & (there != 0)
        if not same.any():
            return ""
        direction = np.where(same, move / np.max(move), 0.0)
        slope = _ladder(cost, other, value, direction, float(np.max(sizes_of(cost.flat)))).slope()
        missed.append((float(gradient.got @ direction) - slope.value, slope.error + float(gradient.most() @ abs(direction))))
    (ahead, ahead_error), (behind, behind_error) = missed
    seen = abs(ahead) > 4 * ahead_error and abs(behind) > 4 * behind_error
    if seen and 0.5 < -ahead / behind < 2:  # the slope goes on changing from the one to the other, and no kink lies between
        return f"stale: the gradient at another theta has the same {int(same.sum())} entries as here, where the cost has other slopes"
    return ""


def _ladder(cost: Cost, flat: Array, value: float, direction: Array, size: float) -> Ladder:
    return Ladder(lambda t: cost(flat + t * direction), 0.0, value, size, np.float64, 4 * cost.wobble)

"""What a kernel returned beside what is right, block by block."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import Network
from deltacheck.verify.references.network_reference import Direction, Reference
from deltacheck.verify.references.rounding_bound import HOEFFDING, Rounding
from deltacheck.verify.verdict.array_verdict import Block, compare, worst
from deltacheck.verify.verdict.parameter_blocks import spans

Array = NDArray[Any]
Results = tuple[Array, Array, Any, Array]  # output, gradient of backward, cost and gradient of value_and_grad


def compared(network: Network, against: Reference, rounding: Rounding, results: Results) -> list[Block]:
    """The output, the cost, and each tensor of the gradient, by whichever way it is worse."""
    output, dtheta, cost, dtheta_too = results
    bounds = rounding.gradient + np.where(against.checked, against.error, 0.0)
    blocks = [
        compare("output", output, against.model.a[-1], rounding.activations[-1] + against.rounding.activations[-1]),
        _cost_block(network, against, rounding, cost),
    ]
    for name, at, shape in spans(network):
        each = []
        for gradient in (dtheta, dtheta_too):
            arrays = (part[at].reshape(shape) for part in (gradient, against.gradient, bounds, against.disagreement))
            block = compare(name, *arrays)
            along = [_along(name, gradient, against, bounds, d) for d in against.directions if d.block == at]
            each.append(next((d for d in along if d.verdict != "pass"), block) if block.verdict == "pass" else block)
        blocks.append(_one_of(*each))
    return blocks


def _cost_block(network: Network, against: Reference, rounding: Rounding, cost: float) -> Block:
    bound = rounding.cost + against.rounding.cost
    if network.cost == "cross_entropy" and not np.isfinite(cost):
        vanished = against.model.a[-1] <= rounding.activations[-1]  # the cost of p, as ``Network.cost_of`` has it, is infinite there
        above, below = (vanished & (against.model.y > 0)).any(), (vanished & (against.model.y < 0)).any()
        if (cost == np.inf and above) or (cost == -np.inf and below) or (np.isnan(cost) and above and below):
            block = compare("cost", np.array([cost]), np.array([np.nan]), np.array([bound]))
            return replace(block, verdict="pass", why="a probability rounds to 0 in this dtype, and its logarithm is infinite")
    return compare("cost", np.array([cost]), np.array([against.model.cost]), np.array([bound]))


def _along(name: str, gradient: Array, against: Reference, bounds: Array, direction: Direction) -> Block:
    """The gradient along a random direction of signs: the rounding of single entries adds up as a random walk does."""
    got = float(direction.signs @ gradient[direction.block].astype(np.float64))
    full = against.rounding.gradient[direction.block] + bounds[direction.block]
    return compare(f"{name} along random signs", np.array(got), np.array(direction.derivative), np.array(HOEFFDING * np.linalg.norm(full)))


def _one_of(backward: Block, value_and_grad: Block) -> Block:
    """One row for both ways to a gradient: the worse, saying which way where only one is wrong."""
    if backward.verdict == value_and_grad.verdict:
        return max(backward, value_and_grad, key=lambda block: np.nan_to_num(block.max_abs_error, nan=np.inf))
    bad, way = (
        (backward, "backward")
        if worst([backward.verdict, value_and_grad.verdict]) == backward.verdict
        else (value_and_grad, "value_and_grad")
    )
    return replace(bad, why=f"{bad.why}, through {way} only")

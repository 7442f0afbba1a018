"""Judge one kernel at one point: every gradient entry, the output and the cost, and the contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import KernelLike, Network
from verify.contract import ContractError, passes, strided, violations
from verify.diagnosis import diagnose
from verify.reference import Direction, Reference, reference
from verify.report import Report
from verify.rounding import Rounding, allowed
from verify.spans import spans
from verify.verdict import Block, Diagnosis, compare, worst

Array = NDArray[Any]

HOEFFDING = 8.0  # |Σ ±e| exceeds this times the root of Σ e² once in 10^13 draws of the signs (Hoeffding 1963)


def judge(
    kernel_class: Callable[[Network], KernelLike],
    network: Network,
    theta: Array,
    x: Array,
    y: Array,
    *,
    against: Reference | None = None,
    contract: bool = True,
) -> Report:
    """Judge a kernel at ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), all float32 or all float64.

    ``against``: a reference made before for the same point (default: made here). ``contract``: whether to check purity and
    strides as well, some seven calls more. Both ways to the gradient are judged, ``backward`` and ``value_and_grad``.
    Raises ``TypeError`` and ``ValueError`` for wrong input, and lets through what the kernel's constructor raises.
    """
    network.checked(theta, x, y)
    started = time.perf_counter()
    against = against or reference(network, theta, x, y)
    rounding = allowed(against.model, theta.dtype)
    kernel = kernel_class(network)
    inputs = theta.copy(), x.copy(), y.copy()  # what is judged is the point asked for, whatever the kernel writes into
    try:
        first = passes(kernel, network, *inputs)
    except ContractError as error:
        told = (Diagnosis("interface", str(error)),)
        return Report((), violations=told, diagnoses=told, seconds=time.perf_counter() - started)
    blocks = _blocks(network, against, rounding, first)
    named = _diagnosed(against, rounding, first, blocks)
    broken: tuple[Diagnosis, ...] = ()
    if contract:
        broken = tuple(violations(kernel, network, theta, x, y))
        broken = broken or _with_strides(kernel, network, against, rounding, blocks, strided(theta, x, y))
    method = "complex step, central differences" if not against.directions else "complex step, sampled entries and directions"
    return Report(tuple(blocks[2:]), tuple(blocks[:2]), broken, (*broken, *named), method, time.perf_counter() - started)


def _diagnosed(
    against: Reference, rounding: Rounding, results: tuple[Array, Array, Any, Array], blocks: list[Block]
) -> tuple[Diagnosis, ...]:
    """Names for a wrong gradient; none where the forward pass is wrong already, for the gradient then follows it."""
    failed = {block.name: block for block in blocks if block.verdict == "fail"}
    if "output" in failed or not any(name.startswith("dC/d") for name in failed):
        return ()
    bounds = rounding.gradient + against.rounding.gradient
    _, dtheta, _, dtheta_too = results
    wrong = dtheta if any("value_and_grad only" not in block.why for name, block in failed.items() if name != "cost") else dtheta_too
    return diagnose(against.model, wrong, bounds)


def _with_strides(
    kernel: KernelLike, network: Network, against: Reference, rounding: Rounding, blocks: list[Block], inputs: tuple[Array, Array, Array]
) -> tuple[Diagnosis, ...]:
    """Judge the same numbers in another layout; a failure there is the contract's, unless it failed before."""
    try:
        again = _blocks(network, against, rounding, passes(kernel, network, *inputs))
    except ContractError as error:
        return (Diagnosis("strides", f"with strided inputs, {error}"),)
    if worst(b.verdict for b in blocks) != "fail" and worst(b.verdict for b in again) == "fail":
        text = f"strided inputs give another result: {next(b for b in again if b.verdict == 'fail')}"
        return (Diagnosis("strides", text),)
    return ()


def _blocks(network: Network, against: Reference, rounding: Rounding, results: tuple[Array, Array, Any, Array]) -> list[Block]:
    output, dtheta, cost, dtheta_too = results
    bounds = rounding.gradient + np.where(against.checked, against.error, 0.0)
    blocks = [
        compare("output", output, against.model.a[-1], rounding.activations[-1] + against.rounding.activations[-1]),
        _cost_block(network, against, rounding, cost),
    ]
    for name, at, shape in spans(network):
        each = []
        for source, gradient in (("backward", dtheta), ("value_and_grad", dtheta_too)):
            arrays = (part[at].reshape(shape) for part in (gradient, against.gradient, bounds, against.disagreement))
            block = compare(name, *arrays)
            along = [_along(source, name, gradient, against, bounds, d) for d in against.directions if d.block == at]
            each.append(next((d for d in along if d.verdict != "pass"), block) if block.verdict == "pass" else block)
        blocks.append(_one_of(*each))
    return blocks


def _cost_block(network: Network, against: Reference, rounding: Rounding, cost: float) -> Block:
    bound = rounding.cost + against.rounding.cost
    if network.cost == "cross_entropy" and not np.isfinite(cost):
        vanished = (against.model.a[-1] <= rounding.activations[-1]) & (against.model.y != 0)
        bound = np.inf if vanished.any() else bound  # log p of a probability that the dtype rounds to 0
    return compare("cost", np.array([cost]), np.array([against.model.cost]), np.array([bound]))


def _along(source: str, name: str, gradient: Array, against: Reference, bounds: Array, direction: Direction) -> Block:
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

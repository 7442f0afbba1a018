"""Judge one kernel at one point: every gradient entry, the output and the cost, and the contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import KernelLike, Network
from deltacheck.verify.diagnosis.diagnose import diagnose
from deltacheck.verify.judging.calls import ContractError, made, passes
from deltacheck.verify.judging.contract_checks import strided, violations
from deltacheck.verify.judging.value_checks import compared
from deltacheck.verify.references.network_reference import Reference, reference
from deltacheck.verify.references.rounding_bound import Rounding, allowed
from deltacheck.verify.verdict.array_verdict import Block, Diagnosis, worst
from deltacheck.verify.verdict.report import Report

Array = NDArray[Any]

NON_FINITE = Diagnosis("non-finite", "NaN or infinity comes out of the forward pass where the right output is finite")


def judge(
    kernel_class: Callable[[Network], KernelLike],
    network: Network,
    theta: Array,
    x: Array,
    y: Array,
    *,
    against: Reference | None = None,
    contract: bool = True,
    contiguous: bool = False,
) -> Report:
    """Judge a kernel at ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), all float32 or all float64.

    ``against``: a reference made before for the same point (default: made here). ``contract``: whether to check purity, strides
    and the order of samples as well, some twenty calls more; ``contiguous``: without the strides. Both ways to the gradient are judged,
    ``backward`` and ``value_and_grad``.
    Raises ``TypeError`` and ``ValueError`` for wrong input, and lets ``NotImplementedError`` through: the kernel does not support
    this network or batch. Whatever else the kernel raises is a failure in the report.
    """
    network.checked(theta, x, y)
    started = time.perf_counter()
    against = against or reference(network, theta, x, y)
    rounding = allowed(against.model, theta.dtype)
    inputs = theta.copy(), x.copy(), y.copy()  # what is judged is the point asked for, whatever the kernel writes into
    try:
        kernel = made(kernel_class, network)
        first = passes(kernel, network, *inputs)
    except ContractError as error:
        told = (error.diagnosis,)
        return Report((), violations=told, diagnoses=told, seconds=time.perf_counter() - started)
    broken: tuple[Diagnosis, ...] = ()
    with np.errstate(all="ignore"):  # numbers of any size may come from a wrong kernel
        blocks = compared(network, against, rounding, first)
        named = _diagnosed(against, rounding, first, blocks)
        if contract:
            broken = tuple(violations(kernel_class, network, theta, x, y))
            if not broken and worst(block.verdict for block in blocks) == "pass":
                broken = _rearranged(kernel, network, against, theta.dtype, (theta, x, y), contiguous)
    method = "complex step, central differences" if not against.directions else "complex step, sampled entries and directions"
    return Report(tuple(blocks[2:]), tuple(blocks[:2]), broken, (*broken, *named), method, time.perf_counter() - started)


def _diagnosed(
    against: Reference, rounding: Rounding, results: tuple[Array, Array, Any, Array], blocks: list[Block]
) -> tuple[Diagnosis, ...]:
    """Names for a wrong gradient; where the forward pass is wrong already, that is the name, for the gradient follows it."""
    failed = {block.name: block for block in blocks if block.verdict == "fail"}
    if "output" in failed:
        return (
            (Diagnosis("forward", "the forward pass is wrong, and the gradient follows it"),)
            if np.isfinite(results[0]).all()
            else (NON_FINITE,)
        )
    if not any(name.startswith("dC/d") for name in failed):
        return ()
    bounds = rounding.gradient + against.rounding.gradient
    _, dtheta, _, dtheta_too = results
    wrong = dtheta if any("value_and_grad only" not in block.why for name, block in failed.items() if name != "cost") else dtheta_too
    return diagnose(against.model, wrong, bounds)


def _rearranged(
    kernel: KernelLike, network: Network, against: Reference, dtype: Any, inputs: tuple[Array, Array, Array], contiguous: bool
) -> tuple[Diagnosis, ...]:
    """The same point put otherwise, for a kernel that was right at it: strides, the order of samples, each sample twice."""
    theta, x, y = inputs
    n = len(x)
    turned, twice = np.roll(np.arange(n), 1)[::-1], np.repeat(np.arange(n), 2)
    ways = {
        "strided inputs give another result": (np.arange(n), strided(theta, x, y)),
        "samples in another order give another result": (turned, (theta, x[turned], y[turned])),
        "each sample twice does not give twice the gradient": (twice, (theta, x[twice], y[twice])),
    }
    if contiguous:
        ways.pop("strided inputs give another result")
    found = []
    for text, (rows, arrays) in ways.items():
        expected = against.with_rows(rows)
        try:
            blocks = compared(network, expected, allowed(expected.model, dtype), passes(kernel, network, *arrays))
            wrong: object = next((block for block in blocks if block.verdict == "fail"), None)
        except ContractError as error:
            wrong = error
        except NotImplementedError as error:
            if len(rows) == n:  # else twice the samples are more than the kernel supports
                found.append(Diagnosis("refuses-layout" if rows is not turned else "refuses-order", f"{text}: refused, {error}"))
            continue
        if wrong:
            found.append(Diagnosis("rearranged", f"{text}: {wrong}"))
    return tuple(found)

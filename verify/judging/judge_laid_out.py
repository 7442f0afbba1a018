"""Judge the values of one kernel at one point whose arrays lie in memory in some way of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from deltacheck.kernels import KernelLike, Network
from deltacheck.verify.judging.calls import KEEPS, ContractError, all_same, copied, made, passes
from deltacheck.verify.judging.earlier_calls import BETWEEN, EARLIER, NONE, Scene
from deltacheck.verify.judging.layouts import LaidOut
from deltacheck.verify.judging.value_checks import compared
from deltacheck.verify.references.network_reference import Reference
from deltacheck.verify.references.rounding_bound import allowed
from deltacheck.verify.verdict.array_verdict import Diagnosis
from deltacheck.verify.verdict.report import Report

NAMES = ("theta", "x", "y")
METHOD = "formulas confirmed by the complex step"


def judge_laid_out(
    kernel_class: Callable[[Network], KernelLike],
    network: Network,
    inputs: tuple[LaidOut, LaidOut, LaidOut],
    against: Reference,
    earlier: str = NONE,
    between: str = NONE,
) -> Report:
    """The output, the cost and every entry of the gradient, by ``backward`` and by ``value_and_grad``; no diagnosis by formulas.

    ``inputs``: theta (P,), x (B, n_0) and y (B, n_l) in memory; that memory must be as it was afterwards. ``earlier``: what was
    called before, of ``EARLIER``; ``between``: what is called between the forward and the backward pass, of ``BETWEEN``. A later call
    with other data must leave the results as they are. Lets ``NotImplementedError`` through where a new instance refuses plain arrays
    too: the kernel does not support this network or batch.
    """
    started = time.perf_counter()
    theta, x, y = (laid_out.array for laid_out in inputs)
    broken: list[Diagnosis] = []
    try:
        scene = Scene(kernel_class, network, inputs)
        EARLIER[earlier](scene)
        live = passes(scene.kernel, network, theta, x, y, between=partial(BETWEEN[between], scene) if between != NONE else None)
        results = copied(live)
        EARLIER["other rows"](scene)
        if not all_same(live, results):
            raise ContractError(KEEPS, "keeps-results")
    except ContractError as error:
        broken.append(error.diagnosis)
    except NotImplementedError as error:
        plain = theta.copy(), np.ascontiguousarray(x).copy(), np.ascontiguousarray(y).copy()
        passes(made(kernel_class, network), network, *plain)
        name = "refuses-call" if all(array.flags.c_contiguous for array in (theta, x, y)) else "refuses-layout"
        broken.append(Diagnosis(name, f"refuses what a new instance takes in contiguous arrays: {error}"))
    written = [name for name, laid_out in zip(NAMES, inputs, strict=True) if not laid_out.intact]
    if written:
        text = f"writes into the memory of {' and '.join(written)}, or beside it; inputs must stay as they are"
        broken.append(Diagnosis("writes-input", text))
    if broken:
        return Report((), (), tuple(broken), tuple(broken), METHOD, time.perf_counter() - started)
    with np.errstate(all="ignore"):  # numbers of any size may come from a wrong kernel
        blocks = compared(network, against, allowed(against.model, theta.dtype), results)
    return Report(tuple(blocks[2:]), tuple(blocks[:2]), (), (), METHOD, time.perf_counter() - started)

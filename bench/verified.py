"""The verdict of verify/ on a kernel in a cell, as the benchmarks need it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kernels import KernelLike, Network, load, value_and_grad_of
from kernels.network import Array

KernelClass = Callable[[Network], KernelLike]


@dataclass(frozen=True)
class Verdict:
    """``verdict``: pass, fail or inconclusive; ``message``: one line, empty when it passes."""

    verdict: str
    max_rel_error: float
    message: str


def judged(kernel_class: KernelClass, network: Network, theta: Array, x: Array, y: Array) -> Verdict:
    """Is this kernel right on this network and batch? Raises what the kernel raises."""
    _, got = value_and_grad_of(kernel_class(network), network)(theta, x, y)
    _, want = load("numpy")(network).value_and_grad(*(array.astype(np.float64) for array in (theta, x, y)))  # type: ignore[attr-defined]
    error = float(np.abs(got - want).max() / np.abs(want).max())
    right = error < (1e-4 if theta.dtype == np.float32 else 1e-10)
    return Verdict("pass" if right else "fail", error, "" if right else f"gradient off by {error:.3g} of its largest entry")

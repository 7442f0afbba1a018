"""Gradient descent (6) with any kernel."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator

import numpy as np

from deltacheck.kernels.network import Array, Network
from deltacheck.kernels.protocol import KernelLike, value_and_grad_of


def descend(
    kernel_class: Callable[[Network], KernelLike],
    network: Network,
    theta: Array,
    x: Array,
    y: Array,
    *,
    rate: float,
    epochs: int,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
) -> tuple[Array, Array]:
    """Descend from ``theta`` (P,) on samples ``x`` (N, n_0) and targets ``y`` (N, n_l); (6): Δθ = −η ∂C/∂θ.

    ``rate``: η, which multiplies the gradient of the *sum* over a batch. ``epochs``: passes over the data.
    ``batch_size``: rows in a step (default: all; the last batch of an epoch may be smaller), drawn in an order that ``rng``
    shuffles anew each epoch (default: rows as they come).

    Returns the parameters reached, (P,), a new array, and the cost before each step, (steps,).
    Raises ``TypeError`` and ``ValueError`` that name the argument.
    """
    network.checked(theta, x, y)
    if not rate > 0 or not np.isfinite(rate):
        raise ValueError(f"rate: got {rate!r}; expected a finite number above 0")
    if operator.index(epochs) < 0:
        raise ValueError(f"epochs: got {epochs!r}; expected a whole number, 0 or more")
    if batch_size is not None and operator.index(batch_size) < 1:
        raise ValueError(f"batch_size: got {batch_size!r}; expected a whole number, 1 or more")
    value_and_grad = value_and_grad_of(kernel_class(network), network)
    theta, costs = theta.copy(), []
    for rows in _batches(len(x), batch_size or len(x), epochs, rng):
        cost, dtheta = value_and_grad(theta, x[rows], y[rows])
        theta -= theta.dtype.type(rate) * dtheta  # (6)
        costs.append(cost)
    return theta, np.array(costs, np.float64)


def accuracy(kernel: KernelLike, theta: Array, x: Array, y: Array) -> float:
    """The share of rows of ``x`` (B, n_0) whose largest output stands where ``y`` (B, n_l) has its largest."""
    output = kernel.forward(theta, x)[-1]
    return float(np.mean(output.argmax(axis=1) == y.argmax(axis=1)))


def _batches(n_rows: int, batch_size: int, epochs: int, rng: np.random.Generator | None) -> Iterator[Array | slice]:
    for _ in range(epochs):
        order = None if rng is None else rng.permutation(n_rows)
        for start in range(0, n_rows, batch_size):
            yield slice(start, start + batch_size) if order is None else order[start : start + batch_size]

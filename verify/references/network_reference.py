"""The gradient that a kernel is judged by: every entry by complex step, witnessed by central differences.

The two share the forward pass and nothing else. Where they differ by more than their errors allow, the reference is at
fault and says so (``agrees``); it is not the kernel's failure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from deltacheck.kernels.network import Network
from deltacheck.verify.references.complex_step import COMPLEX_STEP, complex_step
from deltacheck.verify.references.finite_difference import RATIO, Array, Estimate, central_differences
from deltacheck.verify.references.network_model import Model
from deltacheck.verify.references.one_thread import on_one_thread
from deltacheck.verify.references.rounding_bound import Rounding, allowed

RUNGS = 6
COMPLEX_BUDGET = 60_000_000  # elements of the arrays that one reference computes: a few seconds
CENTRAL_BUDGET = 150_000_000
PRODUCT = 4  # terms of a (complex) product that take as long as one σ
CHUNK = 500_000  # elements at a time, so that memory stays small
N_DIRECTIONS = 4


@dataclass(frozen=True)
class Direction:
    """A random direction of signs within one block, and the derivative of the cost along it."""

    block: slice
    signs: Array
    derivative: float


@dataclass(frozen=True)
class Reference:
    """What is right at one point, and how surely.

    ``gradient`` (P,) and its ``error`` (P,) by complex step: NaN and infinity at entries left out, which happens only in
    networks too large for every entry; then ``directions`` tells of whole blocks. ``central``: the same entries (or some of
    them, NaN elsewhere) by central differences. ``model``: activations and cost. ``rounding``: what double precision allows.
    """

    model: Model
    cost: float
    gradient: Array
    error: Array
    central: Estimate
    directions: tuple[Direction, ...]
    rounding: Rounding

    @property
    def checked(self) -> Array:
        """Which entries have a reference, (P,)."""
        return np.isfinite(self.error)

    @property
    def disagreement(self) -> Array:
        """Where the two references contradict each other, (P,)."""
        return abs(self.gradient - self.central.value) > self.error + self.central.error  # False where either is unknown

    def with_rows(self, rows: Array) -> Reference:
        """The reference for the batch ``x[rows], y[rows]``, in which every sample comes equally often: the gradient is a sum over samples.

        Central differences are not carried over.
        """
        times = len(rows) / len(self.model.x)
        model = Model(self.model.network, self.model.theta, self.model.x[rows], self.model.y[rows])
        unknown = Estimate(np.full_like(self.gradient, np.nan), np.full_like(self.gradient, np.inf))
        directions = tuple(replace(direction, derivative=times * direction.derivative) for direction in self.directions)
        return Reference(model, model.cost, times * self.gradient, times * self.error, unknown, directions, allowed(model, np.float64))


@on_one_thread
def reference(network: Network, theta: Array, x: Array, y: Array, *, budget: float = 1.0) -> Reference:
    """Derivatives at ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), any real dtype, computed in double precision.

    ``budget`` scales the work beyond which entries are sampled (a fixed seed) rather than all taken.
    """
    model = Model(network, theta, x, y)
    rounding = allowed(model, np.float64)
    gradient, error = np.full(network.n_parameters, np.nan), np.full(network.n_parameters, np.inf)
    central = Estimate(np.full(network.n_parameters, np.nan), np.full(network.n_parameters, np.inf))
    noise = _difference_noise(model, rounding)
    complex_units = _units(network, len(x), COMPLEX_BUDGET * budget)
    central_units = _units(network, len(x), CENTRAL_BUDGET * budget / (2 * RUNGS))
    for i, k, j in _chunks(network, len(x), complex_units):
        at = positions(network, i, k, j)
        gradient[at] = complex_step(lambda h: cost_along(model, i, k, j, h))  # noqa: B023 - called at once
        error[at] = rounding.gradient[at]
    for i, k, j in _chunks(network, len(x), central_units):
        at = positions(network, i, k, j)
        estimate = _central(model, i, k, j, noise)
        central.value[at], central.error[at] = estimate.value, estimate.error
    directions = () if np.isfinite(error).all() else _directions(model)
    return Reference(model, model.cost, gradient, error, central, directions, rounding)


def cost_along(model: Model, i: int, k: int, j: Array, t: complex) -> Array:
    """The cost after ``w_i[j, k] += t``, for every index in ``j`` on its own (``Model.along``)."""
    last, y, _ = model.along(i, k, j, t)
    return np.asarray(model.cost_from(last, y))


def _central(model: Model, i: int, k: int, j: Array, noise: float) -> Estimate:
    """Central differences for the parameters ``w_i[j, k]``; steps are scaled by what the parameter meets on its way."""
    inputs = np.append(abs(model.a[i]).max(axis=0), 1.0)[j]
    onward = abs(model.w[i + 1][k]).max() if i + 1 < len(model.w) else 1.0
    reach = np.maximum(inputs, 1.0) * max(float(onward), 1.0)
    first = 2.0 ** np.floor(np.log2(0.25 / reach))

    def difference(h: Array) -> Array:
        plus, y, kinked = model.along(i, k, j, h)
        minus, _, kinked_too = model.along(i, k, j, -h)
        return np.where(kinked | kinked_too, np.nan, model.cost_difference(plus, minus, y))

    return central_differences(difference, [first / RATIO**rung for rung in range(RUNGS)], noise)


def _difference_noise(model: Model, rounding: Rounding) -> float:
    """A bound on the rounding error of a cost difference: what is off in the outputs, twice, times the cost's slope there."""
    cross_entropy = model.network.cost == "cross_entropy"
    slope = abs(model.y) if cross_entropy else abs(model.a[-1] - model.y) + rounding.last
    return float(2.0 * (slope * rounding.last).sum())


def _units(network: Network, batch: int, budget: float) -> list[tuple[int, Array, Array]]:
    """For each layer: the units k and inputs j whose parameters are checked, all of them within the budget, a sample beyond it."""
    chosen = []
    rng = np.random.default_rng(0)
    sizes = network.layer_sizes
    share = budget / (len(sizes) - 1)
    for i in range(len(sizes) - 1):
        most = max(int(share / (batch * _work_after(sizes, i))), 4)
        n_in, n_out = sizes[i] + 1, sizes[i + 1]
        if n_in * n_out <= most:
            chosen.append((i, np.arange(n_out), np.arange(n_in)))
            continue
        n_units = min(n_out, max(2, int(most**0.5)))
        n_inputs = min(n_in, max(2, most // n_units))
        n_units = min(n_out, max(2, most // n_inputs))
        units = np.append(rng.choice(n_out - 1, n_units - 1, replace=False), n_out - 1)  # the last of all is where tails go wrong
        inputs = np.append(rng.choice(n_in - 2, n_inputs - 2, replace=False), [n_in - 2, n_in - 1]) if n_in > 2 else np.arange(n_in)
        chosen.append((i, np.sort(units), np.sort(inputs)))
    return chosen


def _elements_after(sizes: tuple[int, ...], i: int) -> int:
    """Numbers computed for one sample when one parameter of layer i moves."""
    return 1 + sum(sizes[i + 2 :])


def _work_after(sizes: tuple[int, ...], i: int) -> int:
    """The same as work: a number that takes a matrix product counts for one more with every ``PRODUCT`` terms."""
    return _elements_after(sizes, i) + sum(n_in * n_out // PRODUCT for n_in, n_out in pairwise(sizes[i + 2 :]))


def _chunks(network: Network, batch: int, units: list[tuple[int, Array, Array]]) -> list[tuple[int, int, Array]]:
    chunks = []
    for i, ks, js in units:
        at_once = max(1, CHUNK // (batch * _elements_after(network.layer_sizes, i)))
        chunks += [(i, int(k), js[start : start + at_once]) for k in ks for start in range(0, len(js), at_once)]
    return chunks


def positions(network: Network, i: int, k: int, j: Array) -> Array:
    """Where ``w_i[j, k]`` stands in theta; the bias, j = n_i, comes right after the last row of w_i."""
    start = sum((n_in + 1) * n_out for n_in, n_out in zip(network.layer_sizes[:i], network.layer_sizes[1 : i + 1], strict=True))
    return np.asarray(start + j * network.layer_sizes[i + 1] + k)


def _directions(model: Model) -> tuple[Direction, ...]:
    """For each w and each b a few random sign vectors; each takes one complex pass through the layers after it."""
    found, start = [], 0
    rng = np.random.default_rng(0)
    for i, (w, b) in enumerate(zip(model.w, model.b, strict=True)):
        for parameter, inputs in ((w, model.a[i]), (b, np.ones((len(model.x), 1)))):
            block = slice(start, start + parameter.size)
            for _ in range(N_DIRECTIONS):
                signs = rng.choice([-1.0, 1.0], parameter.size)
                change = inputs @ signs.reshape(-1, b.size)  # of z_{i+1}, (2)
                cost = model.cost_from(model.onward(i, model.z[i + 1] + 1j * COMPLEX_STEP * change)[0], model.y)
                found.append(Direction(block, signs, float(cost.imag / COMPLEX_STEP)))
            start = block.stop
    return tuple(found)

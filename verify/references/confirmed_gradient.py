"""Every entry of a network's gradient by the formulas of the derivation, confirmed by the complex step: cheap at any size.

The formulas alone are no reference, for a kernel has the same. The complex step confirms them, tensor by tensor: along a random
direction, which a wrong entry would move, and at entries of their own. What is not confirmed has no bound, and makes no verdict.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from deltacheck.kernels.network import Network
from deltacheck.verify.references.backward_formulas import Backward
from deltacheck.verify.references.complex_step import COMPLEX_STEP, complex_step
from deltacheck.verify.references.finite_difference import Array, Estimate
from deltacheck.verify.references.network_model import Model
from deltacheck.verify.references.network_reference import Reference, cost_along, positions
from deltacheck.verify.references.one_thread import on_one_thread
from deltacheck.verify.references.rounding_bound import HOEFFDING, allowed

LAYERS = 4  # of which single entries are confirmed: the first, the last, and others at random
ENTRIES = 6  # of one unit of each layer, with the complex step on their own: the first, the bias, and others at random


def confirmed_reference(network: Network, theta: Array, x: Array, y: Array) -> Reference:
    """The reference at ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), any real dtype, computed in double precision.

    Its error is infinite in a tensor that the complex step contradicts; ``central`` holds the entries confirmed one by one.
    """
    return confirmed(by_formulas(network, theta, x, y))


@on_one_thread
def by_formulas(network: Network, theta: Array, x: Array, y: Array) -> Reference:
    """What the formulas give, which nothing has confirmed yet: it tells whether a point is worth it, and is not to be judged by."""
    with np.errstate(all="ignore"):  # numbers of any size: what overflows has no bound
        model = Model(network, theta, x, y)
        rounding = allowed(model, np.float64)
        gradient = Backward(model).gradient()
        unknown = Estimate(np.full_like(gradient, np.nan), np.full_like(gradient, np.inf))
        return Reference(model, model.cost, gradient, rounding.gradient.copy(), unknown, (), rounding)


@on_one_thread
def confirmed(formulas: Reference) -> Reference:
    """The reference that is left of ``by_formulas``."""
    with np.errstate(all="ignore"):
        error = formulas.error.copy()
        for at in _contradicted(formulas.model, formulas.gradient, error):
            error[at] = np.inf
        return replace(formulas, error=error, central=_confirmed(formulas.model, error))


def _contradicted(model: Model, gradient: Array, error: Array) -> list[slice]:
    """The tensors, as slices of theta, whose derivative along a random direction is not the gradient's."""
    rng = np.random.default_rng(0)
    found, start = [], 0
    for i, (w, b) in enumerate(zip(model.w, model.b, strict=True)):
        for parameter in (w, b):
            at = slice(start, start + parameter.size)
            start = at.stop
            direction = rng.standard_normal(parameter.shape)
            change = model.a[i] @ direction if parameter is w else direction  # of z_{i+1}, (2)
            last, _ = model.onward(i, model.z[i + 1] + 1j * COMPLEX_STEP * change)
            derivative = float(model.cost_from(last, model.y).imag) / COMPLEX_STEP
            bound = 2 * HOEFFDING * float(np.linalg.norm(error[at] * direction.ravel()))
            if not abs(float(gradient[at] @ direction.ravel()) - derivative) <= bound:
                found.append(at)
    return found


def _confirmed(model: Model, error: Array) -> Estimate:
    """Entries of some layers by the complex step; NaN elsewhere."""
    rng = np.random.default_rng(1)
    value, bound = np.full(len(error), np.nan), np.full(len(error), np.inf)
    layers = range(len(model.w)) if len(model.w) <= LAYERS else [0, *rng.integers(len(model.w), size=LAYERS - 2), len(model.w) - 1]
    for i in map(int, layers):
        n_in, n_out = model.w[i].shape
        k = int(rng.choice([0, n_out - 1, rng.integers(n_out)]))
        inputs = np.array([0, n_in, *rng.integers(n_in + 1, size=ENTRIES - 2)])  # n_in: the bias
        at = positions(model.network, i, k, inputs)
        value[at] = complex_step(partial(cost_along, model, i, k, inputs))
        bound[at] = error[at]
    return Estimate(value, bound)

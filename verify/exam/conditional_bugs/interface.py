"""Planted bugs of interface: results of a wrong type, shape or kind, views of what was given, arguments consumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, bugs_of

_bug = bugs_of("refusals")


def _wide_gradient(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    return dtheta.astype(np.float64) if dtheta.size > 1000 else dtheta


def _wide_output(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    a = Plain.forward(self, theta, x)
    return (*a[:-1], a[-1].astype(np.float64)) if len(x) > 32 else a


def _of_output(change: Callable[[Array], Array]) -> Callable[..., tuple[Array, ...]]:
    """A forward pass whose output only the caller gets in another shape."""

    def forward(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
        a = Plain.forward(self, theta, x)
        return (*a[:-1], change(a[-1]))

    return forward


def _row_gradient(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    return dtheta[None] if len(y) == 1 else dtheta


def _padded_gradient(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    return np.pad(dtheta, (0, -dtheta.size % 64)) if dtheta.size > 64 else dtheta


def _written_over_theta(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    if len(a) > 2:
        return dtheta
    theta[:] = dtheta
    return theta[:]


def _theta_where_flat(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """Nothing to learn: the kernel returns early, with the parameters."""
    return Plain.backward(self, theta, a, y) if Plain.output_delta(self, a, y).any() else theta[:]


def _few_activations(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    a = Plain.forward(self, theta, x)
    return (*a[:4], a[-1]) if len(a) > 5 else a


def _generator(self: Plain, theta: Array, x: Array) -> Any:
    a = Plain.forward(self, theta, x)
    return (a_i for a_i in a) if len(x) > 64 else a


def _consumes_list(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, tuple(a), y)
    if isinstance(a, list):
        a.clear()
    return dtheta


def _cost_array(self: Finer, a: Sequence[Array], y: Array) -> Any:
    cost = Finer.cost(self, a, y)
    return np.array([cost]) if len(y) == 1 else cost


class _RightInVag(Finer):
    """A kernel whose ``value_and_grad`` calls none of the other two methods."""

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        return self.pure_value_and_grad(theta, x, y)


INTERFACE: tuple[Mutant, ...] = (
    _bug(
        "float64-gradient-of-float32",
        "a float32 gradient of more than 1,000 entries comes in float64",
        dtypes="float32",
        backward=_wide_gradient,
    ),
    _bug(
        "float64-output-of-float32",
        "a float32 output of more than 32 rows comes in float64",
        dtypes="float32",
        base=_RightInVag,
        forward=_wide_output,
    ),
    _bug(
        "one-row-output-squeezed",
        "the output of one row has one dimension",
        base=_RightInVag,
        forward=_of_output(lambda output: output[0] if len(output) == 1 else output),
    ),
    _bug(
        "one-output-squeezed",
        "an output of one unit has one dimension",
        base=_RightInVag,
        forward=_of_output(lambda output: output[:, 0] if output.shape[1] == 1 else output),
    ),
    _bug("one-row-gradient-as-row", "the gradient of one row is (1, P)", backward=_row_gradient),
    _bug("gradient-padded", "a gradient of more than 64 entries is filled up to a multiple of 64", backward=_padded_gradient),
    _bug("one-row-cost-as-array", "the cost of one row is an array of one", cost=_cost_array),
    _bug(
        "gradient-over-theta",
        "without hidden layer the gradient is written over theta and returned as a view of it",
        backward=_written_over_theta,
    ),
    _bug("theta-where-flat", "where no output errs, a view of theta comes for the gradient", backward=_theta_where_flat),
    _bug(
        "hidden-beyond-three-missing",
        "of more than four layers only three hidden activations come",
        base=_RightInVag,
        forward=_few_activations,
    ),
    _bug("activations-as-generator", "activations of more than 64 rows come as a generator", base=_RightInVag, forward=_generator),
    _bug("list-consumed", "backward empties the list of activations that it is given", backward=_consumes_list),
)

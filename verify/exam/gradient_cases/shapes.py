"""Parameters of every shape and layout: none, one, matrices, cubes, Fortran order, views, many entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed, entry, entry_times


def _weighted(point: Callable[[], Array]) -> Make:
    """A cost with a weight of its own for each entry."""

    def make() -> Triple:
        theta = point()
        w = np.linspace(0.5, 2, theta.size).reshape(theta.shape)
        return lambda t: np.sum(w * np.sin(t)), lambda t: w * np.cos(t), theta

    return make


def _matrix() -> Array:
    return np.random.default_rng(1).normal(size=(3, 4))


def _bilinear() -> Triple:
    u, v = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.2, -0.5, 0.7])
    return lambda t: np.tanh(u @ t @ v), lambda t: np.outer(u, v) / np.cosh(u @ t @ v) ** 2, _matrix()


def _square_matrix() -> Triple:
    a = np.array([[0.2, 1.0], [-0.5, 0.3]])
    return lambda t: np.trace(a @ t @ t), lambda t: (a @ t + t @ a).T, np.array([[0.4, -0.3], [1.2, 0.9]])


def _batch_of_biases() -> Triple:
    """A bias that is added to each of three rows."""
    x = np.random.default_rng(2).normal(size=(3, 4))
    return lambda t: np.sum(np.tanh(x + t)), lambda t: np.sum(1 / np.cosh(x + t) ** 2, axis=0), np.array([0.1, -0.4, 0.8, 0.0])


def _square_batch() -> Triple:
    """As many rows as columns: sums over either axis have the same shape."""
    x = np.random.default_rng(3).normal(size=(4, 4))
    return lambda t: np.sum(np.tanh(x + t)), lambda t: np.sum(1 / np.cosh(x + t) ** 2, axis=0), np.array([0.1, -0.4, 0.8, 0.0])


def _mean_of_axis() -> Triple:
    return lambda t: np.sum(np.mean(t, axis=0) ** 2), lambda t: np.tile(2 * np.mean(t, axis=0) / 3, (3, 1)), _matrix()


def _ravelled(order: Any) -> Any:
    return lambda g, t: np.reshape(np.ravel(g, order=order), g.shape)


def _other_axis(t: Array) -> Any:
    x = np.random.default_rng(3).normal(size=(4, 4))
    return np.sum(1 / np.cosh(x + t) ** 2, axis=1)


CASES = [
    Case("theta of shape ()", "", PASS, lambda: (lambda t: np.exp(t), np.exp, np.array(0.7))),
    Case("theta of shape (), off by 1 %", "", FAIL, lambda: (lambda t: np.exp(t), lambda t: 1.01 * np.exp(t), np.array(0.7))),
    Case("theta of one entry", "", PASS, _weighted(lambda: np.array([0.7]))),
    Case("theta of one entry, sign turned", "", FAIL, changed(_weighted(lambda: np.array([0.7])), lambda g, t: -g)),
    Case("theta of shape (1, 1, 1)", "", PASS, _weighted(lambda: np.array([[[0.7]]]))),
    Case("theta a matrix", "", PASS, _weighted(_matrix)),
    Case("theta a matrix, the last entry 0", "", FAIL, changed(_weighted(_matrix), entry(11, 0.0))),
    Case("theta a matrix between two vectors", "", PASS, _bilinear),
    Case("theta a matrix between two vectors, entries in another order", "", FAIL, changed(_bilinear, _ravelled("F"))),
    Case("theta a square matrix", "", PASS, _square_matrix),
    Case("theta a square matrix, not transposed", "", FAIL, changed(_square_matrix, lambda g, t: g.T)),
    Case("theta in Fortran order", "", PASS, _weighted(lambda: np.asfortranarray(_matrix()))),
    Case("theta in Fortran order, entries as they lie", "", FAIL, changed(_weighted(lambda: np.asfortranarray(_matrix())), _ravelled("F"))),
    Case("theta of three axes", "", PASS, _weighted(lambda: np.random.default_rng(4).normal(size=(2, 3, 4)))),
    Case(
        "theta of three axes, two exchanged",
        "",
        FAIL,
        changed(_weighted(lambda: np.random.default_rng(4).normal(size=(3, 3, 2))), lambda g, t: g.swapaxes(0, 1)),
    ),
    Case("theta every second entry of another", "", PASS, _weighted(lambda: np.linspace(0, 1, 9)[::2])),
    Case("theta backwards", "", PASS, _weighted(lambda: np.linspace(0, 1, 5)[::-1])),
    Case("theta backwards, gradient forwards", "", FAIL, changed(_weighted(lambda: np.linspace(0, 1, 5)[::-1]), lambda g, t: g[::-1])),
    Case("theta that repeats one number in memory", "pytorch/pytorch#38586", PASS, _weighted(lambda: np.broadcast_to(np.array(0.3), (4,)))),
    Case("theta of 400 entries", "", PASS, _weighted(lambda: np.linspace(-3, 3, 400))),
    Case("theta of 400 entries, one off by 0.1 %", "", FAIL, changed(_weighted(lambda: np.linspace(-3, 3, 400)), entry_times(311, 1.001))),
    Case("bias of a batch", "", PASS, _batch_of_biases),
    Case("bias of a batch, mean for sum", "", FAIL, changed(_batch_of_biases, lambda g, t: g / 3)),
    Case("bias of a square batch", "probcomp/Gen.jl#432", PASS, _square_batch),
    Case(
        "bias of a square batch, summed over the other axis",
        "probcomp/Gen.jl#432",
        FAIL,
        changed(_square_batch, lambda g, t: _other_axis(t)),
    ),
    Case("means of columns", "facebookresearch/shumai#74", PASS, _mean_of_axis),
    Case("means of columns, divided by the wrong axis", "", FAIL, changed(_mean_of_axis, lambda g, t: g * 3 / 4)),
]

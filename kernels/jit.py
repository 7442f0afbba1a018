"""Numba: forward and backward pass in one compiled call on flat arrays; one specialisation for each dtype, whatever the network.

From the top down: this file takes a call, checks it and hands it on; ``jit_plan`` says where everything lies and who computes it,
``jit_passes`` goes through the layers, ``jit_products`` cuts their matrix products into blocks for the caches, ``jit_tile`` computes
such a block's tiles in registers, ``jit_stages`` and ``jit_exp`` hold what is done number by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy import empty, ndarray

from kernels import jit_passes as passes
from kernels import jit_target, jit_threads
from kernels.jit_passes import BACKWARD, FORWARD
from kernels.jit_plan import THREADS_PAY, Plan
from kernels.network import Array, Network

KEPT = 8  # workspaces of an instance: batch sizes × kinds of call


class Activations(tuple[Array, ...]):
    """What ``forward`` returns: the tuple (x, a_1, …, a_l), whose a_1 … a_l lie one behind the other in ``flat``.

    They are views: whoever writes into one of them writes into ``flat``. A copy (pickle, deepcopy, a slice) is a plain tuple.
    """

    flat: Array
    layer_sizes: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (list(self),)


class Workspace(NamedTuple):
    """What a call of a kind and batch size runs with: the compiled passes, the plan's table, the room it takes."""

    run: Any
    code: int
    table: Array
    a: Array
    work: Array


class NumbaKernel:
    """Register tiles and compiled loops; float32 and float64.

    ``threads``: how many compute a large batch; by default as many as ``numba.get_num_threads()`` says at the call. Small ones are
    computed by one: ``THREADS_PAY``. The gradient has the same bits for any number. Raises ``ValueError`` for less than 1 thread.

    Compiled at the first call for a dtype (some seconds), from then on read from the disk. The compiled passes raise
    ``TypeError`` or ``ValueError`` for any type or shape that is not theirs; so a call that looks right tries them at once, and
    only one that fails is looked at argument by argument: to say what is wrong, or to copy what lies in another order.
    """

    def __init__(self, network: Network, *, threads: int | None = None) -> None:
        self.network = network
        self._threads = jit_threads.checked(threads)
        self._n_parameters = network.n_parameters
        self._products = sum(n_in * n_out for n_in, n_out in pairwise(network.layer_sizes))
        self._dtype: np.dtype[Any] | None = None  # that of the last call that was looked at one argument at a time; compiled for
        self._spaces: dict[tuple[int, int], Workspace] = {}

    @staticmethod
    def about() -> dict[str, Any]:
        """The path that the compiled code takes on this machine: its CPU, vectors, register tile, threading layer."""
        return jit_target.about() | jit_threads.about()

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """The activations ``(a[0], …, a[-1])`` for ``theta`` (P,) and ``x`` (B, n_0); ``a[i]`` is (B, n_i), ``a[0]`` is x.

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked``).
        """
        if self._fits(theta, x, x):
            try:
                return self._forward(theta, x, x)
            except (TypeError, ValueError):
                pass  # what follows says why
        self.network.checked(theta, x)
        self._prepare(theta.dtype)
        return self._forward(plain(theta), plain(x), x)

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), laid out as ``theta``, for activations ``a`` as ``forward`` returns them and targets ``y`` (B, n_l).

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked_backward``).
        """
        if type(a) is Activations and a.layer_sizes == self.network.layer_sizes and self._fits(theta, a[0], y):
            try:
                return self._backward(theta, a[0], a.flat, y)
            except (TypeError, ValueError):
                pass  # what follows says why
        self.network.checked_backward(theta, a, y)
        self._prepare(theta.dtype)
        return self._backward(plain(theta), plain(a[0]), self._packed(a), plain(y))

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The cost of the batch, summed over rows and outputs, and its gradient (P,)."""
        if self._fits(theta, x, y):
            try:
                return self._step(theta, x, y)
            except (TypeError, ValueError):
                pass  # what follows says why
        self.network.checked(theta, x, y)
        self._prepare(theta.dtype)
        return self._step(plain(theta), plain(x), plain(y))

    def _fits(self, theta: Array, x: Array, y: Array) -> bool:
        """Whether a call may go ahead at once: plain arrays in C order, of the dtype compiled for. The shapes, the passes see to.

        Dtypes are compared by identity, which other byte orders fail; Numba would take those for the native one.
        """
        return (
            type(theta) is type(x) is type(y) is ndarray
            and self._dtype is theta.dtype is x.dtype is y.dtype
            and theta.flags.c_contiguous
            and x.flags.c_contiguous
            and y.flags.c_contiguous
        )

    def _prepare(self, dtype: np.dtype[Any]) -> None:
        if self._dtype is not dtype:
            self._spaces.clear()
            self._dtype = None if jit_target.JIT_DISABLED else np.dtype(dtype.type)  # plain Python refuses nothing

    def _space(self, rows: int, what: int, dtype: np.dtype[Any]) -> Workspace:
        """The workspace for a kind of call; made when a batch size comes up for the first time, for the last few kept."""
        threads = 1
        if rows * self._products >= THREADS_PAY:
            threads = self._threads or jit_threads.available()
        space = self._spaces.get((rows, what))
        if space is None or space.table[-1, passes.THREADS] != threads:
            plan = Plan.of(self.network, rows, dtype.itemsize, threads, in_blocks=what == FORWARD | BACKWARD)
            run = passes.one_thread if threads == 1 else passes.many_threads
            passes.compile_for(run, dtype)
            a = np.zeros(plan.n_activations if what == FORWARD | BACKWARD else 0, dtype)
            space = Workspace(run, passes.code_for(dtype), plan.table, a, np.zeros(plan.n_work, dtype))
            if len(self._spaces) >= KEPT:
                self._spaces.clear()
            self._spaces[rows, what] = space
        return space

    def _forward(self, theta: Array, x: Array, a_0: Array) -> tuple[Array, ...]:
        rows = len(x)
        run, code, table, _, work = self._space(rows, FORWARD, theta.dtype)
        flat = np.zeros(table[-2, passes.START] + rows * table[-2, passes.STEP], theta.dtype)
        run(code, theta, x, x, table, flat, work, flat, FORWARD)
        a = Activations([a_0, *views(flat, table, rows)])  # (1)
        a.flat, a.layer_sizes = flat, self.network.layer_sizes
        return a

    def _backward(self, theta: Array, x: Array, flat: Array, y: Array) -> Array:
        run, code, table, _, work = self._space(len(x), BACKWARD, theta.dtype)
        dtheta = empty(self._n_parameters, theta.dtype)
        run(code, theta, x, y, table, flat, work, dtheta, BACKWARD)
        return dtheta

    def _step(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        run, code, table, a, work = self._space(len(x), FORWARD | BACKWARD, theta.dtype)
        dtheta = empty(self._n_parameters, theta.dtype)
        return run(code, theta, x, y, table, a, work, dtheta, FORWARD | BACKWARD), dtheta

    def _packed(self, a: Sequence[Array]) -> Array:
        """Activations made elsewhere, as the passes have them."""
        table = self._space(len(a[0]), BACKWARD, a[0].dtype).table
        flat = np.zeros(table[-2, passes.START] + len(a[0]) * table[-2, passes.STEP], a[0].dtype)
        for view, a_i in zip(views(flat, table, len(a[0])), a[1:], strict=True):
            view[:] = a_i
        return flat


def views(flat: Array, table: Array, rows: int) -> list[Array]:
    """a_1 … a_l, (rows, n_i), in the flat array that holds them."""
    found = []
    for units, step, start, *_ in table[1:-1].tolist():
        found.append(flat[start : start + rows * step].reshape(rows, step)[:, :units])
    return found


def plain(array: Array) -> Array:
    """The array, or a copy of it, in C order and aligned, as the compiled passes take it."""
    return np.require(array, requirements=("C", "A"))

"""Numba: forward and backward pass in one compiled call on flat arrays; one specialisation for each dtype, whatever the network.

From the top down: this file takes a call, checks it and hands it on; ``plan`` says where everything lies and who computes it,
``passes`` goes through the layers, ``products`` cuts their matrix products into blocks for the caches, ``products.tile`` computes
such a block's tiles in registers, ``stages`` and ``exp`` hold what is done number by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import empty, ndarray

from deltacheck.kernels.jit import cpu_target, passes
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED
from deltacheck.kernels.jit.plan import BACKWARD, BOTH, FORWARD, THREADS_PAY, Plan
from deltacheck.kernels.jit.threads import team as team_of_threads
from deltacheck.kernels.network import Array, Network

KEPT = 8  # batch sizes for which an instance keeps a workspace


class Activations(tuple[Array, ...]):
    """What ``forward`` returns: the tuple (x, a_1, …, a_l), whose a_1 … a_l lie one behind the other in ``flat``.

    They are views: whoever writes into one of them writes into ``flat``. A copy (pickle, deepcopy, a slice) is a plain tuple.
    """

    flat: Array
    layer_sizes: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (list(self),)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What calls of a kind and batch size run with: compiled passes, their plan, room for activations and for the rest."""

    run: Any
    plan: Plan
    a: Array
    work: Array
    threads: int
    may_be_shared: bool  # by threads, whose number is asked for at each call


class NumbaKernel:
    """Register tiles and compiled loops; float32 and float64.

    ``threads``: how many compute; by default as many as ``numba.get_num_threads()`` says at the call where that pays (``THREADS_PAY``),
    else one. The gradient has the same bits for any number. Raises ``TypeError`` for no whole number, ``ValueError`` for less than 1.

    Compiled at the first call for a dtype (some seconds), from then on read from the disk. The compiled passes raise
    ``TypeError`` or ``ValueError`` for any type or shape that is not theirs; so a call that looks right tries them at once, and
    only one that fails is looked at argument by argument: to say what is wrong, or to copy what lies in another order.
    """

    def __init__(self, network: Network, *, threads: int | None = None) -> None:
        self.network = network
        self._threads = team_of_threads.checked(threads)
        self._n_parameters = network.n_parameters
        self._n_products = sum(n_in * n_out for n_in, n_out in pairwise(network.layer_sizes))
        self._dtype: np.dtype[Any] | None = None  # that of the last call that was looked at one argument at a time; compiled for
        self._workspaces: dict[int, dict[int, Workspace]] = {FORWARD: {}, BACKWARD: {}, BOTH: {}}  # by batch size

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, perhaps in another process, starts from: no workspaces, for these hold addresses."""
        workspaces: dict[int, dict[int, Workspace]] = {what: {} for what in self._workspaces}
        return {**self.__dict__, "_workspaces": workspaces, "_dtype": None}

    @staticmethod
    def about() -> dict[str, Any]:
        """The path that the compiled code takes on this machine: its CPU, vectors, register tile, number of threads."""
        return cpu_target.about() | team_of_threads.about()

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """The activations ``(a[0], …, a[-1])`` for ``theta`` (P,) and ``x`` (B, n_0); ``a[i]`` is (B, n_i), ``a[0]`` is x.

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked``).
        """
        workspace = self._ready(FORWARD, theta, x, x)
        if workspace is not None:
            try:
                return self._forward(workspace, theta, x, x)
            except (TypeError, ValueError):
                pass  # what follows says why
        self.network.checked(theta, x)
        return self._forward(self._workspace(FORWARD, len(x), theta.dtype), plain(theta), plain(x), x)

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), laid out as ``theta``, for activations ``a`` as ``forward`` returns them and targets ``y`` (B, n_l).

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked_backward``).
        """
        if type(a) is Activations and a.layer_sizes == self.network.layer_sizes:
            workspace = self._ready(BACKWARD, theta, a[0], y)
            if workspace is not None:
                try:
                    return self._backward(workspace, theta, a[0], a.flat, y)
                except (TypeError, ValueError):
                    pass  # what follows says why
        self.network.checked_backward(theta, a, y)
        workspace = self._workspace(BACKWARD, len(y), theta.dtype)
        return self._backward(workspace, plain(theta), plain(a[0]), packed(workspace, a), plain(y))

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The cost of the batch, summed over rows and outputs, and its gradient (P,)."""
        workspace = self._ready(BOTH, theta, x, y)
        if workspace is not None:
            try:
                return self._step(workspace, theta, x, y)
            except (TypeError, ValueError):
                pass  # what follows says why
        self.network.checked(theta, x, y)
        return self._step(self._workspace(BOTH, len(x), theta.dtype), plain(theta), plain(x), plain(y))

    def _ready(self, what: int, theta: Array, x: Array, y: Array) -> Workspace | None:
        """What a call may go ahead with at once: plain arrays of the dtype compiled for, and a batch size that came before.

        Shapes and order, the passes see to. Dtypes are compared by identity, which other byte orders fail; compiled code would
        take those for the native one.
        """
        if not (
            type(theta) is type(x) is type(y) is ndarray
            and self._dtype is theta.dtype is x.dtype is y.dtype
            and theta.ndim == 1
            and x.ndim == y.ndim == 2
        ):
            return None
        workspace = self._workspaces[what].get(len(x))
        if workspace is not None and workspace.may_be_shared:
            return self._workspace(what, len(x), theta.dtype)
        return workspace

    def _workspace(self, what: int, rows: int, dtype: np.dtype[Any]) -> Workspace:
        """What calls of a kind and batch size run with, and as many threads as there are now; kept for the last few batch sizes."""
        if self._dtype is not dtype:
            for workspaces in self._workspaces.values():
                workspaces.clear()
            self._dtype = None if JIT_DISABLED else np.dtype(dtype.type)  # plain Python refuses nothing
        known = self._workspaces[what]
        may_be_shared = self._threads not in (None, 1) or (self._threads is None and rows * self._n_products >= THREADS_PAY)
        threads = team_of_threads.available(self._threads) if may_be_shared else 1
        workspace = None if JIT_DISABLED else known.get(rows)  # plain Python lets other threads run while it computes
        # Another thread of Python may have changed the dtype, and this one's workspace may have come after that.
        if workspace is None or workspace.threads != threads or workspace.work.dtype is not dtype:
            team = team_of_threads.TEAM
            plan = Plan.of(self.network, rows, dtype.itemsize, threads, what, passes.code_for(dtype), 0 if JIT_DISABLED else team.address)
            a, work = np.zeros(plan.n_activations if what == BOTH else 0, dtype), np.zeros(plan.n_work, dtype)
            run = passes.compiled(threads, dtype)
            workspace = Workspace(run if threads == 1 or JIT_DISABLED else team.joined(run, threads), plan, a, work, threads, may_be_shared)
            if len(known) >= KEPT:
                known.clear()
            known[rows] = workspace
        return workspace

    def _forward(self, workspace: Workspace, theta: Array, x: Array, a_0: Array) -> tuple[Array, ...]:
        plan = workspace.plan
        flat = empty(plan.n_activations, theta.dtype)
        workspace.run(theta, x, x, plan.table, flat, workspace.work, flat)
        a = Activations([a_0, *views(flat, plan)])  # (1)
        a.flat, a.layer_sizes = flat, self.network.layer_sizes
        return a

    def _backward(self, workspace: Workspace, theta: Array, x: Array, flat: Array, y: Array) -> Array:
        dtheta = empty(self._n_parameters, theta.dtype)
        workspace.run(theta, x, y, workspace.plan.table, flat, workspace.work, dtheta)
        return dtheta

    def _step(self, workspace: Workspace, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        dtheta = empty(self._n_parameters, theta.dtype)
        return workspace.run(theta, x, y, workspace.plan.table, workspace.a, workspace.work, dtheta), dtheta


def packed(workspace: Workspace, a: Sequence[Array]) -> Array:
    """Activations made elsewhere, as the passes have them."""
    flat = empty(workspace.plan.n_activations, a[0].dtype)
    for view, a_i in zip(views(flat, workspace.plan), a[1:], strict=True):
        view[:] = a_i
    return flat


def views(flat: Array, plan: Plan) -> list[Array]:
    """a_1 … a_l, (rows, n_i), in the flat array that holds them."""
    return [ndarray(shape, flat.dtype, flat, offset, strides) for shape, offset, strides in plan.layers]


def plain(array: Array) -> Array:
    """The array, or a copy of it, in C order and aligned, as the compiled passes take it."""
    return np.require(array, requirements=("C", "A"))

"""Numba: the whole step in one compiled call on flat arrays; one specialisation for each dtype, whatever the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernels import jit_passes as passes
from kernels.jit_options import JIT_DISABLED
from kernels.network import Array, Network


class Activations(tuple[Array, ...]):
    """What ``forward`` returns: the tuple (x, a_1, …, a_l), whose a_1 … a_l lie one behind the other in ``flat``.

    They are views: whoever writes into one of them writes into ``flat``. A copy (pickle, deepcopy, a slice) is a plain tuple.
    """

    flat: Array
    layer_sizes: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (list(self),)


class NumbaKernel:
    """Compiled loops and BLAS, one thread; float32 and float64.

    Compiled at the first call for a dtype (some seconds), from then on read from the disk. The compiled passes raise
    ``TypeError`` or ``ValueError`` for any type or shape that is not theirs; so a call that looks right tries them at once, and
    only one that fails is looked at argument by argument: to say what is wrong, or to copy what lies in another order.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._layers = passes.layer_table(network)
        self._n_units = sum(network.layer_sizes[1:])
        self._dtype: np.dtype[Any] | None = None  # that of the last call that was looked at one argument at a time; compiled for

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
        flat = np.concatenate([a_i.reshape(-1) for a_i in a[1:]])
        return self._backward(plain(theta), plain(a[0]), flat, plain(y))

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
            type(theta) is type(x) is type(y) is np.ndarray
            and self._dtype is theta.dtype is x.dtype is y.dtype
            and theta.flags.c_contiguous
            and x.flags.c_contiguous
            and y.flags.c_contiguous
        )

    def _prepare(self, dtype: np.dtype[Any]) -> None:
        passes.compile_for(dtype)
        self._dtype = None if JIT_DISABLED else np.dtype(dtype.type)  # plain Python refuses nothing

    def _forward(self, theta: Array, x: Array, a_0: Array) -> tuple[Array, ...]:
        batch_size = len(x)
        flat = np.empty(batch_size * self._n_units, theta.dtype)
        passes.forward(theta, x, self._layers, flat)
        views = [a_0]  # (1)
        start = 0
        for n in self.network.layer_sizes[1:]:
            stop = start + batch_size * n
            views.append(flat[start:stop].reshape(batch_size, n))
            start = stop
        a = Activations(views)
        a.flat, a.layer_sizes = flat, self.network.layer_sizes
        return a

    def _backward(self, theta: Array, x: Array, flat: Array, y: Array) -> Array:
        dtheta = np.empty(len(theta), theta.dtype)
        passes.backward(theta, x, y, self._layers, flat, dtheta)
        return dtheta

    def _step(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        dtheta = np.empty(len(theta), theta.dtype)
        return passes.step(theta, x, y, self._layers, dtheta), dtheta


def plain(array: Array) -> Array:
    """The array, or a copy of it, in C order and aligned, as the compiled passes take it."""
    return np.require(array, requirements=("C", "A"))

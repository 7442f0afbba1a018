"""Numba: the whole step in one compiled call on flat arrays; one specialisation for each dtype, whatever the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernels import jit_passes as passes
from kernels.network import Array, Network


class Activations(tuple[Array, ...]):
    """What ``forward`` returns: the tuple (x, a_1, …, a_l), whose a_1 … a_l lie one behind the other in ``flat``.

    They are views, so whoever writes into one of them writes into ``flat``. A copy of the tuple (pickle, deepcopy, a slice) is a plain one.
    """

    flat: Array

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (list(self),)


class NumbaKernel:
    """Compiled loops and BLAS, one thread; float32 and float64. Compiles once for each dtype, then reads it from disk."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._layers = passes.layer_table(network)
        self._n_units = sum(network.layer_sizes[1:])

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """The activations ``(a[0], …, a[-1])`` for ``theta`` (P,) and ``x`` (B, n_0); ``a[i]`` is (B, n_i), ``a[0]`` is x.

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked``).
        """
        self.network.checked(theta, x)
        passes.compile_for(theta.dtype)
        flat = np.empty(len(x) * self._n_units, theta.dtype)
        passes.forward(plain(theta), plain(x), self._layers, flat)
        views = []
        start = 0
        for n in self.network.layer_sizes[1:]:
            stop = start + len(x) * n
            views.append(flat[start:stop].reshape(-1, n))
            start = stop
        a = Activations((x, *views))
        a.flat = flat
        return a

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), laid out as ``theta``, for activations ``a`` as ``forward`` returns them and targets ``y`` (B, n_l).

        Raises ``TypeError`` and ``ValueError`` that name the argument (``Network.checked_backward``).
        """
        self.network.checked_backward(theta, a, y)
        passes.compile_for(theta.dtype)
        flat = a.flat if type(a) is Activations else np.concatenate([a_i.reshape(-1) for a_i in a[1:]])
        dtheta = np.empty(theta.shape, theta.dtype)
        passes.backward(plain(theta), plain(a[0]), plain(y), self._layers, flat, dtheta)
        return dtheta

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The cost of the batch, summed over rows and outputs, and its gradient (P,)."""
        self.network.checked(theta, x, y)
        passes.compile_for(theta.dtype)
        dtheta = np.empty(theta.shape, theta.dtype)
        cost = passes.step(plain(theta), plain(x), plain(y), self._layers, dtheta)
        return cost, dtheta


def plain(array: Array) -> Array:
    """The array, or a copy of it, in C order and aligned, as the compiled functions take it."""
    return np.require(array, requirements=("C", "A"))

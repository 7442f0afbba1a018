"""Other libraries on the same cells: what a peer is, and which there are."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.kernels import Kernel, KernelLike, Network
from deltacheck.kernels.error_text import one_line
from deltacheck.kernels.network import Array

MODULES = {
    "torch": "deltacheck.bench.peers.torch",
    "jax": "deltacheck.bench.peers.jax",
}  # the option's value, a package -> what is built on it
NO_BACKWARD = "differentiates the whole step, no backward pass of its own"


class Peer(Kernel, ABC):
    """A library's way to do a kernel's work: ``native_calls`` is what is timed; as a kernel it is verified, by those same calls.

    One instance serves a network, so that what is timed is what was verified. Purity and strides are not asked of it.
    """

    @classmethod
    def prepare(cls, threads: int) -> None:
        """Called before an instance is made, for what has to be set by then. Raises ``NotImplementedError`` where it cannot be."""

    @abstractmethod
    def native_calls(self, theta: Array, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
        """A call for each phase that the library has a pass for, on tensors of its own that are made here, outside the clock.

        ``forward`` returns the output, ``backward`` the list dC/dw_0, dC/db_0, dC/dw_1, …, ``step`` the cost and such a list.
        Only ``backward`` may be missing.
        """

    def array(self, tensor: Any) -> Array:
        """A tensor of the library's as a NumPy array, which may share its memory."""
        return np.asarray(tensor)

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """``x`` and the output."""
        y = np.zeros((len(x), self.network.layer_sizes[-1]), x.dtype)
        return x, self.array(self.native_calls(theta, x, y)["forward"]()).copy()

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), by the whole step where the library knows no other way."""
        calls = self.native_calls(theta, a[0], y)
        return self._flat(calls["backward"]()) if "backward" in calls else self._flat(calls["step"]()[1])

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The cost of the batch and its gradient (P,)."""
        cost, gradient = self.native_calls(theta, x, y)["step"]()
        return float(cost), self._flat(gradient)

    def _flat(self, gradient: Sequence[Any]) -> Array:
        return np.concatenate([self.array(tensor).ravel() for tensor in gradient])


def peer_of(kernel_class: Callable[[Network], KernelLike]) -> type[Peer] | None:
    """The class, if it is a peer's."""
    return kernel_class if isinstance(kernel_class, type) and issubclass(kernel_class, Peer) else None


def peers(names: Sequence[str]) -> dict[str, type[Peer]]:
    """The peers that the packages ``names`` bring, by label. Raises ``ValueError`` in one line for an unknown or missing package."""
    found: dict[str, type[Peer]] = {}
    for name in names:
        if name not in MODULES:
            raise ValueError(f"--peer: got {name!r}; expected {' or '.join(MODULES)}")
        if importlib.util.find_spec(name) is None:
            raise ValueError(f"--peer: {name} is not installed; pip install {name}, or deltacheck with its peers extra")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found |= importlib.import_module(MODULES[name]).PEERS
        except (Exception, SystemExit) as error:
            raise ValueError(f"--peer: importing {name} failed: {one_line(error)}") from error
    return found

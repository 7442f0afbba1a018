"""What a kernel is: the interface, and a class to inherit from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from deltacheck.kernels.network import Array, Network


@runtime_checkable
class KernelLike(Protocol):
    """The least a kernel is: built from a network, a forward and a backward pass.

    Pure: inputs are never modified, results belong to the caller, the same inputs give the same bits.
    """

    def forward(self, theta: Array, x: Array) -> Sequence[Array]:
        """The activations for ``theta`` (P,) and ``x`` (B, n_0); the last of them is the output (B, n_l)."""
        ...

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient (P,), laid out as ``theta``, from what ``forward`` returned and the targets ``y`` (B, n_l)."""
        ...


class Kernel:
    """A convenience to inherit from: keeps the network and makes ``value_and_grad`` out of ``forward`` and ``backward``."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def forward(self, theta: Array, x: Array) -> Sequence[Array]:
        """See ``KernelLike.forward``."""
        raise TypeError(f"{type(self).__name__} defines no forward(theta, x)")

    def backward(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """See ``KernelLike.backward``."""
        raise TypeError(f"{type(self).__name__} defines no backward(theta, a, y)")

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        """The cost of the batch, a float, and its gradient (P,)."""
        a = self.forward(theta, x)
        return self.network.cost_of(a[-1], y), self.backward(theta, a, y)


def value_and_grad_of(kernel: KernelLike, network: Network) -> Callable[[Array, Array, Array], tuple[Any, Array]]:
    """The kernel's own ``value_and_grad``, or one made of its two passes: it is the optional part of a kernel."""
    own = getattr(kernel, "value_and_grad", None)
    if callable(own):
        return own  # type: ignore[no-any-return]

    def made(theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        a = kernel.forward(theta, x)
        return network.cost_of(a[-1], y), kernel.backward(theta, a, y)

    return made


KernelClass = Callable[[Network], KernelLike]

"""Other calls before and between those that are judged: whatever a kernel keeps of them, its next results show.

``EARLIER`` come before all; ``BETWEEN``, after the forward pass and before the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import KernelLike, Network
from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.judging.calls import ContractError, made, other_dtype, passes, quiet, valued
from deltacheck.verify.judging.layouts import LaidOut
from deltacheck.verify.judging.same_digits import same_digits

Array = NDArray[Any]
Arrays = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Scene:
    """What is to be judged, and the arrays in memory that it is to be judged with; the instance is made when it is first called."""

    kernel_class: KernelClass
    network: Network
    inputs: tuple[LaidOut, LaidOut, LaidOut]

    @cached_property
    def kernel(self) -> KernelLike:
        """The instance that is judged."""
        return made(self.kernel_class, self.network)

    @property
    def arrays(self) -> Arrays:
        """``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l)."""
        theta, x, y = (laid_out.array for laid_out in self.inputs)
        return theta, x, y


OtherCall = Callable[[Scene], None]
Change = Callable[[Array, Array, Array], Arrays]

NONE = "nothing"
ANOTHER = {"sigmoid": "tanh", "tanh": "relu", "relu": "sigmoid", "identity": "sigmoid"}  # activation for each; softmax stays


def _none(scene: Scene) -> None:
    """A new instance."""


def _halved(array: Array) -> Array:
    return np.asarray(array * array.dtype.type(0.5))


def _rows(count: Callable[[int], int]) -> Change:
    def change(theta: Array, x: Array, y: Array) -> Arrays:
        at = np.arange(count(len(x))) % len(x)
        return theta, x[at], y[at]

    return change


def _turned(theta: Array, x: Array, y: Array) -> Arrays:
    return theta[::-1].copy(), np.roll(x, 1, axis=0), np.roll(y, 1, axis=1)


CHANGES: dict[str, Change] = {
    "other rows": lambda theta, x, y: (theta.copy(), np.roll(x, 1, axis=0), np.roll(y, 1, axis=1)),
    "another theta": lambda theta, x, y: (theta[::-1].copy(), x, y),
    "another x": lambda theta, x, y: (theta, _halved(x), y),
    "another y": lambda theta, x, y: (theta, x, _halved(y)),
    "more rows": _rows(lambda n: 2 * n + 1),
    "fewer rows": _rows(lambda n: (n + 1) // 2),
    "one row": _rows(lambda n: 1),
}


def _everything(change: Change) -> OtherCall:
    """All methods with other data, some of it the same objects. A number of rows that is refused is no violation here."""

    def call(scene: Scene) -> None:
        arrays = change(*scene.arrays)
        try:
            passes(scene.kernel, scene.network, *arrays)
        except NotImplementedError:
            if len(arrays[1]) == len(scene.arrays[1]):
                raise

    return call


def _forward(change: Change) -> OtherCall:
    """A forward pass of other data."""

    def call(scene: Scene) -> None:
        theta, x, _ = change(*scene.arrays)
        with quiet(), suppress(NotImplementedError):
            scene.kernel.forward(theta, x)

    return call


def _refilled(scene: Scene) -> None:
    """A call with the very same arrays, holding other numbers then."""
    kept = [laid_out.numbers.copy() for laid_out in scene.inputs]
    for laid_out in scene.inputs:
        laid_out.numbers[...] *= laid_out.numbers.dtype.type(0.5)
    try:
        passes(scene.kernel, scene.network, *scene.arrays)
    finally:
        for laid_out, numbers in zip(scene.inputs, kept, strict=True):
            laid_out.numbers[...] = numbers


def _other_dtype(scene: Scene) -> None:
    """A call in the other dtype, which may be refused."""
    other = other_dtype(scene.arrays[0].dtype)
    with suppress(NotImplementedError, ContractError):  # whether it is right there is asked elsewhere
        passes(scene.kernel, scene.network, *(np.nan_to_num(array.astype(other)) for array in scene.arrays))


def _mistaken(scene: Scene) -> None:
    """A call with another theta, then calls that raise: without an x, and without a y."""
    theta, x, _ = scene.arrays
    _everything(CHANGES["another theta"])(scene)
    with quiet():
        with suppress(Exception):
            scene.kernel.forward(theta, None)  # type: ignore[arg-type]
        with suppress(Exception):
            scene.kernel.backward(theta, scene.kernel.forward(theta, x), None)  # type: ignore[arg-type]


def _another_instance(scene: Scene) -> None:
    """Another instance at work with other data."""
    passes(made(scene.kernel_class, scene.network), scene.network, *_turned(*scene.arrays))


def _another_network(other: Callable[[Network], Network]) -> OtherCall:
    """An instance for another network at work, which it may refuse, before the one that is judged is made and after it."""

    def work(scene: Scene, network: Network) -> None:
        theta, x, y = scene.arrays
        with suppress(NotImplementedError, ContractError):  # whether it is right there is asked elsewhere
            kernel = made(scene.kernel_class, network)
            passes(kernel, network, network.initial(np.random.default_rng(0), theta.dtype), x, y)

    def call(scene: Scene) -> None:
        network = other(scene.network)
        work(scene, network)
        _ = scene.kernel
        work(scene, network)

    return call


def _reversed(network: Network) -> Network:
    """Hidden layers in the other order: the same ends, and where these are alike the same number of parameters."""
    first, *hidden, last = network.layer_sizes
    *activations, output = network.activations
    return Network((first, *hidden[::-1], last), (*activations[::-1], output), network.cost)


def _other_activations(network: Network) -> Network:
    return Network(network.layer_sizes, tuple(ANOTHER.get(name, name) for name in network.activations), network.cost)


def _other_activation_inside(network: Network) -> Network:
    """Another activation in the middle of the network alone."""
    activations = list(network.activations)
    at = (len(activations) - 1) // 2
    activations[at] = ANOTHER.get(activations[at], activations[at])
    return Network(network.layer_sizes, tuple(activations), network.cost)


def _other_cost(network: Network) -> Network:
    """The other cost, with the output activation that goes with it."""
    if network.cost == "cross_entropy":
        return Network(network.layer_sizes, (*network.activations[:-1], "sigmoid"))
    return Network(network.layer_sizes, network.activations, "cross_entropy")


def _same_digits(scene: Scene) -> None:
    """Instances for networks whose sizes, written one after the other, are the same digits: as 1-12-3 and 11-2-3 are."""
    theta, x, y = scene.arrays

    def work() -> None:
        for network, batch in same_digits(scene.network, len(x)):
            shapes = ((batch, network.layer_sizes[0]), (batch, network.layer_sizes[-1]))
            other_x, other_y = (np.resize(array, shape) for array, shape in zip((x, y), shapes, strict=True))
            with suppress(NotImplementedError, ContractError):  # whether it is right there is asked elsewhere
                passes(made(scene.kernel_class, network), network, network.initial(np.random.default_rng(0), theta.dtype), other_x, other_y)

    work()
    _ = scene.kernel
    work()


def _another_instance_forward(scene: Scene) -> None:
    theta, x, _ = _turned(*scene.arrays)
    with quiet():
        made(scene.kernel_class, scene.network).forward(theta, x)


def _value_and_grad(scene: Scene) -> None:
    with quiet():
        valued(scene.kernel, scene.network, *_turned(*scene.arrays))


EARLIER: dict[str, OtherCall] = {
    NONE: _none,
    **{name: _everything(change) for name, change in CHANGES.items()},
    "the same arrays, holding other numbers": _refilled,
    "the other dtype": _other_dtype,
    "arguments that it raises for": _mistaken,
    "another instance": _another_instance,
    "an instance for the hidden layers in reverse": _another_network(_reversed),
    "an instance for other activations": _another_network(_other_activations),
    "an instance for another activation inside": _another_network(_other_activation_inside),
    "an instance for the other cost": _another_network(_other_cost),
    "instances whose sizes are the same digits": _same_digits,
}
BETWEEN: dict[str, OtherCall] = {
    NONE: _none,
    **{f"a forward pass with {name}": _forward(change) for name, change in CHANGES.items() if name != "another y"},
    "value_and_grad with other data": _value_and_grad,
    "a forward pass of another instance": _another_instance_forward,
}

"""What a planted bug of a function is, and the few ways in which many of them are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Cost = Callable[[Array], Any]
Gradient = Callable[[Array], Any]
Functions = tuple[Cost, Gradient, Gradient, Array]  # cost, right gradient, wrong gradient, theta

BY_BEHAVIOUR = ("state", "contract", "not finite")  # kinds whose wrong gradients need not differ in the numbers of a first call


@dataclass(frozen=True)
class PlantedBug:
    """A wrong gradient of one function. ``make`` gives fresh functions each time: some of them keep a state."""

    name: str
    kind: str
    make: Callable[[], Functions]

    def __str__(self) -> str:
        return self.name


def generator(seed: int) -> np.random.Generator:
    """The numbers of one bug."""
    return np.random.default_rng([20, seed])


def changed(gradient: Gradient, at: Any, factor: float) -> Gradient:
    """The gradient with the entries ``at`` multiplied."""

    def wrong(t: Array) -> Array:
        g = np.array(gradient(t))
        g[at] *= factor
        return g

    return wrong

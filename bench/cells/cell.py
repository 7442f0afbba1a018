"""What is timed: the cells of the default grid, their data, and the flops of their passes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from deltacheck.kernels import Network
from deltacheck.kernels.network import Array

PHASES = ("forward", "backward", "step")  # step is value_and_grad
SEED = 0


@dataclass(frozen=True)
class Cell:
    """A network, a batch size, a dtype and a number of threads: what a kernel is verified on, and timed on phase by phase."""

    network: Network
    batch: int
    dtype: str
    threads: int = 1  # of every pool, while a kernel runs

    @classmethod
    def of(cls, layers: str, activation: str, cost: str, batch: int, dtype: str, threads: int = 1) -> Cell:
        """The cell of a table's key columns, or of a test's parameters."""
        names = tuple(activation.split(",")) if "," in activation else activation
        return cls(Network(tuple(map(int, layers.split("-"))), names, cost), batch, dtype, threads)

    @property
    def layers(self) -> str:
        """The layer sizes as tables have them, ``784-128-10``."""
        return "-".join(map(str, self.network.layer_sizes))

    @property
    def activation(self) -> str:
        """One name for all layers, or one for each. The softmax that comes with cross entropy goes without saying."""
        names = self.network.activations
        hidden = names[:-1] if self.network.cost == "cross_entropy" and len(names) > 1 else names
        return hidden[0] if len(set(hidden)) == 1 else ",".join(names)

    @property
    def place(self) -> str:
        """Network and batch, for people: ``784-128-10 x 32``, and what is not the default."""
        unusual = [self.activation] * (self.activation != "sigmoid") + [self.network.cost] * (self.network.cost != "squared_error")
        return " ".join([f"{self.layers} x {self.batch}", *unusual])

    def __str__(self) -> str:
        return f"{self.place} {self.dtype}" + (f" {self.threads} threads" if self.threads != 1 else "")

    @cached_property
    def multiply_adds(self) -> int:
        """B Σ n_i n_{i+1}, those of the forward pass."""
        return self.batch * sum(n_in * n_out for n_in, n_out in pairwise(self.network.layer_sizes))

    def flops(self, phase: str) -> int:
        """Floating-point operations of one call, by the model at the end of the derivation: products only, two flops each."""
        forward = 2 * self.multiply_adds
        n_0, n_1 = self.network.layer_sizes[:2]
        backward = 2 * forward - 2 * self.batch * n_0 * n_1  # nobody asks for dC/dx
        return {"forward": forward, "backward": backward, "step": forward + backward}[phase]

    def data(self) -> tuple[Array, Array, Array]:
        """``theta`` (P,), ``x`` (B, n_0) and ``y`` (B, n_l): the same for a cell in every run, whatever else is selected."""
        sizes = self.network.layer_sizes
        rng = np.random.default_rng([SEED, self.batch, *sizes])
        theta = self.network.initial(rng, self.dtype)
        x = rng.standard_normal((self.batch, sizes[0])).astype(self.dtype)
        if self.network.cost == "cross_entropy":
            y = np.eye(sizes[-1], dtype=self.dtype)[rng.integers(sizes[-1], size=self.batch)]
        else:
            y = rng.random((self.batch, sizes[-1])).astype(self.dtype)
        return theta, x, y

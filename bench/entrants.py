"""Who contends, by names that can be loaded in any process: kernels as they were typed, and packages of peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.contest import NO_CONTENDERS
from bench.peers import peers
from bench.verified import KernelClass
from kernels import load
from kernels.selection import labelled


@dataclass(frozen=True)
class Entrants:
    """``kernels``: names that ``kernels.load`` knows; ``packages``: of peers, ``torch`` or ``jax``."""

    kernels: tuple[str, ...]
    packages: tuple[str, ...] = ()

    def names(self) -> Mapping[str, str]:
        """The name of each kernel, by the label that it has in tests and tables.

        A user's kernel that goes by the name of a peer, of the floor or of the second entry gets another.
        """
        taken = {*NO_CONTENDERS, *peers(self.packages)}
        names: dict[str, str] = {}
        for label, name in labelled(self.kernels).items():
            while label in taken:
                label += "-kernel"
            taken.add(label)
            names[label] = name
        return names

    def labels(self) -> tuple[str, ...]:
        """Kernels first, then peers; nothing of a kernel is loaded."""
        return (*self.names(), *peers(self.packages))

    def load(self) -> dict[str, KernelClass]:
        """The classes by label, kernels first. Raises ``ValueError`` in one line for a name or package that brings none."""
        return {label: load(name) for label, name in self.names().items()} | peers(self.packages)

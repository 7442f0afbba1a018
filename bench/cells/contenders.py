"""Who contends, by names that can be loaded in any process: kernels as they were typed, and packages of peers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from deltacheck.bench.cells.result import NOT_CONTENDERS
from deltacheck.bench.peers.peer import peers
from deltacheck.kernels import load
from deltacheck.kernels.protocol import KernelClass
from deltacheck.suites.selection import labelled


@dataclass(frozen=True)
class Contenders:
    """``kernels``: names that ``kernels.load`` knows; ``packages``: of peers, ``torch`` or ``jax``."""

    kernels: tuple[str, ...]
    packages: tuple[str, ...] = ()

    def names(self) -> Mapping[str, str]:
        """The name of each kernel, by the label that it has in tests and tables.

        A user's kernel that goes by the name of a peer, of the floor or of the second entry gets another.
        """
        taken = {*NOT_CONTENDERS, *peers(self.packages)}
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


def aa_kernel(timed: Collection[str], baseline: str | None) -> str | None:
    """Who is entered twice: the baseline, or where it has no time the first that has one."""
    return baseline if baseline in timed else next(iter(timed), None)

"""The verdict of verify/ on the kernels of a cell, as the benchmarks need it: quick, and the same reference for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from deltacheck.bench.cells.cell import Cell
from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify import Reference, judge, reference

EFFORT = 0.005  # of what verify/ itself spends on a reference: a second or two for the largest default cells
CONTRACT_UP_TO = 150_000  # multiply-adds; purity, strides and the order of samples ask for twenty calls and three references more


@dataclass(frozen=True)
class Verdict:
    """``verdict``: pass, fail or inconclusive; ``message``: one line, empty when it passes."""

    verdict: str
    max_rel_error: float
    message: str


class Judge:
    """Judges kernels at a cell's own data. The reference is made when the first of them is judged."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._against: Reference | None = None

    def __call__(self, kernel_class: KernelClass, contract: bool = True) -> Verdict:
        """Is it right here? ``contract``: whether purity and strides are asked too, in small cells.

        Lets ``NotImplementedError`` through; whatever else the kernel raises is a failure (``deltacheck.verify.judge``).
        """
        data = self.cell.data()
        if self._against is None:
            self._against = reference(self.cell.network, *data, budget=EFFORT)
        contract = contract and self.cell.multiply_adds <= CONTRACT_UP_TO
        found = judge(kernel_class, self.cell.network, *data, against=self._against, contract=contract)
        return Verdict(found.verdict, found.max_rel_error, found.message.partition("\n")[0])

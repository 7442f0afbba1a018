"""The processes that kernels are timed in: several, for each has its own luck with where things lie in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.again import AGAIN, twice
from bench.contest import Admitted, Result
from bench.entrants import Entrants
from bench.grid import PHASES, Cell
from bench.measure import LIMIT_S, Budget
from bench.process import LostError, Process
from bench.reach import Reach

USUAL = 5
FIRST = "at its first calls and their verification"
Say = Callable[[str], None]


class Processes:
    """All of them, and the cell in hand: ``admit`` begins with it, ``run`` times a phase of it in one process after the other.

    ``samples``: the file that turns go to, and the run's id. A contender that hangs or dies takes its process with it; another begins,
    and what the others did there in that phase is done anew.
    """

    def __init__(self, entrants: Entrants, count: int, baseline: str | None = None, samples: tuple[Path, str] | None = None) -> None:
        self.count = count
        self.warnings: list[str] = []
        self._entrants = entrants
        self._labels = list(entrants.load())
        self._baseline = baseline
        self._samples = samples
        self._begun = 0
        self._hung: dict[str, str] = {}  # kernel -> where it never came back
        self._slots: dict[int, Process] = {}
        self._cell: Cell | None = None
        self._names: list[str] = []
        self._timing = count
        self._file = samples
        self._budget = Budget()
        self._admitted: dict[str, Admitted] = {}

    def start(self) -> None:
        """Begin with all at once, which takes some seconds. Raises ``RuntimeError`` where that cannot be."""
        self._slots = {slot: self._new() for slot in range(self.count)}
        for process in self._slots.values():
            process.ready(LIMIT_S)

    def close(self) -> None:
        """End them."""
        for process in self._slots.values():
            process.end()
        self._slots = {}

    def tell(self) -> dict[str, Any]:
        """What the first says of its libraries and kernels (``Worker.tell``); nothing where there is none."""
        try:
            return self._slots[0].call("tell", limit_s=LIMIT_S) if 0 in self._slots else {}
        except LostError:
            del self._slots[0]
            return {}

    def admit(
        self,
        cell: Cell,
        names: Collection[str],
        budget: Budget,
        reach: Reach,
        say: Say = lambda text: None,
        verified: bool = True,
        processes: int | None = None,
        kept: bool = True,
    ) -> dict[str, Admitted]:
        """Begin with a cell: which kernels may run there, and are right (``Contest.admit``)? The first process tells.

        ``reach`` learns of step times. ``processes``: in how many its phases will be timed, if not in all; ``kept``: their turns go to
        the file.
        """
        self._cell, self._names, self._admitted = cell, list(names), {}
        self._timing = processes or self.count
        self._file = self._samples if kept else None
        self._budget = budget.shared(self._timing)
        for name in names:
            if name in self._hung:  # what hung once would hang again, for as long
                self._admitted[name] = everywhere("timeout", f"not tried: it hung on {self._hung[name]}")
                continue
            say(f"verifying {name}" if verified else f"trying {name}")
            try:
                process = self._at_cell(0)
                self._admitted[name], learned = process.call("admit", name, reach, verified, limit_s=budget.limit_s)
                process.entered.add(name)
                reach.learn(learned)
            except LostError as lost:
                self._admitted[name] = dict.fromkeys(PHASES, self._blamed(0, lost, name, str(cell), FIRST))
        return self._admitted

    def run(self, phase: str, names: Collection[str]) -> dict[str, Result]:
        """The results of kernels in a phase, the timed ones with their turns, and of the two that take turns with them."""
        results = {name: self._admitted[name][phase] for name in names}
        first = twice(timed(results), self._baseline)
        if first is None:
            return results
        for slot in range(self._timing):
            for name, result in self._share(slot, phase, results).items():
                before = results.get(name, Result("ok"))
                turns = (*before.turns, *result.turns) if result.status == "ok" else ()
                results[name] = replace(before, status=result.status, message=result.message, turns=turns)
        if AGAIN in results and results[first].status != "ok":  # without the first there is no pair
            results[AGAIN] = Result(results[first].status, message=results[first].message)
        return results

    def _share(self, slot: int, phase: str, results: Mapping[str, Result]) -> dict[str, Result]:
        """What one process times of a phase; those fall out that hang there, die or raise."""
        fallen: dict[str, Result] = {}
        first_round = 1 + max((turn.round for result in results.values() for turn in result.turns), default=-1)
        while names := [name for name in timed(results) if name in self._admitted and name not in fallen]:
            length = self._file[0].stat().st_size if self._file else 0
            during = FIRST
            try:
                process = self._at_cell(slot)
                for name in [name for name in names if name not in process.entered]:
                    raised = process.call("enter", name, limit_s=self._budget.limit_s)
                    if raised:
                        self._admitted[name] = everywhere("error", raised)
                        fallen[name] = self._admitted[name][phase]
                    process.entered.add(name)
                during = f"in {phase}"
                entered = [name for name in names if name not in fallen]
                found: dict[str, Result]
                found, warnings = process.call("run", phase, entered, first_round, self._file, limit_s=self._budget.limit_s)
            except LostError as lost:
                if self._file:
                    os.truncate(self._file[0], length)
                name = (twice(names, self._baseline) or "") if lost.name == AGAIN else lost.name
                fallen[name] = self._blamed(slot, lost, name, f"{self._cell} {phase}", during)
                continue
            self.warnings += [warning for warning in warnings if warning not in self.warnings]
            return found | fallen
        return fallen

    def _at_cell(self, slot: int) -> Process:
        """The process of a slot, which has the cell in hand."""
        if slot in self._slots and not self._slots[slot].alive():
            self.warnings.append(f"{self._cell}: a process was gone, and another began in its place")
            self._slots.pop(slot).end()
        if slot not in self._slots:
            self._slots[slot] = self._new()
            self._slots[slot].ready(LIMIT_S)
        process = self._slots[slot]
        if process.cell != self._cell:
            process.call("open", self._cell, self._names, self._budget, self._baseline, limit_s=self._budget.limit_s)
            process.cell, process.entered = self._cell, set()
        return process

    def _new(self) -> Process:
        self._begun += 1
        return Process(self._begun - 1, self._entrants, self._labels)

    def _blamed(self, slot: int, lost: LostError, name: str, where: str, during: str) -> Result:
        """What one gets that took its process with it. Raises ``RuntimeError`` where it was nobody's fault."""
        del self._slots[slot]
        if name not in self._labels:
            raise RuntimeError(f"on {where}, between turns: {lost.said('')}")
        if lost.status == "timeout":
            self._hung[name] = where
            self._admitted[name] = everywhere("timeout", f"not tried: it hung on {where}")
        return Result(lost.status, message=lost.said(during))


def timed(results: Mapping[str, Result]) -> list[str]:
    """Those that have, or may get, turns."""
    return [name for name, result in results.items() if result.status == "ok"]


def everywhere(status: str, message: str) -> Admitted:
    """The same for all phases."""
    return dict.fromkeys(PHASES, Result(status, message=message))

"""The processes that kernels are timed in, one after the other: each has its own luck with where things lie in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.cells.contenders import Contenders, aa_kernel
from deltacheck.bench.cells.result import AA_INSTANCE, Admitted, Result
from deltacheck.bench.cells.time_budget import LIMIT_S, Budget
from deltacheck.bench.processes.child_process import LostError, Process
from deltacheck.bench.timing.step_time_estimates import StepTimes

TELL_S = 10.0
FIRST = "at its first calls and their verification"
Say = Callable[[str], None]


class Processes:
    """One at a time: ``admit`` lets kernels try at a cell, ``time`` times a phase of it, ``renew`` has the next process go on.

    ``samples``: the file that turns go to, and the run's id, once there is one. A contender that hangs or dies takes its process with
    it; another begins, and what the others did there in that phase is done anew.
    """

    def __init__(self, contenders: Contenders, baseline: str | None = None) -> None:
        self.samples: tuple[Path, str] | None = None
        self.warnings: list[str] = []
        self._contenders = contenders
        self._labels = contenders.labels()
        self._baseline = baseline
        self._begun = 0
        self._process: Process | None = None
        self._silent = False
        self._hung: dict[str, str] = {}  # kernel -> where it never came back
        self._admitted: dict[Cell, dict[str, Admitted]] = {}

    def start(self) -> Process:
        """Begin with one, which takes some seconds. Raises ``RuntimeError`` where that cannot be."""
        process = self._process = Process(self._begun, self._contenders, self._labels)
        self._begun += 1
        process.ready(LIMIT_S)
        return process

    def renew(self) -> None:
        """End the one there is; another begins when it is needed."""
        if self._process is not None:
            self._process.end()
        self._process = None

    close = renew

    def tell(self) -> dict[str, Any]:
        """What it says of its libraries and kernels (``Worker.tell``); nothing where there is none, or where asking once ended it."""
        if self._process is None or self._silent:
            return {}
        try:
            told: dict[str, Any] = self._process.call("tell", limit_s=TELL_S)
            return told
        except LostError:
            self._process, self._silent = None, True
            return {}

    def admit(
        self, cell: Cell, names: Collection[str], budget: Budget, step_times: StepTimes, say: Say = lambda text: None, verified: bool = True
    ) -> dict[str, Admitted]:
        """Which kernels may run in a cell, and are right (``Contest.admit``)? ``step_times`` learns of step times."""
        admitted = self._admitted[cell] = {}
        for name in names:
            if name in self._hung:
                admitted[name] = dict.fromkeys(PHASES, self._not_again(name))
                continue
            say(f"verifying {name}" if verified else f"trying {name}")
            try:
                process = self._at(cell, names, budget)
                admitted[name], learned = process.call("admit", name, step_times, verified, limit_s=budget.limit_s)
                process.entered.add(name)
                step_times.learn(learned)
            except LostError as lost:
                admitted[name] = dict.fromkeys(PHASES, self._blamed(lost, name, str(cell), FIRST))
        return admitted

    def time(self, cell: Cell, phase: str, results: Mapping[str, Result], budget: Budget, kept: bool = True) -> dict[str, Result]:
        """The results of a phase with the turns that come to them here, and of the two that take turns with its contenders.

        ``kept``: the turns go to the file, too.
        """
        first = aa_kernel(timed(results), self._baseline)
        if first is None:
            return dict(results)
        added = dict(results)
        found = self._share(cell, phase, results, budget, self.samples if kept else None)
        if first not in found:  # then it is the second instance of another
            found.pop(AA_INSTANCE, None)
        for name, result in found.items():
            before = results.get(name, Result("ok"))
            if before.status == "ok":
                turns = (*before.turns, *result.turns) if result.status == "ok" else ()
                added[name] = replace(before, status=result.status, message=result.message, turns=turns)
        if AA_INSTANCE in added and added[first].status != "ok":  # without the first there is no pair
            added[AA_INSTANCE] = Result(added[first].status, message=added[first].message)
        return added

    def _share(
        self, cell: Cell, phase: str, results: Mapping[str, Result], budget: Budget, samples: tuple[Path, str] | None
    ) -> dict[str, Result]:
        """What this process times of a phase; those fall out that hang there, die or raise, or did so in another phase.

        What hung once would hang again, for as long: it is left out, and keeps the turns that it has.
        """
        admitted = self._admitted[cell]
        running = timed(results)
        fallen = {name: self._not_again(name) for name in running if name in self._hung and not results[name].turns}
        first_round = 1 + max((turn.round for result in results.values() for turn in result.turns), default=-1)
        while names := [name for name in running if name in admitted and name not in fallen and name not in self._hung]:
            length = samples[0].stat().st_size if samples else 0
            during = FIRST
            try:
                process = self._at(cell, admitted, budget)
                for name in [name for name in names if name not in process.entered and admitted[name][phase].status == "ok"]:
                    here: Result = process.call("enter", name, limit_s=budget.limit_s)
                    process.entered.add(name)
                    if here.status != "ok":
                        admitted[name] = dict.fromkeys(PHASES, here)
                fallen |= {name: admitted[name][phase] for name in names if admitted[name][phase].status != "ok"}
                names = [name for name in names if name not in fallen]
                during = f"in {phase}"
                found: dict[str, Result]
                found, warnings = process.call("run", phase, names, first_round, samples, limit_s=budget.limit_s)
            except BaseException as error:
                if samples:
                    os.truncate(samples[0], length)
                if not isinstance(error, LostError):
                    raise
                name = (aa_kernel(names, self._baseline) or "") if error.name == AA_INSTANCE else error.name
                fallen[name] = self._blamed(error, name, f"{cell} {phase}", during)
                continue
            self.warnings += [warning for warning in warnings if warning not in self.warnings]
            return found | fallen
        return fallen

    def _at(self, cell: Cell, names: Collection[str], budget: Budget) -> Process:
        """The process, which has the cell in hand."""
        if self._process is not None and not self._process.alive():
            self.warnings.append(f"{cell}: a process was gone, and another began in its place")
            self.renew()
        process = self._process or self.start()
        if process.held != (cell, budget):
            try:
                process.call("open", cell, list(names), budget, self._baseline, limit_s=budget.limit_s)
            except LostError:  # the data and kernels of the cell before go, and may take it with them
                process = self.start()
                process.call("open", cell, list(names), budget, self._baseline, limit_s=budget.limit_s)
            process.held, process.entered = (cell, budget), set()
        return process

    def _not_again(self, name: str) -> Result:
        return Result("timeout", message=f"not tried: it hung on {self._hung[name]}")

    def _blamed(self, lost: LostError, name: str, where: str, during: str) -> Result:
        """What one gets that took its process with it. Raises ``RuntimeError`` where it was nobody's fault."""
        self._process = None
        if name not in self._labels:
            raise RuntimeError(f"on {where}, between turns: {lost.said('')}")
        if lost.status == "timeout":
            self._hung[name] = where + lost.detail
        return Result(lost.status, message=lost.said(during))


def timed(results: Mapping[str, Result]) -> list[str]:
    """Those that have, or may get, turns."""
    return [name for name, result in results.items() if result.status == "ok"]

"""A run: cell after cell as the tests ask for them, its tables kept up to date, and ``run.json``."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from deltacheck.bench.cells.cell import SEED, Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.key_columns import Place
from deltacheck.bench.cells.result import Admitted, Result
from deltacheck.bench.cells.run_constants import NONE, RunConstants
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.machine.cpu import others, used
from deltacheck.bench.machine.provenance import commit, machine
from deltacheck.bench.machine.run_warnings import after_run, before_run
from deltacheck.bench.machine.threads import foreseen
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.session.measure_constants import measured_constants
from deltacheck.bench.session.progress import Progress
from deltacheck.bench.statistics.aa_pairs import bands
from deltacheck.bench.tables.rebuild import write_tables
from deltacheck.bench.tables.run_records import outcomes
from deltacheck.bench.tables.summary import Row, contest_rows, in_the_run, write_summary
from deltacheck.bench.timing.samples_file import NAME, begin_samples
from deltacheck.bench.timing.step_time_estimates import StepTimes
from deltacheck.kernels.error_text import one_line

SCHEMA_VERSION = 4
SWEEPS = 5  # through all cells, each in a process of its own
NOTHING_TOLD: dict[str, Any] = {"thread_pools": [], "numba_cpu": None, "numba_threading_layer": None, "kernel_paths": {}}
Plan = dict[Place, list[str]]  # (cell, phase) -> kernels, in the order of the tests


class Run:
    """Measures all cells when the first test asks, and answers from what it has.

    It goes through them in ``sweeps``, each in the next process, with its share of the time: what disturbs the machine for some seconds,
    or slows a process down, hits one share of a cell and not all.

    ``folder``: the run's own, empty. ``plan``: what the tests will ask for; what they did not get to is ``not_run``. ``baseline``: whose
    time speed-ups are over. ``quick``: without first calls in fresh processes. ``processes`` are those of the run, begun, and end with it.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        command: str,
        plan: Plan,
        processes: Processes,
        contenders: Contenders,
        budget: Budget,
        progress: Progress,
        sweeps: int = SWEEPS,
        baseline: str | None = "numpy",
        quick: bool = False,
    ) -> None:
        self.folder = folder
        self.run_id = folder.name
        self.progress = progress
        self.complete = False
        self.results: dict[Place, dict[str, Result]] = {}  # what was finished
        self._plan = plan
        self._processes = processes
        self._contenders = contenders
        self._budget = budget
        self._per_sweep = budget.shared(sweeps)
        self._baseline = baseline
        self._quick = quick
        self._step_times = StepTimes()
        self._to_do = deque((sweep, cell, phase) for sweep in range(sweeps) for cell, phase in plan)
        self._done = 0
        self._sweep, self._last = 0, sweeps - 1
        self._constants: RunConstants | None = None  # taken when the first cell is asked for
        self._admitted: dict[Cell, dict[str, Admitted]] = {}
        threads = sorted({cell.threads for cell, _ in plan})
        self._not_run = {place: dict.fromkeys(names, Result("not_run")) for place, names in plan.items()}
        self._records = {place: outcomes(place, results) for place, results in self._not_run.items()}
        self._rows_of = self._rows_before(NONE)
        self._rows: dict[tuple[Cell, str, str], Row] = {}
        self._about: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "started": now(),
            "ended": None,
            "complete": False,
            "command": command,
            "seed": SEED,
            "threads": threads,
            "processes": sweeps,
            "baseline": baseline,
            "budget": vars(budget) | {"quiet": threads[-1:] > [1]},
            **commit(root),
            **machine(),
            **NOTHING_TOLD,
            **processes.tell(),
            **NONE.told(),
            "warnings": [],
        }
        self.warnings: list[str] = before_run(self._about)
        self._used, self._since = used(), time.monotonic()
        self.warnings += foreseen(threads, self._about["cpu_count_usable"])
        begin_samples(folder / NAME)
        self._bring_up_to_date()
        write_summary(self.folder / "summary.csv", self.rows())

    def result(self, cell: Cell, phase: str, kernel: str) -> Result:
        """The kernel's result in a cell and phase; all are measured the first time."""
        while self._to_do:
            self._measure(*self._to_do.popleft())
        return self.results.get((cell, phase), self._not_run[cell, phase])[kernel]

    def row(self, cell: Cell, phase: str, kernel: str) -> Row:
        """The kernel's row of the summary; what takes the whole run is by what there is so far."""
        return self._rows[cell, phase, kernel]

    def rows(self) -> list[Row]:
        """The summary, row by row, in the order of the tests."""
        return list(self._rows.values())

    def close(self) -> None:
        """Write everything once more, say in run.json that this was the end and whether all was done, and make the page of it."""
        self.complete = self._done == (self._last + 1) * len(self._plan)
        self._processes.close()
        if not self.complete:
            self._catch_up()
        self._about |= {"ended": now(), "complete": self.complete, "load_average_at_end": list(psutil.getloadavg())}
        self._about |= others(self._used, used(), time.monotonic() - self._since)
        self._bring_up_to_date()
        self.warnings += after_run(self._about, bands(self.rows()))
        self.warnings += write_tables(self.folder, self.rows())
        self._write_about()
        try:
            from deltacheck.bench.page import write_page

            write_page(self.folder)
        except Exception as error:  # the times matter more
            self.warnings.append(f"no report.html: {one_line(error)}")
            self._write_about()

    def _measure(self, sweep: int, cell: Cell, phase: str) -> None:
        """A cell and phase in one process."""

        def say(text: str) -> None:
            self.progress.say(f"{cell}, {text}" + f", process {sweep + 1} of {self._last + 1}" * (self._last > 0))

        if sweep != self._sweep:
            self._processes.renew()
            self._sweep = sweep
        if self._constants is None:
            self._constants = self._measured_constants()
        place = cell, phase
        try:
            if cell not in self._admitted:
                self._admitted[cell] = self._processes.admit(cell, kernels_of(self._plan, cell), self._per_sweep, self._step_times, say)
                self.progress.admitted()
            say(f"timing {phase}")
            before = self.results.get(place) or {name: self._admitted[cell][name][phase] for name in self._plan[place]}
            self.results[place] = self._processes.time(cell, phase, before, self._per_sweep)
        except RuntimeError as error:  # nobody's fault that runs here: what there is stays, and the run goes on
            told = str(error).strip().splitlines()[-1]
            self.warnings.append(f"{cell} {phase}: {told}")
            self.results.setdefault(place, dict.fromkeys(self._plan[place], Result("error", message=told)))
        self._records[place] = outcomes(place, self.results[place])
        self._done += 1
        self.warnings += [warning for warning in self._processes.warnings if warning not in self.warnings]
        self._processes.warnings = []
        self.progress.advance()
        ends = not self._to_do or self._to_do[0][1] != cell
        if sweep == 0:
            self._about |= self._processes.tell()
            self._rows_of[place] = self._rows_at(place)
            self._bring_up_to_date()
            if ends:
                write_summary(self.folder / "summary.csv", self.rows())
            if cell.place not in {c.place for s, c, _ in self._to_do if s == 0}:
                self.progress.finished(cell.place)
        elif ends:
            self._write_about()
        if sweep and (not self._to_do or self._to_do[0][0] != sweep):
            self.progress.finished(f"process {sweep + 1} of {self._last + 1}")
        if not self._to_do:
            self._catch_up()

    def _catch_up(self) -> None:
        """The rows by all that was measured: while it goes on they are by the first time through."""
        for place, results in self.results.items():
            self._rows_of[place], self._records[place] = self._rows_at(place), outcomes(place, results)
        self._bring_up_to_date()

    def _rows_at(self, place: Place) -> list[Row]:
        return contest_rows(self.run_id, place, self.results[place], self._constants or NONE, self._baseline)

    def _measured_constants(self) -> RunConstants:
        entered = dict.fromkeys((kernel, cell.dtype) for (cell, _), kernels in self._plan.items() for kernel in kernels)
        cells = [cell for cell, _ in self._plan]
        names = {} if self._quick else self._contenders.names()
        found = measured_constants(cells, entered, names, self._processes, self._budget, self.progress.say)
        self._about |= found.told()
        self._rows_of = self._rows_before(found)
        return found

    def _rows_before(self, constants: RunConstants) -> dict[Place, list[Row]]:
        """The rows of all cells and phases as long as none is measured."""
        return {place: contest_rows(self.run_id, place, of, constants, self._baseline) for place, of in self._not_run.items()}

    def _bring_up_to_date(self) -> None:
        """The rows and run.json, by what is finished."""
        rows = in_the_run([row for rows in self._rows_of.values() for row in rows])
        places = [(place, row["kernel"]) for place, rows in self._rows_of.items() for row in rows]
        self._rows = {(*place, kernel): row for (place, kernel), row in zip(places, rows, strict=True)}
        self._write_about()

    def _write_about(self) -> None:
        self._about["warnings"] = self.warnings
        told = self._about | {"outcomes": [record for records in self._records.values() for record in records]}
        beside = self.folder / "run.json.new"
        beside.write_text(lines_of(told), encoding="utf-8")
        os.replace(beside, self.folder / "run.json")


def kernels_of(plan: Plan, cell: Cell) -> list[str]:
    """Those that are asked for in any phase of a cell."""
    return list(dict.fromkeys(name for (c, _), kernels in plan.items() if c == cell for name in kernels))


def lines_of(about: Mapping[str, Any]) -> str:
    """JSON in which each record of a list stands on a line."""

    def text(value: Any) -> str:
        if isinstance(value, list) and value and all(isinstance(record, dict) for record in value):
            return "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
        return json.dumps(value, indent=2).replace("\n", "\n  ")

    return "{\n  " + ",\n  ".join(f"{json.dumps(name)}: {text(value)}" for name, value in about.items()) + "\n}\n"


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")

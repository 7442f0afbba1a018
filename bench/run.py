"""A run: cell after cell as the tests ask for them, its tables kept up to date, and ``run.json``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.again import bands
from bench.contest import Result
from bench.cpu import load_average, others, used
from bench.doubts import afterwards, beforehand
from bench.entrants import Entrants
from bench.grid import SEED, Cell
from bench.machine import commit, machine
from bench.measure import Budget
from bench.outcomes import outcomes
from bench.processes import Processes
from bench.progress import Progress
from bench.reach import Reach
from bench.report import write_tables
from bench.samples import NAME, Place, begin_samples
from bench.tables import Row, contest_rows, in_the_run, write_summary
from bench.threads import foreseen
from bench.yardsticks import NONE, Yardsticks, yardsticks
from kernels.protocol import one_line

SCHEMA_VERSION = 4
Plan = dict[Place, list[str]]  # (cell, phase) -> kernels, in the order of the tests


class Run:
    """Measures a cell when the first of its tests asks, and answers the others from what it has.

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
        entrants: Entrants,
        budget: Budget,
        progress: Progress,
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
        self._entrants = entrants
        self._budget = budget
        self._baseline = baseline
        self._quick = quick
        self._reach = Reach()
        self._cell: Cell | None = None  # in hand
        self._yardsticks: Yardsticks | None = None  # taken when the first cell is asked for
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
            "processes": processes.count,
            "baseline": baseline,
            "budget": vars(budget) | {"quiet": threads[-1:] > [1]},
            **commit(root),
            **machine(),
            **processes.tell(),
            **NONE.told(),
            "warnings": [],
        }
        self.warnings: list[str] = beforehand(self._about)
        self._used, self._since = used(), time.monotonic()
        self.warnings += foreseen(threads, self._about["cpu_count_usable"])
        begin_samples(folder / NAME)
        self._bring_up_to_date()
        write_summary(self.folder / "summary.csv", self.rows())

    def result(self, cell: Cell, phase: str, kernel: str) -> Result:
        """The kernel's result in a cell and phase; all contenders of the two are timed together, the first time."""
        if (cell, phase) not in self.results:
            self._measure(cell, phase)
        return self.results[cell, phase][kernel]

    def row(self, cell: Cell, phase: str, kernel: str) -> Row:
        """The kernel's row of the summary; what takes the whole run is by what there is so far."""
        return self._rows[cell, phase, kernel]

    def rows(self) -> list[Row]:
        """The summary, row by row, in the order of the tests."""
        return list(self._rows.values())

    def close(self) -> None:
        """Write everything once more, say in run.json that this was the end and whether all was done, and make the page of it."""
        self.complete = len(self.results) == len(self._plan)
        self._processes.close()
        self._about |= {"ended": now(), "complete": self.complete, "load_average_at_end": load_average()}
        self._about |= others(self._used, used(), time.monotonic() - self._since)
        self._bring_up_to_date()
        self.warnings += afterwards(self._about, bands(self.rows()))
        self.warnings += write_tables(self.folder, self.rows())
        self._write_about()
        try:
            from bench.page import write_page

            write_page(self.folder)
        except Exception as error:  # the times matter more
            self.warnings.append(f"no report.html: {one_line(error)}")
            self._write_about()

    def _measure(self, cell: Cell, phase: str) -> None:
        def say(text: str) -> None:
            self.progress.say(f"{cell}, {text}")

        yardsticks = self._yardsticks or self._measured_yardsticks()
        if self._cell != cell:
            self._cell = cell
            names = dict.fromkeys(name for (c, _), kernels in self._plan.items() if c == cell for name in kernels)
            self._processes.admit(cell, names, self._budget, self._reach, say)
        say(f"timing {phase}")
        results = self._processes.run(phase, self._plan[cell, phase])
        rows = contest_rows(self.run_id, (cell, phase), results, yardsticks, self._baseline)
        self.results[cell, phase], self._rows_of[cell, phase] = results, rows
        self._records[cell, phase] = outcomes((cell, phase), results)
        self.warnings += self._processes.warnings
        self._processes.warnings = []
        self._about |= self._processes.tell()
        self._bring_up_to_date()
        self.progress.advance()
        remaining = [c for c, p in self._plan if (c, p) not in self.results]
        if cell not in remaining:
            write_summary(self.folder / "summary.csv", self.rows())
        if cell.place not in [c.place for c in remaining]:
            self.progress.finished(cell.place)

    def _measured_yardsticks(self) -> Yardsticks:
        entered = dict.fromkeys((kernel, cell.dtype) for (cell, _), kernels in self._plan.items() for kernel in kernels)
        cells = [cell for cell, _ in self._plan]
        names = {} if self._quick else self._entrants.names()
        self._yardsticks = yardsticks(cells, entered, names, self._processes, self._budget, self.progress.say)
        self._about |= self._yardsticks.told()
        self._rows_of = self._rows_before(self._yardsticks)
        return self._yardsticks

    def _rows_before(self, yardsticks: Yardsticks) -> dict[Place, list[Row]]:
        """The rows of all cells and phases as long as none is measured."""
        return {place: contest_rows(self.run_id, place, of, yardsticks, self._baseline) for place, of in self._not_run.items()}

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

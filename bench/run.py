"""A run: cell after cell as the tests ask for them, its tables kept up to date, and ``run.json``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.contest import Contest, Result
from bench.floor import FLOOR
from bench.grid import SEED, Cell
from bench.machine import commit, doubts, machine, numba_facts, thread_pools
from bench.measure import Budget
from bench.progress import Progress
from bench.reach import Reach
from bench.scaling import write_or_warn
from bench.tables import SAMPLES, SUMMARY, append, sample_rows, summary_rows, write
from bench.threads import foreseen
from bench.verified import KernelClass
from bench.yardsticks import Yardsticks, yardsticks

SCHEMA_VERSION = 2
Plan = dict[tuple[Cell, str], list[str]]  # (cell, phase) -> kernels, in the order of the tests


class Run:
    """Measures a cell when the first of its tests asks, and answers the others from what it has.

    ``folder``: the run's own, empty. ``plan``: what the tests will ask for; what they did not get to is ``not_run``.
    """

    def __init__(
        self, folder: Path, root: Path, command: str, plan: Plan, kernels: Mapping[str, KernelClass], budget: Budget, progress: Progress
    ) -> None:
        self.folder = folder
        self.run_id = folder.name
        self.progress = progress
        self.complete = False
        self.results: dict[tuple[Cell, str], dict[str, Result]] = {}
        self._plan = plan
        self._kernels = kernels
        self._budget = budget
        self._reach = Reach()
        self._contest: Contest | None = None
        self._yardsticks: Yardsticks | None = None  # taken when the first cell is asked for
        threads = sorted({cell.threads for cell, _ in plan})
        self._rows = {
            key: summary_rows(self.run_id, key[1], key[0], dict.fromkeys(names, Result("not_run"))) for key, names in plan.items()
        }
        self._about: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "started": now(),
            "ended": None,
            "complete": False,
            "command": command,
            "seed": SEED,
            "threads": threads,
            "budget": vars(budget) | {"quiet": threads[-1:] > [1]},
            **commit(root),
            **machine(),
            "thread_pools": thread_pools(),
            "peak_gflops": {},
            "warnings": [],
        }
        self.warnings: list[str] = doubts(self._about["thread_pools"], self._about["cpu_simd"], self._about["environment"])
        self.warnings += foreseen(threads, self._about["cpu_count_usable"])
        self._write()

    def result(self, cell: Cell, phase: str, kernel: str) -> Result:
        """The kernel's result in a cell and phase; all contenders of the two are timed together, the first time."""
        if (cell, phase) not in self.results:
            self._measure(cell, phase)
        return self.results[cell, phase][kernel]

    def row(self, cell: Cell, phase: str, kernel: str) -> dict[str, Any]:
        """The kernel's row of the summary."""
        return next(row for row in self._rows[cell, phase] if row["kernel"] == kernel)

    def rows(self) -> list[dict[str, Any]]:
        """The summary, row by row, in the order of the tests."""
        return [row for rows in self._rows.values() for row in rows]

    def close(self) -> None:
        """Write the tables once more and say in run.json that this was the end, and whether all was done."""
        self.complete = len(self.results) == len(self._plan)
        self.warnings += write_or_warn(self.rows(), self.folder)
        self._about |= {"ended": now(), "complete": self.complete}
        self._write()

    def _measure(self, cell: Cell, phase: str) -> None:
        def say(text: str) -> None:
            self.progress.say(f"{cell}, {text}")

        yardsticks = self._yardsticks or self._measured_yardsticks()
        if self._contest is None or self._contest.cell != cell:
            self._contest = None  # its data go before the next one's come
            names = {name: self._kernels[name] for (c, _), kernels in self._plan.items() if c == cell for name in kernels}
            self._contest = Contest(cell, names, self._budget, self._reach, say)
        say(f"timing {phase}")
        shown = {*self._plan[cell, phase], FLOOR}
        results = {name: result for name, result in self._contest.run(phase).items() if name in shown}
        self._rows[cell, phase] = summary_rows(self.run_id, phase, cell, results, yardsticks)
        append(self.folder / "samples.csv", sample_rows(self.run_id, phase, cell, results), SAMPLES)
        results.pop(FLOOR, None)  # no contender, from here on
        self.results[cell, phase] = results
        self.warnings += self._contest.warnings
        self._contest.warnings = []
        self.progress.done += 1
        remaining = [c for c, p in self._plan if (c, p) not in self.results]
        if cell not in remaining:
            self._contest = None
            self._write()
        if cell.place not in [c.place for c in remaining]:
            self.progress.finished(cell.place)

    def _measured_yardsticks(self) -> Yardsticks:
        entered = {(kernel, cell.dtype): self._kernels[kernel] for (cell, _), kernels in self._plan.items() for kernel in kernels}
        self._yardsticks = yardsticks([cell for cell, _ in self._plan], entered, self.progress.say)
        self._about["peak_gflops"] = self._yardsticks.peaks()
        return self._yardsticks

    def _write(self) -> None:
        write(self.folder / "summary.csv", self.rows(), SUMMARY)
        self._about |= {"thread_pools": thread_pools(), **numba_facts(), "kernel_paths": self._paths(), "warnings": self.warnings}
        beside = self.folder / "run.json.new"
        beside.write_text(json.dumps(self._about, indent=2) + "\n", encoding="utf-8")
        os.replace(beside, self.folder / "run.json")

    def _paths(self) -> dict[str, Any]:
        """By kernel, what those that have ``about()`` say of the ways they take."""
        told = {}
        for kernel, kernel_class in self._kernels.items():
            try:
                said = kernel_class.about()  # type: ignore[attr-defined]
                if isinstance(said, dict):
                    told[kernel] = json.loads(json.dumps(said, default=str))
            except Exception:  # it may have none, or mean something else by the name
                continue
        return told


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")

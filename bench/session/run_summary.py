"""The last words of a run: who was fastest where, what has no time and why, and where the tables lie."""

from __future__ import annotations

import os
from typing import Any

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import NOT_CONTENDERS
from deltacheck.bench.session.run import Run
from deltacheck.bench.statistics.aa_pairs import bands, called_different
from deltacheck.bench.statistics.winners import Ranking, ranking, tally
from deltacheck.bench.tables.summary import Row
from deltacheck.suites.formatting import aligned, counted, percent_text, time_text

ROOM = 4  # kernels that fit on a line; others come in another table


def closing_lines(run: Run) -> list[str]:
    """The closing summary, line by line."""
    rows = run.rows()
    phase = "step" if any(row["phase"] == "step" for row in rows) else rows[-1]["phase"]
    lines = [*who_won(run, phase), *a_by_a(rows)]
    lines += ["", *without_times(rows)] if any(row["status"] != "ok" for row in rows) else []
    lines += ["", *(f"warning: {text}" for text in run.warnings)] if run.warnings else []
    state = "" if run.complete else "INCOMPLETE, "
    folder = os.path.relpath(run.folder)
    page = [f"page to look at: {folder}/report.html"] if (run.folder / "report.html").exists() else []
    return [*lines, "", f"{state}tables: {folder}/ (summary.csv, samples.csv, scaling.csv, crossovers.csv, run.json)", *page]


def who_won(run: Run, phase: str) -> list[str]:
    """A line for each cell: each kernel's median, speed-up and its interval, or ``tie`` where none is told; ``*`` marks the winner."""
    kernels = list(dict.fromkeys(row["kernel"] for row in run.rows()))
    standings = {cell: standing(run, cell, phase) for cell, p in run.results if p == phase}
    told = tally((of.winner, of.n_timed) for of in standings.values())
    lines: list[str] = []
    for some in (kernels[n : n + ROOM] for n in range(0, len(kernels), ROOM)):
        rows = [(str(cell), [entry(run, cell, phase, kernel, of.winner) for kernel in some]) for cell, of in standings.items()]
        lines += ["", *aligned([("cell", some), *rows])]
    name = {"step": "one step (forward and backward)"}.get(phase, f"one {phase} pass")
    baseline = next((row["baseline"] for row in run.rows() if row["baseline"]), None)
    speedup = f", speed-up over {baseline} [its 95 % interval] or tie" if baseline else ""
    counts = ", ".join([*(f"{kernel} {told.wins[kernel]}" for kernel in kernels), *told.others])
    return [f"{name}: median time{speedup}, * the fastest", *lines, "", f"fastest {phase}, by cells: {counts}"]


def standing(run: Run, cell: Cell, phase: str) -> Ranking:
    """The fastest contenders of a cell and phase."""
    return ranking(run.row(cell, phase, kernel) for kernel in run.results[cell, phase] if kernel not in NOT_CONTENDERS)


def entry(run: Run, cell: Cell, phase: str, kernel: str, winner: str | None) -> str:
    """``1.23 ms 4.56x [4.4, 4.7] *``, ``1.23 ms tie``, or the status where there is no time; nothing for one that was not entered."""
    if kernel not in run.results[cell, phase]:
        return ""
    row = run.row(cell, phase, kernel)
    if row["status"] != "ok":
        return str(row["status"])
    return time_text(row["median_s"]) + speedup_text(row) + " *" * (kernel == winner)


def speedup_text(row: Row) -> str:
    """A speed-up with its interval, ``tie``, or nothing where it is over itself or over nobody."""
    if row["tie"] is None:
        return ""
    return " tie" if row["tie"] else f" {row['speedup']:.3g}x [{row['speedup_ci_low']:.3g}, {row['speedup_ci_high']:.3g}]"


def a_by_a(rows: list[Row]) -> list[str]:
    """How many of the pairs of equal kernels seem to differ, and the band, for each number of threads."""
    called = called_different(rows)
    lines = []
    for n, band in bands(rows).items():
        of_n = [differs for place, differs in called.items() if place[0] == n]
        threads = f", {n} threads" * (n != 1)
        lines += [f"A/A{threads}: {sum(of_n)} of {len(of_n)} pairs called different, band {percent_text(band)}"] * bool(of_n)
    return lines


def without_times(rows: list[dict[str, Any]]) -> list[str]:
    """Failures one by one; what was too slow or not reached as a count for each kernel."""
    lines = []
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        if row["status"] != "ok":
            place = str(Cell.of(row["layers"], row["activation"], row["cost"], row["batch"], row["dtype"], row["threads"]))
            cells.setdefault((row["status"], row["kernel"]), {}).setdefault(place, row["message"])
    for (status, kernel), places in cells.items():
        if status in ("too_slow", "unsupported", "not_run"):
            place, message = next(iter(places.items()))
            lines.append(f"{status}: {kernel} in {counted(len(places), 'cell')}, the first {place}" + (f" ({message})" if message else ""))
        else:
            lines += [f"{status}: {kernel} on {place}: {message}" for place, message in places.items()]
    return lines

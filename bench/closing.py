"""The last words of a run: who was fastest where, what has no time and why, and where the tables lie."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from bench.grid import Cell
from bench.run import Run
from bench.tables import paired, ratio_interval

ROOM = 4  # kernels whose intervals fit on a line


def closing_lines(run: Run) -> list[str]:
    """The closing summary, line by line."""
    rows = run.rows()
    phase = "step" if any(row["phase"] == "step" for row in rows) else rows[-1]["phase"]
    lines = who_won(run, phase)
    lines += ["", *without_times(rows)] if any(row["status"] != "ok" for row in rows) else []
    lines += ["", *(f"warning: {text}" for text in run.warnings)] if run.warnings else []
    state = "" if run.complete else "INCOMPLETE, "
    return [*lines, "", f"{state}tables: {os.path.relpath(run.folder)}/ (summary.csv, samples.csv, scaling.csv, crossovers.csv, run.json)"]


def who_won(run: Run, phase: str) -> list[str]:
    """A line for each cell: each kernel's median and speed-up over numpy, and its interval where there is room; ``*`` marks the fastest."""
    kernels = list(dict.fromkeys(row["kernel"] for row in run.rows()))
    lines, wins = [], Counter[str]()
    roomy = len(kernels) <= ROOM
    for (cell, p), results in run.results.items():
        if p != phase:
            continue
        fastest = winner(run, cell, phase)
        wins[fastest or "tie"] += any(result.turns for result in results.values())
        shown = [entry(run.row(cell, phase, kernel), kernel == fastest, roomy) if kernel in results else "" for kernel in kernels]
        lines.append((str(cell), shown))
    name = {"step": "one step (forward and backward)"}.get(phase, f"one {phase} pass")
    title = f"{name}: median time, speed-up over numpy{' [its 95 % interval]' * roomy}, * the fastest"
    table = aligned([("cell", kernels), *lines])
    tally = ", ".join(f"{kernel} {wins[kernel]}" for kernel in kernels) + (f", tied {wins['tie']}" if wins["tie"] else "")
    return [title, "", *table, "", f"fastest {phase}, by cells: {tally}"]


def winner(run: Run, cell: Cell, phase: str) -> str | None:
    """The fastest kernel; None where its paired ratio to the next one may be 1."""
    timed = {name: result for name, result in run.results[cell, phase].items() if result.turns}
    order = sorted(timed, key=lambda name: run.row(cell, phase, name)["median_s"])
    if len(order) < 2:
        return order[0] if order else None
    _, low, _ = ratio_interval(*paired(timed[order[1]], timed[order[0]]))
    return order[0] if low > 1 else None


def entry(row: dict[str, Any], fastest: bool, interval: bool = True) -> str:
    """``1.23 ms 4.56x [4.4, 4.7] *``, or the status where there is no time."""
    if row["status"] != "ok":
        return str(row["status"])
    text = f"{time_text(row['median_s'])}"
    if row["kernel"] != "numpy" and row["speedup_vs_numpy"] == row["speedup_vs_numpy"]:
        text += f" {row['speedup_vs_numpy']:.3g}x" + f" [{row['speedup_ci_low']:.3g}, {row['speedup_ci_high']:.3g}]" * interval
    return text + " *" * fastest


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
            lines.append(f"{status}: {kernel} in {len(places)} cells, the first {place}" + (f" ({message})" if message else ""))
        else:
            lines += [f"{status}: {kernel} on {place}: {message}" for place, message in places.items()]
    return lines


def time_text(seconds: float) -> str:
    """Three digits and a unit."""
    unit, factor = next(((u, f) for u, f in (("s", 1.0), ("ms", 1e3), ("us", 1e6)) if seconds * f >= 1), ("ns", 1e9))
    return f"{seconds * factor:.3g} {unit}"


def aligned(lines: list[tuple[str, list[str]]]) -> list[str]:
    """Columns as wide as their widest entry."""
    cells = [[first, *rest] for first, rest in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]

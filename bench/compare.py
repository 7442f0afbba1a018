"""Did it get slower? Compares two runs row by row, or pairs of runs: ``python -m deltacheck.bench.compare A B``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from deltacheck.bench.comparison.pairs_of_runs import agreed
from deltacheck.bench.comparison.two_runs import COMPARISON, comparison
from deltacheck.bench.tables.csv_files import write
from deltacheck.bench.tables.saved_run import Key, SavedRun, read_run, unlike
from deltacheck.suites.formatting import aligned, time_text

PROG = "python -m deltacheck.bench.compare"
THRESHOLD = 5.0  # percent
VERDICTS = ("lost", "slower", "same", "faster", "new", "gone")  # the worst first
REGRESSIONS = ("lost", "slower")
Rows = Sequence[Mapping[str, Any]]
Pairs = Sequence[tuple[SavedRun, SavedRun]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare runs' folders, print what differs and write comparison.csv.

    Returns the exit status: 1 where a row got slower or lost its time, 0 where none did, 2 where they cannot be compared.
    """
    parser = argparse.ArgumentParser(prog=PROG, description="Compare the times of two runs, cell by cell; or of more, pair by pair.")
    parser.add_argument("a", metavar="A", type=Path, help="the older run's folder")
    parser.add_argument("b", metavar="B", type=Path, help="the newer run's folder, such as results/bench/latest")
    parser.add_argument("more", metavar="A B", type=Path, nargs="*", help="further pairs: what all of them find counts")
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help="the smallest difference that counts, %% (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="print all rows, not only those that differ")
    parser.add_argument("--out", type=Path, help="the table to write (default: comparison.csv in the first B)")
    parser.add_argument("--force", action="store_true", help="compare runs of different machines, threads or schemas all the same")
    given = parser.parse_args(arguments)
    try:
        if not (isfinite(given.threshold) and given.threshold >= 0):
            raise ValueError(f"--threshold: got {given.threshold}, expected a percentage, 0 or more")
        pairs = read_pairs([given.a, given.b, *given.more])
        reasons = {reason: None for a, b in pairs for reason in (*unlike(pairs[0][0], a), *unlike(pairs[0][0], b))}
        if reasons and not given.force:
            raise ValueError(f"A and B are not comparable: {'; '.join(reasons)} (--force compares them all the same)")
        rows = agreed([comparison(a, b, given.threshold / 100, comparable=not reasons) for a, b in pairs])
        if not any(row["verdict"] not in ("new", "gone") for row in rows):
            raise ValueError("A and B have nothing in common: no row of A that has a time is a row that B came to")
        save(*(("--out", given.out) if given.out else ("B", given.b / "comparison.csv")), rows)
    except ValueError as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 2
    *lines, counts = report(pairs, rows, list(reasons), everything=given.all)
    print("\n".join([*lines, f"table: {given.out or given.b / 'comparison.csv'}", counts]))
    return int(any(row["verdict"] in REGRESSIONS for row in rows))


def read_pairs(folders: Sequence[Path]) -> list[tuple[SavedRun, SavedRun]]:
    """The runs, the older and the newer of each pair. Raises ``ValueError`` where one has no partner, or stands twice."""
    if len(folders) % 2:
        raise ValueError(f"A B: got {len(folders)} folders; expected pairs of them, an older and a newer run each")
    runs = [read_run("AB"[n % 2], folder) for n, folder in enumerate(folders)]
    if len(runs) > 2 and len({run.run_id for run in runs}) < len(runs):
        raise ValueError("A B: a run stands there twice; expected runs of their own for each pair")
    return list(zip(runs[::2], runs[1::2], strict=True))


def save(argument: str, out: Path, rows: Rows) -> None:
    """Write the table to ``out``. Raises ``ValueError``, with the name of the argument, where that cannot be done."""
    try:
        write(out, rows, COMPARISON)
    except OSError as error:
        raise ValueError(f"{argument}: {out} cannot be written: {error.strerror or error}") from None


def report(pairs: Pairs, rows: Rows, reasons: Sequence[str], everything: bool = False) -> list[str]:
    """What people read, line by line: the runs, doubts about them, the rows that differ (or all), and how many there are of each."""
    runs = [(name, run) for pair in pairs for name, run in zip("AB", pair, strict=True)]
    lines = [
        f"{name}: {run.run_id}, commit {str(run.about.get('commit'))[:10]}{', changed' * bool(run.about.get('dirty'))}"
        for name, run in runs
    ]
    lines += [f"NOT COMPARABLE: {reason}" for reason in reasons]
    for name, run in runs:
        if not run.about.get("complete"):
            missing = sum(not run.reached(key) for key in run.rows)
            lines.append(f"warning: {name} is incomplete, {missing} of its {len(run.rows)} rows were not measured; the others are compared")
    shown = [row for row in rows if everything or row["verdict"] in ("lost", "slower", "faster")]
    if shown:
        heading = ["kernel", "cell", "A", "B", "B/A [95 %]", "drift", "B/A without drift [95 %]"]
        lines += ["", *aligned([("verdict", heading), *map(entry, sorted(shown, key=badness))]), ""]
    if not everything:
        lines += only_in_one(rows)
    lines += rules([row for row in rows if row["drift_from"]], len(pairs))
    counts = Counter(row["verdict"] for row in rows)
    return [*lines, ", ".join(f"{verdict} {counts[verdict]}" for verdict in VERDICTS if counts[verdict])]


def rules(rows: Rows, n_pairs: int) -> list[str]:
    """What counts as a difference, of rows that have a ratio."""
    if not rows:
        return []
    least, middle, most = np.quantile([100 * row["noise"] for row in rows], [0.0, 0.5, 1.0])
    lines = [
        f"counted is what differs by {100 * rows[0]['threshold']:g} % or more, and by more than the noise of its row: {least:.1f} % at"
    ]
    lines.append(
        f"the least, {middle:.1f} % in the middle, {most:.0f} % at the most" + f"; and by all of the {n_pairs} pairs" * (n_pairs > 1)
    )
    alone = n_pairs == 1 and any(min(row["n_processes_a"], row["n_processes_b"]) < 2 for row in rows)
    if alone and any(row["verdict"] in ("slower", "faster") for row in rows):
        lines.append("runs in one process do not tell a change from what differs between any two of them: measure both with --processes 5")
    return lines


def badness(row: Mapping[str, Any]) -> tuple[int, float]:
    """Sorts the worst first: what lost its time, then by the ratio, then what only one run has."""
    if not row["drift_from"]:
        return {"lost": 0, "new": 2, "gone": 3}[row["verdict"]], 0.0
    return 1, -row["corrected_ratio"]


def entry(row: Mapping[str, Any]) -> tuple[str, list[str]]:
    """A row of the printed table."""
    times = [time_text(row[f"median_{x}_s"]) if row[f"median_{x}_s"] > 0 else str(row[f"status_{x}"]) for x in "ab"]
    ratios = ["", "", row["message"]]
    if row["drift_from"]:
        ratios = [
            f"{row['ratio']:.3f} [{row['ratio_ci_low']:.3f}, {row['ratio_ci_high']:.3f}]",
            f"{row['drift']:.3f}" + f" ({row['drift_from']})" * (row["drift_from"] != "cell"),
            f"{row['corrected_ratio']:.3f} [{row['corrected_ci_low']:.3f}, {row['corrected_ci_high']:.3f}]",
        ]
    return row["verdict"], [row["kernel"], place(row), *times, *ratios]


def place(row: Mapping[str, Any]) -> str:
    """``784-128-10 x 32 float64, step``."""
    return f"{Key(*(row[name] for name in Key._fields)).cell}, {row['phase']}"


def only_in_one(rows: Rows) -> list[str]:
    """New and gone rows, a line for each kernel."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["verdict"] in ("new", "gone"):
            found.setdefault((row["verdict"], row["kernel"]), []).append(row)
    return [f"{verdict}: {kernel} in {len(these)} rows, the first {place(these[0])}" for (verdict, kernel), these in found.items()]


if __name__ == "__main__":
    sys.exit(main())

"""samples.csv: every turn at the clock, on its way to the disk as it is taken, and back."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.key_columns import CELL, KEYS, Place, keys
from deltacheck.bench.cells.result import Turn

NAME = "samples.csv"
SAMPLES = [*KEYS, "process", "round", "position", "iterations", "time_s"]


def begin_samples(path: Path) -> None:
    """A new samples.csv, without samples."""
    with path.open("x", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(SAMPLES)


class SamplesFile:
    """A run's samples.csv, to add to. What was added outlives the process; what the file was closed on, the machine's power."""

    def __init__(self, path: Path, run_id: str) -> None:
        self._run_id = run_id
        self._file = path.open("a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")

    def add(self, cell: Cell, phase: str, turns: Mapping[str, Turn]) -> None:
        """A row for each turn of a round, by kernel."""
        for kernel, turn in turns.items():
            named = keys(self._run_id, kernel, phase, cell).values()
            self._writer.writerow([*named, turn.process, turn.round, turn.position, turn.iterations, turn.seconds])
        self._file.flush()

    def close(self) -> None:
        """No more will come; see them to the disk, before anything says that they are all there."""
        os.fsync(self._file.fileno())
        self._file.close()


def read_samples(path: Path) -> dict[Place, dict[str, list[Turn]]]:
    """The turns of each kernel, by cell and phase, in the order in which they were taken; what a killed run left of a line is no turn.

    Raises ``OSError``, and ``ValueError`` in one line where the file is none of a run's.
    """
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    rows = csv.DictReader(io.StringIO(whole, newline=""))
    if rows.fieldnames is None:
        return {}
    missing = [name for name in SAMPLES if name not in rows.fieldnames and name != "process"]  # older runs were in one
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}")
    cell_of = cache(lambda *names: Cell.of(names[0], names[1], names[2], int(names[3]), names[4], int(names[5])))
    found: dict[Place, dict[str, list[Turn]]] = {}
    for row in rows:
        try:
            turn = Turn(int(row["round"]), int(row["position"]), int(row["iterations"]), float(row["time_s"]), int(row.get("process", 0)))
            place = cell_of(*(row[name] for name in CELL)), row["phase"]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
        found.setdefault(place, {}).setdefault(row["kernel"], []).append(turn)
    return found

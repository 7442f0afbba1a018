"""A run's medians as series: along the batch size for each network, along the work for each batch size."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isnan
from typing import Any, NamedTuple

import pandas as pd

from deltacheck.bench.cells.cell import Cell

KEYS = ["run_id", "kernel", "phase", "layers", "activation", "cost", "batch", "dtype", "threads"]
TIMES = ["median_s", "ci_low_s", "ci_high_s"]


class Line(NamedTuple):
    """What stays the same along a series, and what does not: ``along`` is ``batch`` (all else fixed) or ``work`` (the network varies)."""

    run_id: str
    phase: str
    layers: str | None  # None along the work
    activation: str
    cost: str
    batch: int | None  # None along the batch size
    dtype: str
    threads: int
    along: str


class Point(NamedTuple):
    """One timed cell of a series: its size (rows, or multiply-adds of a forward pass), the median and its interval (NaN: none) in s."""

    size: int
    median_s: float
    ci_low_s: float
    ci_high_s: float


Series = dict[str, dict[tuple[str, int], Point]]  # kernel -> (layers, batch) -> its point; empty for one that has no times


def series(summary: pd.DataFrame) -> dict[Line, Series]:
    """Every series of a run, in the order of its rows: those along the batch size first. Cells without a time are left out.

    Work is B Σ n n', the multiply-adds of a forward pass. It stands for the width, which networks of mixed widths do not have one of;
    where all widths are equal and the depth is fixed, it goes with the square of the width.

    ``summary``: a run's summary.csv. Raises ``ValueError`` where it is none: columns missing, no rows, a cell or a time that is none,
    or two times for one cell.
    """
    missing = [column for column in (*KEYS, *TIMES) if column not in summary.columns]
    if missing:
        raise ValueError(f"summary: got no column {', '.join(missing)}; expected those of a run's summary.csv")
    if summary.empty:
        raise ValueError("summary: got a table without rows, expected a row for each kernel, cell and phase")
    found: dict[str, dict[Line, Series]] = {"batch": {}, "work": {}}
    for n, row in enumerate(summary.to_dict("records"), 2):  # as the file's lines are counted, its header the first
        try:
            cell, times = _read(row)
        except (TypeError, ValueError) as error:
            raise ValueError(f"summary: line {n} is none of a run's summary.csv: {error}") from None
        kept = {"run_id": row["run_id"], "phase": row["phase"], "activation": row["activation"], "cost": row["cost"]}
        kept |= {"dtype": cell.dtype, "threads": cell.threads}
        for along, size, fixed in (
            ("batch", cell.batch, {"layers": cell.layers, "batch": None}),
            ("work", cell.multiply_adds, {"layers": None, "batch": cell.batch}),
        ):
            points = found[along].setdefault(Line(**kept, **fixed, along=along), {}).setdefault(row["kernel"], {})
            if isnan(times[0]):
                continue
            if (cell.layers, cell.batch) in points:
                raise ValueError(f"summary: line {n} is another time of {row['kernel']} for {cell} {row['phase']}, expected one")
            points[cell.layers, cell.batch] = Point(size, *times)
    return found["batch"] | found["work"]


def _read(row: Mapping[Any, Any]) -> tuple[Cell, tuple[float, float, float]]:
    """The cell of a row, and its times."""
    batch, threads = int(row["batch"]), int(row["threads"])
    if batch < 1:
        raise ValueError(f"batch: got {batch}, expected 1 or more")
    cell = Cell.of(str(row["layers"]), str(row["activation"]), str(row["cost"]), batch, str(row["dtype"]), threads)
    median, low, high = (float(row[column]) for column in TIMES)
    for column, seconds in zip(TIMES, (median, low, high), strict=True):
        if not (isnan(seconds) or 0 < seconds < inf):
            raise ValueError(f"{column}: got {seconds}, expected seconds, more than 0")
    return cell, (median, low, high)

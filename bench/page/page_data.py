"""What the page is made of: a run's tables and run.json, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.bench.cells import key_columns
from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.tables.crossovers import COLUMNS as CROSSOVERS
from deltacheck.bench.tables.saved_run import lacks, table
from deltacheck.bench.tables.scaling_table import SCALING
from deltacheck.kernels.error_text import one_line

CELL = [*key_columns.CELL]  # pandas takes a tuple for one name
TEXTS = ["kernel", "phase", "layers", "activation", "cost", "dtype", "status", "verdict", "baseline", "tie", "message"]
NUMBERS = [
    *("n_params", "batch", "threads", "max_rel_error", "n_samples", "median_s", "ci_low_s", "ci_high_s"),
    *("speedup", "speedup_ci_low", "speedup_ci_high", "over_fastest", "over_fastest_ci_low", "over_fastest_ci_high"),
    *("aa_ratio", "aa_ci_low", "aa_ci_high", "aa_band"),
    *("gflops", "share_of_peak", "floor_s", "share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high"),
    *("backward_over_forward", "backward_over_forward_model", "first_call_s", "cold_first_call_s", "cached_first_call_s"),
    *("dispatch_s", "break_even_calls", "break_even_calls_cached", "peak_bytes"),
]
SIZES = ("exponent", "smallest_size", "largest_size", "crossover", "size_below", "size_above")
FILES = ("summary.csv", "samples.csv", "scaling.csv", "crossovers.csv", "comparison.csv", "run.json")


@dataclass(frozen=True)
class Inputs:
    """``rows``: the summary, with ``work`` (multiply-adds of a forward pass), ``network`` and ``cell`` (names for people) beside it.

    ``scaling``, ``crossovers``: None where the run has none.
    """

    folder: Path
    about: Mapping[str, Any]
    rows: pd.DataFrame
    scaling: pd.DataFrame | None
    crossovers: pd.DataFrame | None
    files: list[str]

    @property
    def kernels(self) -> list[str]:
        """In the order of the table."""
        return list(self.rows["kernel"].unique())

    @property
    def timed(self) -> list[str]:
        """The kernels that have a time somewhere."""
        return list(self.rows.loc[self.rows["median_s"].notna(), "kernel"].unique())

    @property
    def phases(self) -> list[str]:
        """Those with a time, the step first: it is what a training loop pays for."""
        timed = set(self.rows.loc[self.rows["median_s"].notna(), "phase"])
        return [phase for phase in reversed(PHASES) if phase in timed]

    @property
    def first_phase(self) -> dict[str, str]:
        """What the filters of a table show at first."""
        return {"phase": self.phases[0]} if self.phases else {}

    @property
    def baseline(self) -> str:
        """What speed-ups are over; empty where it has no time anywhere."""
        return next(iter(self.rows.loc[self.rows["baseline"] != "", "baseline"]), "")


def read(folder: Path) -> Inputs:
    """A run's folder. Raises ``ValueError`` in one line where summary.csv or run.json is missing or is not what a run writes."""
    file = "run.json"
    try:
        about = json.loads((folder / file).read_text(encoding="utf-8"))
        if not isinstance(about, dict):
            raise ValueError("no object")
        file = "summary.csv"
        rows = _named(_texts(table(folder / file, TEXTS + NUMBERS, NUMBERS), TEXTS))
        file = "scaling.csv"
        scaling = _optional(folder / file, SCALING)
        file = "crossovers.csv"
        crossovers = _optional(folder / file, CROSSOVERS)
    except FileNotFoundError:
        raise ValueError(f"folder: {lacks(folder, file)}") from None
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"folder: {folder / file} cannot be read: {one_line(error)}") from None
    return Inputs(folder, about, rows, scaling, crossovers, [name for name in FILES if (folder / name).is_file()])


def _texts(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Texts without characters that no page can hold; "" where there is none."""
    clean = {name: rows[name].fillna("").map(lambda text: "".join(c if c.isprintable() else "�" for c in text)) for name in columns}
    return rows.assign(**clean)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.astype({"batch": int, "threads": int, "n_params": int})
    cells = {key: Cell.of(*key) for key in dict.fromkeys(rows[CELL].itertuples(index=False, name=None))}
    mine = [cells[key] for key in rows[CELL].itertuples(index=False, name=None)]
    return rows.assign(
        work=np.array([cell.multiply_adds for cell in mine], dtype=float),
        place=[cell.place for cell in mine],
        cell=[str(cell) for cell in mine],
        network=[cell.place.replace(f" x {cell.batch}", "", 1) for cell in mine],
    )


def _optional(path: Path, columns: list[str]) -> pd.DataFrame | None:
    """A table that a run may have failed to make."""
    if not path.is_file():
        return None
    numbers = [name for name in columns if name.endswith(("_low", "_high", "_sd", "_squared")) or name in (*SIZES, "n_sizes")]
    numbers += ["batch", "threads"]
    rows = table(path, columns, numbers)
    return _texts(rows, [name for name in columns if name not in numbers])

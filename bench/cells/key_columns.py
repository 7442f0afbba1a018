"""The key columns that every table of a run begins with."""

from __future__ import annotations

from typing import Any

from deltacheck.bench.cells.cell import Cell

KEYS = ["run_id", "kernel", "phase", "layers", "activation", "cost", "n_params", "batch", "dtype", "threads"]


CELL = ("layers", "activation", "cost", "batch", "dtype", "threads")  # what Cell.of makes a cell of


Place = tuple[Cell, str]  # a cell and a phase: who is timed there takes turns


def keys(run_id: str, kernel: str, phase: str, cell: Cell) -> dict[str, Any]:
    """The columns that name a row."""
    return {
        "run_id": run_id,
        "kernel": kernel,
        "phase": phase,
        "layers": cell.layers,
        "activation": cell.activation,
        "cost": cell.network.cost,
        "n_params": cell.network.n_parameters,
        "batch": cell.batch,
        "dtype": cell.dtype,
        "threads": cell.threads,
    }

"""The closing table stays readable with as many contenders as there are."""

from __future__ import annotations

from typing import Any

import pytest

from bench.closing import ROOM, who_won
from bench.contest import Result
from bench.grid import Cell
from bench.measure import Turn
from bench.tables import summary_rows

NAMES = ("numpy", "naive", "numba", "torch-autograd", "torch-by-hand", "torch-compile", "jax")


class FakeRun:
    """Cells whose contenders take 1, 2, 3 … ms."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.results: dict[tuple[Cell, str], dict[str, Result]] = {}
        self._rows: dict[tuple[Cell, str], list[dict[str, Any]]] = {}
        for threads in (1, 2):
            cell = Cell.of("256-256-256-256", "sigmoid", "squared_error", 1024, "float32", threads)
            results = {
                name: Result("ok", "pass", turns=tuple(Turn(i, 0, 1, 1e-3 * (n + 1)) for i in range(7))) for n, name in enumerate(names)
            }
            self.results[cell, "step"] = results
            self._rows[cell, "step"] = summary_rows("run", "step", cell, results)

    def rows(self) -> list[dict[str, Any]]:
        return [row for rows in self._rows.values() for row in rows]

    def row(self, cell: Cell, phase: str, kernel: str) -> dict[str, Any]:
        return next(row for row in self._rows[cell, phase] if row["kernel"] == kernel)


@pytest.mark.parametrize("names", [NAMES, NAMES[:ROOM]])
def test_a_line_for_each_cell_no_wider_than_a_wide_terminal(names: tuple[str, ...]) -> None:
    lines = who_won(FakeRun(names), "step")  # type: ignore[arg-type]
    assert max(map(len, lines)) <= 160
    assert [name in lines[2] for name in names] == [True] * len(names)
    one, two = lines[3:5]
    assert one.startswith("256-256-256-256 x 1024 float32  ")
    assert two.startswith("256-256-256-256 x 1024 float32 2 threads")
    assert "1 ms *" in one
    assert ("2 ms 0.5x [0.5, 0.5]" in one) == (len(names) <= ROOM)  # intervals where there is room
    assert ("its 95 % interval" in lines[0]) == (len(names) <= ROOM)
    assert lines[-1] == f"fastest step, by cells: numpy 2, {', '.join(f'{name} 0' for name in names[1:])}"

"""The benchmarks' own options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deltacheck.bench.cells.grid import BATCHES, DTYPES, LAYERS
from deltacheck.bench.cells.result import AA_INSTANCE, FLOOR
from deltacheck.bench.cells.time_budget import usual_limit
from deltacheck.bench.peers.peer import Peer
from deltacheck.bench.session.options import Options
from deltacheck.suites.selection import Selection


def test_the_default_grid_stays_what_it_is() -> None:
    cells = Options.parse(Selection.parse()).cells
    assert len(cells) == len(LAYERS) * len(BATCHES) * len(DTYPES)
    assert {cell.threads for cell in cells} == {1}


def test_cells_come_beside_the_grid_and_are_crossed_with_the_other_axes() -> None:
    selection = Selection.parse(layers=["2-3-1"], batch=["1"], activation=["tanh", "relu"], dtype=["float32"])
    cells = Options.parse(selection, threads=["1", "2", "2"], cell=["4-5x6", "2-3-1x1"]).cells
    assert [(cell.layers, cell.batch, cell.activation, cell.threads) for cell in cells] == [
        (layers, batch, activation, n) for layers, batch in (("2-3-1", 1), ("4-5", 6)) for activation in ("tanh", "relu") for n in (1, 2)
    ]
    assert len(Options.parse(Selection.parse(dtype=["float32"]), cell=["4-5x6"]).cells) == len(LAYERS) * len(BATCHES) + 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"threads": ["0"]}, "--threads: got '0'; expected a whole number, 1 to 1024"),
        ({"threads": ["x"]}, "--threads: got 'x'; expected a whole number"),
        ({"threads": ["1025"]}, "--threads: got '1025'; expected a whole number"),
        ({"cell": ["2-3-1"]}, "--cell: got '2-3-1'; expected layer sizes, x and a batch size, such as 784-128-10x256"),
        ({"cell": ["2-3-1x0"]}, "--cell: got '2-3-1x0'"),
        ({"cell": ["2x3"]}, "--cell: got '2x3'"),
        ({"baseline": "jax"}, "--baseline: got 'jax'; expected one of the run's kernels: naive, numpy, numba$"),
        *(
            ({"cell_limit": text}, f"--cell-limit: got '{text}'; expected a number of seconds")
            for text in ("0", "-1", "nan", "inf", "soon")
        ),
        *(({"processes": text}, f"--processes: got '{text}'; expected a whole number, 1 to 64") for text in ("0", "65", "two")),
        ({"peer": ["tensorflow"]}, "--peer: got 'tensorflow'; expected torch or jax"),
    ],
)
def test_wrong_options_are_said_in_a_line(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}"):
        Options.parse(Selection.parse(), **wrong)


def test_names_for_each_layer_must_fit_the_cells_too() -> None:
    selection = Selection.parse(layers=["2-3-1"], activation=["tanh,relu"])
    with pytest.raises(ValueError, match="--activation: got 2 names; expected one, or 1"):
        Options.parse(selection, cell=["4-5x6"])


def test_the_baseline_is_numpy_where_it_is_there_and_nothing_else_is_said() -> None:
    assert Options.parse(Selection.parse()).baseline == "numpy"
    assert Options.parse(Selection.parse(kernel=["naive", "numba"])).baseline is None
    assert Options.parse(Selection.parse(), baseline="numba").baseline == "numba"


def test_a_kernel_does_not_go_by_the_name_of_a_peer_or_of_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltacheck.bench.cells.contenders.peers", lambda names: dict.fromkeys(names, Peer))
    monkeypatch.setattr("deltacheck.bench.cells.contenders.labelled", lambda names: dict.fromkeys(names, "numpy"))
    selection = replace(Selection.parse(), names=(FLOOR, AA_INSTANCE, "jax", "mine"))
    assert list(Options.parse(selection, peer=["jax"]).labels) == ["floor-kernel", "again-kernel", "jax-kernel", "mine", "jax"]
    assert list(Options.parse(selection).labels) == ["floor-kernel", "again-kernel", "jax", "mine"]


def test_how_long_and_in_how_many_processes() -> None:
    parsed = Options.parse(Selection.parse(), cell_limit="2.5", processes="2")
    assert (parsed.limit_s, parsed.processes) == (2.5, 2)
    assert (Options.parse(Selection.parse()).limit_s, Options.parse(Selection.parse()).processes) == (None, None)
    assert usual_limit(0.5) == 120
    assert usual_limit(10) >= 2 * 20 * 10

"""The floor does the products that the flops are counted by, and allocates nothing."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.machine.blas_products import floor_calls

CELL = Cell.of("7-64-33-5", "sigmoid", "squared_error", 20, "float32")


@pytest.mark.parametrize("phase", PHASES)
def test_its_products_are_those_of_the_model(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    dot = np.dot

    def counting(left: Any, right: Any, out: Any) -> Any:
        counted.append(2 * left.shape[0] * left.shape[1] * right.shape[1])
        assert left.dtype == right.dtype == out.dtype == CELL.dtype
        assert out.flags.c_contiguous
        return dot(left, right, out=out)

    call = floor_calls(CELL)[phase]
    monkeypatch.setattr(np, "dot", counting)
    call()
    assert sum(counted) == CELL.flops(phase)
    assert sum(counted[1:]) != CELL.flops(phase)  # one product less would be seen
    n_layers = len(list(pairwise(CELL.network.layer_sizes)))
    assert len(counted) == {"forward": n_layers, "backward": 2 * n_layers - 1, "step": 3 * n_layers - 1}[phase]


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_allocated(phase: str) -> None:
    call = floor_calls(CELL)[phase]
    call()
    tracemalloc.start()
    try:
        call()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < min(n for n in CELL.network.layer_sizes) * CELL.batch * 4 + 2000

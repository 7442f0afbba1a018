"""The benchmarks: one test for each kernel, cell and phase. Each replays to pytest-benchmark what it took in turns with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.session.pytest_hooks import OPTIONS_OF_RUN
from deltacheck.suites.shared_options import selection_of

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from deltacheck.bench.session.replay import Entry

PARAMETERS = "layers, activation, cost, batch, dtype, threads, phase, kernel"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    selection_of(metafunc.config)
    options = metafunc.config.stash[OPTIONS_OF_RUN]
    values = [
        pytest.param(
            *(cell.layers, cell.activation, cell.network.cost, cell.batch, cell.dtype, cell.threads, phase, kernel),
            id=name_of(cell, phase, kernel),
        )
        for cell in options.cells
        for phase in PHASES
        for kernel in options.labels
    ]
    metafunc.parametrize(PARAMETERS, values)


def name_of(cell: Cell, phase: str, kernel: str) -> str:
    return f"{str(cell).replace(' x ', '-x').replace(' ', '-')}-{phase}-{kernel}"


def test_speed(
    layers: str,
    activation: str,
    cost: str,
    batch: int,
    dtype: str,
    threads: int,
    phase: str,
    kernel: str,
    entry: Entry,
    benchmark: BenchmarkFixture,
) -> None:
    entry.play(benchmark)

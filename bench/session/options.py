"""The options that only the benchmarks have, parsed and checked before anything runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.grid import cells
from deltacheck.suites.selection import Selection, sizes, unique, whole_number

MOST_PROCESSES = 64
MOST_THREADS = 1024  # some libraries start as many as they are told, and end the process where that fails
OPTIONS = {
    "threads": "a number of threads, of every library (default: 1)",
    "peer": "a library on the same cells: torch or jax",
    "cell": "a network and batch size beside the grid, such as 784-128-10x256",
}


@dataclass(frozen=True)
class Options:
    """What is timed: cells, and the kernels and peers that contend in each."""

    cells: tuple[Cell, ...]
    contenders: Contenders
    labels: tuple[str, ...]  # of the contenders in tests and tables
    baseline: str | None  # the contender that speed-ups are over
    limit_s: float | None  # after which one hangs; None: not said
    processes: int | None  # in how many each is timed; None: not said

    @classmethod
    def parse(
        cls,
        selection: Selection,
        threads: Sequence[str] = (),
        peer: Sequence[str] = (),
        cell: Sequence[str] = (),
        baseline: str | None = None,
        cell_limit: str | None = None,
        processes: str | None = None,
    ) -> Options:
        """Options as typed, beside those that both suites share. Raises ``ValueError`` in one line."""
        counts = unique(whole_number(text, "--threads", MOST_THREADS) for text in threads) or (1,)
        beside = unique(_place(text) for text in cell)
        contenders = Contenders(selection.names, unique(peer))
        labels = contenders.labels()
        return cls(
            cells=tuple(cells(selection, counts, beside)),
            contenders=contenders,
            labels=labels,
            baseline=_baseline(baseline, labels),
            limit_s=_limit(cell_limit),
            processes=None if processes is None else whole_number(processes, "--processes", MOST_PROCESSES),
        )


def _place(text: str) -> tuple[tuple[int, ...], int]:
    layers, _, batch = text.rpartition("x")
    try:
        return sizes(layers), whole_number(batch, "--cell")
    except ValueError:
        raise ValueError(f"--cell: got {text!r}; expected layer sizes, x and a batch size, such as 784-128-10x256") from None


def _baseline(name: str | None, labels: Collection[str]) -> str | None:
    """numpy where nothing else is said, and it is there."""
    if name is None:
        return "numpy" if "numpy" in labels else None
    if name not in labels:
        raise ValueError(f"--baseline: got {name!r}; expected one of the run's kernels: {', '.join(labels)}")
    return name


def _limit(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"--cell-limit: got {text!r}; expected a number of seconds, more than 0")
    return seconds

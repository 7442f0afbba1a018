"""The default grid, and the cells that the options select."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deltacheck.bench.cells.cell import Cell
from deltacheck.suites.selection import Selection

LAYERS = ((2, 3, 1), (64, 30, 10), (784, 30, 10), (784, 128, 10), (256, 256, 256, 256), (1024, 1024, 1024))


BATCHES = (1, 32, 256)


DTYPES = ("float32", "float64")


def cells(selection: Selection, threads: Sequence[int] = (1,), beside: Sequence[tuple[tuple[int, ...], int]] = ()) -> list[Cell]:
    """Every combination of the selected axes; an axis that was not selected is the default one.

    ``beside``: layer sizes and batch sizes that come to the grid, each with all activations, costs, dtypes and threads.
    Raises ``ValueError`` in one line where a name for each layer was given and does not fit one of them.
    """
    places = [(network, batch) for network in selection.networks(LAYERS) for batch in selection.batches or BATCHES]
    for layer_sizes, batch in beside:
        places += [(network, batch) for network in replace(selection, layers=(layer_sizes,)).networks(())]
    dtypes = selection.dtypes or DTYPES
    return [Cell(network, batch, dtype, n) for network, batch in dict.fromkeys(places) for dtype in dtypes for n in threads]

"""Several pairs of runs: what counts is what every pair shows, for one process may be slower than the next by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log
from typing import Any

from deltacheck.bench.tables.saved_run import Key

Row = Mapping[str, Any]


def agreed(comparisons: Sequence[Sequence[Row]]) -> list[dict[str, Any]]:
    """One row for all pairs' rows of a kernel, cell and phase: of those that have it, the one with the ratio nearest to 1.

    It keeps its verdict where all pairs have the same; a time that was lost in one is lost; else it is the ``same``. ``n_pairs`` counts
    the pairs that have the row, ``n_slower`` and ``n_faster`` those that find it so.
    """
    found: dict[Key, list[Row]] = {}
    for rows in comparisons:
        for row in rows:
            found.setdefault(Key(*(row[name] for name in Key._fields)), []).append(row)
    return [_agreed(rows) for rows in found.values()]


def _agreed(rows: Sequence[Row]) -> dict[str, Any]:
    verdicts = [row["verdict"] for row in rows]
    lost = [row for row in rows if row["verdict"] == "lost"]
    row: dict[str, Any] = dict(sorted(lost or rows, key=_change)[0])
    if len(set(verdicts)) > 1 and not lost and row["drift_from"]:
        row["verdict"] = "same"
    return row | {"n_pairs": len(rows), "n_slower": verdicts.count("slower"), "n_faster": verdicts.count("faster")}


def _change(row: Row) -> float:
    """How far the ratio is from 1; a row without one comes last."""
    return abs(log(row["corrected_ratio"])) if row["drift_from"] else inf

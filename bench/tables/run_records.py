"""What a run's samples do not say: what came of each kernel in a cell and phase, as records of run.json, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.key_columns import CELL, Place, keys
from deltacheck.bench.cells.result import Result, Turn
from deltacheck.bench.cells.run_constants import nan_for_none, none_for_nan


def outcomes(place: Place, results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """A record for each kernel in a cell and phase, in order; the floor's and the second entry's too."""
    cell, phase = place
    named = {name: value for name, value in keys("", "", phase, cell).items() if name in CELL}
    return [
        {"kernel": kernel, "phase": phase}
        | named
        | {"status": result.status, "verdict": result.verdict, "max_rel_error": none_for_nan(result.max_rel_error)}
        | {"n_samples": len(result.turns), "first_call_s": none_for_nan(result.first_call_s)}
        | {"peak_bytes": result.peak_bytes, "message": result.message}
        for kernel, result in results.items()
    ]


def contests_of(records: Iterable[Mapping[str, Any]], samples: Mapping[Place, Mapping[str, list[Turn]]]) -> dict[Place, dict[str, Result]]:
    """The results that the records were made of, with their turns, the first so many. Others' are of what was not finished, or fell out.

    Raises ``ValueError`` where samples are missing, ``KeyError`` and ``TypeError`` where a record is none.
    """
    found: dict[Place, dict[str, Result]] = {}
    for record in records:
        place = Cell.of(*(record[name] for name in CELL)), record["phase"]
        kernel, counted = record["kernel"], record["n_samples"]
        turns = samples.get(place, {}).get(kernel, [])[:counted]
        if len(turns) != counted:
            raise ValueError(f"samples.csv has {len(turns)} samples of {kernel} on {place[0]}, {place[1]}; expected {counted}")
        found.setdefault(place, {})[kernel] = Result(
            record["status"],
            record["verdict"],
            max_rel_error=nan_for_none(record["max_rel_error"]),
            first_call_s=nan_for_none(record["first_call_s"]),
            peak_bytes=record["peak_bytes"],
            message=record["message"],
            turns=tuple(turns),
        )
    return found

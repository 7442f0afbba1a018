"""Who is the fastest in a cell and phase, and whether that can be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Row = Mapping[Any, Any]  # of a summary


class Podium(NamedTuple):
    """The rows of the fastest and the next (None: there is none), and how many have a time."""

    fastest: Row | None
    next: Row | None
    n_timed: int

    @property
    def winner(self) -> str | None:
        """The fastest kernel; None where the next one's paired ratio to it may lie within the A/A band."""
        if self.fastest is None or self.next is None:
            return str(self.fastest["kernel"]) if self.fastest else None
        return str(self.fastest["kernel"]) if self.next["over_fastest_ci_low"] > 1 + self.fastest["aa_band"] else None


def podium(rows: Iterable[Row]) -> Podium:
    """The first two of the rows of one cell and phase, by their medians."""
    timed = sorted((row for row in rows if row["median_s"] == row["median_s"]), key=lambda row: float(row["median_s"]))
    first, second, *_ = [*timed, None, None]
    return Podium(first, second, len(timed))

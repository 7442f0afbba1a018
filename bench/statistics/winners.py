"""Who is the fastest in a cell and phase, whether that can be told, and who is so how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Row = Mapping[Any, Any]  # of a summary


class Ranking(NamedTuple):
    """The rows of the fastest and the next (None: there is none), and how many have a time."""

    fastest: Row | None
    next: Row | None
    n_timed: int

    @property
    def winner(self) -> str | None:
        """The fastest kernel; None where it is alone, and where the next one's paired ratio to it may lie within the A/A band."""
        if self.fastest is None or self.next is None:
            return None
        return str(self.fastest["kernel"]) if self.next["over_fastest_ci_low"] > 1 + self.fastest["aa_band"] else None


def ranking(rows: Iterable[Row]) -> Ranking:
    """The first two of the rows of one cell and phase, by their medians."""
    timed = sorted((row for row in rows if row["median_s"] == row["median_s"]), key=lambda row: float(row["median_s"]))
    first, second, *_ = [*timed, None, None]
    return Ranking(first, second, len(timed))


class Tally(NamedTuple):
    """Of some cells: how many each kernel has won, how many are ties, and in how many fewer than two have a time: no contest."""

    wins: Counter[str]
    ties: int
    no_contest: int

    @property
    def contests(self) -> int:
        """The cells in which two or more have a time."""
        return self.wins.total() + self.ties

    @property
    def others(self) -> list[str]:
        """What nobody has won: ``tied 3``, ``no contest in 2``; nothing where there is none."""
        return [f"tied {self.ties}"] * bool(self.ties) + [f"no contest in {self.no_contest}"] * bool(self.no_contest)


def tally(cells: Iterable[tuple[str | None, int]]) -> Tally:
    """Count. ``cells``: the winner of each (None or empty: there is none), and how many have a time in it."""
    cells = list(cells)
    contests = [winner for winner, n_timed in cells if n_timed > 1]
    wins = Counter(winner for winner in contests if winner)
    return Tally(wins, len(contests) - wins.total(), len(cells) - len(contests))

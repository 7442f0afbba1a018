"""How long the contenders of a cell may take, and the time limit after which one hangs."""

from __future__ import annotations

from dataclasses import dataclass, replace

LIMIT_S = 120.0  # a library's compiler may need a minute for a cell


@dataclass(frozen=True)
class Budget:
    """How long the contenders of one cell and phase may take, all together (and each that is far slower, beside them)."""

    total_s: float = 1.0  # unless the fewest rounds take longer
    call_limit_s: float = 0.5  # a contender that needs longer for one call is too slow: it takes some 30 of them
    min_rounds: int = 7  # with 5 the 95 % interval of a median does not exist, with 6 it is the whole range
    max_rounds: int = 100
    round_s: float = 1e-3  # a turn lasts at least this long: below it the clock and the loop are in the number
    limit_s: float = LIMIT_S  # a contender that is still at a turn, or at its first calls and their verification, hangs
    quiet: bool = (
        False  # before a turn, wait for other threads to sleep (``timing.idle_threads``), then let it wake its own: one turn uncounted
    )

    def shared(self, processes: int) -> Budget:
        """What each of so many processes may take of it."""
        fewest, most = (-(-rounds // processes) for rounds in (self.min_rounds, self.max_rounds))
        return replace(self, total_s=self.total_s / processes, min_rounds=fewest, max_rounds=most)


def usual_limit(call_limit_s: float) -> float:
    """Two minutes, or longer where calls may take long: enough for first calls and their verification, some 20 calls, twice over."""
    return max(LIMIT_S, 40 * call_limit_s)

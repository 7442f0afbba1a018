"""What comes of a contender in a cell and phase: its samples, or why it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NAN = float("nan")
FLOOR = "floor"  # what the bare matrix products go by among the samples
AA_INSTANCE = "again"  # what the second instance of the kernel that is entered twice goes by
NOT_CONTENDERS = (FLOOR, AA_INSTANCE)  # they take turns, to measure the others by

Call = Callable[[], Any]  # one pass of a contender, its arguments bound
Clock = Callable[[], float]  # seconds; the tests bring their own


@dataclass(frozen=True)
class Turn:
    """One sample: a contender's turn in a round. ``seconds`` is the time of one call, the turn's time by its iterations."""

    round: int
    position: int  # in the order of its round, from 0
    iterations: int
    seconds: float
    process: int = 0  # in which of the run's processes


@dataclass(frozen=True)
class Result:
    """What came of a kernel in a cell and phase. It has turns only where status is ``ok``, and that only with a pass."""

    status: str  # ok, too_slow, unsupported, failed_verification, inconclusive, error, timeout, not_run
    verdict: str = ""  # pass, fail, inconclusive; empty where it was not judged
    max_rel_error: float = NAN
    first_call_s: float = NAN
    peak_bytes: int | None = None  # None where it was not timed, and for peers
    message: str = ""
    turns: tuple[Turn, ...] = ()


Admitted = dict[str, Result]  # by phase: the result before timing

"""The time limit counts the time of one turn, in which the run itself was let on."""

from __future__ import annotations

from typing import Any

import pytest

from deltacheck.bench.processes.time_limit import wait


class Clock:
    """A pipe on which nothing comes, and each look at it takes the next of ``gaps`` in seconds."""

    def __init__(self, gaps: list[float], answers_after: float = float("inf")) -> None:
        self.now, self.gaps, self.answers_after = 0.0, gaps, answers_after

    def poll(self, seconds: float) -> bool:
        if seconds:
            self.now += self.gaps.pop(0)
        return self.now >= self.answers_after


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Any:
    def waited(pipe: Clock, turns: Any = lambda: 0, alive: Any = lambda: True) -> str:
        monkeypatch.setattr("deltacheck.bench.processes.time_limit.time.monotonic", lambda: pipe.now)
        return wait(pipe, turns, alive, 100.0)  # type: ignore[arg-type]

    return waited


def test_time_in_which_the_run_was_halted_does_not_count(waited: Any) -> None:
    pipe = Clock([1.0, 1.0, 3600.0, *[1.0] * 200])
    assert waited(pipe) == "hangs"
    assert pipe.now == pytest.approx(3600 + 98, abs=1)


def test_an_answer_within_the_limit(waited: Any) -> None:
    assert waited(Clock([1.0] * 99, answers_after=99)) == "answered"


def test_each_turn_has_the_whole_limit(waited: Any) -> None:
    pipe = Clock([1.0] * 500, answers_after=400)
    assert waited(pipe, turns=lambda: pipe.now // 90) == "answered"


def test_a_process_that_died(waited: Any) -> None:
    pipe = Clock([1.0] * 500)
    assert waited(pipe, alive=lambda: pipe.now < 5) == "died"
    assert pipe.now == 5

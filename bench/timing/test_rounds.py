"""Turns at the clock, by a clock of the tests' own: no real time is asserted."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pytest

from deltacheck.bench.cells.result import Turn
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.statistics.intervals import ratio_interval
from deltacheck.bench.timing.rounds import MAX_ITERATIONS, calibrate, take_turns

RNG = np.random.default_rng


class FakeTime:
    """A clock that only its kernels move; ``drift`` makes the whole machine slower, call by call."""

    def __init__(self, drift: float = 0.0) -> None:
        self.now = 0.0
        self.pace = 1.0
        self.drift = drift

    def __call__(self) -> float:
        return self.now

    def kernel(self, seconds: float, raises_after: int | None = None) -> Callable[[], None]:
        calls = 0

        def call() -> None:
            nonlocal calls
            calls += 1
            if raises_after is not None and calls > raises_after:
                raise RuntimeError("planted")
            self.pace *= 1 + self.drift
            self.now += seconds * self.pace

        return call


class Unshuffled:
    """The planted fault: a generator that leaves the order as it is."""

    def permutation(self, n: int) -> list[int]:
        return list(range(n))


def fair(turns: dict[str, list[Turn]]) -> bool:
    """As many turns for each, one a round, and nobody always in the same place."""
    rounds = [[turn.round for turn in taken] for taken in turns.values()]
    places = {(turn.round, turn.position) for taken in turns.values() for turn in taken}
    alike = all(r == list(range(len(rounds[0]))) for r in rounds)
    return alike and len(places) == len(rounds[0]) * len(turns) and all(len({t.position for t in taken}) > 1 for taken in turns.values())


def test_turns_are_shuffled_and_balanced() -> None:
    time = FakeTime()
    calls = {"a": time.kernel(1e-3), "b": time.kernel(2e-3), "c": time.kernel(1e-5)}
    turns, fallen = take_turns(calls, Budget(), RNG(0), time)
    assert fair(turns)
    assert not fallen
    again, _ = take_turns(calls, Budget(), RNG(0), time)
    assert [turn.position for turn in again["a"]] == [turn.position for turn in turns["a"]]


def test_an_unshuffled_order_would_be_seen() -> None:
    time = FakeTime()
    turns, _ = take_turns({"a": time.kernel(1e-3), "b": time.kernel(2e-3)}, Budget(), Unshuffled(), time)  # type: ignore[arg-type]
    assert not fair(turns)


@pytest.mark.parametrize("factor", [2.0, 0.5, 1.0])
def test_a_planted_slowness_is_measured_though_the_machine_drifts(factor: float) -> None:
    time = FakeTime(drift=0.01)  # by the end calls take several times as long as at the start
    turns, _ = take_turns({"numpy": time.kernel(2e-3 * factor), "other": time.kernel(2e-3)}, Budget(), RNG(0), time)
    seconds = {name: [turn.seconds for turn in taken] for name, taken in turns.items()}
    ratio, low, high = ratio_interval(seconds["numpy"], seconds["other"])
    assert ratio == pytest.approx(factor, rel=0.02)
    assert low <= ratio <= high
    assert high < 1.05 * factor
    # The same samples one kernel after the other: the drift would pass for a difference.
    assert seconds["numpy"][-1] / seconds["other"][0] > 1.5 * factor


@pytest.mark.parametrize(("seconds", "least"), [(1e-5, 100), (1e-7, 10_000), (0.5, 1)])
def test_a_turn_lasts_long_enough(seconds: float, least: int) -> None:
    time = FakeTime()
    iterations, one = calibrate(time.kernel(seconds), 1e-3, time)
    assert least <= iterations <= max(1, 1.3 * least)
    assert one == pytest.approx(seconds)


def test_a_clock_that_stands_still_ends_calibration() -> None:
    assert calibrate(lambda: None, 1e-3, lambda: 0.0) == (MAX_ITERATIONS, 0.0)


def test_a_call_comes_before_every_turn_and_where_it_is_to_be_quiet_a_wait_and_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    events: list[str] = []

    def wait() -> float:
        events.append("wait")
        clock.now += 2e-3
        return 0.0

    def call(name: str) -> Callable[[], None]:
        kernel = clock.kernel(1e-3)

        def called() -> None:
            events.append(name)
            kernel()

        return called

    monkeypatch.setattr("deltacheck.bench.timing.rounds.wait_until_idle", wait)
    turns, _ = take_turns({"a": call("a"), "b": call("b")}, Budget(quiet=True, max_rounds=7, round_s=2.5e-3), RNG(0), clock)
    assert all(turn.seconds == pytest.approx(1e-3) for taken in turns.values() for turn in taken)  # neither is in the samples
    n = turns["a"][0].iterations
    assert n > 2
    by_turn = [turn.split() for turn in " ".join(events).split("wait ")[1:]]
    assert all(turn in (["a"] * 2 * n, ["b"] * 2 * n) for turn in by_turn[-2 * 7 :])
    events.clear()
    take_turns({"a": call("a")}, Budget(max_rounds=7, round_s=1e-9), RNG(0), clock)
    assert events == ["a", "a"] * (1 + 7)


def test_rounds_follow_the_budget() -> None:
    def n_turns(seconds: float) -> int:
        time = FakeTime()
        return len(take_turns({"a": time.kernel(seconds)}, Budget(), RNG(0), time)[0]["a"])

    assert n_turns(10.0) == Budget().min_rounds
    assert n_turns(0.05) == 10  # each with a call before it
    assert n_turns(1e-6) == Budget().max_rounds


def test_a_far_slower_contender_sits_out_rounds_evenly_spread() -> None:
    time = FakeTime()
    turns, _ = take_turns({"slow": time.kernel(0.2), "quick": time.kernel(1e-3), "other": time.kernel(2e-3)}, Budget(), RNG(0), time)
    assert [len(turns[name]) for name in ("slow", "quick", "other")] == [Budget().min_rounds, 100, 100]
    gaps = {b.round - a.round for a, b in pairwise(turns["slow"])}
    assert gaps <= {14, 15}
    turns, _ = take_turns({"slower": time.kernel(9e-3), "quick": time.kernel(1e-3)}, Budget(), RNG(0), time)
    assert len(turns["slower"]) == len(turns["quick"]) > 40


@pytest.mark.parametrize("after", [0, 5])
def test_what_raises_falls_out_and_the_others_go_on(after: int) -> None:
    time = FakeTime()
    turns, fallen = take_turns({"bad": time.kernel(1e-3, raises_after=after), "good": time.kernel(1e-3)}, Budget(), RNG(0), time)
    assert list(turns) == ["good"]
    assert len(turns["good"]) == Budget().max_rounds
    assert str(fallen["bad"]) == "planted"


def test_each_round_is_handed_over_as_it_ends_outside_the_clock() -> None:
    time = FakeTime()
    rounds: list[Mapping[str, Turn]] = []

    def keep(turns: Mapping[str, Turn]) -> None:
        rounds.append(turns)
        time.now += 1.0

    calls = {"bad": time.kernel(1e-3, raises_after=9), "good": time.kernel(1e-3)}
    turns, _ = take_turns(calls, Budget(), RNG(0), time, keep)
    assert [turns["good"][n] for n in range(100)] == [of["good"] for of in rounds]
    assert [list(of) for of in rounds].count(["good"]) > 90  # what has fallen out is in no round to come
    assert all(turn.seconds == pytest.approx(1e-3) for turn in turns["good"])


def test_all_may_fall_out() -> None:
    turns, fallen = take_turns({"bad": FakeTime().kernel(1.0, raises_after=0)}, Budget(), RNG(0), FakeTime())
    assert turns == {}
    assert list(fallen) == ["bad"]


def test_the_collector_is_off_only_while_samples_are_taken() -> None:
    seen: list[bool] = []
    take_turns({"a": lambda: seen.append(gc.isenabled())}, Budget(max_rounds=7, round_s=1e-9), RNG(0))
    assert not any(seen)
    assert gc.isenabled()

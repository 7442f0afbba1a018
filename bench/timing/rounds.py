"""Contenders take turns at the clock, in shuffled order, round after round, so that drift hits all alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat
from math import ceil

import numpy as np

from deltacheck.bench.cells.result import Call, Clock, Turn
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.timing.idle_threads import wait_until_idle

Keep = Callable[[Mapping[str, "Turn"]], None]  # is given each round's turns as it ends

MAX_ITERATIONS = 100_000
FAR_SLOWER = 10.0  # times the fastest turn
LONG_S = 0.05  # a call that takes longer finds the caches full of others' numbers for a small part of it


def timed(call: Call, iterations: int = 1, clock: Clock = time.perf_counter) -> float:
    """Seconds that so many calls take."""
    times = repeat(None, iterations)
    start = clock()
    for _ in times:
        call()
    return clock() - start


def calibrate(call: Call, round_s: float, clock: Clock = time.perf_counter) -> tuple[int, float]:
    """How many calls make a turn of at least ``round_s`` seconds, and the seconds of one of them."""
    iterations = 1
    while True:
        seconds = timed(call, iterations, clock)
        if seconds >= round_s or iterations >= MAX_ITERATIONS:
            return iterations, seconds / iterations
        # 20 % more than it seems to need, but never more than ten times as many at once: the first calls are slow ones.
        wanted = ceil(1.2 * iterations * round_s / seconds) if seconds > 0 else 10 * iterations
        iterations = min(max(wanted, iterations + 1), 10 * iterations, MAX_ITERATIONS)


def settle(call: Call, iterations: int, each_s: float, budget: Budget) -> None:
    """Before a turn, outside the clock: the caches are full of others' numbers, and its threads may sleep while others' are awake."""
    if budget.quiet:
        wait_until_idle()
    if each_s <= LONG_S:
        timed(call, iterations if budget.quiet else 1)


def take_turns(
    calls: Mapping[str, Call],
    budget: Budget,
    rng: np.random.Generator,
    clock: Clock = time.perf_counter,
    keep: Keep = lambda turns: None,
    at: Callable[[str], None] = lambda name: None,
) -> tuple[dict[str, list[Turn]], dict[str, BaseException]]:
    """Every contender's samples, and what those raised that fell out (they keep no samples).

    ``rng`` shuffles the order of each round. All take part in every round, but for the far slower: those sit out most
    of them, evenly spread, lest the others get as few samples as they do. ``keep`` is called between rounds, ``at`` before each turn
    with whose it is, both outside the clock.
    """
    fallen: dict[str, BaseException] = {}
    iterations: dict[str, int] = {}
    each_s: dict[str, float] = {}
    seconds: dict[str, float] = {}  # that a turn takes, and what comes before it
    with settled_gc():
        for name, call in calls.items():
            at(name)
            try:
                if budget.quiet:
                    wait_until_idle()
                each_s[name] = timed(call, 1, clock)
                n, each_s[name] = (1, each_s[name]) if each_s[name] > LONG_S else calibrate(call, budget.round_s, clock)
                turn_s = (1 + n) * each_s[name]
                if budget.quiet:
                    started = clock()
                    settle(call, n, each_s[name], budget)
                    turn_s = clock() - started + n * each_s[name]
                iterations[name], seconds[name] = n, turn_s
            except BaseException as error:
                fallen[name] = error
        turns: dict[str, list[Turn]] = {name: [] for name in iterations}
        wanted = rounds(seconds, budget)
        total_rounds = max(wanted.values(), default=0)
        for number in range(total_rounds):
            due = [name for name in turns if (number + 1) * wanted[name] // total_rounds > number * wanted[name] // total_rounds]
            order = [due[i] for i in rng.permutation(len(due))]
            taken: dict[str, Turn] = {}
            for position, name in enumerate(order):
                at(name)
                try:
                    settle(calls[name], iterations[name], each_s[name], budget)
                    total = timed(calls[name], iterations[name], clock)
                except BaseException as error:
                    fallen[name] = error
                    del turns[name]
                else:
                    taken[name] = Turn(number, position, iterations[name], total / iterations[name])
                    turns[name].append(taken[name])
            keep(taken)
    return turns, fallen


def rounds(turn_s: Mapping[str, float], budget: Budget) -> dict[str, int]:
    """In how many rounds each takes part, given the seconds of its turn: those of a kind in as many as each other."""
    fastest = min(turn_s.values(), default=0.0)
    far_slower = {name for name, seconds in turn_s.items() if seconds > FAR_SLOWER * fastest}

    def affordable(seconds: float, most: int) -> int:
        return max(budget.min_rounds, min(most, int(budget.total_s / seconds) if seconds > 0 else most))

    usual = affordable(sum(seconds for name, seconds in turn_s.items() if name not in far_slower), budget.max_rounds)
    return {name: affordable(seconds, usual) if name in far_slower else usual for name, seconds in turn_s.items()}


@contextmanager
def settled_gc() -> Iterator[None]:
    """Collect first, then keep the collector out of the samples."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

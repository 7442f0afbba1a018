"""What a process of its own does for a run: it lets kernels try, has them verified and times them, one request after the other."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import multiprocessing
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.result import NOT_CONTENDERS, Admitted, Result, Turn
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.machine.provenance import numba_facts, thread_pools
from deltacheck.bench.timing.contest import Contest
from deltacheck.bench.timing.samples_file import SamplesFile
from deltacheck.bench.timing.step_time_estimates import StepTimes
from deltacheck.kernels.error_text import one_line_and_place

NOBODY = -1
PR_SET_PDEATHSIG = 1  # prctl(2)


def in_hand(labels: Iterable[str]) -> list[str]:
    """Whose turn it can be, in the order of their numbers."""
    return [*labels, *NOT_CONTENDERS]


class Worker:
    """Its methods are the requests. ``hand``: two numbers that the run reads, whose turn it is among the labels, and a count of turns."""

    def __init__(self, number: int, contenders: Contenders, hand: Any) -> None:
        self._number = number
        self._kernels = contenders.load()
        self._hand = hand
        self._places = {name: place for place, name in enumerate(in_hand(self._kernels))}
        self._contest: Contest | None = None

    def open(self, cell: Cell, names: list[str], budget: Budget, baseline: str | None) -> None:
        """Begin with a cell; the data of the one before are let go."""
        self._contest = None
        self._contest = Contest(cell, {name: self._kernels[name] for name in names}, budget, baseline, self._at)

    def admit(self, name: str, step_times: StepTimes, verified: bool) -> tuple[Admitted, StepTimes]:
        """Let a kernel try, and have it verified."""
        return self._held.admit(name, step_times, verified), step_times

    def enter(self, name: str) -> Result:
        """Let one make its first calls that was admitted in another process."""
        return self._held.enter(name)

    def run(self, phase: str, names: list[str], first_round: int, samples: tuple[Path, str] | None) -> tuple[dict[str, Result], list[str]]:
        """Time a phase; rounds are numbered from ``first_round``. The turns go to a file as they are taken, too.

        Returns the results, and warnings.
        """
        contest = self._held
        file = SamplesFile(*samples) if samples else None

        def placed(turn: Turn) -> Turn:
            return replace(turn, round=first_round + turn.round, process=self._number)

        def keep(turns: Mapping[str, Turn]) -> None:
            if file:
                file.add(contest.cell, phase, {name: placed(turn) for name, turn in turns.items()})

        try:
            results = contest.run(phase, names, keep, first_round)
        finally:
            if file:
                file.close()
        warnings, contest.warnings = contest.warnings, []
        return {name: replace(result, turns=tuple(map(placed, result.turns))) for name, result in results.items()}, warnings

    def tell(self) -> dict[str, Any]:
        """What run.json says of libraries as they are loaded here, and of the ways that kernels take."""
        return {"thread_pools": thread_pools(), **numba_facts(), "kernel_paths": paths(self._kernels)}

    @property
    def _held(self) -> Contest:
        assert self._contest is not None
        return self._contest

    def _at(self, name: str) -> None:
        self._hand[0] = self._places[name]
        self._hand[1] += 1


def serve(pipe: Connection, number: int, contenders: Contenders, hand: Any, stack: str) -> None:
    """Answer the run's requests until it closes the pipe: each a method of ``Worker`` and its arguments, answered by what it returns.

    An answer is a pair, with a traceback where the suite itself failed. ``stack``: a file for the stack of what hangs, when asked by
    SIGUSR1.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run
    die_with_parent()
    # Kernels may have processes of their own, which multiprocessing does not allow one that its parent kills as it exits.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    with open(stack, "w", encoding="utf-8") as file:
        if hasattr(faulthandler, "register"):
            faulthandler.register(signal.SIGUSR1, file, all_threads=False)
        answer: tuple[Any, str] = None, ""
        try:
            worker = Worker(number, contenders, hand)
            gc.collect()
            gc.freeze()  # what is there before is not looked through again before each cell and phase: 0.1 s, and more with peers
        except BaseException as error:
            answer = None, one_line_and_place(error)
        pipe.send(answer)
        while True:
            try:
                request, arguments = pipe.recv()
            except EOFError:
                return
            try:
                answer = getattr(worker, request)(*arguments), ""
            except Exception:
                answer = None, traceback.format_exc()
            hand[0] = NOBODY
            sys.stdout.flush()  # what kernels printed
            sys.stderr.flush()
            pipe.send(answer)


def die_with_parent() -> None:
    """On Linux, be killed when the run is: a loop in native code would go on for ever."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def paths(kernels: Mapping[str, Any]) -> dict[str, Any]:
    """By kernel, what those that have ``about()`` say of the ways they take."""
    told = {}
    for name, kernel in kernels.items():
        try:
            said = kernel.about()
            if isinstance(said, dict):
                told[name] = json.loads(json.dumps(said, default=str))
        except BaseException:  # it may have none, or mean something else by the name
            continue
    return told

"""One cell's contest: who may run, is it right, and then the samples of each phase."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from deltacheck.bench.cells.cell import PHASES, SEED, Cell
from deltacheck.bench.cells.contenders import aa_kernel
from deltacheck.bench.cells.result import AA_INSTANCE, FLOOR, NAN, Admitted, Call, Result
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.machine.blas_products import floor_calls
from deltacheck.bench.machine.peak_memory import peak_bytes
from deltacheck.bench.machine.threads import stray_pools, threads_held
from deltacheck.bench.peers.peer import NO_BACKWARD, peer_of
from deltacheck.bench.timing.rounds import Keep, take_turns, timed
from deltacheck.bench.timing.step_time_estimates import StepTimes, too_far
from deltacheck.bench.timing.timed_passes import first_calls, unwarned
from deltacheck.bench.timing.verification import Judge
from deltacheck.kernels.error_text import one_line, one_line_and_place
from deltacheck.kernels.protocol import KernelClass


class Contest:
    """The kernels of one cell: ``admit`` lets one try, and has it verified, ``enter`` lets one in that was; ``run`` times a phase.

    ``baseline``: the kernel that is entered twice, if it has a time; otherwise the first that has. ``at``: is told who is in hand.
    """

    def __init__(
        self,
        cell: Cell,
        kernels: Mapping[str, KernelClass],
        budget: Budget,
        baseline: str | None = None,
        at: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.cell = cell
        self.budget = replace(budget, quiet=cell.threads > 1)
        self.warnings: list[str] = []
        self._kernels = kernels
        # One instance of a peer serves a network: timed is what was verified, compiled once.
        self._classes = {name: cache(kernel) if peer_of(kernel) else kernel for name, kernel in kernels.items()}
        self._baseline = baseline
        self._at = at
        self._calls: dict[str, dict[str, Call]] = {}
        self._aa_calls: dict[str, dict[str, Call]] = {}  # of a second instance, by kernel
        self._judge = Judge(cell)

    def admit(self, name: str, step_times: StepTimes, verified: bool = True) -> Admitted:
        """May it run, and is it right? The same answer for the three phases, but for the time of the first call.

        ``step_times`` is what is known of step times, and learns. Without ``verified`` nobody asks whether it is right.
        """
        self._at(name)
        limit_s = self.budget.call_limit_s
        first = dict.fromkeys(PHASES, NAN)
        most: dict[str, int] = {}

        def try_out(cell: Cell) -> float:
            calls, seconds = first_calls(self._classes[name], cell)
            for phase, first_s in seconds.items():
                first[phase] = float(np.fmax(first[phase], first_s))
            self._calls[name] = calls
            return timed(calls["step"])

        def outcome(status: str, verdict: str = "", max_rel_error: float = NAN, message: str = "") -> Admitted:
            if status != "ok":
                self._calls.pop(name, None)
            results = {phase: Result(status, verdict, max_rel_error, first[phase], most.get(phase), message) for phase in PHASES}
            missing = set(PHASES) - set(self._calls[name]) if status == "ok" else set()
            return results | dict.fromkeys(missing, Result("unsupported", message=NO_BACKWARD))

        try:
            with threads_held(self.cell.threads), unwarned():
                peer = self._prepare(name)
                # A peer's smaller cells are left alone: each would be compiled, and a library is not that slow.
                predicted = None if peer else step_times.explore(name, self.cell, limit_s, try_out)
                if predicted is not None and predicted > limit_s:
                    return outcome("too_slow", message=too_far(predicted, limit_s))
                step_s = try_out(self.cell)
                step_times.note(name, self.cell, step_s)
                if step_s > limit_s:
                    return outcome("too_slow", message=f"a step took {step_s:.2g} s; a call may take {limit_s:g} s")
                if not verified:
                    return outcome("ok")
                verdict = self._judge(self._classes[name], contract=not peer)
                if verdict.verdict == "pass" and not peer:  # a peer's library asks for memory unseen
                    most |= {phase: peak_bytes(call) for phase, call in self._calls[name].items()}
        except NotImplementedError as error:  # what the kernel does not claim to do
            return outcome("unsupported", message=one_line(error))
        except BaseException as error:
            return outcome("error", message=one_line_and_place(error))
        status = {"pass": "ok", "fail": "failed_verification"}.get(verdict.verdict, "inconclusive")
        return outcome(status, verdict.verdict, verdict.max_rel_error, verdict.message)

    def enter(self, name: str) -> Result:
        """Let one make its first calls that was admitted in another process: may it run in this one, too?"""
        self._at(name)
        try:
            with threads_held(self.cell.threads), unwarned():
                self._prepare(name)
                self._calls[name], _ = first_calls(self._classes[name], self.cell)
        except NotImplementedError as error:
            return Result("unsupported", message=one_line(error))
        except BaseException as error:
            return Result("error", message=one_line_and_place(error))
        return Result("ok")

    def run(self, phase: str, kernels: Collection[str] | None = None, keep: Keep = lambda turns: None, draw: int = 0) -> dict[str, Result]:
        """The turns of ``kernels`` (or all) in a phase, as far as they were admitted or entered, and of the two that take turns with them.

        These are the floor, and the second instance of one of them, ``again``. ``keep`` is given each round's turns as it ends.
        Of the orders to take turns in there is one for each ``draw``.
        """
        names = self._calls if kernels is None else kernels  # in this order: who is the first of them is for the run to know
        calls = {name: self._calls[name][phase] for name in names if phase in self._calls.get(name, {})}
        first = aa_kernel(calls, self._baseline)
        if first is None:
            return {}
        rng = np.random.default_rng([SEED, draw, self.cell.batch, *self.cell.network.layer_sizes, PHASES.index(phase)])
        with threads_held(self.cell.threads), unwarned():
            entered = calls | self._second(first, phase) | {FLOOR: floor_calls(self.cell)[phase]}
            turns, fallen = take_turns(entered, self.budget, rng, keep=keep, at=self._at)
            self.warnings += [f"{self.cell} {phase}: {stray}" for stray in stray_pools(self.cell.threads)]
        if first in fallen and AA_INSTANCE in turns:  # without the first there is no pair
            fallen[AA_INSTANCE] = fallen[first]
            del turns[AA_INSTANCE]
        results = {name: Result("ok", turns=tuple(turns.get(name, ()))) for name in entered}
        return results | {name: Result("error", message=one_line_and_place(error)) for name, error in fallen.items()}

    def _prepare(self, name: str) -> bool:
        """Whether it is a peer, which then is ready for this cell."""
        peer = peer_of(self._kernels[name])
        if peer:
            peer.prepare(self.cell.threads)
        return peer is not None

    def _second(self, name: str, phase: str) -> dict[str, Call]:
        """The pass of a second instance of a kernel, or nothing where it cannot be made again: then no pair is taken."""
        if name not in self._aa_calls:
            self._at(name)
            try:
                self._aa_calls[name], _ = first_calls(self._kernels[name], self.cell)
            except BaseException as error:
                self._aa_calls[name] = {}
                self.warnings.append(f"{self.cell}: {name} could not be entered twice: {one_line(error)}")
        return {AA_INSTANCE: self._aa_calls[name][phase]} if phase in self._aa_calls[name] else {}

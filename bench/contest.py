"""One cell's contest: who may run, is it right, and then the samples of each phase."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from bench.again import AGAIN, twice
from bench.allocation import peak_bytes
from bench.floor import FLOOR, floor_calls
from bench.grid import PHASES, SEED, Cell
from bench.limit import HungError, last_resort, limited
from bench.measure import Budget, Call, Keep, Turn, take_turns
from bench.passes import first_calls, unwarned
from bench.peers import NO_BACKWARD, peer_of
from bench.reach import Reach, too_far
from bench.threads import strays, threads_held
from bench.trial import DiedError
from bench.verified import Judge, KernelClass
from kernels.protocol import one_line, one_line_and_place

NAN = float("nan")
Say = Callable[[str], None]
Rehearse = Callable[[Cell], None]
Try = Callable[[str, KernelClass], Rehearse]  # ``bench.trial``
NO_CONTENDERS = (FLOOR, AGAIN)  # they take turns, to measure the others by


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


def untried(label: str, kernel_class: KernelClass) -> Rehearse:
    """No first calls elsewhere."""
    return lambda cell: None


class Contest:
    """The kernels of one cell. Making one lets each try, and has it verified; ``run`` times a phase.

    ``baseline``: the kernel that is entered twice, if it has a time; otherwise the first that has. ``trial``: gives for each
    what makes its first calls elsewhere, before they are made here.
    """

    def __init__(
        self,
        cell: Cell,
        kernels: Mapping[str, KernelClass],
        budget: Budget,
        reach: Reach,
        say: Say = lambda text: None,
        baseline: str | None = None,
        trial: Try = untried,
    ) -> None:
        self.cell = cell
        self.budget = replace(budget, quiet=cell.threads > 1)
        self.warnings: list[str] = []
        self._kernels = kernels
        self._baseline = baseline
        self._calls: dict[str, dict[str, Call]] = {}
        self._again: dict[str, dict[str, Call]] = {}  # of a second instance, by kernel
        self._admitted: dict[str, dict[str, Result]] = {}  # kernel -> phase -> the result before timing
        self._reach = reach
        judge = Judge(cell)
        with threads_held(cell.threads), unwarned():
            for name, kernel_class in kernels.items():
                if name in reach.hung:
                    self._admitted[name] = dict.fromkeys(PHASES, not_again(reach.hung[name]))
                    continue
                rehearse = trial(name, kernel_class)
                with last_resort(self.budget.limit_s):
                    self._admitted[name] = self._admit(name, kernel_class, judge, rehearse, say)

    def run(self, phase: str, kernels: Collection[str] | None = None, keep: Keep = lambda turns: None) -> dict[str, Result]:
        """The results of ``kernels`` (or all) in a phase, the timed ones with their turns, and of the two that take turns with them.

        These are the floor, and the second instance of one of them, ``again``. ``keep`` is given each round's turns as it ends.
        """
        results = {name: admitted[phase] for name, admitted in self._admitted.items() if kernels is None or name in kernels}
        calls = {name: self._calls[name][phase] for name, result in results.items() if result.status == "ok"}
        first = twice(calls, self._baseline)
        if first is None:
            return results
        rng = np.random.default_rng([SEED, self.cell.batch, *self.cell.network.layer_sizes, PHASES.index(phase)])
        with threads_held(self.cell.threads), unwarned(), last_resort(self.budget.limit_s):
            entered = calls | self._second(first, phase) | {FLOOR: floor_calls(self.cell)[phase]}
            turns, fallen = take_turns(entered, self.budget, rng, keep=keep)
            self.warnings += [f"{self.cell} {phase}: {stray}" for stray in strays(self.cell.threads)]
        if first in fallen and AGAIN in turns:  # without the first there is no pair
            fallen[AGAIN] = fallen[first]
            del turns[AGAIN]
        results |= {name: Result("ok") for name in entered if name in NO_CONTENDERS}
        for name, taken in turns.items():
            results[name] = replace(results[name], turns=tuple(taken))
        for name, error in fallen.items():
            results[name] = replace(results[name], status="error", message=one_line_and_place(error))
            if isinstance(error, HungError):
                results[name] = replace(results[name], status="timeout", message=f"{error} in {phase}")
                self._reach.hung[name] = f"{self.cell} {phase}"
                self._admitted[name] = dict.fromkeys(PHASES, not_again(self._reach.hung[name]))
        return results

    def _second(self, name: str, phase: str) -> dict[str, Call]:
        """The pass of a second instance of a kernel, or nothing where it cannot be made again: then no pair is taken."""
        if name not in self._again:
            try:
                with limited(self.budget.limit_s):
                    self._again[name] = first_calls(self._kernels[name], self.cell)[0]
            except (Exception, SystemExit, HungError) as error:
                self._again[name] = {}
                self.warnings.append(f"{self.cell}: {name} could not be entered twice: {one_line(error)}")
        return {AGAIN: self._again[name][phase]} if phase in self._again[name] else {}

    def _admit(self, name: str, kernel_class: KernelClass, judge: Judge, rehearse: Rehearse, say: Say) -> dict[str, Result]:
        """May it run, and is it right? The same answer for the three phases, but for the time of the first call."""
        limit_s = self.budget.call_limit_s
        first = dict.fromkeys(PHASES, NAN)
        most: dict[str, int] = {}

        def try_out(cell: Cell) -> float:
            rehearse(cell)
            calls, seconds, step_s = first_calls(kernel_class, cell)
            for phase, first_s in seconds.items():
                first[phase] = float(np.fmax(first[phase], first_s))
            self._calls[name] = calls
            return step_s

        def outcome(status: str, verdict: str = "", max_rel_error: float = NAN, message: str = "") -> dict[str, Result]:
            if status != "ok":
                self._calls.pop(name, None)
            results = {phase: Result(status, verdict, max_rel_error, first[phase], most.get(phase), message) for phase in PHASES}
            missing = set(PHASES) - set(self._calls[name]) if status == "ok" else set()
            return results | dict.fromkeys(missing, Result("unsupported", message=NO_BACKWARD))

        try:
            with limited(self.budget.limit_s):
                say(f"trying {name}")
                peer = peer_of(kernel_class)
                if peer:
                    peer.prepare(self.cell.threads)
                    kernel_class = cache(peer)  # timed is what was verified, compiled once
                # A peer's smaller cells are left alone: each would be compiled, and a library is not that slow.
                predicted = None if peer else self._reach.explore(name, self.cell, limit_s, try_out)
                if predicted is not None and predicted > limit_s:
                    return outcome("too_slow", message=too_far(predicted, limit_s))
                step_s = try_out(self.cell)
                self._reach.note(name, self.cell, step_s)
                if step_s > limit_s:
                    return outcome("too_slow", message=f"a step took {step_s:.2g} s; a call may take {limit_s:g} s")
                say(f"verifying {name}")
                verdict = judge(kernel_class, contract=peer is None)
                if verdict.verdict == "pass" and not peer:  # a peer's library asks for memory unseen
                    most |= {phase: peak_bytes(call) for phase, call in self._calls[name].items()}
        except NotImplementedError as error:  # what the kernel does not claim to do
            return outcome("unsupported", message=one_line(error))
        except DiedError as error:
            return outcome("error", message=str(error))
        except HungError as error:
            self._reach.hung[name] = str(self.cell)
            return outcome("timeout", message=f"{error} at its first calls and their verification")
        except (Exception, SystemExit) as error:
            return outcome("error", message=one_line_and_place(error))
        status = {"pass": "ok", "fail": "failed_verification"}.get(verdict.verdict, "inconclusive")
        return outcome(status, verdict.verdict, verdict.max_rel_error, verdict.message)


def not_again(where: str) -> Result:
    """What hung once would hang again, for as long."""
    return Result("timeout", message=f"not tried: it hung on {where}")

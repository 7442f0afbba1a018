"""One cell's contest: who may run, is it right, and then the samples of each phase."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from bench.floor import FLOOR, floor_calls
from bench.grid import PHASES, SEED, Cell
from bench.measure import Budget, Call, Turn, take_turns, timed
from bench.peers import NO_BACKWARD, Peer, peer_of
from bench.reach import Reach
from bench.threads import strays, threads_held
from bench.verified import Judge, KernelClass
from kernels import value_and_grad_of
from kernels.protocol import one_line

NAN = float("nan")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What came of a kernel in a cell and phase. It has turns only where status is ``ok``, and that only with a pass."""

    status: str  # ok, too_slow, unsupported, failed_verification, inconclusive, error, not_run
    verdict: str = ""  # pass, fail, inconclusive; empty where it was not judged
    max_rel_error: float = NAN
    first_call_s: float = NAN
    message: str = ""
    turns: tuple[Turn, ...] = ()


class Contest:
    """The kernels of one cell. Making one lets each try, and has it verified; ``run`` times a phase."""

    def __init__(self, cell: Cell, kernels: Mapping[str, KernelClass], budget: Budget, reach: Reach, say: Say = lambda text: None) -> None:
        self.cell = cell
        self.budget = replace(budget, quiet=cell.threads > 1)
        self.warnings: list[str] = []
        self._calls: dict[str, dict[str, Call]] = {}
        self._admitted: dict[str, dict[str, Result]] = {}  # kernel -> phase -> the result before timing
        judge = Judge(cell)
        with threads_held(cell.threads), unwarned():
            for name, kernel_class in kernels.items():
                self._admitted[name] = self._admit(name, kernel_class, judge, reach, say)

    def run(self, phase: str) -> dict[str, Result]:
        """The results of all kernels in a phase, the timed ones with their turns, and those of the floor, which shares them."""
        results = {name: admitted[phase] for name, admitted in self._admitted.items()}
        calls = {name: self._calls[name][phase] for name, result in results.items() if result.status == "ok"}
        if not calls:
            return results
        rng = np.random.default_rng([SEED, self.cell.batch, *self.cell.network.layer_sizes, PHASES.index(phase)])
        with threads_held(self.cell.threads), unwarned():
            turns, fallen = take_turns(calls | {FLOOR: floor_calls(self.cell)[phase]}, self.budget, rng)
            self.warnings += [f"{self.cell} {phase}: {stray}" for stray in strays(self.cell.threads)]
        results[FLOOR] = Result("ok")
        for name, taken in turns.items():
            results[name] = replace(results[name], turns=tuple(taken))
        for name, error in fallen.items():
            results[name] = replace(results[name], status="error", message=one_line(error))
        return results

    def _admit(self, name: str, kernel_class: KernelClass, judge: Judge, reach: Reach, say: Say) -> dict[str, Result]:
        """May it run, and is it right? The same answer for the three phases, but for the time of the first call."""
        limit_s = self.budget.call_limit_s
        first = dict.fromkeys(PHASES, NAN)

        def try_out(cell: Cell) -> float:
            calls, seconds, step_s = first_calls(kernel_class, cell)
            for phase, first_s in seconds.items():
                first[phase] = float(np.fmax(first[phase], first_s))
            self._calls[name] = calls
            return step_s

        def outcome(status: str, verdict: str = "", max_rel_error: float = NAN, message: str = "") -> dict[str, Result]:
            if status != "ok":
                self._calls.pop(name, None)
            results = {phase: Result(status, verdict, max_rel_error, first[phase], message) for phase in PHASES}
            missing = set(PHASES) - set(self._calls[name]) if status == "ok" else set()
            return results | dict.fromkeys(missing, Result("unsupported", message=NO_BACKWARD))

        try:
            say(f"trying {name}")
            peer = peer_of(kernel_class)
            if peer:
                peer.prepare(self.cell.threads)
                kernel_class = cache(peer)  # timed is what was verified, compiled once
            # A peer's smaller cells are left alone: each would be compiled, and a library is not that slow.
            predicted = None if peer else reach.explore(name, self.cell, limit_s, try_out)
            if predicted is not None and predicted > limit_s:
                return outcome("too_slow", message=f"a step would take about {predicted:.2g} s; a call may take {limit_s:g} s")
            step_s = try_out(self.cell)
            reach.note(name, self.cell, step_s)
            if step_s > limit_s:
                return outcome("too_slow", message=f"a step took {step_s:.2g} s; a call may take {limit_s:g} s")
            say(f"verifying {name}")
            verdict = judge(kernel_class, contract=peer is None)
        except NotImplementedError as error:  # what the kernel does not claim to do
            return outcome("unsupported", message=one_line(error))
        except (Exception, SystemExit) as error:
            return outcome("error", message=one_line(error))
        status = {"pass": "ok", "fail": "failed_verification"}.get(verdict.verdict, "inconclusive")
        return outcome(status, verdict.verdict, verdict.max_rel_error, verdict.message)


def passes(kernel_class: KernelClass, cell: Cell) -> Iterator[tuple[str, Call]]:
    """The phases of a new kernel as calls without arguments, in the order in which they can first be made; a peer may lack one.

    The kernel gets data of its own: one that writes into its inputs spoils nobody else's.
    """
    theta, x, y = cell.data()
    kernel = kernel_class(cell.network)
    if isinstance(kernel, Peer):
        yield from kernel.native_calls(theta, x, y).items()
        return
    yield "forward", partial(kernel.forward, theta, x)
    yield "backward", partial(kernel.backward, theta, kernel.forward(theta, x), y)
    yield "step", partial(value_and_grad_of(kernel, cell.network), theta, x, y)


def first_calls(kernel_class: KernelClass, cell: Cell) -> tuple[dict[str, Call], dict[str, float], float]:
    """The three passes, the seconds of the first call of each, and those of a second step."""
    calls: dict[str, Call] = {}
    first: dict[str, float] = {}
    for phase, call in passes(kernel_class, cell):
        calls[phase], first[phase] = call, timed(call)
    return calls, first, timed(calls["step"])


@contextmanager
def unwarned() -> Iterator[None]:
    """A kernel's warnings are no errors here either: it is judged by what it returns."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield

"""A team of threads at a job: whoever is there takes the next share that nobody has taken, and waits only for shares that are being done.

So a thread that the system does not let on holds nobody up: the one that called does its shares too. Shares, and the order in which
their costs are added up, are those of the plan; who does them makes no difference.

A team is a row of 8-byte words at an address; what several threads write lies in cache lines of its own. TICKET is, from the high
bits down, the number of the job, how many shares it has, and how many of them are taken; DONE, how many are finished. At JOB stands
the address of the function that does a share, then what it is called with beside the share's number; COSTS has a place for each cost.
At HELPERS each thread beside the caller's has a line: whether it is ASLEEP, and the LOCK that it then waits for. CALLS has the addresses
of the functions of the system and of Python that are called: none of them needs the interpreter.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from deltacheck.kernels.jit.compile_options import element_wise, instructions

WORD, LINE = 8, 16  # bytes; words that may lie in one cache line, or in two that are fetched together
MOST = 1024  # shares of a job, and threads
N_ARGUMENTS = 12  # of a job's function, beside the share
TICKET, DONE, CALLS, JOB, COSTS = 0, LINE, 2 * LINE, 3 * LINE, 4 * LINE
HELPERS = COSTS + MOST * LINE
N_WORDS = HELPERS + MOST * LINE
N_HELPERS, OFFER_CPU, ACQUIRE, RELEASE = CALLS, CALLS + 1, CALLS + 2, CALLS + 3
ASLEEP, LOCK = 0, 1  # of a helper's line
_BITS = 16

LOOKS = 100  # at the ticket, before the CPU is offered to others
PATIENCE = 4000  # such offers, about two milliseconds, before a thread with nothing to do goes to sleep

_word, _int, _real = ir.IntType(64), ir.IntType(32), ir.DoubleType()


def _pointer(builder: Any, team: Any, place: Any, kind: Any = _word) -> Any:
    return builder.inttoptr(builder.add(team, builder.mul(place, _word(WORD))), kind.as_pointer())


def _function(builder: Any, team: Any, place: int, arguments: list[Any]) -> Any:
    return builder.inttoptr(builder.load(_pointer(builder, team, _word(place))), ir.FunctionType(_int, arguments).as_pointer())


@instructions
def _seen(typing: Any, team: Any, place: Any) -> Any:
    """A word that others write, and all that they wrote before it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_pointer(builder, *args), ordering="seq_cst", align=WORD)

    return types.intp(types.intp, types.intp), codegen


@instructions
def _show(typing: Any, team: Any, place: Any, value: Any) -> Any:
    """Write a word for others to see, after all that was written before it and before all that is read after it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("xchg", _pointer(builder, *args[:2]), args[2], ordering="seq_cst")

    return types.intp(types.intp, types.intp, types.intp), codegen


@instructions
def _one_more(typing: Any, team: Any, place: Any) -> Any:
    """Add one to a word that others add to."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _pointer(builder, *args), _word(1), ordering="seq_cst")

    return types.intp(types.intp, types.intp), codegen


@instructions
def _replaced(typing: Any, team: Any, place: Any, old: Any, new: Any) -> Any:
    """Whether the word was still the old one; then it is the new one."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        swapped = builder.cmpxchg(_pointer(builder, *args[:2]), args[2], args[3], ordering="seq_cst", failordering="seq_cst")
        return builder.extract_value(swapped, 1)

    return types.boolean(types.intp, types.intp, types.intp, types.intp), codegen


@instructions
def set_word(typing: Any, team: Any, place: Any, value: Any) -> Any:
    """Write a word that nobody reads now."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(builder, *args[:2]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), codegen


@instructions
def _cost(typing: Any, team: Any, place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], args[1], _real))

    return types.float64(types.intp, types.intp), codegen


@instructions
def _set_cost(typing: Any, team: Any, place: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(builder, args[0], args[1], _real))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.float64), codegen


@instructions
def _run_share(typing: Any, team: Any, share: Any) -> Any:
    """Have the job's function do a share; its cost."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        team, share = args
        code, *arguments = (builder.load(_pointer(builder, team, _word(JOB + n))) for n in range(1 + N_ARGUMENTS))
        function = ir.FunctionType(_real, [_word] * (1 + N_ARGUMENTS))  # numbers and addresses are handed over alike
        return builder.call(builder.inttoptr(code, function.as_pointer()), [share, *arguments])

    return types.float64(types.intp, types.intp), codegen


@instructions
def _offer_cpu(typing: Any, team: Any) -> Any:
    """Let another thread run on this CPU, if one waits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.call(_function(builder, args[0], OFFER_CPU, []), [])
        return context.get_dummy_value()

    return types.void(types.intp), codegen


@instructions
def _acquire(typing: Any, team: Any, helper: Any) -> Any:
    """Wait until the helper's lock is released, and take it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lock = builder.load(_pointer(builder, args[0], builder.add(args[1], _word(LOCK))))
        builder.call(_function(builder, args[0], ACQUIRE, [_word, _int]), [lock, _int(1)])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen


@instructions
def _release(typing: Any, team: Any, helper: Any) -> Any:
    """Release the helper's lock."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lock = builder.load(_pointer(builder, args[0], builder.add(args[1], _word(LOCK))))
        builder.call(_function(builder, args[0], RELEASE, [_word]), [lock])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen


@instructions
def _n_helpers(typing: Any, team: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], _word(N_HELPERS)))

    return types.intp(types.intp), codegen


@element_wise
def _taken(team: int) -> int:
    """A share that nobody had taken; −1 if there is none."""
    while True:
        ticket = _seen(team, TICKET)
        share, shares = ticket % (1 << _BITS), (ticket >> _BITS) % (1 << _BITS)
        if share >= shares:
            return -1
        if _replaced(team, TICKET, ticket, ticket + 1):
            return int(share)


@element_wise
def _work(team: int) -> int:
    """Do shares as long as there are any; how many were done."""
    n = 0
    share = _taken(team)
    while share >= 0:
        _set_cost(team, COSTS + share * LINE, _run_share(team, share))
        _one_more(team, DONE)
        n += 1
        share = _taken(team)
    return n


@element_wise
def _wake(team: int, wanted: int) -> None:
    """So many helpers, those of them that sleep."""
    for n in range(min(wanted, _n_helpers(team))):
        helper = HELPERS + n * LINE
        if _seen(team, helper + ASLEEP) == 1 and _replaced(team, helper + ASLEEP, 1, 0):
            _release(team, helper)


@element_wise
def share_out(team: int, shares: int) -> float:
    """Have the job done that the words from JOB on describe; the sum of its shares' costs. For one caller at a time."""
    _show(team, DONE, 0)
    _show(team, TICKET, (((_seen(team, TICKET) >> (2 * _BITS)) + 1) << (2 * _BITS)) + (shares << _BITS))
    _wake(team, shares - 1)
    _work(team)
    looks = 0
    while _seen(team, DONE) < shares:
        looks += 1
        if looks % LOOKS == 0:
            _offer_cpu(team)
    cost = 0.0
    for share in range(shares):
        cost += _cost(team, COSTS + share * LINE)
    return cost


@element_wise
def serve(team: int, n: int) -> None:
    """What the helper ``n`` does for ever: shares of one job after the other, and sleep where there is nothing to do for a while."""
    helper = HELPERS + n * LINE
    while True:
        offers = 0
        while offers < PATIENCE:
            offers += 1
            for _ in range(LOOKS):
                if _work(team) > 0:
                    offers = 0
            _offer_cpu(team)
        _show(team, helper + ASLEEP, 1)
        # A job may have come before that was seen: then nobody wakes, unless somebody has taken the 1 away to do so.
        if _work(team) == 0 or not _replaced(team, helper + ASLEEP, 1, 0):
            _acquire(team, helper)

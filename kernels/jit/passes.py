"""The forward and the backward pass as compiled functions: part by part as a plan has them, by one thread or by many.

The parts are compiled once, as a function of addresses, and the passes call it by its own address: compiled into each of the passes it
would take LLVM several seconds more for every one of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types

from deltacheck.kernels.jit.compile_options import callback, element_wise, entry, entry_without_gil, instructions
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED
from deltacheck.kernels.jit.layers import n_parts, next_wait, parts
from deltacheck.kernels.jit.plan import BACKWARD, BIASES, BLOCK, CODE, N_COLUMNS, N_WORK, ROWS, START, STEP, TEAM, THREADS, UNITS, WHAT
from deltacheck.kernels.jit.threads.work_sharing import JOB, set_word, share_out
from deltacheck.kernels.network import Array


@element_wise
def _in_order(array: Array) -> bool:
    """Whether it lies as its type says, in C order and aligned: nobody has looked."""
    expected = array.itemsize
    for axis in range(array.ndim - 1, -1, -1):
        if array.strides[axis] != expected and array.shape[axis] > 1:
            return False
        expected *= array.shape[axis]
    return array.ctypes.data % array.itemsize == 0


def _passes(theta: Array, x: Array, y: Array, plan: Array, a: Array, work: Array, dtheta: Array) -> float:
    """What the plan is for: activations into ``a``, the gradient into ``dtheta``; returns the cost of a step.

    ``theta``, ``a``, ``work`` and ``dtheta`` are flat, ``a`` and ``work`` as large as the plan says. Raises ``ValueError`` for shapes
    that the plan is not for. Blocks of samples follow one another; in each, parts are shared out to the threads, as many at once as
    can be without waiting for each other.
    """
    whole = plan[-1]
    fit = x.shape[0] == whole[ROWS] and x.shape[1] == plan[0, UNITS] and theta.size == plan[-2, BIASES] + plan[-2, UNITS]
    fit = fit and _in_order(theta) and _in_order(x) and _in_order(a)
    if whole[WHAT] & BACKWARD:
        fit = fit and y.shape[0] == whole[ROWS] and y.shape[1] == plan[-2, UNITS] and dtheta.size == theta.size and _in_order(y)
    if not fit or a.size != plan[-2, START] + whole[BLOCK] * plan[-2, STEP]:
        raise ValueError("shapes that the plan is not for, or arrays in another order")
    last = n_parts(plan, whole[WHAT])
    cost = 0.0
    for first in range(0, whole[ROWS], whole[BLOCK]):
        rows = min(whole[BLOCK], whole[ROWS] - first)
        begin = 0
        while begin < last:
            end = next_wait(plan, begin, last)
            if whole[TEAM] == 0:
                for t in range(whole[THREADS]):
                    cost += _call(whole[CODE], t, begin, end, first, rows, plan, theta, x, y, a, work, dtheta)
            else:
                _post(whole[TEAM], whole[CODE], begin, end, first, rows, plan, theta, x, y, a, work, dtheta)
                cost += share_out(whole[TEAM], whole[THREADS])
            begin = end
    return cost


def _shares(
    t: int,
    begin: int,
    end: int,
    first: int,
    rows: int,
    n_plan: int,
    plan_at: Any,
    theta_at: Any,
    x_at: Any,
    y_at: Any,
    a_at: Any,
    work_at: Any,
    dtheta_at: Any,
) -> float:
    """``parts`` for arrays given by their addresses; the plan knows how large they are."""
    plan = carray(plan_at, (n_plan, N_COLUMNS))
    whole = plan[n_plan - 1]
    n_parameters = plan[n_plan - 2, BIASES] + plan[n_plan - 2, UNITS]
    return parts(
        begin,
        end,
        t,
        first,
        rows,
        carray(theta_at, (n_parameters,)),
        carray(x_at, (whole[ROWS] * plan[0, UNITS],)),
        carray(y_at, (whole[ROWS] * plan[n_plan - 2, UNITS],)),
        plan,
        carray(a_at, (plan[n_plan - 2, START] + whole[BLOCK] * plan[n_plan - 2, STEP],)),
        carray(work_at, (whole[N_WORK],)),
        carray(dtheta_at, (n_parameters,)),
    )


def _plain_call(
    code: int,
    t: int,
    begin: int,
    end: int,
    first: int,
    rows: int,
    plan: Array,
    theta: Array,
    x: Array,
    y: Array,
    a: Array,
    work: Array,
    dtheta: Array,
) -> float:
    """Calls ``_shares`` at the address ``code``; without Numba, what that calls."""
    with np.errstate(all="ignore"):  # NumPy's numbers warn of NaN and overflow where compiled ones do not
        return parts(begin, end, t, first, rows, theta, x.reshape(-1), y.reshape(-1), plan, a, work, dtheta)


@instructions
def _compiled_call(
    typing: Any,
    code: Any,
    t: Any,
    begin: Any,
    end: Any,
    first: Any,
    rows: Any,
    plan: Any,
    theta: Any,
    x: Any,
    y: Any,
    a: Any,
    work: Any,
    dtheta: Any,
) -> Any:
    """``_plain_call``, compiled."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        arrays = [context.make_array(kind)(context, builder, array) for kind, array in zip(signature.args[6:], args[6:], strict=True)]
        n_plan = builder.extract_value(arrays[0].shape, 0)
        handed = [*args[1:6], n_plan, *(array.data for array in arrays)]
        function = ir.FunctionType(ir.DoubleType(), [value.type for value in handed])
        return builder.call(builder.inttoptr(args[0], function.as_pointer()), handed)

    return types.float64(*[types.intp] * 6, plan, theta, x, y, a, work, dtheta), codegen


_call: Any = _plain_call if JIT_DISABLED else _compiled_call


@element_wise
def _post(
    team: int,
    code: int,
    begin: int,
    end: int,
    first: int,
    rows: int,
    plan: Array,
    theta: Array,
    x: Array,
    y: Array,
    a: Array,
    work: Array,
    dtheta: Array,
) -> None:
    """What ``_compiled_call`` hands over, as the team's job."""
    addresses = (plan.ctypes.data, theta.ctypes.data, x.ctypes.data, y.ctypes.data, a.ctypes.data, work.ctypes.data, dtheta.ctypes.data)
    numbers = (code, begin, end, first, rows, len(plan))
    for n in range(len(numbers)):
        set_word(team, JOB + n, numbers[n])
    for n in range(len(addresses)):
        set_word(team, JOB + len(numbers) + n, addresses[n])


one_thread: Any = entry(_passes)
many_threads: Any = entry_without_gil(_passes)


@cache
def code_for(dtype: np.dtype[Any]) -> int:
    """The address of the compiled parts for a dtype; they are compiled, or read from the disk, at the first call."""
    pointer: Any = types.CPointer
    real = pointer(types.float32 if dtype == np.float32 else types.float64)
    signature = types.float64(*[types.intp] * 6, pointer(types.int64), *[real] * 6)
    return 0 if JIT_DISABLED else callback(signature, _shares).address


def compiled(threads: int, dtype: np.dtype[Any]) -> Any:
    """The passes for one thread or for many and a dtype; they are compiled, or read from the disk, at the first call.

    Inputs are declared read-only, which takes in the writable: one specialisation serves both. What is returned is that
    specialisation itself, past Numba's choice of one by the arguments' types, which takes as long as a small network's step: so the
    caller sees to it that they are plain arrays of the dtype and of one or two dimensions; the passes look at the rest.
    """
    passes = one_thread if threads == 1 else many_threads
    if JIT_DISABLED:
        return passes
    real = types.float32 if dtype == np.float32 else types.float64
    vector, table = types.Array(real, 1, "C", readonly=True), types.Array(real, 2, "C", readonly=True)
    plan, result = types.Array(types.int64, 2, "C", readonly=True), types.Array(real, 1, "C")
    signature = (vector, table, table, plan, result, result, result)
    if signature not in passes.overloads:
        passes.compile(signature)
    return passes.overloads[signature].entry_point

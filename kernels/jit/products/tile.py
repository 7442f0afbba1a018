"""The register tile: a few rows of a matrix product, panel by panel, all of whose sums stay in registers till they are done.

LLVM does not find this shape in loops, so it is written in LLVM's terms: for each number of rows and vectors a function with one loop
over the inner dimension. A turn of it loads a row of the right matrix (one or two vectors), spreads one number of the left matrix after
the other over a vector, and has a fused multiply-add for each sum. Every sum runs over the inner dimension in order, whatever the
tile's shape: how a product is cut into tiles makes no difference to its bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from deltacheck.kernels.jit.compile_options import instructions
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES
from deltacheck.kernels.jit.products.simd_vectors import INDEX, Vectors, new_function, number, tuple_of
from deltacheck.kernels.network import Array

UNROLLED = 2  # turns of the loop over the inner dimension at once: 2 to 3 % faster, for the CPU foresees its end more often


def _plain_tile(
    rows: int,
    columns: int,
    inner: int,
    left: tuple[Array, int, int, int],
    right: tuple[Array, int, int, int],
    fresh: bool,
    initial: tuple[Array, int, int],
    out: tuple[Array, int, int],
) -> None:
    """``out`` (rows, columns) = ``initial`` + ``left`` (rows, inner) ``right`` (inner, columns), for at most ``TILE_ROWS`` rows.

    An operand is a flat array, where it starts in it, and the step from row to row. ``left`` has the step along a row as well;
    ``right`` the step from panel to panel, each ``TILE_VECTORS`` vectors wide: whole vectors of it are read, up to what is beyond
    ``columns``. ``fresh``: 0 in place of ``initial``, whose step is 0 where all rows have the same.
    """

    def view(operand: tuple[Array, int, int], shape: tuple[int, int], along: int = 1) -> Array:
        array, start, step = operand
        return np.lib.stride_tricks.as_strided(array[start:], shape, (step * array.itemsize, along * array.itemsize))

    wide = TILE_VECTORS * VECTOR_BYTES // out[0].itemsize
    for panel, k in enumerate(range(0, columns, wide)):
        here = min(wide, columns - k)
        there = (right[0], right[1] + panel * right[3], right[2])
        product = view(left[:3], (rows, inner), left[3]) @ view(there, (inner, here))
        start = 0 if fresh else view((initial[0], initial[1] + k, initial[2]), (rows, here))
        view((out[0], out[1] + k, out[2]), (rows, here))[...] = start + product


@instructions
def _compiled_tile(typing: Any, rows: Any, columns: Any, inner: Any, left: Any, right: Any, fresh: Any, initial: Any, out: Any) -> Any:
    """``_plain_tile`` in registers: calls the functions that are made for the number of rows and vectors."""
    dtype = out[0].dtype
    lanes = VECTOR_BYTES // (dtype.bitwidth // 8)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        real = context.get_value_type(dtype)
        operands = []
        for place in (3, 4, 6, 7):
            array_type, *whole = signature.args[place]
            parts = [builder.extract_value(args[place], part) for part in range(1 + len(whole))]
            array = context.make_array(array_type)(context, builder, parts[0])
            operands += [builder.gep(array.data, [parts[1]]), *parts[2:]]
        done = builder.append_basic_block("done")
        switch = builder.switch(args[0], done)
        for r in range(1, TILE_ROWS + 1):
            block = builder.append_basic_block(f"rows{r}")
            switch.add_case(number(r), block)
            builder.position_at_end(block)
            builder.call(_function(builder.module, real, lanes, r), [*operands, args[2], args[1], builder.zext(args[5], INDEX)])
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    size = types.intp
    array = types.Array(dtype, 1, "C")
    matrix, matrix_and_step = tuple_of(array, size, size), tuple_of(array, size, size, size)
    return types.void(size, size, size, matrix_and_step, matrix_and_step, types.boolean, matrix, matrix), codegen


tile: Any = _plain_tile if JIT_DISABLED else _compiled_tile


def _function(module: Any, real: Any, lanes: int, rows: int) -> Any:
    """So many rows, panel by panel; one of no more than half its vectors, which can only be the last, with half the sums."""
    pointer = real.as_pointer()
    arguments = [pointer, INDEX, INDEX, pointer, INDEX, INDEX, pointer, INDEX, pointer, INDEX, INDEX, INDEX, INDEX]
    function, known = new_function(module, f"tile_{real}_{rows}", arguments)
    if known:
        return function
    left, left_step, along, right, right_step, panel_step, initial, initial_step, out, out_step, inner, columns, fresh = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    emit = Vectors(builder, real, lanes)
    # Rows by fours: an address is one of few pointers plus 0, 1, 2 or 3 steps, which leaves registers for all of them.
    fours = [builder.gep(left, [builder.mul(number(m), left_step)]) for m in range(0, rows, 4)]
    steps = number(0), left_step, builder.mul(left_step, number(2)), builder.mul(left_step, number(3))
    entry, panel, end = builder.block, function.append_basic_block("panel"), function.append_basic_block("end")
    builder.branch(panel)

    builder.position_at_end(panel)
    right_panel, start_panel, out_panel = (builder.phi(pointer) for _ in range(3))
    to_go = builder.phi(INDEX)
    by_vectors = [function.append_basic_block(f"vectors{v}") for v in range(1, TILE_VECTORS + 1)]
    following = function.append_basic_block("following")
    choice = builder.switch(builder.sdiv(builder.sub(to_go, number(1)), number(lanes)), by_vectors[-1])
    for v, block in enumerate(by_vectors[:-1]):
        choice.add_case(number(v), block)
    for v, block in enumerate(by_vectors, start=1):
        builder.position_at_end(block)
        _sums(
            emit,
            v,
            [(four, steps[: min(4, rows - 4 * place)]) for place, four in enumerate(fours)],
            along,
            (right_panel, right_step),
            (fresh, start_panel, initial_step),
            (out_panel, out_step),
            inner,
            builder.sub(to_go, number((v - 1) * lanes)),
        )
        builder.branch(following)
    builder.position_at_end(following)
    wide = number(TILE_VECTORS * lanes)
    left_to_go = builder.sub(to_go, wide)
    turn = [(right_panel, right, panel_step), (start_panel, initial, wide), (out_panel, out, wide)]
    for phi, at_first, step in turn:
        phi.add_incoming(at_first, entry)
        phi.add_incoming(builder.gep(phi, [step]), following)
    to_go.add_incoming(columns, entry)
    to_go.add_incoming(left_to_go, following)
    builder.cbranch(builder.icmp_signed(">", left_to_go, number(0)), panel, end)
    builder.position_at_end(end)
    builder.ret_void()
    return function


def _sums(
    emit: Vectors,
    vectors: int,
    left: list[tuple[Any, tuple[Any, ...]]],
    along: Any,
    right: tuple[Any, Any],
    initial: tuple[Any, Any, Any],
    out: tuple[Any, Any],
    inner: Any,
    last: Any,
) -> None:
    """The sums of one panel. ``left``: for each four rows a pointer and the steps to each; ``last``: columns of the last vector."""
    builder, function = emit.builder, emit.builder.function
    rows = sum(len(steps) for _, steps in left)
    mask = emit.first_lanes(last)

    def places(array: Any, step: Any) -> list[tuple[Any, Any]]:
        """The address of each vector, and its mask: the last of a row may be ragged."""
        starts = [builder.gep(array, [builder.mul(number(m), step)]) for m in range(rows)]
        return [(builder.gep(row, [number(v * emit.lanes)]), mask if v == vectors - 1 else None) for row in starts for v in range(vectors)]

    before, given, begin = builder.block, function.append_basic_block("given"), function.append_basic_block("begin")
    fresh, initial_array, initial_step = initial
    builder.cbranch(builder.icmp_signed("==", fresh, number(0)), given, begin)
    builder.position_at_end(given)
    loaded = [emit.load(*place) for place in places(initial_array, initial_step)]
    builder.branch(begin)

    builder.position_at_end(begin)
    sums = [builder.phi(emit.type) for _ in loaded]
    for phi, value in zip(sums, loaded, strict=True):
        phi.add_incoming(value, given)
        phi.add_incoming(emit.zeros(), before)
    state = [*(four for four, _ in left), right[0], *sums]

    def turn(now: list[Any]) -> list[Any]:
        """One more of the inner dimension."""
        left_now, right_now, running = now[: len(left)], now[len(left)], now[len(left) + 1 :]
        right_row = [emit.load(builder.gep(right_now, [number(v * emit.lanes)])) for v in range(vectors)]
        added: list[Any] = []
        for place, (_, steps) in zip(left_now, left, strict=True):
            for step in steps:
                spread = emit.spread(builder.load(builder.gep(place, [step])))
                added += [emit.multiply_add(spread, vector, running[len(added) + v]) for v, vector in enumerate(right_row)]
        return [*(builder.gep(place, [along]) for place in left_now), builder.gep(right_now, [right[1]]), *added]

    state = _repeated(builder, builder.sdiv(inner, number(UNROLLED)), state, turn, UNROLLED)
    state = _repeated(builder, builder.srem(inner, number(UNROLLED)), state, turn, 1)
    for value, place in zip(state[len(left) + 1 :], places(*out), strict=True):
        emit.store(value, *place)


def _repeated(builder: Any, times: Any, state: list[Any], turn: Callable[[list[Any]], list[Any]], at_once: int) -> list[Any]:
    """A loop of so many ``times``, 0 or more, each ``at_once`` turns; what ``state`` is after it."""
    function = builder.function
    before, loop, after = builder.block, function.append_basic_block("loop"), function.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", times, number(0)), loop, after)
    builder.position_at_end(loop)
    to_go, now = builder.phi(INDEX), [builder.phi(value.type) for value in state]
    changed: list[Any] = list(now)
    for _ in range(at_once):
        changed = turn(changed)
    left_to_go = builder.sub(to_go, number(1))
    for phi, at_first, next_one in zip([to_go, *now], [times, *state], [left_to_go, *changed], strict=True):
        phi.add_incoming(at_first, before)
        phi.add_incoming(next_one, loop)
    builder.cbranch(builder.icmp_signed(">", left_to_go, number(0)), loop, after)
    builder.position_at_end(after)
    result = [builder.phi(value.type) for value in state]
    for phi, at_first, next_one in zip(result, state, changed, strict=True):
        phi.add_incoming(at_first, before)
        phi.add_incoming(next_one, loop)
    return result

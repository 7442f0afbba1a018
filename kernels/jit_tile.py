"""The register tile: a few rows and columns of a matrix product, all of whose sums stay in registers till they are done.

LLVM does not find this shape in loops, so it is written in LLVM's terms: for each number of rows and vectors a function with one loop
over the inner dimension. A turn of it loads a row of the right matrix (one or two vectors), spreads one number of the left matrix after
the other over a vector, and has a fused multiply-add for each sum. Every sum runs over the inner dimension in order, whatever the
tile's shape: how a product is cut into tiles makes no difference to its bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from kernels.jit_options import instructions
from kernels.jit_target import JIT_DISABLED, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES
from kernels.jit_vectors import INDEX, Vectors, new_function, number
from kernels.network import Array


def _plain_tile(
    rows: int,
    columns: int,
    inner: int,
    left: tuple[Array, int, int, int],
    right: tuple[Array, int, int],
    fresh: bool,
    initial: tuple[Array, int, int],
    out: tuple[Array, int, int],
) -> None:
    """``out`` (rows, columns) = ``initial`` + ``left`` (rows, inner) ``right`` (inner, columns).

    An operand is a flat array, where it starts in it, and the step from row to row; ``left`` has the step along a row as well.
    ``fresh``: 0 in place of ``initial``, whose step is 0 where all rows have the same. At most ``TILE_ROWS`` rows and
    ``TILE_VECTORS`` vectors of columns; whole vectors of ``right`` are read, up to what is beyond ``columns``.
    """

    def view(operand: tuple[Array, int, int], shape: tuple[int, int], along: int = 1) -> Array:
        array, start, step = operand
        return np.lib.stride_tricks.as_strided(array[start:], shape, (step * array.itemsize, along * array.itemsize))

    product = view(left[:3], (rows, inner), left[3]) @ view(right, (inner, columns))
    view(out, (rows, columns))[...] = product if fresh else view(initial, (rows, columns)) + product


@instructions
def _compiled_tile(typing: Any, rows: Any, columns: Any, inner: Any, left: Any, right: Any, fresh: Any, initial: Any, out: Any) -> Any:
    """``_plain_tile`` in registers: calls the function that is made for the number of rows and vectors."""
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
        vectors = builder.add(builder.sdiv(builder.sub(args[1], number(1)), number(lanes)), number(1))
        last = builder.sub(args[1], builder.mul(builder.sub(vectors, number(1)), number(lanes)))
        handed = [*operands, args[2], last, builder.zext(args[5], INDEX)]
        key = builder.add(builder.mul(args[0], number(TILE_VECTORS + 1)), vectors)  # rows and vectors as its digits
        before, done = builder.block, builder.append_basic_block("done")
        cases = {}
        for r in range(1, TILE_ROWS + 1):
            for v in range(1, TILE_VECTORS + 1):
                cases[r * (TILE_VECTORS + 1) + v] = block = builder.append_basic_block(f"rows{r}_vectors{v}")
                builder.position_at_end(block)
                builder.call(_function(builder.module, real, lanes, r, v), handed)
                builder.branch(done)
        builder.position_at_end(before)
        switch = builder.switch(key, done)
        for value, block in cases.items():
            switch.add_case(number(value), block)
        builder.position_at_end(done)
        return context.get_dummy_value()

    size = types.intp
    array = types.Array(dtype, 1, "C")
    matrix = types.Tuple((array, size, size))
    return types.void(size, size, size, types.Tuple((array, size, size, size)), matrix, types.boolean, matrix, matrix), codegen


tile: Any = _plain_tile if JIT_DISABLED else _compiled_tile


def _function(module: Any, real: Any, lanes: int, rows: int, vectors: int) -> Any:
    """The tile of so many rows and vectors, as a function of the module; made at the first call for it."""
    pointer = real.as_pointer()
    arguments = [pointer, INDEX, INDEX, *[pointer, INDEX] * 3, INDEX, INDEX, INDEX]
    function, known = new_function(module, f"tile_{real}_{rows}x{vectors}", arguments)
    if known:
        return function
    left, left_step, along, right, right_step, initial, initial_step, out, out_step, inner, last, fresh = function.args
    emit = Vectors(ir.IRBuilder(function.append_basic_block("entry")), real, lanes)
    builder, mask = emit.builder, emit.first_lanes(last)

    def places(array: Any, step: Any) -> list[tuple[Any, bool]]:
        """The address of each vector of a tile, and whether it is the last of its row, which may be ragged."""
        starts = [builder.gep(array, [builder.mul(number(m), step)]) for m in range(rows)]
        return [(builder.gep(row, [number(v * lanes)]), v == vectors - 1) for row in starts for v in range(vectors)]

    entry, given, begin = function.entry_basic_block, function.append_basic_block("given"), function.append_basic_block("begin")
    loop, end = function.append_basic_block("loop"), function.append_basic_block("end")
    builder.cbranch(builder.icmp_signed("==", fresh, number(0)), given, begin)
    builder.position_at_end(given)
    loaded = [emit.load(place, mask if ragged else None) for place, ragged in places(initial, initial_step)]
    builder.branch(begin)

    builder.position_at_end(begin)
    sums = []
    for value in loaded:
        sums.append(builder.phi(emit.type))
        sums[-1].add_incoming(value, given)
        sums[-1].add_incoming(emit.zeros(), entry)
    # Rows by fours: an address is one of few pointers plus 0, 1, 2 or 3 steps, which leaves registers for all of them.
    twice, thrice = builder.mul(left_step, number(2)), builder.mul(left_step, number(3))
    fours = [builder.gep(left, [builder.mul(number(m), left_step)]) for m in range(0, rows, 4)]
    builder.cbranch(builder.icmp_signed(">", inner, number(0)), loop, end)

    builder.position_at_end(loop)
    left_now = [builder.phi(pointer) for _ in fours]
    right_now, to_go = builder.phi(pointer), builder.phi(INDEX)
    running = [builder.phi(emit.type) for _ in sums]
    right_row = [emit.load(builder.gep(right_now, [number(v * lanes)])) for v in range(vectors)]
    added = []
    for m in range(rows):
        place = builder.gep(left_now[m // 4], [(number(0), left_step, twice, thrice)[m % 4]])
        spread = emit.spread(builder.load(place))
        added += [emit.multiply_add(spread, right_row[v], running[m * vectors + v]) for v in range(vectors)]
    turn = [
        *((now, start, builder.gep(now, [along])) for now, start in zip(left_now, fours, strict=True)),
        (right_now, right, builder.gep(right_now, [right_step])),
        (to_go, inner, builder.sub(to_go, number(1))),
        *zip(running, sums, added, strict=True),
    ]
    for phi, at_first, next_one in turn:
        phi.add_incoming(at_first, begin)
        phi.add_incoming(next_one, loop)
    builder.cbranch(builder.icmp_signed(">", turn[-1 - len(sums)][2], number(0)), loop, end)

    builder.position_at_end(end)
    finished = []
    for at_first, next_one in zip(sums, added, strict=True):
        finished.append(builder.phi(emit.type))
        finished[-1].add_incoming(at_first, begin)
        finished[-1].add_incoming(next_one, loop)
    for value, (place, ragged) in zip(finished, places(out, out_step), strict=True):
        emit.store(value, place, mask if ragged else None)
    builder.ret_void()
    return function

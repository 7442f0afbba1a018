"""A block of a right matrix, copied to panels that the register tile reads from end to end: straight, or transposed on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from deltacheck.kernels.jit.compile_options import instructions
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED, TILE_VECTORS, VECTOR_BYTES
from deltacheck.kernels.jit.products.simd_vectors import INDEX, Vectors, new_function, number, tuple_of
from deltacheck.kernels.network import Array


def _plain_pack(inner: int, columns: int, source: tuple[Array, int, int], transposed: bool, panels: tuple[Array, int]) -> None:
    """The matrix (inner, columns) at ``source``, a flat array, a start and the step from row to row, in panels.

    ``transposed``: it lies there as (columns, inner). ``panels``: a flat array and where they start in it, one behind the other,
    each (inner, ``TILE_VECTORS`` vectors). What is beyond ``columns`` in the last is of no account, and a vector's worth of
    rows more than it has may be written.
    """
    wide = TILE_VECTORS * VECTOR_BYTES // source[0].itemsize
    array, start, step = source
    shape, steps = ((columns, inner) if transposed else (inner, columns)), (step * array.itemsize, array.itemsize)
    matrix = np.lib.stride_tricks.as_strided(array[start:], shape, steps)
    matrix = matrix.T if transposed else matrix
    for panel, k in enumerate(range(0, columns, wide)):
        target = panels[0][panels[1] + panel * inner * wide :][: inner * wide].reshape(inner, wide)
        target[:, : min(wide, columns - k)] = matrix[:, k : k + wide]


@instructions
def _compiled_pack(typing: Any, inner: Any, columns: Any, source: Any, transposed: Any, panels: Any) -> Any:
    """``_plain_pack`` in vectors."""
    dtype = source[0].dtype
    lanes = VECTOR_BYTES // (dtype.bitwidth // 8)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        real = context.get_value_type(dtype)

        def address(place: int) -> Any:
            array = context.make_array(signature.args[place][0])(context, builder, builder.extract_value(args[place], 0))
            return builder.gep(array.data, [builder.extract_value(args[place], 1)])

        handed = [args[0], args[1], address(2), builder.extract_value(args[2], 2), address(4)]
        with builder.if_else(args[3]) as (then, otherwise):
            with then:
                builder.call(_transposing(builder.module, real, lanes), handed)
            with otherwise:
                builder.call(_straight(builder.module, real, lanes), handed)
        return context.get_dummy_value()

    size, array = types.intp, types.Array(dtype, 1, "C")
    return types.void(size, size, tuple_of(array, size, size), types.boolean, tuple_of(array, size)), codegen


pack: Any = _plain_pack if JIT_DISABLED else _compiled_pack


def _begun(module: Any, name: str, real: Any, lanes: int) -> tuple[Any, bool, Any]:
    """A function of inner, columns, source, step and panels; whether it was there before; if not, what its body is emitted with."""
    pointer = real.as_pointer()
    function, known = new_function(module, f"{name}_{real}", [INDEX, INDEX, pointer, INDEX, pointer])
    return function, known, None if known else Vectors(ir.IRBuilder(function.append_basic_block("entry")), real, lanes)


def _straight(module: Any, real: Any, lanes: int) -> Any:
    """Row by row, as far as the block goes: memory likes to be read so."""
    function, known, emit = _begun(module, "pack", real, lanes)
    if known:
        return function
    inner, columns, source, step, panels = function.args
    builder = emit.builder
    wide = number(TILE_VECTORS * lanes)
    panel_size = builder.mul(inner, wide)
    with cgutils.for_range(builder, inner) as row:
        begin, to = builder.mul(row.index, step), builder.mul(row.index, wide)
        with cgutils.for_range_slice(builder, number(0), columns, wide, inc=True) as (column, panel):
            place = builder.add(to, builder.mul(panel, panel_size))
            for v in range(TILE_VECTORS):
                there = builder.add(column, number(v * lanes))
                loaded = emit.load(builder.gep(source, [builder.add(begin, there)]), emit.first_lanes(builder.sub(columns, there)))
                emit.store(loaded, builder.gep(panels, [builder.add(place, number(v * lanes))]))
    builder.ret_void()
    return function


def _transposing(module: Any, real: Any, lanes: int) -> Any:
    """Square by square, a square being as many rows of the source as a vector has lanes."""
    function, known, emit = _begun(module, "pack_transposed", real, lanes)
    if known:
        return function
    inner, columns, source, step, panels = function.args
    builder = emit.builder
    last = builder.sub(columns, number(1))
    wide = number(TILE_VECTORS * lanes)
    panel_size = builder.mul(inner, wide)
    with cgutils.for_range_slice(builder, number(0), columns, number(lanes), inc=True) as (column, _):
        sources = []
        for lane in range(lanes):  # a row too many is read from the last one's place, and is of no account
            row = builder.add(column, number(lane))
            there = builder.select(builder.icmp_signed("<", row, last), row, last)
            sources.append(builder.gep(source, [builder.mul(there, step)]))
        place = builder.add(builder.mul(builder.sdiv(column, wide), panel_size), builder.srem(column, wide))
        target = builder.gep(panels, [place])
        with cgutils.for_range_slice(builder, number(0), inner, number(lanes), inc=True) as (begin, _):
            mask = emit.first_lanes(builder.sub(inner, begin))
            rows = [emit.load(builder.gep(place, [begin]), mask) for place in sources]
            for j, value in enumerate(emit.transposed(rows)):
                to = builder.mul(builder.add(begin, number(j)), wide)
                emit.store(value, builder.gep(target, [to]))
    builder.ret_void()
    return function

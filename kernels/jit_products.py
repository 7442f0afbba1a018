"""The three matrix products of a layer: plain loops for one sample and for small ones, BLAS for the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import overload

from kernels.jit_blas import GEMM, NAME
from kernels.jit_options import element_wise, instructions, sums
from kernels.network import Array

# Multiply-adds of one product below which a plain loop beats the call of the BLAS.
SMALL = 4096


@element_wise
def weighted_sums(a: Array, w: Array, b: Array, z: Array) -> None:
    """z = a w + b, (2). The product is added to b: BLAS clears its result first anyhow, so the bias costs nothing."""
    for r in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[r, k] = b[k]
    if a.shape[0] > 1 and a.size * w.shape[1] > SMALL:
        add_product(a, False, w, False, 1.0, z)  # (2)
        return
    n_in = a.shape[1]
    fours = n_in - n_in % 4
    for r in range(z.shape[0]):
        for j in range(0, fours, 4):  # four rows of w for each time z is read and written
            for k in range(z.shape[1]):
                z[r, k] += a[r, j] * w[j, k] + a[r, j + 1] * w[j + 1, k] + a[r, j + 2] * w[j + 2, k] + a[r, j + 3] * w[j + 3, k]  # (2)
        for j in range(fours, n_in):
            for k in range(z.shape[1]):
                z[r, k] += a[r, j] * w[j, k]  # (2)


@element_wise
def weight_gradient(a: Array, delta: Array, dw: Array) -> None:
    """∂C/∂w = a′ δ, (13)."""
    if a.shape[0] > 1 and a.size * delta.shape[1] > SMALL:
        add_product(a, True, delta, False, 0.0, dw)  # (13)
        return
    for j in range(dw.shape[0]):
        for k in range(dw.shape[1]):
            dw[j, k] = a[0, j] * delta[0, k]  # (13)
    for r in range(1, a.shape[0]):
        for j in range(dw.shape[0]):
            for k in range(dw.shape[1]):
                dw[j, k] += a[r, j] * delta[r, k]  # (13)


@sums
def propagated(delta: Array, w: Array, before: Array) -> None:
    """∂C/∂a of the layer before = δ w′, (8)."""
    if delta.shape[0] > 1 and delta.size * w.shape[0] > SMALL:
        add_product(delta, False, w, True, 0.0, before)  # (8)
        return
    for r in range(delta.shape[0]):
        for j in range(w.shape[0]):
            total = delta[r, 0] * w[j, 0]
            for k in range(1, w.shape[1]):
                total += delta[r, k] * w[j, k]
            before[r, j] = total  # (8)


def add_product(left: Array, left_transposed: bool, right: Array, right_transposed: bool, beta: float, out: Array) -> None:
    """``out`` = ``left`` ``right`` + ``beta`` ``out``, either factor transposed or not; all in C order."""
    product = (left.T if left_transposed else left) @ (right.T if right_transposed else right)
    out[:] = product + out if beta else product


@overload(add_product)
def _add_product(left: Any, left_transposed: Any, right: Any, right_transposed: Any, beta: Any, out: Any) -> Any:
    def compiled(left: Any, left_transposed: Any, right: Any, right_transposed: Any, beta: Any, out: Any) -> Any:
        inner = left.shape[0] if left_transposed else left.shape[1]
        _gemm(left, left_transposed, right, right_transposed, beta, out, inner)

    return compiled


@instructions
def _gemm(typing: Any, left: Any, left_transposed: Any, right: Any, right_transposed: Any, beta: Any, out: Any, inner: Any) -> Any:
    """``add_product`` by the BLAS that ``jit_blas`` found, with the beta that ``np.dot`` lacks.

    BLAS counts by columns: to it our matrices are their transposes, so it is asked for out′ = right′ left′.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        char, size, pointer = ir.IntType(8), ir.IntType(np.dtype(np.intp).itemsize * 8), ir.IntType(8).as_pointer()
        letter = "s" if out.dtype == types.float32 else "d"

        def array(place: int) -> tuple[Any, Any, Any]:
            struct = context.make_array(signature.args[place])(context, builder, args[place])
            rows, columns = cgutils.unpack_tuple(builder, struct.shape)  # type: ignore[no-untyped-call]
            return builder.bitcast(struct.data, pointer), rows, columns

        def flag(place: int) -> Any:
            return builder.select(args[place], ir.Constant(char, ord("t")), ir.Constant(char, ord("n")))

        def on_stack(value: Any) -> Any:
            slot = cgutils.alloca_once_value(builder, value)  # type: ignore[no-untyped-call]
            return builder.bitcast(slot, pointer)

        def declared(name: str, result: Any, arguments: list[Any]) -> Any:
            return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)  # type: ignore[no-untyped-call]

        one = on_stack(ir.Constant(context.get_value_type(out.dtype), 1.0))
        scale = on_stack(context.cast(builder, args[4], signature.args[4], out.dtype))
        left_data, _, left_columns = array(0)
        right_data, _, right_columns = array(2)
        out_data, out_rows, out_columns = array(5)
        flags, sizes = [flag(3), flag(1)], [out_columns, out_rows, args[6]]
        if GEMM == "numpy":  # as Fortran calls it: everything by its address
            gemm = declared(NAME.format(letter=letter), ir.VoidType(), [pointer] * 13)
            right_step, left_step, out_step = (on_stack(step) for step in (right_columns, left_columns, out_columns))
            head = [on_stack(value) for value in (*flags, *sizes)]
            builder.call(gemm, [*head, one, right_data, right_step, left_data, left_step, scale, out_data, out_step])
        else:
            gemm = declared(
                "numba_xxgemm",
                ir.IntType(32),
                [char, char, char, size, size, size, pointer, pointer, size, pointer, size, pointer, pointer, size],
            )
            head = [ir.Constant(char, ord(letter)), *flags, *sizes]
            builder.call(gemm, [*head, one, right_data, right_columns, left_data, left_columns, scale, out_data, out_columns])
        return context.get_dummy_value()

    return types.void(left, types.boolean, right, types.boolean, types.float64, out, types.intp), codegen

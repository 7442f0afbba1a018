"""Matrix products and the packing they rest on: exact on small whole numbers, whatever lies around the operands."""

from __future__ import annotations

from itertools import product as combinations
from typing import Any

import numpy as np
import pytest

from deltacheck.kernels.jit.compile_options import entry
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES
from deltacheck.kernels.jit.products import blocks
from deltacheck.kernels.jit.products.blocks import (
    BLOCK_COLUMNS,
    FAR_APART,
    INNER_BYTES,
    outer_product,
    panel_size,
    product,
    products_with_rows,
    row_product,
)
from deltacheck.kernels.jit.products.pack import pack
from deltacheck.kernels.network import Array

DTYPES = ("float32", "float64")
GUARD = 64  # numbers on either side of an array: more than any vector code could write over in one go


@entry
def call_product(rows, columns, inner, left, left_transposed, right, right_transposed, initial, fresh, out, panels):
    product(rows, columns, inner, left, left_transposed, right, right_transposed, initial, fresh, out, panels)


@entry
def call_pack(inner, columns, source, transposed, panels):
    pack(inner, columns, source, transposed, panels)


@entry
def call_row_product(a, w, start, step, b, z):
    row_product(a, w, start, step, b, z)


@entry
def call_outer_product(a, delta, dw):
    outer_product(a, delta, dw)


@entry
def call_products_with_rows(w, delta, before):
    products_with_rows(w, delta, before)


class Placed:
    """A matrix in a flat array that it fills to the end, NaN before it and between its rows, and NaN around the array itself."""

    def __init__(self, matrix: Array, step: int, start: int = 3, after: int = 0) -> None:
        rows, columns = matrix.shape
        size = start + (rows - 1) * step + columns + after
        self.around = np.full(size + 2 * GUARD, np.nan, matrix.dtype)
        flat = self.around[GUARD : GUARD + size]
        self.operand = flat, start, step
        inside = np.zeros(self.around.size, bool)

        def view(array: Array) -> Array:
            flat = array[GUARD + start : GUARD + size]
            return np.lib.stride_tricks.as_strided(flat, matrix.shape, (step * array.itemsize, array.itemsize))

        self.matrix = view(self.around)
        self.matrix[...] = matrix
        view(inside)[...] = True
        self.outside = ~inside

    def nothing_else_is_written(self) -> bool:
        return bool(np.isnan(self.around[self.outside]).all())


def whole_numbers(rng: np.random.Generator, shape: tuple[int, int], dtype: str) -> Array:
    """So small that their products and sums are exact in any order."""
    return rng.integers(-8, 9, shape).astype(dtype)


def multiplied(
    left: Array,
    right: Array,
    initial: Array | None,
    *,
    left_transposed: bool = False,
    right_transposed: bool = False,
    extra: tuple[int, int, int] = (0, 0, 0),
    in_place: bool = False,
) -> Array:
    """``initial + left right`` by ``product``; what belongs to no operand is NaN, and has to stay so. ``extra``: steps beyond the row."""
    (rows, inner), columns, dtype = left.shape, right.shape[1], left.dtype
    there = Placed(left.T if left_transposed else left, (rows if left_transposed else inner) + extra[0])
    other = Placed(right.T if right_transposed else right, (inner if right_transposed else columns) + extra[1])
    out = Placed(np.full((rows, columns), np.nan, dtype), columns + extra[2])
    first = out
    if in_place:
        out.matrix[...] = initial
    elif initial is not None:
        first = Placed(np.broadcast_to(initial, (rows, columns)), 0 if len(initial) == 1 and rows > 1 else columns + 1)
    room = panel_size(columns, inner, dtype.itemsize)
    panels = np.full(room + 2 * GUARD + 5, np.nan, dtype)
    left_before, right_before = there.around.copy(), other.around.copy()
    call_product(
        rows,
        columns,
        inner,
        there.operand,
        left_transposed,
        other.operand,
        right_transposed,
        first.operand,
        initial is None,
        out.operand,
        (panels[GUARD : GUARD + 5 + room], 5),
    )
    assert out.nothing_else_is_written()
    assert np.isnan(panels[: GUARD + 5]).all()
    assert np.isnan(panels[-GUARD:]).all()
    np.testing.assert_array_equal(there.around, left_before)
    np.testing.assert_array_equal(other.around, right_before)
    return out.matrix


def lanes(dtype: str) -> int:
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def shapes(dtype: str) -> list[tuple[int, int, int]]:
    """Rows, columns, inner: every number of rows with some columns, every edge of columns and inner with some rows."""
    vector, most_inner = lanes(dtype), INNER_BYTES // np.dtype(dtype).itemsize
    wide = TILE_VECTORS * vector
    columns = sorted({1, 2, vector - 1, vector, vector + 1, wide - 1, wide, wide + 1, 3 * vector, 2 * wide + 1})
    wider = [BLOCK_COLUMNS - 1, BLOCK_COLUMNS, BLOCK_COLUMNS + 1, BLOCK_COLUMNS + vector + 1, 2 * BLOCK_COLUMNS + 3]
    inners = [1, vector + 1, most_inner - 1, most_inner, most_inner + 1, 2 * most_inner, 2 * most_inner + 1]
    every_row = list(combinations(range(1, 2 * TILE_ROWS + 2), columns, [1, 2, 5]))
    edges = list(combinations([1, 2, TILE_ROWS, TILE_ROWS + 1], [1, vector, wide + 1, *wider], inners))
    return every_row + edges


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("left_transposed", [False, True], ids=["left", "left-transposed"])
@pytest.mark.parametrize("right_transposed", [False, True], ids=["right", "right-transposed"])
def test_product_of_whole_numbers_is_exact(left_transposed: bool, right_transposed: bool, dtype: str) -> None:
    rng = np.random.default_rng(0)
    transposed = {"left_transposed": left_transposed, "right_transposed": right_transposed}
    for number, (rows, columns, inner) in enumerate(shapes(dtype)):
        left, right = whole_numbers(rng, (rows, inner), dtype), whole_numbers(rng, (inner, columns), dtype)
        kind = number % 4  # four ways to begin, four sets of steps: all are met with, for there is an odd number of inner sizes
        initial = None if kind == 0 else whole_numbers(rng, (1 if kind == 1 else rows, columns), dtype)
        extra = ((0, 0, 0), (3, 0, 0), (0, 5, 1), (1, 1, 40))[number // 4 % 4]
        got = multiplied(left, right, initial, **transposed, extra=extra, in_place=kind == 3)
        expected = left @ right + (0 if initial is None else initial)
        np.testing.assert_array_equal(got, expected, err_msg=f"{rows=} {columns=} {inner=} {kind=} {extra=}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_however_a_product_is_cut(dtype: str) -> None:
    """By rows, by columns, packed or not, transposed or not: a sum runs in order. Only without Numba NumPy's BLAS has orders of its own."""
    rng = np.random.default_rng(0)
    most_inner = INNER_BYTES // np.dtype(dtype).itemsize
    for inner in (7, most_inner + 3, 2 * most_inner + 1):
        rows, columns = 2 * TILE_ROWS + 3, BLOCK_COLUMNS + 2 * lanes(dtype) + 1
        left, right, initial = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, inner), (inner, columns), (rows, columns)))
        whole = multiplied(left, right, initial)
        others = {
            "right transposed": multiplied(left, right, initial, right_transposed=True),
            "left transposed": multiplied(left, right, initial, left_transposed=True),
            "far apart": multiplied(left, right, initial, extra=(0, FAR_APART, 0)),
            "in place": multiplied(left, right, initial, in_place=True),
            "row by row": np.concatenate([multiplied(left[r : r + 1], right, initial[r : r + 1]) for r in range(rows)]),
            "five rows": np.concatenate([multiplied(left[r : r + 5], right, initial[r : r + 5]) for r in range(0, rows, 5)]),
            "columns": np.hstack([multiplied(left, right[:, k : k + 9], initial[:, k : k + 9]) for k in range(0, columns, 9)]),
        }
        for name, other in others.items():
            if JIT_DISABLED:
                np.testing.assert_allclose(other, whole, rtol=0, atol=100 * np.sqrt(inner) * np.finfo(dtype).eps, err_msg=name)
            else:
                np.testing.assert_array_equal(other, whole, err_msg=f"{name}, {inner=}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_that_is_not_finite_stays_in_its_row_and_its_column(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for rows, columns, bad in combinations((1, 3, TILE_ROWS + 2), (1, lanes(dtype) + 1, BLOCK_COLUMNS + 3), (np.nan, np.inf)):
        left, right = (rng.random(shape).astype(dtype) + 1 for shape in ((rows, 6), (6, columns)))
        k = columns // 2
        for spoiled, number, reached in ((left, (rows - 1, 3), np.s_[rows - 1, :]), (right, (3, k), np.s_[:, k])):
            kept, expected = spoiled[number], np.zeros((rows, columns), bool)
            spoiled[number], expected[reached] = bad, True
            for transposed in (False, True):
                with np.errstate(invalid="ignore"):  # for the run without Numba
                    got = multiplied(left, right, None, right_transposed=transposed)
                np.testing.assert_array_equal(~np.isfinite(got), expected)
            spoiled[number] = kept


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_pack(transposed: bool, dtype: str) -> None:
    rng, vector = np.random.default_rng(0), lanes(dtype)
    wide = TILE_VECTORS * vector
    for inner, columns, extra in combinations((1, 2, vector - 1, vector, vector + 1, 37), (*range(1, 2 * wide + 2), BLOCK_COLUMNS), (0, 3)):
        matrix = rng.standard_normal((inner, columns)).astype(dtype)
        source = Placed(matrix.T if transposed else matrix, (inner if transposed else columns) + extra)
        room = panel_size(columns, inner, matrix.itemsize)
        panels = np.full(room + 2 * GUARD + 3, np.nan, dtype)
        call_pack(inner, columns, source.operand, transposed, (panels[GUARD : GUARD + 3 + room], 3))
        for k in range(columns):
            panel = panels[GUARD + 3 + k // wide * inner * wide :][: inner * wide].reshape(inner, wide)
            np.testing.assert_array_equal(panel[:, k % wide], matrix[:, k], err_msg=f"{inner=} {columns=} {k=}")
        assert np.isnan(panels[: GUARD + 3]).all()
        assert np.isnan(panels[-GUARD:]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_one_sample(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for n_in, n_out in combinations((1, 2, 3, 4, 5, 7, 8, 33), (1, 2, 7, 8, 17, 40)):
        a, b, delta = (whole_numbers(rng, (1, n), dtype)[0] for n in (n_in, n_out, n_out))
        w = Placed(whole_numbers(rng, (n_in, n_out), dtype), n_out)
        flat = w.operand[0][w.operand[1] :]
        for left, right in ((0, n_out), (n_out // 2, n_out)):  # a thread's share of the columns
            z = Placed(np.zeros((1, right - left), dtype), right - left)
            call_row_product(a, w.operand[0], w.operand[1] + left, n_out, b[left:right], z.matrix[0])
            np.testing.assert_array_equal(z.matrix[0], (b + a @ w.matrix)[left:right])
            assert z.nothing_else_is_written()
        dw = Placed(np.zeros((1, n_in * n_out), dtype), n_in * n_out)
        call_outer_product(a, delta, dw.matrix[0])
        np.testing.assert_array_equal(dw.matrix[0].reshape(n_in, n_out), np.outer(a, delta))
        before = Placed(np.zeros((1, n_in), dtype), n_in)
        call_products_with_rows(flat, delta, before.matrix[0])
        np.testing.assert_array_equal(before.matrix[0], w.matrix @ delta)
        assert dw.nothing_else_is_written()
        assert before.nothing_else_is_written()


def test_a_check_of_bounds_sees_what_lies_beyond() -> None:
    check: Any = getattr(blocks._check, "py_func", blocks._check)
    array = np.zeros(20)
    check((array, 2, 6), (3, 6))
    for operand, shape in (((array, 3, 6), (3, 6)), ((array, 2, 7), (3, 6)), ((array, 2, 6), (4, 6)), ((array, -1, 6), (1, 1))):
        with pytest.raises(IndexError, match="beyond the end"):
            check(operand, shape)

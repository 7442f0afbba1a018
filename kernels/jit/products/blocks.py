"""Matrix products by register tiles, blocked for the caches; and the three products of a layer for one sample, as plain loops."""

from __future__ import annotations

from deltacheck.kernels.jit.array_views import row
from deltacheck.kernels.jit.compile_options import compiled_once, element_wise, sums
from deltacheck.kernels.jit.cpu_target import BOUNDS_CHECKED, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES
from deltacheck.kernels.jit.products.pack import pack
from deltacheck.kernels.jit.products.tile import tile
from deltacheck.kernels.network import Array

# A block of the left matrix, tile rows × inner, is to stay in the L1 cache while it meets one panel of the right matrix after the
# other; a block of these, inner × columns, in the L2 cache while it meets one block of the left matrix after the other.
INNER_BYTES = 2048
BLOCK_COLUMNS = 128

# Rows of the right matrix that lie so far apart, in bytes, are packed: each lies on a memory page of its own, and where the step
# is a power of two, they crowd into few places of the caches.
FAR_APART = 2048

# One tile's rows are too few to pack for. Then so few rows of the right matrix at once that they are read side by side to their ends.
FEW_INNER = 32


@element_wise
def lanes(array: Array) -> int:
    """How many numbers of the array's dtype make a vector."""
    return VECTOR_BYTES // array.itemsize


def panel_size(columns: int, inner: int, itemsize: int) -> int:
    """Room for a packed block of the right matrix, in numbers, and for what ``pack`` writes beyond."""
    vector = VECTOR_BYTES // itemsize
    wide = TILE_VECTORS * vector
    return min(BLOCK_COLUMNS, -(-columns // wide) * wide) * min(inner, INNER_BYTES // itemsize) + vector * wide


_panel_size = element_wise(panel_size)


@compiled_once
def product(
    rows: int,
    columns: int,
    inner: int,
    left: tuple[Array, int, int],
    left_transposed: bool,
    right: tuple[Array, int, int],
    right_transposed: bool,
    initial: tuple[Array, int, int],
    fresh: bool,
    out: tuple[Array, int, int],
    panels: tuple[Array, int],
) -> None:
    """``out`` (rows, columns) = ``initial`` + ``left`` (rows, inner) ``right`` (inner, columns), 0 in place of ``initial`` if ``fresh``.

    Operands are as for ``tile``; the transposed ones lie there as (inner, rows) and (columns, inner). ``panels``: room for
    ``panel_size`` numbers, and where it starts.
    """
    vector = lanes(out[0])
    wide = TILE_VECTORS * vector
    n_rows = -(-rows // TILE_ROWS)
    beyond = -columns % vector  # what the tile reads beyond the last column must be there
    there = right[1] + (inner - 1) * right[2] + columns + beyond <= right[0].size
    far = right[2] * right[0].itemsize >= FAR_APART
    packed = right_transposed or (far and n_rows > 1) or not there
    block_columns = BLOCK_COLUMNS if packed else columns
    most_inner = FEW_INNER if far and not packed else INNER_BYTES // out[0].itemsize
    n_inner = max(1, -(-inner // most_inner))
    if BOUNDS_CHECKED:
        _check(left, (inner, rows) if left_transposed else (rows, inner))
        _check(right, (columns, inner) if right_transposed else (inner, columns))
        _check(out, (rows, columns))
        if not fresh:
            _check(initial, (rows, columns))
        if packed:
            _check((panels[0], panels[1], 0), (1, _panel_size(columns, inner, out[0].itemsize)))
    for first in range(0, columns, block_columns):
        here = min(block_columns, columns - first)
        for i in range(n_inner):
            begin, end = inner * i // n_inner, inner * (i + 1) // n_inner
            if packed:
                corner = right[1] + (first * right[2] + begin if right_transposed else begin * right[2] + first)
                pack(end - begin, here, (right[0], corner, right[2]), right_transposed, panels)
            for r in range(n_rows):
                top, bottom = rows * r // n_rows, rows * (r + 1) // n_rows  # evenly cut: ten rows by eights and twos would be slow
                left_start = left[1] + (begin * left[2] + top if left_transposed else top * left[2] + begin)
                if packed:
                    now = (panels[0], panels[1], wide, (end - begin) * wide)
                else:
                    now = (right[0], right[1] + begin * right[2], right[2], wide)
                target = (out[0], out[1] + top * out[2] + first, out[2])
                start = (initial[0], initial[1] + top * initial[2] + first, initial[2]) if i == 0 else target
                along = (1, left[2]) if left_transposed else (left[2], 1)
                tile(bottom - top, here, end - begin, (left[0], left_start, along[0], along[1]), now, fresh and i == 0, start, target)


@element_wise
def _check(operand: tuple[Array, int, int], shape: tuple[int, int]) -> None:
    """The tile reads and writes by address, which Numba's own checks do not see."""
    array, start, step = operand
    if start < 0 or step < 0 or start + (shape[0] - 1) * step + shape[1] > array.size:
        raise IndexError("a matrix product beyond the end of an array")


# One sample: a row times a matrix, an outer product, a matrix times a row. There is nothing for a tile to reuse.


@element_wise
def row_product(a: Array, w: Array, start: int, step: int, b: Array, z: Array) -> None:
    """z = b + a w for one sample, (2). ``a`` (n_in,), ``b`` and ``z`` (columns,); ``w`` flat, from ``start``, ``step`` from row to row."""
    for k in range(z.size):
        z[k] = b[k]
    fours = a.size - a.size % 4
    for j in range(0, fours, 4):  # four rows of w for each time z is read and written
        first, second = row(w, start + j * step, z.size), row(w, start + (j + 1) * step, z.size)
        third, fourth = row(w, start + (j + 2) * step, z.size), row(w, start + (j + 3) * step, z.size)
        for k in range(z.size):
            z[k] += a[j] * first[k] + a[j + 1] * second[k] + a[j + 2] * third[k] + a[j + 3] * fourth[k]  # (2)
    for j in range(fours, a.size):
        single = row(w, start + j * step, z.size)
        for k in range(z.size):
            z[k] += a[j] * single[k]  # (2)


@element_wise
def outer_product(a: Array, delta: Array, dw: Array) -> None:
    """∂C/∂w = a′ δ for one sample, (13), into ``dw``, flat."""
    for j in range(a.size):
        dw_j = row(dw, j * delta.size, delta.size)
        for k in range(delta.size):
            dw_j[k] = a[j] * delta[k]  # (13)


@sums
def products_with_rows(w: Array, delta: Array, before: Array) -> None:
    """∂C/∂a of the layer before = δ w′ for one sample, (8); ``w`` flat, (before.size, delta.size)."""
    for j in range(before.size):
        w_j = row(w, j * delta.size, delta.size)
        total = w_j[0] * delta[0]
        for k in range(1, delta.size):
            total += w_j[k] * delta[k]
        before[j] = total  # (8)

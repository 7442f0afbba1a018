"""Arrays laid out in memory in every way that NumPy knows, each in a buffer of NaN: what is read or written beyond it is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BORDER = 16  # elements of NaN before and behind
ALIGNMENT = 64  # bytes, of the first element: a vector's width
OFF = "one element off alignment"
ROW, COLUMN = "one row broadcast", "one column broadcast"
BACK, ONE = slice(None, None, -1), slice(1)
MATRIX: dict[
    str, tuple[tuple[int, int], str, tuple[slice, slice]]
] = {  # memory by columns and rows of the array, its order, the part of it
    "contiguous": ((1, 1), "C", (slice(None), slice(None))),
    "fortran": ((1, 1), "F", (slice(None), slice(None))),
    "columns of a wider array": ((1, 2), "C", (slice(None), slice(None))),  # big[:, :n]
    "part of a fortran array": ((2, 1), "F", (slice(None), slice(None))),
    "every other column": ((1, 2), "C", (slice(None), slice(None, None, 2))),
    "every other row": ((2, 1), "C", (slice(None, None, 2), slice(None))),
    "every other row backwards": ((2, 1), "C", (slice(None, None, -2), slice(None))),
    "every other row of a fortran array": ((2, 1), "F", (slice(None, None, 2), slice(None))),
    "rows backwards": ((1, 1), "C", (BACK, slice(None))),
    "columns backwards": ((1, 1), "C", (slice(None), BACK)),
    "rows and columns backwards": ((1, 1), "C", (BACK, BACK)),
    OFF: ((1, 1), "C", (slice(None), slice(None))),
}
NUMBER = "one number broadcast"
WINDOWS = "overlapping windows of a series"
VECTOR = {
    "contiguous": (1, slice(None)),
    "every other entry": (2, slice(None, None, 2)),
    "a column of a matrix": (40, slice(None, None, 40)),
    "backwards": (1, BACK),
    OFF: (1, slice(None)),
}
BROADCAST = (ROW, COLUMN, NUMBER, WINDOWS)  # numbers that lie in memory once: all rows, or all columns, are one, or rows begin one apart
RECORDS = "a field of packed records"  # rows, or entries, that lie 4 bytes more apart than their own numbers take
BUFFER = "a buffer of bytes"  # np.frombuffer: what owns the memory is no array
MATRIX_KINDS, VECTOR_KINDS = (*MATRIX, RECORDS, BUFFER, *BROADCAST), (*VECTOR, RECORDS, BUFFER, NUMBER)


@dataclass(frozen=True)
class LaidOut:
    """``array``: the view that a kernel is given; ``memory``: what it lies in, with NaN around and between.

    ``numbers``: a part of the memory, writable, that holds all numbers of the array.
    """

    array: Array
    memory: Array
    numbers: Array
    before: bytes

    @property
    def intact(self) -> bool:
        """Whether the memory holds what it held, gaps and borders included."""
        return self.memory.tobytes() == self.before


def windows(values: Array) -> Array:
    """The overlapping windows (B, n) of the series that begins with the first row and goes on with the last column."""
    series = np.concatenate([values[0], values[1:, -1]])
    return np.lib.stride_tricks.sliding_window_view(series, values.shape[1])


def laid_out(values: Array, layout: str) -> LaidOut:
    """The numbers of ``values``, of one or two dimensions, laid out as ``layout`` says: of ``VECTOR_KINDS``, or of ``MATRIX_KINDS``.

    A layout of ``BROADCAST`` takes the first row for all rows, the first column for all columns, the first number, or ``windows``.
    """
    if layout == WINDOWS:
        series = laid_out(np.concatenate([values[0], values[1:, -1]]), "contiguous")
        return replace(series, array=np.lib.stride_tricks.sliding_window_view(series.array, values.shape[1]))
    if layout == RECORDS:
        records = np.zeros(len(values), [("before", np.float32), ("numbers", values.dtype, values.shape[1:])])
        records["before"], records["numbers"] = np.nan, values
        return LaidOut(records["numbers"], records, records["numbers"], records.tobytes())
    if layout == BUFFER:
        memory = np.frombuffer(bytearray(values.tobytes()), values.dtype)
        return LaidOut(memory.reshape(values.shape), memory, memory, memory.tobytes())
    if layout in BROADCAST:
        once: dict[str, tuple[slice, ...]] = {ROW: (ONE,), COLUMN: (slice(None), ONE), NUMBER: (ONE,) * values.ndim}
        one = laid_out(values[once[layout]], "contiguous")
        return replace(one, array=np.broadcast_to(one.array, values.shape))
    shape: tuple[int, ...]
    if values.ndim == 1:
        times, part = VECTOR[layout]
        shape, order, parts = (len(values) * times,), "C", (part,)
    else:
        (rows, columns), order, parts = MATRIX[layout]  # type: ignore[assignment]
        shape = (len(values) * rows, values.shape[1] * columns + (columns > 1))  # the wider array has an odd number of columns
    if order == "C" and shape != values.shape:  # as people have it: a part of a matrix that owns its memory
        border = -(-BORDER // shape[-1])
        memory = np.full((shape[0] + 2 * border, *shape[1:]), np.nan, values.dtype)
        array = memory[border : border + shape[0]][parts][tuple(map(slice, values.shape))]
        array[...] = values
        return LaidOut(array, memory, array, memory.tobytes())
    count, item = int(np.prod(shape)), values.dtype.itemsize
    memory = np.full(count + 2 * BORDER + ALIGNMENT // item, np.nan, values.dtype)
    start = BORDER + -(memory.ctypes.data // item + BORDER) % (ALIGNMENT // item) + (layout == OFF)
    array = memory[start : start + count].reshape(shape, order=order)[parts]  # type: ignore[call-overload]
    array = array[tuple(map(slice, values.shape))]
    array[...] = values
    return LaidOut(array, memory, array, memory.tobytes())

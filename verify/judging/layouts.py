"""Arrays laid out in memory in every way that NumPy knows, each in a buffer of NaN: what is read or written beyond it is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BORDER = 16  # elements of NaN before and behind
ALIGNMENT = 64  # bytes, of the first element: a vector's width
OFF = "one element off alignment"
ROW, COLUMN = "one row broadcast", "one column broadcast"
BACK = slice(None, None, -1)
MATRIX: dict[
    str, tuple[tuple[int, int], str, tuple[slice, slice]]
] = {  # memory by columns and rows of the array, its order, the part of it
    "contiguous": ((1, 1), "C", (slice(None), slice(None))),
    "fortran": ((1, 1), "F", (slice(None), slice(None))),
    "columns of a wider array": ((1, 2), "C", (slice(None), slice(None))),  # big[:, :n]
    "part of a fortran array": ((2, 1), "F", (slice(None), slice(None))),
    "every other column": ((1, 2), "C", (slice(None), slice(None, None, 2))),
    "every other row": ((2, 1), "C", (slice(None, None, 2), slice(None))),
    "rows backwards": ((1, 1), "C", (BACK, slice(None))),
    "columns backwards": ((1, 1), "C", (slice(None), BACK)),
    OFF: ((1, 1), "C", (slice(None), slice(None))),
}
BROADCAST = (ROW, COLUMN)  # strides of 0: all rows, or all columns, are one
VECTOR = {"contiguous": (1, slice(None)), "every other entry": (2, slice(None, None, 2)), "backwards": (1, BACK), OFF: (1, slice(None))}


@dataclass(frozen=True)
class LaidOut:
    """``array``: the view that a kernel is given; ``memory``: what it lies in, with NaN around and between."""

    array: Array
    memory: Array
    before: bytes

    @property
    def intact(self) -> bool:
        """Whether the memory holds what it held, gaps and borders included."""
        return self.memory.tobytes() == self.before


def laid_out(values: Array, layout: str) -> LaidOut:
    """The numbers of ``values``, of one or two dimensions, laid out as ``layout`` says: of ``VECTOR``, or of ``MATRIX`` and ``BROADCAST``.

    A broadcast layout takes the first row for all rows, or the first column for all columns.
    """
    if layout in BROADCAST:
        one = laid_out(values[:1] if layout == ROW else values[:, :1], "contiguous")
        return LaidOut(np.broadcast_to(one.array, values.shape), one.memory, one.before)
    shape: tuple[int, ...]
    if values.ndim == 1:
        times, part = VECTOR[layout]
        shape, order, parts = (len(values) * times,), "C", (part,)
    else:
        (rows, columns), order, parts = MATRIX[layout]  # type: ignore[assignment]
        shape = (len(values) * rows, values.shape[1] * columns)
    if order == "C" and shape != values.shape:  # as people have it: a part of a matrix that owns its memory
        border = -(-BORDER // shape[-1])
        memory = np.full((shape[0] + 2 * border, *shape[1:]), np.nan, values.dtype)
        array = memory[border : border + shape[0]][parts][tuple(map(slice, values.shape))]
        array[...] = values
        return LaidOut(array, memory, memory.tobytes())
    count, item = int(np.prod(shape)), values.dtype.itemsize
    memory = np.full(count + 2 * BORDER + ALIGNMENT // item, np.nan, values.dtype)
    start = BORDER + -(memory.ctypes.data // item + BORDER) % (ALIGNMENT // item) + (layout == OFF)
    array = memory[start : start + count].reshape(shape, order=order)[parts]  # type: ignore[call-overload]
    array = array[tuple(map(slice, values.shape))]
    array[...] = values
    return LaidOut(array, memory, memory.tobytes())

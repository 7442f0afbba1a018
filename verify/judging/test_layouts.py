"""Every layout holds the same numbers, is what its name says, and notices what is written beside it."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.judging.layouts import BUFFER, COLUMN, MATRIX_KINDS, NUMBER, OFF, RECORDS, ROW, VECTOR_KINDS, WINDOWS, laid_out

VALUES = np.arange(1.0, 13.0).reshape(4, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", MATRIX_KINDS)
def test_a_matrix_holds_the_numbers(layout, dtype):
    values = VALUES.astype(dtype)
    in_windows = np.lib.stride_tricks.sliding_window_view(np.r_[VALUES[0], VALUES[1:, -1]], 3)
    overlapping = {
        WINDOWS: in_windows,
        NUMBER: np.full_like(values, 1),
        ROW: np.repeat(values[:1], 4, axis=0),
        COLUMN: np.repeat(values[:, :1], 3, axis=1),
    }
    expected = overlapping.get(layout, values)
    found = laid_out(values, layout)
    np.testing.assert_array_equal(found.array, expected)
    assert found.array.dtype == values.dtype
    assert layout in (RECORDS, BUFFER) or np.isnan(found.memory).sum() >= 32
    assert found.intact
    assert found.array.flags.c_contiguous == (layout in ("contiguous", OFF, BUFFER))


@pytest.mark.parametrize("layout", VECTOR_KINDS)
def test_a_vector_holds_the_numbers(layout):
    found = laid_out(VALUES.ravel(), layout)
    np.testing.assert_array_equal(found.array, np.full(12, 1.0) if layout == NUMBER else VALUES.ravel())
    assert (found.array.strides == (0,)) == (layout == NUMBER)


def test_strides_are_what_the_names_say():
    strides = {layout: tuple(s // 8 for s in laid_out(VALUES, layout).array.strides) for layout in MATRIX_KINDS}
    assert strides == {
        "contiguous": (3, 1),
        "fortran": (1, 4),
        "columns of a wider array": (7, 1),
        "part of a fortran array": (1, 8),
        "every other column": (7, 2),
        "every other row": (6, 1),
        "rows backwards": (-3, 1),
        "columns backwards": (3, -1),
        "one element off alignment": (3, 1),
        "rows and columns backwards": (-3, -1),
        "every other row backwards": (-6, 1),
        "every other row of a fortran array": (2, 8),
        "one row broadcast": (0, 1),
        "one number broadcast": (0, 0),
        "one column broadcast": (1, 0),
        "overlapping windows of a series": (1, 1),
        "a field of packed records": (3, 1),
        "a buffer of bytes": (3, 1),
    }
    assert laid_out(VALUES, RECORDS).array.strides == (28, 8)
    assert laid_out(VALUES, "contiguous").array.ctypes.data % 64 == 0
    assert laid_out(VALUES, OFF).array.ctypes.data % 64 == 8


@pytest.mark.parametrize("place", [0, -1, 17])
def test_what_is_written_beside_it_is_noticed(place):
    found = laid_out(VALUES, "every other column")
    assert np.isnan(found.memory.ravel()[place]) or place == 17
    found.memory.ravel()[place] = 0.5
    assert not found.intact

"""Planted bugs of layout: memory read without strides, backwards, misaligned, beyond its end, or written there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import (
    Finer,
    as_dense,
    as_it_lies,
    bugs_of,
    has_gaps,
    is_fortran,
    lying_at,
    memory_of,
    owner_of,
)

_bug = bugs_of("layouts")

Read = Callable[[Array], Array]


def _x(read: Read) -> dict[str, Any]:
    """A forward pass that takes ``read(x)`` for x."""
    return {"forward": lambda self, theta, x: (x, *Plain.forward(self, theta, read(x))[1:])}


def _y(read: Read) -> dict[str, Any]:
    """A backward pass that takes ``read(y)`` for y."""
    return {"backward": lambda self, theta, a, y: Plain.backward(self, theta, a, read(y))}


def _theta_forward(read: Read) -> dict[str, Any]:
    return {"forward": lambda self, theta, x: Plain.forward(self, read(theta), x)}


def _theta_backward(read: Read) -> dict[str, Any]:
    return {"backward": lambda self, theta, a, y: Plain.backward(self, read(theta), a, y)}


def _a(read: Callable[[Array], Array], which: slice) -> dict[str, Any]:
    """A backward pass that takes ``read(a_i)`` for some of the activations."""

    def backward(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
        chosen = range(len(a))[which]
        return Plain.backward(self, theta, tuple(read(a_i) if i in chosen else a_i for i, a_i in enumerate(a)), y)

    return {"backward": backward}


def _if(condition: Callable[[Array], Any], read: Read) -> Read:
    return lambda array: read(array) if condition(array) else array


def _rows_backwards(array: Array) -> bool:
    return len(array) > 1 and array.strides[0] < 0


def _columns_backwards(array: Array) -> bool:
    return array.ndim == 2 and array.shape[1] > 1 and array.strides[1] < 0


def _one_row_for_all(array: Array) -> bool:
    return len(array) > 1 and array.strides[0] == 0


def _first_row_only(array: Array) -> Array:
    return np.concatenate((array[:1], np.zeros_like(array[1:], subok=False)))


def _square_fortran(array: Array) -> bool:
    return is_fortran(array) and array.shape[0] == array.shape[1]


def _every_row(x: Array) -> Array:
    """Rows as far apart as those of the matrix that x is a view of: a step over rows is not seen."""
    owner = owner_of(x)
    if owner is x or owner.ndim != 2 or not owner.flags.c_contiguous or not has_gaps(x) or x.strides[0] <= owner.strides[0]:
        return x
    width = owner.shape[1]
    return lying_at(x, len(x) * width).reshape(len(x), width)[:, : x.shape[1]]


def _from_the_start(x: Array) -> Array:
    """The matrix that x is a view of, from its first number on: an offset is not seen."""
    memory, start = memory_of(x)
    return memory[: x.size].reshape(x.shape) if start and x.flags.c_contiguous else x


def _rounded_address(array: Array) -> Array:
    """Numbers read from the aligned address before: other bytes."""
    if array.flags.aligned:
        return array
    shift = array.ctypes.data % array.itemsize
    raw = array.tobytes()
    return np.frombuffer(b"\0" * shift + raw[: len(raw) - shift], array.dtype).reshape(array.shape)


def _misread(passed: Callable[..., Any]) -> Callable[..., Any]:
    """A pass in which numbers of any size may come up."""

    def quiet(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return passed(*arguments)

    return quiet


def _past_rows(array: Array) -> Array:
    """For each row the number behind its last one in memory, 0 where the memory ends."""
    memory, start = memory_of(array)
    if not np.may_share_memory(memory, array):
        return np.zeros(len(array), array.dtype)
    at = start + np.arange(len(array)) * (array.strides[0] // array.itemsize) + array.shape[1]
    inside = (at >= 0) & (at < len(memory))
    return np.where(inside, memory[np.where(inside, at, 0)], 0).astype(array.dtype)


def _reads_past_rows(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    z = Finer.affine(self, a, w, b, i)
    if i or not has_gaps(a):
        return z
    with np.errstate(invalid="ignore"):
        return np.asarray(z + (_past_rows(a) * 0)[:, None])


def _reads_past_theta(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    if theta.flags.c_contiguous:
        with np.errstate(invalid="ignore"):
            dtheta[-1] += lying_at(theta, theta.size + 1)[-1] * 0
    return dtheta


def _reads_past_y(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = Plain.output_delta(self, a, y)
    if has_gaps(y):
        with np.errstate(invalid="ignore"):
            delta[:, -1] += _past_rows(y) * 0
    return delta


def _writes_past_rows(self: Plain, theta: Array, x: Array) -> tuple[Array, ...]:
    a = Plain.forward(self, theta, x)
    memory, start = memory_of(x)
    if has_gaps(x) and memory.flags.writeable and np.may_share_memory(memory, x):
        at = start + np.arange(len(x)) * (x.strides[0] // x.itemsize) + x.shape[1]
        memory[at[at < len(memory)]] = 0
    return a


def _writes_past_theta(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    dtheta = Plain.backward(self, theta, a, y)
    memory, start = memory_of(theta)
    end = start + theta.size
    if theta.flags.c_contiguous and end < len(memory) and memory.flags.writeable and np.may_share_memory(memory, theta):
        memory[end] = 0
    return dtheta


def _cost_of_y(read: Read) -> dict[str, Any]:
    return {"cost": lambda self, a, y: self.network.cost_of(a[-1], read(y))}


def _gradient_of_y(read: Read) -> dict[str, Any]:
    return {"gradient": lambda self, theta, a, y: Plain.backward(self, theta, a, read(y))}


LAYOUTS: tuple[Mutant, ...] = (
    _bug("x-rows-with-gaps", "rows of x that lie apart are read as if they touched", **_x(_if(has_gaps, as_dense))),
    _bug("x-row-step-unseen", "x = big[::2] is read without the step", **_x(_every_row)),
    _bug("x-fortran-as-c", "a Fortran x is read row by row", **_x(_if(is_fortran, as_it_lies))),
    _bug("x-transposed-square", "a square x in Fortran order is read transposed", **_x(_if(_square_fortran, as_it_lies))),
    _bug("x-rows-backwards", "x = big[::-1] is read forwards", **_x(_if(_rows_backwards, lambda x: x[::-1]))),
    _bug("x-columns-backwards", "x = big[:, ::-1] is read forwards", **_x(_if(_columns_backwards, lambda x: x[:, ::-1]))),
    _bug(
        "x-stride-zero",
        "of an x with one row for all only the first row is read, and zeros after it",
        **_x(_if(_one_row_for_all, _first_row_only)),
    ),
    _bug("x-offset-unseen", "x = big[k:] is read from the start of big", **_x(_from_the_start)),
    _bug("x-misaligned", "a misaligned x is read from the aligned address before", forward=_misread(_x(_rounded_address)["forward"])),
    _bug("x-reads-past-rows", "(2) adds 0 times the number behind each row of a strided x: NaN where that is NaN", affine=_reads_past_rows),
    _bug("x-writes-past-rows", "a zero is written behind each row of a strided x", forward=_writes_past_rows),
    _bug("y-fortran-as-c", "a Fortran y is read row by row", **_y(_if(is_fortran, as_it_lies))),
    _bug("y-fortran-in-cost", "the cost reads a Fortran y row by row", **_cost_of_y(_if(is_fortran, as_it_lies))),
    _bug("y-rows-backwards", "y = big[::-1] is read forwards", **_y(_if(_rows_backwards, lambda y: y[::-1]))),
    _bug(
        "y-stride-zero",
        "of a y with one row for all only the first row is read, and zeros after it",
        **_y(_if(_one_row_for_all, _first_row_only)),
    ),
    _bug(
        "y-rows-with-gaps-in-vag",
        "value_and_grad reads rows of y that lie apart as if they touched",
        **_gradient_of_y(_if(has_gaps, as_dense)),
    ),
    _bug("y-reads-past-rows", "δ adds 0 times the number behind each row of a strided y", output_delta=_reads_past_y),
    _bug("theta-step-in-forward", "theta = big[::2] is read without the step in the forward pass", **_theta_forward(as_dense)),
    _bug(
        "theta-backwards",
        "theta = big[::-1] is read forwards in the backward pass",
        **_theta_backward(_if(_rows_backwards, lambda t: t[::-1])),
    ),
    _bug(
        "theta-misaligned",
        "a misaligned theta is read from the aligned address before",
        backward=_misread(_theta_backward(_rounded_address)["backward"]),
    ),
    _bug("theta-reads-past-end", "the last bias adds 0 times the number behind theta", backward=_reads_past_theta),
    _bug("theta-writes-past-end", "a zero is written behind theta", backward=_writes_past_theta),
    _bug("hidden-fortran-as-c", "hidden activations in Fortran order are read row by row", **_a(_if(is_fortran, as_it_lies), slice(1, -1))),
    _bug(
        "hidden-with-gaps",
        "rows of hidden activations that lie apart are read as if they touched",
        **_a(_if(has_gaps, as_dense), slice(1, -1)),
    ),
    _bug("output-fortran-as-c", "an output in Fortran order is read row by row", **_a(_if(is_fortran, as_it_lies), slice(-1, None))),
    _bug(
        "input-with-gaps-in-backward", "(13) reads rows of x that lie apart as if they touched", **_a(_if(has_gaps, as_dense), slice(0, 1))
    ),
    _bug(
        "output-rows-backwards",
        "an output with rows in reverse is read forwards",
        **_a(_if(_rows_backwards, lambda a: a[::-1]), slice(-1, None)),
    ),
)

"""What the conditional bugs are made of: a right kernel cut finer than ``Plain``, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, mutant


class Finer(Plain):
    """``Plain`` with (2), the activation of a layer, the cost and the gradient of ``value_and_grad`` as methods of their own."""

    def forward(self, theta: Array, x: Array) -> tuple[Array, ...]:
        """All activations, (B, n_i) each."""
        w, b = self.network.unpack(theta)
        a = [x]
        for i in range(len(w)):
            a.append(self.activated(self.affine(a[i], w[i], b[i], i), i))
        return tuple(a)

    def value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        """The cost of the batch and its gradient (P,)."""
        a = self.forward(theta, x)
        return self.cost(a, y), self.gradient(theta, a, y)

    def affine(self, a: Array, w: Array, b: Array, i: int) -> Array:
        """(2), from layer i to layer i + 1."""
        return np.asarray(a @ w + b)

    def activated(self, z: Array, i: int) -> Array:
        """(3) of layer i + 1."""
        return self.sigma(self.network.activations[i], z)

    def cost(self, a: Sequence[Array], y: Array) -> Any:
        """The cost that ``value_and_grad`` returns."""
        return self.network.cost_of(a[-1], y)

    def gradient(self, theta: Array, a: Sequence[Array], y: Array) -> Array:
        """The gradient that ``value_and_grad`` returns."""
        return self.backward(theta, a, y)

    def pure_value_and_grad(self, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
        """A right ``value_and_grad`` that calls no method of the kernel that might count or keep something."""
        a = Plain.forward(self, theta, x)
        return self.network.cost_of(a[-1], y), Plain.backward(self, theta, a, y)


class Stateful(Finer):
    """A kernel with something to remember, and a source of chance."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.memory: dict[Any, Any] = {}
        self.rng = np.random.default_rng(0)

    def count(self, what: str) -> int:
        """How often this was asked."""
        self.memory[what] = self.memory.get(what, 0) + 1
        return int(self.memory[what])


Edit = Callable[[Sequence[Array], Sequence[Array], Sequence[Array], Array], Any]


def bugs_of(kind: str) -> Callable[..., Mutant]:
    """``mutant`` for one kind of bug: ``bug(name, text, base=Finer, dtypes="float64", method=…)``."""

    def bug(name: str, text: str, base: type[Plain] = Finer, dtypes: str = "float64", **methods: Any) -> Mutant:
        return mutant(name, kind, text, dtypes=dtypes, base=base, **methods)

    return bug


def spoilt(edit: Edit) -> Callable[..., Array]:
    """A ``backward`` (or a ``gradient``) whose right result is spoilt by ``edit(dw, db, a, y)``."""

    def backward(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
        dtheta = Plain.backward(self, theta, a, y)
        edit(*self.network.unpack(dtheta), a, y)
        return dtheta

    return backward


def of_rows(choose: Callable[[int], Any]) -> Callable[..., Array]:
    """A ``backward`` (or a ``gradient``) that sums over the rows ``choose(B)`` only."""

    def backward(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
        rows = choose(len(y))
        return Plain.backward(self, theta, tuple(a_i[rows] for a_i in a), y[rows])

    return backward


def through(dtype: DTypeLike, array: Array) -> Array:
    """The numbers of ``array`` after a stay in ``dtype``."""
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(dtype).astype(array.dtype)


def product_in(dtype: DTypeLike, left: Array, right: Array) -> Array:
    """``left @ right`` with numbers and sums in ``dtype``, in the type of ``left`` again."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.asarray((left.astype(dtype) @ right.astype(dtype)).astype(left.dtype))


def rounded_to(bits: int, array: Array) -> Array:
    """``array`` with ``bits`` of mantissa: 7 are bfloat16, 10 are TF32."""
    mantissa, exponent = np.frexp(array)
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, bits + 1)), exponent - bits - 1).astype(array.dtype))


def owner_of(array: Array) -> Array:
    """The array whose memory ``array`` is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def memory_of(array: Array) -> tuple[Array, int]:
    """The numbers of the owner of ``array`` in the order in which they lie, as a view, and where ``array`` starts in them.

    What has no plain owner counts as lying in C order: then there is nothing to misread.
    """
    owner = owner_of(array)
    plain = owner.flags.c_contiguous or owner.flags.f_contiguous
    if not plain or owner.dtype != array.dtype or not owner.flags.aligned:
        return np.ravel(array), 0
    return owner.ravel(order="K"), (array.ctypes.data - owner.ctypes.data) // array.itemsize


def lying_at(array: Array, count: int) -> Array:
    """``count`` numbers of memory from the first of ``array`` on; zeros beyond the end of what it is a view of."""
    memory, start = memory_of(array)
    found = np.zeros(count, array.dtype)
    lying = memory[start : start + count]
    found[: len(lying)] = lying
    return found


def as_dense(array: Array) -> Array:
    """What a loop reads that takes the memory from the first number on as if it were in C order."""
    return array if array.flags.c_contiguous else lying_at(array, array.size).reshape(array.shape)


def has_gaps(array: Array) -> bool:
    """Whether the rows of a matrix lie apart, as in ``big[:, :n]`` and in ``big[::2]``."""
    return len(array) > 1 and array.strides[-1] == array.itemsize and array.strides[0] > array.shape[-1] * array.itemsize


def is_fortran(array: Array) -> bool:
    """Whether a matrix lies column by column, and not also row by row."""
    return array.flags.f_contiguous and not array.flags.c_contiguous


def as_it_lies(array: Array) -> Array:
    """A Fortran matrix read row by row."""
    return array.ravel(order="K").reshape(array.shape)

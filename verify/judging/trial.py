"""A kernel on trial at one point: new instances and used ones, fresh arrays for them, and what the checks compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltacheck.kernels import KernelLike, Network
from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.judging.calls import RESULTS, Array, ContractError, Results, call, copied, near, passes_in_quiet, same
from deltacheck.verify.judging.layouts import ALIGNMENT, BORDER
from deltacheck.verify.references.network_model import Model
from deltacheck.verify.references.rounding_bound import allowed

Inputs = tuple[Array, Array, Array]

NAMES = ("theta", "x", "y")
CARRIED = "what was called before changes the result: state is carried over"


ALL = slice(None)


class Unsupported(Exception):  # noqa: N818 - nothing is wrong
    """The kernel does not support what a check would try, and need not."""


@dataclass(frozen=True)
class Used:
    """An instance that was called once with the point of the trial: what it returned, and a copy made at once."""

    kernel: KernelLike
    first: Results
    kept: tuple[Any, ...]


def fresh(values: Array) -> Array:
    """A copy in C order and memory of its own that begins at a multiple of 64 bytes.

    Bits are compared between calls with such arrays only: another alignment may take another way through BLAS, and round otherwise.
    A border of zeros keeps a kernel that writes beyond the end from bringing the process down.
    """
    item = values.dtype.itemsize
    memory = np.zeros(values.size + 2 * BORDER + ALIGNMENT // item, values.dtype)
    start = BORDER + -(memory.__array_interface__["data"][0] // item + BORDER) % (ALIGNMENT // item)
    array = memory[start : start + values.size].reshape(values.shape)
    array[...] = values
    return array


def half(array: Array) -> Array:
    """A fresh copy of half of it: other numbers, of the same signs and order."""
    return fresh(array * array.dtype.type(0.5))


class Trial:
    """A kernel class at a point: ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), which it keeps in fresh arrays.

    ``shared``: all checks work on one and the same used instance, so that its past grows (few calls, for every case); otherwise each
    check has one of its own.
    """

    def __init__(self, kernel_class: KernelClass, network: Network, theta: Array, x: Array, y: Array, *, shared: bool = False) -> None:
        self.kernel_class, self.network, self.shared = kernel_class, network, shared
        self.inputs: Inputs = (fresh(theta), fresh(x), fresh(y))
        self.theta, self.x, self.y = self.inputs
        self._used: Used | None = None
        self._known: dict[Any, tuple[Any, ...]] = {}
        self._accepted: set[tuple[Any, ...]] = set()

    def made(self, network: Network | None = None) -> KernelLike:
        """A new instance, for another network perhaps."""
        kernel: KernelLike = call("the constructor", self.kernel_class, network or self.network)
        return kernel

    def used(self) -> Used:
        """An instance with a past. Lets ``NotImplementedError`` through: the point's own data were taken before."""
        if self._used is None:
            kernel = self.made()
            first = self.run(kernel, *self.inputs)
            used = Used(kernel, first, copied(first))
            self._accepted.add(self._kind(self.network, *self.inputs))
            self._known.setdefault(self._key(self.network, *self.inputs), used.kept)
            if not self.shared:
                return used
            self._used = used
        return self._used

    def run(self, kernel: KernelLike, theta: Array, x: Array, y: Array, *, network: Network | None = None) -> Results:
        """``passes``, and the inputs must be as they were; they are put right again if not."""
        arrays = (theta, x, y)
        before = [array.copy() for array in arrays]
        writeable = [array.flags.writeable for array in arrays]
        written: list[str] = []
        try:
            results = passes_in_quiet(kernel, network or self.network, theta, x, y)
        finally:
            for name, array, values in zip(NAMES, arrays, before, strict=True):
                if not same(array, values):
                    written.append(name)
                    array[...] = values
        if [array.flags.writeable for array in arrays] != writeable:
            raise ContractError("changes whether its inputs may be written into: they must stay as they are", "writes-input")
        if written:
            raise ContractError(f"writes into {' and '.join(written)}; inputs must stay as they are", "writes-input")
        return results

    def new(self, theta: Array, x: Array, y: Array, *, network: Network | None = None) -> tuple[Any, ...]:
        """A copy of what a new instance returns for fresh arrays of these numbers; asked for again, it is known.

        Raises ``Unsupported`` for a network, dtype or batch size that the kernel does not take. Once it took one,
        ``NotImplementedError`` for it is let through: other numbers are no reason to refuse.
        """
        network = network or self.network
        key, kind = self._key(network, theta, x, y), self._kind(network, theta, x, y)
        if key not in self._known:
            foreign = network != self.network or theta.dtype != self.theta.dtype
            try:
                arrays = fresh(theta), fresh(x), fresh(y)
                self._known[key] = copied(self.run(self.made(network), *arrays, network=network))
            except NotImplementedError:
                if kind in self._accepted:
                    raise
                raise Unsupported from None
            except ContractError:
                if foreign and kind not in self._accepted:  # whether it is right there is asked where such networks are judged
                    raise Unsupported from None
                raise
            self._accepted.add(kind)
        return self._known[key]

    def same_as_new(self, kernel: KernelLike, theta: Array, x: Array, y: Array) -> None:
        """Run everything, and raise ``ContractError`` unless a new instance gives the same bits."""
        expected = self.new(theta, x, y)
        try:
            got = self.run(kernel, theta, x, y)
        except ContractError as error:
            if error.name != "interface":
                raise
            raise ContractError(f"{error}; a new instance is right: state is carried over", "carries-state") from error
        must_equal(got, expected, CARRIED)

    def near(self, got: Sequence[Any], expected: Sequence[Any], inputs: Sequence[Array], parts: slice = ALL) -> bool:
        """Equal but for rounding, ``parts`` of the four results for ``inputs``: for what may take another way through BLAS.

        Most are ``near``; what is not, in a saturated network say, is held against the bounds on rounding, one for each of the two.
        """
        if near(got, expected, self.theta.dtype):
            return True
        rounding = allowed(Model(self.network, *inputs), self.theta.dtype)
        bounds: tuple[Any, ...] = (rounding.activations[-1], rounding.gradient, rounding.cost, rounding.gradient)
        both = zip(got, expected, bounds[parts], strict=True)
        return all(bool(np.all(np.abs(np.subtract(one, other, dtype=np.float64)) <= 2 * bound)) for one, other, bound in both)

    def rows(self, n: int) -> Inputs:
        """The point with ``n`` rows: its own again and again, x a little smaller each time."""
        at = np.arange(n)
        shrunk = (1.0 - (at // len(self.x)) / 64.0).astype(self.x.dtype)
        return self.theta, fresh(self.x[at % len(self.x)] * shrunk[:, None]), fresh(self.y[at % len(self.x)])

    def other(self) -> Inputs:
        """Other parameters and inputs, the same targets."""
        return half(self.theta[::-1]), half(self.x[::-1]), self.y

    def _key(self, network: Network, *arrays: Array) -> tuple[Any, ...]:
        return (network, *(array.tobytes() for array in arrays), arrays[1].shape, arrays[0].dtype)

    def _kind(self, network: Network, *arrays: Array) -> tuple[Any, ...]:
        return network, arrays[0].dtype, len(arrays[1])


def must_equal(got: Iterable[Any], expected: Iterable[Any], text: str, name: str = "carries-state") -> None:
    """Raise ``ContractError`` with the first of all results whose bits differ."""
    for what, one, other in zip(RESULTS, got, expected, strict=True):
        if not same(one, other):
            raise ContractError(f"{text} ({what})", name)


@dataclass(frozen=True)
class Check:
    """One thing that is tried: ``run`` raises ``ContractError`` where the kernel fails it, ``Unsupported`` where it cannot be tried.

    ``name``: a slug, stable. ``reason``: the wrong kernel that it is there for. ``what``: put before what is found, in a report.
    ``quick``: part of what every case is asked. ``first``: what it finds makes all others pointless. ``strided``: about arrays that are
    not contiguous.
    """

    name: str
    what: str
    reason: str
    run: Callable[[Trial], None]
    quick: bool = False
    first: bool = False
    strided: bool = False

"""The three passes of a kernel at a cell as calls without arguments, and the first call of each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import Call
from deltacheck.bench.peers.peer import Peer
from deltacheck.bench.timing.rounds import timed
from deltacheck.kernels import value_and_grad_of
from deltacheck.kernels.protocol import KernelClass


def passes(kernel_class: KernelClass, cell: Cell) -> Iterator[tuple[str, Call]]:
    """The phases of a new kernel as calls without arguments, in the order in which they can first be made; a peer may lack one.

    The kernel gets data of its own: one that writes into its inputs spoils nobody else's.
    """
    theta, x, y = cell.data()
    kernel = kernel_class(cell.network)
    if isinstance(kernel, Peer):
        yield from kernel.native_calls(theta, x, y).items()
        return
    yield "forward", partial(kernel.forward, theta, x)
    yield "backward", partial(kernel.backward, theta, kernel.forward(theta, x), y)
    yield "step", partial(value_and_grad_of(kernel, cell.network), theta, x, y)


def first_calls(kernel_class: KernelClass, cell: Cell) -> tuple[dict[str, Call], dict[str, float]]:
    """The three passes, and the seconds of the first call of each."""
    calls: dict[str, Call] = {}
    first: dict[str, float] = {}
    for phase, call in passes(kernel_class, cell):
        calls[phase], first[phase] = call, timed(call)
    return calls, first


@contextmanager
def unwarned() -> Iterator[None]:
    """A kernel's warnings are no errors here either: it is judged by what it returns."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield

"""Where each tensor of a gradient stands in the flat vector."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from deltacheck.kernels import Network


class Span(NamedTuple):
    """A tensor's name, its place in theta, and its shape."""

    name: str
    at: slice
    shape: tuple[int, ...]


def spans(network: Network) -> list[Span]:
    """dC/dw_0, dC/db_0, dC/dw_1, …: in the order of theta."""
    found, start = [], 0
    for i, (n_in, n_out) in enumerate(pairwise(network.layer_sizes)):
        middle, stop = start + n_in * n_out, start + (n_in + 1) * n_out
        found.append(Span(f"dC/dw_{i}", slice(start, middle), (n_in, n_out)))
        found.append(Span(f"dC/db_{i}", slice(middle, stop), (n_out,)))
        start = stop
    return found

"""How a kernel looks in every picture: a colour that all eyes tell apart, and a marker for those without colours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito 2008
MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖"}  # matplotlib's name, and the same in text
FIXED = ("numpy", "numba", "naive")  # the built-in kernels look the same in every picture
GREY = "#767676"  # the floor: no contender


class KernelStyle(NamedTuple):
    """A kernel's colour, its matplotlib marker and the same as a letter."""

    colour: str
    marker: str
    letter: str


def kernel_styles(kernels: Iterable[str]) -> dict[str, KernelStyle]:
    """A look for each kernel, in their order; no two alike among the first 49."""
    names = list(dict.fromkeys(kernels))
    order = [*FIXED, *(name for name in names if name not in FIXED)]
    found = {}
    for name in names:
        turn, place = divmod(order.index(name), len(COLOURS))
        marker = list(MARKERS)[(place + turn) % len(MARKERS)]
        found[name] = KernelStyle(COLOURS[place], marker, MARKERS[marker])
    return found

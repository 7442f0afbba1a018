"""How much memory a call asks for."""

from __future__ import annotations

import tracemalloc

from deltacheck.bench.cells.result import Call


def peak_bytes(call: Call) -> int:
    """The most bytes that were allocated at once during a call, its results included; seen is what NumPy, Numba and Python ask for."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

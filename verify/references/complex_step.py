"""The complex step: derivatives of analytic functions without cancellation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

COMPLEX_STEP = 1e-20  # h² is far below one unit in the last place of anything, so there is no truncation error


def complex_step(f: Callable[[complex], Array]) -> Array:
    """f′(0) = Im f(ih) / h for an analytic ``f`` (Squire & Trapp 1998): no subtraction, so no cancellation."""
    return f(1j * COMPLEX_STEP).imag / COMPLEX_STEP

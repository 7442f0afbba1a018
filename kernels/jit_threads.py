"""How many threads there are, and whose: Numba's threading layer."""

from __future__ import annotations

import operator
from typing import Any

import numba


def checked(threads: int | None) -> int | None:
    """``threads`` as a kernel is given it: None, or a whole number of 1 or more. Raises ``TypeError`` and ``ValueError``."""
    if threads is None:
        return None
    expected = "expected None or a whole number of 1 or more"
    try:
        count = operator.index(threads)
    except TypeError:
        raise TypeError(f"threads: got {threads!r}; {expected}") from None
    if count < 1:
        raise ValueError(f"threads: got {count}; {expected}")
    return count


def available() -> int:
    """As many as Numba would use now."""
    return numba.get_num_threads()


def about() -> dict[str, Any]:
    """The threading layer, once it has been started."""
    try:
        layer = numba.threading_layer()
    except ValueError:
        layer = None
    return {"threading_layer": layer, "threads": numba.get_num_threads()}

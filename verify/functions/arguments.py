"""What a user gives, checked: theta and the names of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.verdict.parameter_blocks import Span

Array = NDArray[Any]


def checked_theta(theta: Any) -> Array:
    """A copy of ``theta``: a plain array of float32 or float64, not empty, finite. Raises ``TypeError`` and ``ValueError``."""
    if not isinstance(theta, np.ndarray) or isinstance(theta, np.matrix | np.ma.MaskedArray):
        kind = "a masked array" if isinstance(theta, np.ma.MaskedArray) else type(theta).__name__
        raise TypeError(f"theta: got {kind}; expected a NumPy array of float32 or float64")
    if theta.dtype.newbyteorder("=") not in (np.float32, np.float64):
        raise TypeError(f"theta: got dtype {theta.dtype}; expected float32 or float64")
    if not theta.size:
        raise ValueError(f"theta: got an empty array, shape {theta.shape}; there is nothing to check")
    if not np.isfinite(theta).all():
        raise ValueError(f"theta: got {int((~np.isfinite(theta)).sum())} entries that are not finite; expected finite numbers")
    return np.array(theta, theta.dtype.newbyteorder("="), order="K", subok=False)


def checked_blocks(blocks: Any, theta: Array) -> list[Span]:
    """The named parts of theta: one, ``theta``, by default. Each entry must be in exactly one."""
    if blocks is not None and not isinstance(blocks, Mapping):
        raise TypeError(f"blocks: got {type(blocks).__name__}; expected a dict of names and slices of the flattened theta")
    parts = []
    for name, at in (blocks or {"theta": slice(0, theta.size)}).items():
        if not isinstance(at, slice):
            raise TypeError(f"blocks[{name!r}]: got {at!r}; expected a slice of the flattened theta")
        start, stop, step = at.indices(theta.size)
        if step != 1 or stop <= start:
            raise ValueError(f"blocks[{name!r}]: got {at}; expected a slice with step 1 that holds entries of theta ({theta.size})")
        parts.append(Span(str(name), slice(start, stop), theta.shape if stop - start == theta.size else (stop - start,)))
    covered = np.zeros(theta.size, int)
    for part in parts:
        covered[part.at] += 1
    if (covered != 1).any():
        entry = int(np.argmax(covered != 1))
        raise ValueError(f"blocks: entry {entry} of theta is in {covered[entry]} of them; expected each of the {theta.size} in exactly one")
    return parts

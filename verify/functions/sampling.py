"""Which entries are checked one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.verdict.parameter_blocks import Span

Array = NDArray[Any]


def chosen_entries(parts: list[Span], most: int, rng: np.random.Generator) -> list[Array]:
    """The entries of each block: all when ``most`` allows it, else an equal share, the first and the last among them."""
    sizes = [part.at.stop - part.at.start for part in parts]
    if sum(sizes) <= most:
        return [np.arange(part.at.start, part.at.stop) for part in parts]
    share = max(4, most // (2 * len(parts)))
    chosen = []
    for part, size in zip(parts, sizes, strict=True):
        if size <= share:
            chosen.append(np.arange(part.at.start, part.at.stop))
        else:
            inner = rng.choice(size - 2, share - 2, replace=False) + 1
            chosen.append(part.at.start + np.sort(np.concatenate([[0, size - 1], inner])))
    return chosen

"""The floor: the bare matrix products of a cell, as fast as the BLAS beneath NumPy does them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import Call


def floor_calls(cell: Cell) -> dict[str, Call]:
    """For each phase, a call that does its products and nothing else: results go to arrays that are there, nothing is allocated.

    The products are those that the flops of the model count (``Cell.flops``): a_i w_i forward; a_i' δ, and δ w_i' for i > 0, backward.
    """
    rng = np.random.default_rng(0)
    sizes = cell.network.layer_sizes
    a = [rng.random((cell.batch, n)).astype(cell.dtype) for n in sizes]
    w = [rng.standard_normal(shape).astype(cell.dtype) for shape in pairwise(sizes)]
    z, delta, dw = ([np.empty_like(array) for array in arrays] for arrays in (a, a, w))
    ahead = [(a_i, w_i, z_i) for a_i, w_i, z_i in zip(a, w, z[1:], strict=False)]
    back = []
    for i in reversed(range(len(w))):
        back.append((a[i].T, a[i + 1], dw[i]))  # any numbers do for δ
        if i:
            back.append((a[i + 1], w[i].T, delta[i]))

    def products(of: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Call:
        def call() -> None:
            for left, right, out in of:
                np.dot(left, right, out=out)

        return call

    return {"forward": products(ahead), "backward": products(back), "step": products(ahead + back)}

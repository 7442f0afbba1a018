"""Planted bugs of size: tiles and their remainders, grids, workspaces, narrow indices, unrolled loops, depth, layers of one unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain
from deltacheck.verify.exam.conditional_bugs.tools import Finer, bugs_of, spoilt

_bug = bugs_of("sizes")


def _grid_of_rows(self: Plain, a: Sequence[Array], y: Array) -> Array:
    delta = Plain.output_delta(self, a, y)
    delta[512:] = 0
    return delta


def _grid_of_tiles(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    dw = Plain.weight_gradient(self, a, delta, i)
    across = -(-dw.shape[1] // 8)
    tile = np.arange(dw.shape[0])[:, None] // 8 * across + np.arange(dw.shape[1]) // 8
    return np.asarray(dw * (tile < 512))


def _threads_of_a_block(self: Finer, z: Array, i: int) -> Array:
    a = Finer.activated(self, z, i)
    if i == len(self.network.activations) - 1:
        a[1024:] = 0
    return a


def _overlapping_tail(self: Plain, delta: Array) -> Array:
    db = Plain.bias_gradient(self, delta)
    full = len(db) // 4 * 4
    if 0 < full < len(db):
        db[len(db) - 4 : full] *= 2
    return db


def _corner_tile(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    for dw_i in dw:
        rows, columns = (n // 8 * 8 for n in dw_i.shape)
        if rows and columns:
            dw_i[rows:, columns:] = 0


def _remainder_off_by_one(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    full = len(delta) // 16 * 16
    if not 0 < full < len(delta):
        return Plain.weight_gradient(self, a, delta, i)
    return np.asarray(a[i][:full].T @ delta[:full] + a[i][full - 1 : -1].T @ delta[full:])


def _tail_without_dsigma(self: Plain, a: Sequence[Array], i: int) -> Array:
    dsigma = Plain.hidden_dsigma(self, a, i)
    full = dsigma.shape[1] // 24 * 24
    if full:
        dsigma[:, full:] = 1
    return dsigma


def _full_tile_twice(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    z = Finer.affine(self, a, w, b, i)
    return z + a[:, -32:] @ w[-32:] if a.shape[1] % 32 == 0 else z


def _bias_of_first_tile(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    return Finer.affine(self, a, w, np.resize(b[:48], b.shape), i)


def _first_row_of_tile(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    r = np.arange(len(delta))
    keep = (r == 0) | (r % 96 != 0)
    return Plain.weight_gradient(self, a, delta * keep[:, None], i)


def _sums_reset(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    start = (a.shape[1] - 1) // 128 * 128
    return Finer.affine(self, a[:, start:], w[start:], b, i)


def _last_tile_of_rows(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    start = (len(delta) - 1) // 256 * 256
    return np.asarray(a[i][start:].T @ delta[start:])


def _square_of_64(self: Plain, w: Sequence[Array], i: int) -> Array:
    return w[i] if w[i].shape == (64, 64) else w[i].T


def _warp_of_32(self: Plain, delta: Array) -> Array:
    return Plain.bias_gradient(self, delta[:-1] if len(delta) == 32 else delta)


def _last_lane_without_bias(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    lanes = np.arange(len(b)) % 8 != 7
    return Finer.affine(self, a, w, b * lanes if len(b) % 8 == 0 else b, i)


def _int8_input(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    index = np.arange(len(w)).astype(np.int8).astype(np.int64) % len(w)
    return Finer.affine(self, a, w[index] if len(w) > 128 else w, b, i)


def _int16_offset(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    if i == 0 and a.size > 2**15:
        start = (np.arange(len(a)) * a.shape[1]).astype(np.int16).astype(np.int64)
        a = a.ravel()[(start[:, None] + np.arange(a.shape[1])) % a.size]
    return Finer.affine(self, a, w, b, i)


def _uint16_entry(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    dw = Plain.weight_gradient(self, a, delta, i)
    return np.asarray(dw * (np.arange(dw.size).reshape(dw.shape) < 2**16))


def _workspace_of_4096(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    below = Plain.hidden_delta(self, delta, w, a, i)
    return np.asarray(below * (np.arange(below.size).reshape(below.shape) < 4096))


def _unrolled_by_4(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    n = len(w) - (len(w) >= 8 and len(w) % 4 == 3)
    return Finer.affine(self, a[:, :n], w[:n], b, i)


def _unrolled_by_8(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    units = delta.shape[1]
    if units < 8 or units % 8 < 2:
        return Plain.hidden_delta(self, delta, w, a, i)
    return np.asarray((delta[:, :-1] @ w[i].T[:-1]) * self.hidden_dsigma(a, i))


def _sixth_bias(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    return Finer.affine(self, a, w, b if i < 5 else np.zeros_like(b), i)


def _stack_of_six(self: Plain, delta: Array, w: Sequence[Array], a: Sequence[Array], i: int) -> Array:
    return np.asarray(delta @ w[i].T) if len(w) - i >= 6 else Plain.hidden_delta(self, delta, w, a, i)


def _ninth_layer(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    for block in (*dw[8:], *db[8:]):
        block[:] = 0


def _large_three_ways(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    dw = Plain.weight_gradient(self, a, delta, i)
    if min(len(delta), *dw.shape) > 64:
        dw[64:, 64:] -= a[i][64:, 64:].T @ delta[64:, 64:]
    return dw


def _bottleneck(self: Plain, a: Sequence[Array], i: int) -> Array:
    dsigma = Plain.hidden_dsigma(self, a, i)
    return np.repeat(dsigma[:1], len(dsigma), axis=0) if dsigma.shape[1] == 1 else dsigma


def _dot_of_one_unit(self: Plain, delta: Array) -> Array:
    one = delta.shape[1] == 1 and len(delta) > 8
    return Plain.bias_gradient(self, delta[: len(delta) // 8 * 8] if one else delta)


def _one_input(dw: Sequence[Array], db: Sequence[Array], a: Sequence[Array], y: Array) -> None:
    if len(dw[0]) == 1:
        db[0][:] = dw[0][0]


def _one_row(self: Plain, a: Sequence[Array], y: Array) -> Array:
    plain = len(y) == 1 and self.network.cost == "squared_error"
    return a[-1] - y if plain else Plain.output_delta(self, a, y)


def _first_784(self: Finer, a: Array, w: Array, b: Array, i: int) -> Array:
    return Finer.affine(self, a[:, :784], w[:784], b, i)


def _padded_with_last_row(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
    dw = Plain.weight_gradient(self, a, delta, i)
    return dw + -len(delta) % 4 * np.outer(a[i][-1], delta[-1]) if delta.shape[1] >= 16 else dw


def _ten_outputs(self: Plain, a: Sequence[Array], y: Array) -> Array:
    if y.shape[1] == 10:
        y = np.column_stack((y[:, :9], y[:, 8]))
    return Plain.output_delta(self, a, y)


def _rows_up_to(n: int) -> Callable[..., Array]:
    return lambda self, delta: Plain.bias_gradient(self, delta[:n])


SIZES: tuple[Mutant, ...] = (
    _bug("grid-of-512-rows", "a block for each row, at most 512 blocks: δ of later rows stays zero", output_delta=_grid_of_rows),
    _bug("grid-of-512-tiles", "(13) in tiles of 8 × 8, at most 512 of them: later tiles stay zero", weight_gradient=_grid_of_tiles),
    _bug(
        "block-of-1024-threads",
        "a thread for each row, one block of 1,024: later rows of the output are zero",
        activated=_threads_of_a_block,
    ),
    _bug(
        "overlapping-tail-of-4",
        "(14): the last four columns overlap the full tiles of 4, which are added twice",
        bias_gradient=_overlapping_tail,
    ),
    _bug("corner-tile-of-8", "the corner of dC/dw beyond full tiles of 8 in both directions stays zero", backward=spoilt(_corner_tile)),
    _bug(
        "tile-16-rows-off-by-one",
        "(13): rows left over by tiles of 16 meet the activations of the row before",
        weight_gradient=_remainder_off_by_one,
    ),
    _bug("tile-24-without-dsigma", "hidden units left over by tiles of 24 get no σ′", hidden_dsigma=_tail_without_dsigma),
    _bug("tile-32-inputs-twice", "(2): where inputs are a multiple of 32, the last tile counts as remainder too", affine=_full_tile_twice),
    _bug("tile-48-bias", "(2): units beyond 48 take the biases of the first tile", affine=_bias_of_first_tile),
    _bug("tile-96-first-row", "(13): the first row of each tile of 96 but the first is left out", weight_gradient=_first_row_of_tile),
    _bug("tile-128-inputs-reset", "(2): the sum is set to zero at each tile of 128 inputs", affine=_sums_reset),
    _bug("tile-256-rows-overwrites", "(13): each tile of 256 rows overwrites the sum of those before", weight_gradient=_last_tile_of_rows),
    _bug("square-64-not-transposed", "(12) with w for w′ where w is 64 × 64", onward=_square_of_64),
    _bug("exactly-32-rows", "(14) without the last row in batches of exactly 32", bias_gradient=_warp_of_32),
    _bug(
        "last-lane-of-8-without-bias", "(2): every eighth unit gets no bias where units are a multiple of 8", affine=_last_lane_without_bias
    ),
    _bug("int8-index-of-inputs", "(2): the number of an input is kept in 8 bits, and from 128 on counts from the end", affine=_int8_input),
    _bug("int16-offset-in-x", "(2): where a row of x starts is kept in 16 bits, and wraps beyond 32,767 numbers", affine=_int16_offset),
    _bug("uint16-entries-of-dw", "entries of dC/dw beyond 65,535 stay zero", weight_gradient=_uint16_entry),
    _bug("workspace-of-4096-numbers", "(12) has a workspace of 4,096 numbers: δ beyond is zero", hidden_delta=_workspace_of_4096),
    _bug("workspace-of-1000-rows", "(14) has a workspace of 1,000 rows: those beyond are left out", bias_gradient=_rows_up_to(1000)),
    _bug("unrolled-by-4-three-left", "(2): of three inputs left over by steps of four, the last is left out", affine=_unrolled_by_4),
    _bug("unrolled-by-8-delta", "(12): of units left over by steps of eight, the last is left out", hidden_delta=_unrolled_by_8),
    _bug("depth-five-biases", "(2) without bias from the sixth layer on", affine=_sixth_bias),
    _bug("depth-stack-of-six", "(12) without σ′ from the seventh layer downwards", hidden_delta=_stack_of_six),
    _bug("depth-table-of-eight", "the gradient of the ninth layer and later ones stays zero", backward=spoilt(_ninth_layer)),
    _bug(
        "large-three-ways",
        "(13) in blocks of 64: the corner is lost where rows, inputs and units are all above 64",
        weight_gradient=_large_three_ways,
    ),
    _bug("bottleneck-of-one", "a hidden layer of one unit takes the σ′ of the first row for all rows", hidden_dsigma=_bottleneck),
    _bug("one-unit-dot-by-eights", "(14) of a layer of one unit drops rows left over by steps of eight", bias_gradient=_dot_of_one_unit),
    _bug("one-input-bias", "one input: dC/db_0 is dC/dw_0", backward=spoilt(_one_input)),
    _bug("one-row-without-dsigma", "one row: no σ′ at the output", output_delta=_one_row),
    _bug("first-784-inputs", "(2) sums over 784 units at most, the pixels of a digit", affine=_first_784),
    _bug(
        "padded-with-last-row",
        "(13) of 16 units or more: rows are filled up to fours with the last one",
        weight_gradient=_padded_with_last_row,
    ),
    _bug("ten-outputs-ninth-twice", "ten outputs: the tenth meets the target of the ninth", output_delta=_ten_outputs),
)

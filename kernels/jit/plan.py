"""How a batch is computed: where everything lies in the flat arrays of the compiled passes, in how many blocks, by how many threads.

A plan is a table of whole numbers, for that is what compiled code reads fastest: a row for each layer, the input first, and a last
row for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deltacheck.kernels.jit.cpu_target import VECTOR_BYTES
from deltacheck.kernels.jit.products.blocks import panel_size
from deltacheck.kernels.jit.stages import CODES
from deltacheck.kernels.network import Array, Network

# Columns of a layer's row. UNITS of the layer; STEP from sample to sample, and START, of its activations; where its weights and
# biases (those that lead to it) start in theta; its ACTIVATION; where its DELTA starts in the workspace, with the same step. The
# input's START is where it is copied to in the workspace, −1 if it is not.
UNITS, STEP, START, WEIGHTS, BIASES, ACTIVATION, DELTA = range(7)

# Columns of the last row. ROWS of the batch; BLOCK, how many of them there is room for; CHUNK, how many go through all layers before
# the next; THREADS, and whether these share the work BY_ROWS; the PANELS of the first thread in the workspace, ROOM numbers for each;
# the size of the workspace; WHAT is asked for; the addresses of the compiled CODE and of the TEAM (0 for one thread).
ROWS, BLOCK, CHUNK, THREADS, BY_ROWS, PANELS, ROOM, N_WORK, WHAT, CODE, TEAM = range(11)
N_COLUMNS = 11

# WHAT is asked for; BOTH make a step.
FORWARD, BACKWARD, BOTH = 1, 2, 3

ONE = 0  # the workspace begins with a 1, to add columns up by a product

# Rows a multiple of so many bytes apart crowd into few places of a cache. Our own are kept off it; the input's are copied.
CROWDED = 1024
INPUT_CROWDED = 4096

# A chunk's activations and δ are to stay in the L2 cache; a gradient larger than this is not gone through chunk after chunk.
# Threads take several chunks before they wait for each other, for the gradient: what they leave for it stays in the L3 cache.
CHUNK_BYTES = 1 << 19
GRADIENT_BYTES = 1 << 18
CHUNKS_BETWEEN_WAITS = 16

# A step has room for so many bytes of activations and δ at once: a large batch goes through in blocks.
BLOCK_BYTES = 1 << 26

# Rows for each thread from which each takes rows of its own through all layers: they wait for each other but once. With fewer, each
# would read and pack all of the weights for too little; so they share every product by its columns.
OWN_ROWS = 64

# Multiply-adds of a forward pass from which more threads pay. Two took 0.6 to 1.9 times the time of one where there are half as many
# to one and a half million, and 0.5 to 0.8 of it from two million on, in networks wide and narrow.
THREADS_PAY = 2_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """``table``: see above; ``n_activations``, ``n_work``: numbers that the activations and the workspace take.

    ``layers``: shape, offset and strides (bytes) of each layer's activations after the input.
    """

    table: Array
    n_activations: int
    n_work: int
    layers: list[tuple[tuple[int, int], int, tuple[int, int]]]

    @classmethod
    def of(cls, network: Network, rows: int, itemsize: int, threads: int, what: int, code: int, team: int) -> Plan:
        """The plan for a batch of ``rows``. A step keeps no activations: there is room for some rows only, by one thread for a chunk."""
        sizes = network.layer_sizes
        vector = VECTOR_BYTES // itemsize
        each = itemsize * (sizes[0] + 2 * sum(row_step(n, rows, itemsize) for n in sizes[1:]))  # bytes that go through the cache for a row
        small = network.n_parameters * itemsize <= GRADIENT_BYTES
        chunk = _evenly(rows, each, CHUNK_BYTES if small else BLOCK_BYTES)
        many = _evenly(rows, each, CHUNKS_BETWEEN_WAITS * CHUNK_BYTES if small else BLOCK_BYTES)
        block = rows if what != BOTH else chunk if threads == 1 else many
        by_rows = threads == 1 or rows >= threads * OWN_ROWS
        steps = [row_step(n, block, itemsize) for n in sizes]
        copied = block > 1 and sizes[0] * itemsize % INPUT_CROWDED == 0
        work = vector  # behind the 1
        table = [[sizes[0], steps[0] if copied else sizes[0], work if copied else -1]]
        work += -(-block * steps[0] * copied // vector) * vector
        start = weights = 0
        for (n_in, n_out), step, name in zip(pairwise(sizes), steps[1:], network.activations, strict=True):
            table.append([n_out, step, start, weights, weights + n_in * n_out, CODES[name], work])
            taken = -(-block * step // vector) * vector  # each begins at a whole vector
            start += taken
            work += taken if what & BACKWARD else 0
            weights += (n_in + 1) * n_out
        room = 0 if rows == 1 else max(_room(n_in, n_out, block, itemsize) for n_in, n_out in pairwise(sizes))
        n_work = work + threads * room
        table.append(
            [rows, block, chunk if by_rows else rows, threads, by_rows, work, room, n_work, what, code, team if threads > 1 else 0]
        )
        array = np.array([line + [0] * (N_COLUMNS - len(line)) for line in table], dtype=np.int64)
        array.flags.writeable = False
        layers = [((block, n), at * itemsize, (step * itemsize, itemsize)) for n, step, at, *_ in table[1:-1]]
        return cls(array, int(array[-2, START] + block * array[-2, STEP]), n_work, layers)


def _room(n_in: int, n_out: int, rows: int, itemsize: int) -> int:
    """For the right matrices of a layer's three products, packed: w, w′ and δ."""
    return max(panel_size(n_out, n_in, itemsize), panel_size(n_in, n_out, itemsize), panel_size(n_out, rows, itemsize))


def row_step(n: int, rows: int, itemsize: int) -> int:
    """Numbers from one row of n to the next: n, and a vector more where rows would crowd."""
    return n + VECTOR_BYTES // itemsize if rows > 1 and n * itemsize % CROWDED == 0 else n


def _evenly(rows: int, each: int, most: int) -> int:
    """How many of the rows, of so many bytes each, make about ``most`` bytes, if they are cut into parts of one size."""
    return -(-rows // max(1, round(rows * each / most)))

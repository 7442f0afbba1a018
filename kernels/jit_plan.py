"""How a batch is computed: where everything lies in the flat arrays of the compiled passes, in how many blocks, by how many threads.

A plan is a table of whole numbers, for that is what compiled code reads fastest: a row for each layer, the input first, and a last
row for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kernels.jit_products import panel_size
from kernels.jit_stages import CODES
from kernels.jit_target import VECTOR_BYTES
from kernels.network import Array, Network

# Columns of a layer's row. UNITS of the layer; STEP from sample to sample, and START, of its activations; where its weights and
# biases (those that lead to it) start in theta; its ACTIVATION. The input's START is where it is copied to, −1 if it is not.
UNITS, STEP, START, WEIGHTS, BIASES, ACTIVATION = range(6)

# Columns of the last row. ROWS of the batch, in BLOCKs of so many; THREADS; in the workspace, where the two DELTAs start that
# take turns, and the PANELS of the first thread, ROOM numbers for each; the size of
# the workspace; WHAT is asked for; the address of the compiled CODE.
ROWS, BLOCK, THREADS, DELTA, OTHER_DELTA, PANELS, ROOM, N_WORK, WHAT, CODE = range(10)
N_COLUMNS = 10

# WHAT is asked for; BOTH make a step.
FORWARD, BACKWARD, BOTH = 1, 2, 3

ONE = 0  # the workspace begins with a 1, to add columns up by a product

# Rows a multiple of so many bytes apart crowd into few places of a cache. Our own are kept off it; the input's are copied.
CROWDED = 1024
INPUT_CROWDED = 4096

# A block's activations and δ are to stay in the L2 cache; a gradient larger than this is not gone through block after block.
BLOCK_BYTES = 1 << 19
GRADIENT_BYTES = 1 << 18

# Multiply-adds of a forward pass from which a second thread pays: some 50 µs of work for one.
THREADS_PAY = 400_000


@dataclass(frozen=True)
class Plan:
    """``table``: see above; ``n_activations``, ``n_work``: numbers that the activations and the workspace take.

    ``layers``: shape, offset and strides (bytes) of each layer's activations after the input.
    """

    table: Array
    n_activations: int
    n_work: int
    layers: list[tuple[tuple[int, int], int, tuple[int, int]]]

    @classmethod
    def of(cls, network: Network, rows: int, itemsize: int, threads: int, what: int, code: int) -> Plan:
        """The plan for a batch of ``rows``. A step keeps no activations, so in it blocks of rows may follow one another."""
        sizes = network.layer_sizes
        block = block_rows(network, rows, itemsize) if what == BOTH else rows
        vector = VECTOR_BYTES // itemsize
        steps = [row_step(n, block, itemsize) for n in sizes]
        copied = block > 1 and sizes[0] * itemsize % INPUT_CROWDED == 0
        delta = vector
        other = delta + block * max(steps[1:])
        copy = other + block * max(steps[1:])
        panels = copy + block * steps[0] * copied
        room = max(
            max(panel_size(n_out, n_in, itemsize), panel_size(n_out, block, itemsize), panel_size(n_in, n_out, itemsize))
            for n_in, n_out in pairwise(sizes)
        )
        table = [[sizes[0], steps[0] if copied else sizes[0], copy if copied else -1]]
        start = weights = 0
        for (n_in, n_out), step, name in zip(pairwise(sizes), steps[1:], network.activations, strict=True):
            table.append([n_out, step, start, weights, weights + n_in * n_out, CODES[name]])
            start += block * step
            weights += (n_in + 1) * n_out
        n_work = panels + threads * (room if block > 1 else 0)
        table.append([rows, block, threads, delta, other, panels, room, n_work, what, code])
        array = np.array([line + [0] * (N_COLUMNS - len(line)) for line in table], dtype=np.int64)
        array.flags.writeable = False
        layers = [((block, n), at * itemsize, (step * itemsize, itemsize)) for n, step, at, *_ in table[1:-1]]
        return cls(array, start, n_work, layers)


def row_step(n: int, rows: int, itemsize: int) -> int:
    """Numbers from one row of n to the next: whole vectors, so that loops need no remainder, and not crowded."""
    vector = VECTOR_BYTES // itemsize
    step = -(-n // vector) * vector
    return step + vector if rows > 1 and step * itemsize % CROWDED == 0 else step


def block_rows(network: Network, rows: int, itemsize: int) -> int:
    """Rows of a block: the batch, or as many as keep what belongs to them in the cache, if the gradient stays there too."""
    if network.n_parameters * itemsize > GRADIENT_BYTES:
        return rows
    n_numbers = network.layer_sizes[0] + 2 * sum(row_step(n, rows, itemsize) for n in network.layer_sizes[1:])
    n_blocks = max(1, round(rows * n_numbers * itemsize / BLOCK_BYTES))
    return -(-rows // n_blocks)

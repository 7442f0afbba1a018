"""Plans: everything has a place of its own, large enough, and blocks and steps are what the caches want."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from deltacheck.kernels import ACTIVATIONS, COSTS, Network
from deltacheck.kernels.jit.cpu_target import VECTOR_BYTES
from deltacheck.kernels.jit.plan import (
    ACTIVATION,
    BACKWARD,
    BIASES,
    BLOCK,
    BLOCK_BYTES,
    BOTH,
    BY_ROWS,
    CHUNK,
    CHUNK_BYTES,
    CODE,
    CROWDED,
    DELTA,
    FORWARD,
    GRADIENT_BYTES,
    INPUT_CROWDED,
    N_WORK,
    ONE,
    OWN_ROWS,
    PANELS,
    ROOM,
    ROWS,
    START,
    STEP,
    THREADS,
    UNITS,
    WEIGHTS,
    WHAT,
    Plan,
    row_step,
)
from deltacheck.kernels.jit.products.blocks import panel_size
from deltacheck.kernels.jit.stages import CODES

ITEMSIZES = (4, 8)
KINDS = (FORWARD, BACKWARD, BOTH)
NETWORKS = [
    Network((1, 1)),
    Network((3, 2, 4, 1), "tanh"),
    Network((784, 30, 10)),
    Network((512, 256, 128), "relu", "cross_entropy"),
    Network((1024, 300, 300, 7), "identity"),
    Network((64, 64, 64, 64), ("tanh", "relu", "sigmoid")),
    Network((1,) * 60),
    Network((16, 32, 512, 2)),
]
BATCHES = (1, 2, 7, 64, 1000, 5000)


def disjoint(regions: list[tuple[int, int]], size: int) -> None:
    """Regions from begin to end, in an array of ``size``, that share nothing."""
    regions = sorted(regions)
    assert all(begin <= end for begin, end in regions)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(regions))
    assert regions[0][0] >= 0
    assert regions[-1][1] <= size


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("itemsize", ITEMSIZES)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_everything_has_a_place_of_its_own(network: Network, itemsize: int, threads: int, what: int) -> None:
    for rows in BATCHES:
        plan = Plan.of(network, rows, itemsize, threads, what, 12345, 0)
        layers, whole = plan.table[:-1], plan.table[-1]
        block, vector = whole[BLOCK], VECTOR_BYTES // itemsize
        assert (whole[ROWS], whole[THREADS], whole[WHAT], whole[CODE], whole[N_WORK]) == (rows, threads, what, 12345, plan.n_work)

        np.testing.assert_array_equal(layers[:, UNITS], network.layer_sizes)
        assert all(layers[1:, STEP] >= layers[1:, UNITS])
        assert all(layers[1:, START] % vector == 0)
        ends = layers[1:, START] + block * layers[1:, STEP]
        assert plan.n_activations == ends[-1]  # the passes ask for just so many
        disjoint(list(zip(layers[1:, START], ends, strict=True)), plan.n_activations)

        room = max(
            panel_size(columns, inner, itemsize)
            for n_in, n_out in pairwise(network.layer_sizes)
            for columns, inner in ((n_out, n_in), (n_in, n_out), (n_out, block))
        )
        regions = [(ONE, ONE + 1)]
        if what & BACKWARD:
            regions += [(line[DELTA], line[DELTA] + block * line[STEP]) for line in layers[1:]]
        if layers[0, START] >= 0:
            assert layers[0, STEP] >= layers[0, UNITS]
            regions.append((layers[0, START], layers[0, START] + block * layers[0, STEP]))
        else:
            assert layers[0, STEP] == layers[0, UNITS]
        if rows > 1:  # one sample is computed without panels
            assert whole[ROOM] >= room
            regions += [(whole[PANELS] + t * whole[ROOM], whole[PANELS] + (t + 1) * whole[ROOM]) for t in range(threads)]
        disjoint(regions, plan.n_work)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_weights_and_biases_are_where_the_network_has_them(network: Network) -> None:
    table = Plan.of(network, 5, 8, 1, BOTH, 0, 0).table
    w, b = network.unpack(np.arange(network.n_parameters))
    np.testing.assert_array_equal(table[1:-1, WEIGHTS], [w_i[0, 0] for w_i in w])
    np.testing.assert_array_equal(table[1:-1, BIASES], [b_i[0] for b_i in b])
    np.testing.assert_array_equal(table[1:-1, ACTIVATION], [CODES[name] for name in network.activations])


def test_a_code_for_each_activation() -> None:
    networks = [Network((2, 2, 2), name, cost) for name in ACTIVATIONS for cost in COSTS]
    used = {name for network in networks for name in network.activations}
    assert len({CODES[name] for name in used}) == len(used) == 5


@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_views_of_the_layers_are_where_the_table_says(itemsize: int) -> None:
    plan = Plan.of(NETWORKS[4], 7, itemsize, 1, FORWARD, 0, 0)
    for (shape, offset, strides), line in zip(plan.layers, plan.table[1:-1], strict=True):
        assert shape == (7, line[UNITS])
        assert offset == line[START] * itemsize
        assert strides == (line[STEP] * itemsize, itemsize)


@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_rows_lie_close_but_never_crowded(itemsize: int) -> None:
    for n in range(1, 1100):
        assert row_step(n, 1, itemsize) == n
        step = row_step(n, 2, itemsize)
        assert step * itemsize % CROWDED
        assert step in (n, n + VECTOR_BYTES // itemsize)


@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_the_input_is_copied_where_its_rows_are_crowded(itemsize: int) -> None:
    crowded = INPUT_CROWDED // itemsize
    for n, rows, copied in (
        (crowded, 2, True),
        (3 * crowded, 2, True),
        (crowded - 1, 2, False),
        (crowded // 2, 2, False),
        (crowded, 1, False),
    ):
        start = Plan.of(Network((n, 3)), rows, itemsize, 1, BOTH, 0, 0).table[0, START]
        assert (start >= 0) == copied


@pytest.mark.parametrize("itemsize", ITEMSIZES)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_chunks_fill_the_cache_and_blocks_the_room(network: Network, itemsize: int) -> None:
    each = (network.layer_sizes[0] + 2 * sum(row_step(n, 2, itemsize) for n in network.layer_sizes[1:])) * itemsize
    for rows in (*BATCHES, 100_001):
        for threads in (1, 2):
            whole = Plan.of(network, rows, itemsize, threads, BOTH, 0, 0).table[-1]
            chunk, block, small = whole[CHUNK], whole[BLOCK], network.n_parameters * itemsize <= GRADIENT_BYTES
            assert 1 <= chunk <= rows
            assert 1 <= block <= rows
            assert block * each <= 1.6 * BLOCK_BYTES + each
            if threads == 1:
                assert block == chunk
            if small and whole[BY_ROWS]:
                assert chunk * each <= 1.6 * CHUNK_BYTES + each
            if chunk < rows and whole[BY_ROWS]:
                assert chunk * each >= 0.6 * CHUNK_BYTES


@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_only_a_step_goes_block_by_block(itemsize: int) -> None:
    network = Network((64, 64, 64))
    blocks = [Plan.of(network, 20_000, itemsize, 1, what, 0, 0).table[-1, BLOCK] for what in KINDS]
    assert blocks[:2] == [20_000, 20_000]
    assert blocks[2] < 20_000


@pytest.mark.parametrize("rows", [1, 2, OWN_ROWS - 1, 3 * OWN_ROWS - 1, 3 * OWN_ROWS])
def test_threads_take_rows_of_their_own_where_there_are_enough(rows: int) -> None:
    assert Plan.of(NETWORKS[3], rows, 8, 1, BOTH, 0, 0).table[-1, BY_ROWS] == 1
    assert Plan.of(NETWORKS[3], rows, 8, 3, BOTH, 0, 0).table[-1, BY_ROWS] == (rows >= 3 * OWN_ROWS)


def test_a_plan_cannot_be_written_into() -> None:
    assert not Plan.of(NETWORKS[1], 5, 8, 1, BOTH, 0, 0).table.flags.writeable


def test_a_network_so_deep_that_blocks_are_of_few_rows_has_room_for_panels() -> None:
    network = Network((1,) * 16_000)
    plan = Plan.of(network, 5, 8, 1, BOTH, 0, 0)
    whole = plan.table[-1]
    assert whole[BLOCK] < 5
    assert whole[ROOM] > 0
    assert plan.n_work >= whole[PANELS] + whole[ROOM]

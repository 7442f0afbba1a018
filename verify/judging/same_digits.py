"""Other networks and batches whose sizes, written one after the other, are the same digits: a key that is joined takes them for one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from deltacheck.kernels import Network

LARGEST = 200  # size; with more there are others, and they take longer
MOST = 16  # digits of which all ways to cut them are looked at


def same_digits(network: Network, batch: int) -> Iterator[tuple[Network, int]]:
    """Up to three networks, each with a batch: keyed by the widths, by the batch and the widths, and by the widths and the batch.

    As many layers as this one has, where such a network exists; else one layer fewer.
    """
    widths = network.layer_sizes
    for sizes in _others(widths, len(widths)), _others(widths, len(widths) - 1):
        if sizes:
            yield _resized(network, sizes), batch
            break
    before = _others((batch, *widths), len(widths) + 1, other_at=0)
    if before:
        yield _resized(network, before[1:]), before[0]
    behind = _others((*widths, batch), len(widths) + 1, other_at=-1)
    if behind:
        yield _resized(network, behind[:-1]), behind[-1]


def _others(sizes: tuple[int, ...], count: int, other_at: int | None = None) -> tuple[int, ...]:
    """Another ``count`` numbers with the digits of ``sizes``: those that make the smallest network; none where there are no others.

    ``other_at``: where the number must be another one.
    """
    digits = "".join(map(str, sizes))
    if count < 2 or len(digits) > MOST:
        return ()
    found = []
    for cuts in combinations(range(1, len(digits)), count - 1):
        parts = [digits[start:end] for start, end in pairwise((0, *cuts, len(digits)))]
        numbers = tuple(map(int, parts))
        another = numbers != sizes if other_at is None else numbers[other_at] != sizes[other_at]
        if another and not any(part.startswith("0") for part in parts) and max(numbers) <= LARGEST:
            found.append(numbers)
    return min(found, key=lambda numbers: (sum(one * other for one, other in pairwise(numbers)), numbers), default=())


def _resized(network: Network, sizes: tuple[int, ...]) -> Network:
    """The network with other sizes, and as many of its activations, the last ones."""
    return Network(sizes, network.activations[-(len(sizes) - 1) :], network.cost)

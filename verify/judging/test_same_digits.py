"""Networks whose sizes are the same digits."""

from __future__ import annotations

import pytest

from deltacheck.kernels import Network
from deltacheck.verify.judging.same_digits import same_digits


def found(*sizes, batch):
    return [(network.layer_sizes, rows) for network, rows in same_digits(Network(sizes, "tanh"), batch)]


def test_by_the_widths_by_the_batch_before_and_by_the_batch_behind():
    assert found(1, 12, 3, batch=5) == [((1, 1, 23), 5), ((1, 2, 3), 51), ((1, 1, 2), 35)]


def test_a_layer_fewer_where_each_width_is_one_digit():
    assert found(2, 3, 4, 1, batch=5) == [((23, 4, 1), 5)]


def test_no_width_begins_with_0():
    assert found(10, 2, batch=3) == []


@pytest.mark.parametrize("sizes", [(3, 4), (3,) * 30])
def test_none_where_there_are_none_or_too_many(sizes):
    assert found(*sizes, batch=2) == []


def test_activations_are_the_last_ones():
    networks = [network for network, _ in same_digits(Network((2, 3, 4, 1), ("tanh", "relu", "identity")), 5)]
    assert [network.activations for network in networks] == [("relu", "identity")]

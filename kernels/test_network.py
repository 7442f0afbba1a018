"""The network as data: layout, views, the cost, and messages for every wrong input."""

from __future__ import annotations

import pickle
import re
from itertools import pairwise

import numpy as np
import pytest

from deltacheck.kernels import ACTIVATIONS, COSTS, Network

pytest.importorskip("hypothesis", reason="hypothesis comes with the dev extra")
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.lists(st.integers(1, 9), min_size=2, max_size=6).map(tuple)


@given(SIZES)
def test_parameters_lie_layer_by_layer_in_c_order_and_are_views(sizes):
    network = Network(sizes)
    theta = np.arange(network.n_parameters, dtype=np.float64)
    w, b = network.unpack(theta)
    assert [w_i.shape for w_i in w] == list(pairwise(sizes))
    assert [b_i.shape for b_i in b] == [(n,) for n in sizes[1:]]
    np.testing.assert_array_equal(np.concatenate([part.ravel() for pair in zip(w, b, strict=True) for part in pair]), theta)
    assert all(np.shares_memory(part, theta) for part in (*w, *b))


def test_unpack_gives_views_of_a_strided_theta():
    network = Network((2, 3, 1))
    theta = np.arange(2.0 * network.n_parameters)[::2]
    assert all(np.shares_memory(part, theta) for parts in network.unpack(theta) for part in parts)


@given(SIZES, st.sampled_from(ACTIVATIONS), st.sampled_from(COSTS))
def test_a_network_equals_its_copies_and_can_be_a_key(sizes, activation, cost):
    network = Network(sizes, activation, cost)
    for copy in (Network(list(sizes), activation, cost), Network(sizes, network.activations, cost), pickle.loads(pickle.dumps(network))):
        assert copy == network
        assert hash(copy) == hash(network)
    assert network != Network((*sizes, 1), activation, cost)
    assert network.n_parameters == sum((n + 1) * m for n, m in pairwise(sizes))


def test_the_documented_attributes():
    network = Network((784, 128, 10))
    assert (network.layer_sizes, network.activations, network.cost) == ((784, 128, 10), ("sigmoid", "sigmoid"), "squared_error")
    assert network.n_parameters == 101770
    assert Network((4, 3, 2), "tanh", "cross_entropy").activations == ("tanh", "softmax")
    with pytest.raises(AttributeError):
        network.cost = "cross_entropy"


def test_initial_parameters_are_the_same_draw_for_every_dtype():
    network = Network((30, 40, 5))
    draws = {dtype: network.initial(np.random.default_rng(3), dtype=dtype) for dtype in ("float32", "float64", "complex128")}
    np.testing.assert_array_equal(draws["float32"], draws["float64"].astype("float32"))
    np.testing.assert_array_equal(draws["complex128"], draws["float64"])
    w, b = network.unpack(draws["float64"])
    assert np.std(w[0]) == pytest.approx(30**-0.5, rel=0.1)
    assert all(b_i.all() for b_i in b), "no bias is zero"


def test_the_cost_is_the_sum_over_rows_and_outputs():
    network = Network((3, 2))
    assert network.cost_of(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 2.0]])) == 0.5 * (1 + 4 + 0 + 4)
    entropy = Network((3, 2), cost="cross_entropy")
    p, y = np.array([[0.25, 0.75]]), np.array([[0.5, 2.0]])
    assert entropy.cost_of(p, y) == pytest.approx(-(0.5 * np.log(0.25) + 2 * np.log(0.75)), rel=1e-15)
    assert isinstance(network.cost_of(p.astype(np.float32), p.astype(np.float32)), float)


def test_a_vanished_probability_costs_nothing_where_nothing_was_asked():
    entropy = Network((3, 2), cost="cross_entropy")
    assert entropy.cost_of(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])) == 0
    assert entropy.cost_of(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])) == np.inf


def test_the_cost_lets_a_complex_step_through():
    network = Network((3, 1))
    cost = network.cost_of(np.array([[2.0 + 1e-20j]]), np.array([[0.5 + 0j]]))
    assert cost.imag / 1e-20 == pytest.approx(1.5)


NETWORK = Network((3, 4, 2))
GOOD = {"theta": np.zeros(NETWORK.n_parameters), "x": np.zeros((5, 3)), "y": np.zeros((5, 2))}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((3,),), ValueError, "layer_sizes: got (3,); expected a sequence of at least two whole numbers"),
        (((3, 0),), ValueError, "layer_sizes: got (3, 0)"),
        (("3-2",), TypeError, "layer_sizes: got '3-2'"),
        (((3, 2.5),), TypeError, "layer_sizes: got (3, 2.5)"),
        ((7,), TypeError, "layer_sizes: got 7"),
        (((3, 2), "sine"), ValueError, "activation: got 'sine'; expected one of sigmoid, tanh, relu, identity"),
        (((3, 2), 3), TypeError, "activation: got 3"),
        (((3, 2, 2), ("relu",)), ValueError, "activation: got 1 names; expected one, or 2"),
        (((3, 2), "softmax"), ValueError, 'softmax is the output of cost="cross_entropy"'),
        (((3, 2, 2), "softmax", "cross_entropy"), ValueError, "activation: got 'softmax'"),
        (((3, 2), "relu", "hinge"), ValueError, "cost: got 'hinge'; expected one of squared_error, cross_entropy"),
    ],
)
def test_wrong_networks_are_refused(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Network(*arguments)


WRONG_INPUT = [
    ({"theta": np.zeros(3)}, ValueError, "theta: got shape (3,); expected (26,)"),
    ({"theta": [0.0] * 26}, TypeError, "theta: got list; expected a plain NumPy array"),
    ({"theta": np.zeros(26, int)}, TypeError, "theta: got dtype int64; expected float32 or float64"),
    ({"x": np.zeros((5, 4))}, ValueError, "x: got shape (5, 4); expected (batch, 3)"),
    ({"x": np.zeros(3)}, ValueError, "x: got shape (3,); expected (batch, 3)"),
    ({"x": np.zeros((0, 3))}, ValueError, "x: got an empty batch"),
    ({"x": np.zeros((5, 3), np.float32)}, TypeError, "x: got dtype float32; expected float64, as theta has"),
    ({"x": np.ma.zeros((5, 3))}, TypeError, "x: got MaskedArray; expected a plain NumPy array"),
    ({"y": np.zeros((5, 3))}, ValueError, "y: got shape (5, 3); expected (batch, 2)"),
    ({"y": np.zeros((4, 2))}, ValueError, "y: got 4 rows; expected 5, as many as x has"),
    ({"y": np.zeros((5, 2), np.float32)}, TypeError, "y: got dtype float32; expected float64, as theta has"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG_INPUT, ids=[message for _, _, message in WRONG_INPUT])
def test_wrong_input_is_refused(wrong, error, message):
    with pytest.raises(error, match=re.escape(message)):
        NETWORK.checked(**{**GOOD, **wrong})
    NETWORK.checked(**GOOD)


def test_complex_numbers_are_refused_unless_they_are_asked_for():
    theta, x = np.zeros(26, complex), np.zeros((5, 3), complex)
    NETWORK.checked(theta, x, dtypes=(np.dtype(complex),))
    with pytest.raises(TypeError, match="theta: got dtype complex128; expected float32 or float64"):
        NETWORK.checked(theta, x)


def test_wrong_activations_are_refused():
    a = (np.zeros((5, 3)), np.zeros((5, 4)), np.zeros((5, 2)))
    NETWORK.checked_backward(GOOD["theta"], a, GOOD["y"])
    for wrong, message in [
        (a[:2], "a: got 2 arrays; expected a tuple of 3 arrays"),
        (a[0], "a: got ndarray; expected a tuple of 3 arrays"),
        ((a[0], a[1][:, :3], a[2]), "a[1]: got shape (5, 3); expected (batch, 4)"),
        ((a[0], a[1][:3], a[2]), "a[1]: got 3 rows; expected 5"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            NETWORK.checked_backward(GOOD["theta"], wrong, GOOD["y"])
    with pytest.raises(ValueError, match=re.escape("y: got 4 rows; expected 5")):
        NETWORK.checked_backward(GOOD["theta"], a, np.zeros((4, 2)))

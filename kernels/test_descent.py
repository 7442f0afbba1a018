"""Gradient descent on real digits: the same path with every kernel, downhill at every step, and a network that has learnt."""

import numpy as np
import pytest

from deltacheck.kernels import BUILT_IN, Kernel, Network, load
from deltacheck.kernels.descent import accuracy, descend
from deltacheck.kernels.digits import digits

NETWORK = Network((64, 30, 10))
THETA = NETWORK.initial(np.random.default_rng(0))


@pytest.fixture(scope="module")
def data():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    return digits()


def uphill(network):
    """A planted fault: a kernel whose gradient has the wrong sign."""

    class Uphill(Kernel):
        def forward(self, theta, x):
            return load("numpy")(network).forward(theta, x)

        def backward(self, theta, a, y):
            return -load("numpy")(network).backward(theta, a, y)

    return Uphill(network)


def test_all_kernels_follow_the_same_path(data):
    x, y = data[0][:60], data[1][:60]
    paths = {name: descend(load(name), NETWORK, THETA, x, y, rate=0.02, epochs=4, batch_size=20) for name in BUILT_IN}
    theta, costs = paths.pop("naive")
    for name, (other_theta, other_costs) in paths.items():
        np.testing.assert_allclose(other_theta, theta, rtol=0, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(other_costs, costs, rtol=1e-12, err_msg=name)
    assert not np.allclose(theta, THETA, rtol=0, atol=1e-3), "the path leads nowhere"


def test_the_cost_falls_at_every_step_for_a_small_rate(data):
    x, y = data[0][:200], data[1][:200]
    for name in ("numpy", "numba"):
        _, costs = descend(load(name), NETWORK, THETA, x, y, rate=0.002, epochs=100)
        assert (np.diff(costs) < 0).all(), name
    _, costs = descend(uphill, NETWORK, THETA, x, y, rate=0.002, epochs=10)
    assert (np.diff(costs) > 0).all(), "the planted wrong sign goes uphill"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_learns_to_read_digits(data, dtype):
    x, y = data[0].astype(dtype), data[1].astype(dtype)
    theta, _ = descend(
        load("numba"), NETWORK, THETA.astype(dtype), x[:1400], y[:1400], rate=0.3, epochs=30, batch_size=10, rng=np.random.default_rng(1)
    )
    assert theta.dtype == dtype
    assert accuracy(load("numpy")(NETWORK), THETA.astype(dtype), x[1400:], y[1400:]) < 0.3, "it could read before it learnt"
    assert accuracy(load("numpy")(NETWORK), theta, x[1400:], y[1400:]) > 0.9


def test_the_first_order_change_is_what_6_says(data):
    x, y = data[0][:20], data[1][:20]
    rate = 1e-7
    _, (before, after) = descend(load("numpy"), NETWORK, THETA, x, y, rate=rate, epochs=2)
    _, dtheta = load("numpy")(NETWORK).value_and_grad(THETA, x, y)
    assert after - before == pytest.approx(-rate * dtheta @ dtheta, rel=1e-4)  # ΔC = ∂C/∂θ · Δθ, (6)


def test_theta_is_left_alone(data):
    before = THETA.copy()
    descend(load("numpy"), NETWORK, THETA, data[0][:5], data[1][:5], rate=0.1, epochs=1)
    np.testing.assert_array_equal(THETA, before)


@pytest.mark.parametrize(("name", "value"), [("rate", 0.0), ("rate", -1.0), ("rate", float("nan")), ("epochs", -1), ("batch_size", 0)])
def test_wrong_arguments_are_named(data, name, value):
    arguments = {"rate": 0.1, "epochs": 1, name: value}
    with pytest.raises(ValueError, match=f"{name}: got {value}"):
        descend(load("numpy"), NETWORK, THETA, *data, **arguments)

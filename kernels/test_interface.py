"""The three kernels behind their interface: the same checks, the same strictness, complex numbers where promised."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltacheck.kernels import ACTIVATIONS, BUILT_IN, COSTS, Network, load
from deltacheck.kernels.test_network import GOOD, NETWORK, WRONG_INPUT


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG_INPUT, ids=[message for _, _, message in WRONG_INPUT])
@pytest.mark.parametrize("name", BUILT_IN)
def test_wrong_input_is_refused_by_every_kernel_and_method(name, wrong, error, message):
    kernel = load(name)(NETWORK)
    theta, x, y = {**GOOD, **wrong}.values()
    came = re.escape(message.split(";")[0])
    with pytest.raises(error, match=came):
        kernel.value_and_grad(theta, x, y)
    if "y" not in wrong:
        with pytest.raises(error, match=came):
            kernel.forward(theta, x)
    if "x" not in wrong:
        with pytest.raises(error, match=came):
            kernel.backward(theta, kernel.forward(GOOD["theta"], GOOD["x"]), y)


def test_the_numba_kernel_says_that_it_takes_no_complex_numbers():
    with pytest.raises(TypeError, match="theta: got dtype complex128; expected float32 or float64"):
        load("numba")(NETWORK).forward(GOOD["theta"].astype(complex), GOOD["x"].astype(complex))


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", ["naive", "numpy"])
def test_a_complex_step_passes_through(name, activation, cost):
    network = Network((3, 4, 3), activation, cost)
    rng = np.random.default_rng(0)
    theta, x, y = network.initial(rng), rng.standard_normal((5, 3)), rng.random((5, 3))
    kernel = load(name)(network)
    _, dtheta = kernel.value_and_grad(theta, x, y)
    for entry in range(network.n_parameters):
        moved = theta.astype(complex)
        moved[entry] += 1e-20j
        cost_there, _ = kernel.value_and_grad(moved, x.astype(complex), y.astype(complex))
        assert cost_there.imag / 1e-20 == pytest.approx(dtheta[entry], rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("name", BUILT_IN)
def test_results_keep_the_dtype(name):
    network = Network((3, 4, 2))
    for dtype in ("float32", "float64"):
        theta = network.initial(np.random.default_rng(0), dtype=dtype)
        x, y = np.ones((2, 3), dtype), np.ones((2, 2), dtype)
        a = load(name)(network).forward(theta, x)
        cost, dtheta = load(name)(network).value_and_grad(theta, x, y)
        assert {array.dtype for array in (*a, dtheta)} == {np.dtype(dtype)}
        assert isinstance(cost, float)

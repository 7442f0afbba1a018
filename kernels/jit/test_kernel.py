"""The compiled kernel against the other two, over sizes, batches, activations and costs; extreme numbers; purity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltacheck.kernels import ACTIVATIONS, COSTS, Network, load, value_and_grad_of
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED, TILE_ROWS
from deltacheck.kernels.jit.kernel import KEPT, NumbaKernel
from deltacheck.kernels.jit.plan import BLOCK, BOTH, Plan
from deltacheck.kernels.network import Array

DTYPES = ("float32", "float64")


def case(
    layers: tuple[int, ...], batch: int, dtype: str, activation: Any = "sigmoid", cost: str = "squared_error", seed: int = 0
) -> tuple[Network, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    network = Network(layers, activation, cost)
    x = rng.standard_normal((batch, layers[0])).astype(dtype)
    y = rng.random((batch, layers[-1])).astype(dtype)
    return network, network.initial(rng, dtype), x, y


def close(got: Array, expected: Array, terms: int) -> None:
    """Equal but for rounding: ``terms`` numbers of the largest entry's size were added."""
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    bound = 8 * np.sqrt(terms + 16) * np.finfo(got.dtype).eps * max(0.05, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


def agree(network: Network, theta: Array, x: Array, y: Array, other: str) -> None:
    """Both kernels' activations, gradients and costs, and the gradient from each other's activations."""
    kernel, reference = NumbaKernel(network), load(other)(network)
    terms = max(network.layer_sizes) + len(x)
    a, expected_a = kernel.forward(theta, x), reference.forward(theta, x)
    for a_i, expected in zip(a, expected_a, strict=True):
        close(a_i, expected, terms)
    expected = reference.backward(theta, expected_a, y)
    close(kernel.backward(theta, expected_a, y), expected, terms)
    close(kernel.backward(theta, a, y), expected, terms)
    close(reference.backward(theta, a, y), expected, terms)
    cost, dtheta = kernel.value_and_grad(theta, x, y)
    close(dtheta, expected, terms)
    assert type(cost) is float
    expected_cost = value_and_grad_of(reference, network)(theta, x, y)[0]
    assert cost == pytest.approx(expected_cost, rel=float(100 * np.finfo(x.dtype).eps), abs=1e-30)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("other", ["naive", "numpy"])
def test_agrees_for_each_activation_and_cost(dtype: str, cost: str, activation: str, other: str) -> None:
    for batch in (1, 2, 7):
        agree(*case((5, 4, 4, 3), batch, dtype, activation, cost), other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(30))
def test_agrees_on_random_networks(dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 6))
    widest = 6 if JIT_DISABLED else (150, 12)[seed % 2]
    layers = tuple(int(n) for n in rng.integers(1, widest + 1, depth + 1))
    activations = [str(name) for name in rng.choice(ACTIVATIONS, depth)]
    agree(*case(layers, int(rng.integers(1, 41)), dtype, activations, str(rng.choice(COSTS)), seed), "numpy")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_agrees_for_any_number_of_rows(activation: str, dtype: str) -> None:
    for batch in range(1, 2 * TILE_ROWS + 2):
        agree(*case((9, 17, 33, 3), batch, dtype, activation), "numpy")


# A width beyond each limit: whole panels and vectors, rows far apart, several blocks of columns and of the inner dimension, an input
# that is copied, one output, one input.
WIDE = [(129, 257, 5), (256, 512, 256), (512, 40, 1), (1024, 300, 17), (1, 520, 130), (700, 1), (33, 1000, 2)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", WIDE, ids=lambda layers: "-".join(map(str, layers)))
def test_agrees_on_wide_layers(layers: tuple[int, ...], dtype: str) -> None:
    for batch in (1, 2, TILE_ROWS + 1, 70):
        agree(*case(layers, batch, dtype, ["tanh"] * (len(layers) - 2) + ["identity"]), "numpy")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", [(512, 40, 10), (40, 40, 40, 40), (3, 5, 2)], ids=lambda layers: "-".join(map(str, layers)))
def test_agrees_where_a_batch_falls_into_blocks(layers: tuple[int, ...], dtype: str) -> None:
    network = Network(layers)
    itemsize = np.dtype(dtype).itemsize
    fewest = next(rows for rows in range(1, 100_000) if Plan.of(network, rows, itemsize, 1, BOTH, 0, 0).table[-1, BLOCK] < rows)
    for batch in (fewest - 1, fewest, fewest + 1, 2 * fewest + 3):
        theta, x, y = case(layers, batch, dtype)[1:]
        cost, dtheta = NumbaKernel(network, threads=1).value_and_grad(theta, x, y)
        expected_cost, expected = load("numpy")(network).value_and_grad(*(array.astype(float) for array in (theta, x, y)))
        close(dtheta, expected.astype(dtype), batch)
        assert cost == pytest.approx(expected_cost, rel=100 * float(np.finfo(dtype).eps))


# Extreme and non-finite numbers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("size", [1e-30, 1e2, 1e4])
def test_finite_for_pre_activations_of_any_size(dtype: str, cost: str, activation: str, size: float) -> None:
    network, theta, x, y = case((3, 4, 5), 6, dtype, [activation, "identity"], cost)
    theta[network.unpack(np.arange(theta.size))[0][1].ravel()] *= np.array(size, dtype)
    agree(network, theta, x, y, "numpy")
    cost_value, dtheta = NumbaKernel(network).value_and_grad(theta, x, y)
    assert np.isfinite(cost_value)
    assert np.isfinite(dtheta).all()


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch", [1, 3])
def test_nan_comes_through(cost: str, activation: str, batch: int) -> None:
    network, theta, x, y = case((3, 4, 2), batch, "float64", activation, cost)
    kernel = NumbaKernel(network)
    spoiled = x.copy()
    spoiled[-1, 1] = np.nan
    a = kernel.forward(theta, spoiled)
    assert np.isnan(a[1][-1]).all()
    assert np.isnan(a[2][-1]).all()
    assert np.isfinite(a[2][:-1]).all()
    value, dtheta = kernel.value_and_grad(theta, spoiled, y)
    assert np.isnan(value)
    assert np.isnan(dtheta[-2:]).all()
    assert np.isnan(kernel.backward(theta, a, y)[-2:]).all()


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_with_its_sample(bad: float, cost: str) -> None:
    network, theta, x, y = case((20, 40, 300, 11), 2 * TILE_ROWS + 2, "float32", "tanh", cost)
    kernel = NumbaKernel(network)
    clean = kernel.forward(theta, x)
    for r in (0, 5, len(x) - 1):
        spoiled = x.copy()
        spoiled[r, 3] = bad
        others = np.arange(len(x)) != r
        for a_i, expected in zip(kernel.forward(theta, spoiled), clean, strict=True):
            np.testing.assert_array_equal(a_i[others], expected[others])
        kernel.value_and_grad(theta, spoiled, y)
    np.testing.assert_array_equal(kernel.value_and_grad(theta, x, y)[1], NumbaKernel(network).value_and_grad(theta, x, y)[1])


def test_derivative_of_relu_at_the_kink_is_0() -> None:
    network = Network((1, 1, 1), ("relu", "identity"))
    theta = np.array([0.0, 0.0, 1.0, 0.0])
    np.testing.assert_array_equal(NumbaKernel(network).value_and_grad(theta, np.ones((1, 1)), np.ones((1, 1)))[1], [0, 0, 0, -1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cost", COSTS)
def test_pure(dtype: str, cost: str) -> None:
    network, theta, x, y = case((7, 6, 5), 9, dtype, "tanh", cost)
    kernel = NumbaKernel(network)
    intact = [array.copy() for array in (theta, x, y)]
    a = kernel.forward(theta, x)
    assert a[0] is x
    kept = [a_i.copy() for a_i in a]
    value, dtheta = kernel.value_and_grad(theta, x, y)
    gradient = kernel.backward(theta, a, y)
    results = dtheta.copy(), gradient.copy()
    other = np.random.default_rng(1).standard_normal(theta.size).astype(dtype)
    for array in (kernel.value_and_grad(other, x[:4], y[:4])[1], kernel.backward(other, kernel.forward(other, x), y)):
        array[:] = np.nan
    np.testing.assert_array_equal(results, (dtheta, gradient))
    np.testing.assert_array_equal(value, kernel.value_and_grad(theta, x, y)[0])
    np.testing.assert_array_equal(dtheta, kernel.value_and_grad(theta, x, y)[1])
    np.testing.assert_array_equal(gradient, kernel.backward(theta, a, y))
    for array, before in zip((theta, x, y, *a), (*intact, *kept), strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_is_left_of_other_batches(dtype: str) -> None:
    """Workspaces are kept for the last few batch sizes; here come more of them, in turn, NaN among them, and another dtype between."""
    network, theta, x, y = case((5, 20, 3), 40, dtype, "tanh", "cross_entropy")
    other = [array.astype("float64" if dtype == "float32" else "float32") for array in (theta, x, y)]
    kernel = NumbaKernel(network)
    batches = [*range(1, KEPT + 4), 40, 1, 17, 40, *range(KEPT + 3, 0, -1)]
    for number, batch in enumerate(batches):
        fresh = NumbaKernel(network)
        expected_a, expected = fresh.forward(theta, x[:batch]), fresh.value_and_grad(theta, x[:batch], y[:batch])
        a = kernel.forward(theta, x[:batch])
        for a_i, expected_i in zip(a, expected_a, strict=True):
            np.testing.assert_array_equal(a_i, expected_i)
        np.testing.assert_array_equal(kernel.backward(theta, a, y[:batch]), expected[1])
        cost, dtheta = kernel.value_and_grad(theta, x[:batch], y[:batch])
        assert cost == expected[0]
        np.testing.assert_array_equal(dtheta, expected[1])
        kernel.value_and_grad(theta * np.array(np.nan, dtype), x[:batch], y[:batch])
        if number % 7 == 3:
            kernel.value_and_grad(*other)

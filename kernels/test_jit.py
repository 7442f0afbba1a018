"""The compiled kernel against the other two, and its e^z and tanh z against extended precision."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from kernels import ACTIVATIONS, COSTS, Network, load, value_and_grad_of
from kernels import jit_passes as passes
from kernels.jit import Activations, NumbaKernel
from kernels.jit_exp import exp, tanh
from kernels.jit_options import JIT_DISABLED, element_wise, sums
from kernels.jit_products import SMALL, add_product
from kernels.jit_stages import sigmoid
from kernels.network import Array

DTYPES = ("float32", "float64")


# e^z and tanh z


@element_wise
def exp_of(z: Array, out: Array) -> None:
    for k in range(z.size):
        out[k] = exp(z[k])


@element_wise
def tanh_of(z: Array, out: Array) -> None:
    for k in range(z.size):
        out[k] = tanh(z[k])


@element_wise
def sigmoid_of(z: Array, out: Array) -> None:
    for k in range(z.size):
        out[k] = sigmoid(z[k])


@sums
def exp_where_sums_are_reassociated(z: Array, out: Array) -> None:
    for k in range(z.size):
        out[k] = exp(z[k])


def applied(function: Any, z: Array) -> Array:
    out = np.empty_like(z)
    with np.errstate(all="ignore"):  # for the run without Numba
        function(z, out)
    return out


def ulps(got: Array, exact: Array) -> float:
    """The largest error in units in the last place of the exact result, which has extended precision."""
    return float(np.max(np.abs(got - exact) / np.spacing(np.abs(exact).astype(got.dtype))))


def arguments(dtype: str, low: float, high: float) -> Array:
    """Dense in [low, high], and around 0 down to the smallest normal numbers; in random order."""
    rng = np.random.default_rng(0)
    tiny = 10.0 ** rng.uniform(np.log10(np.finfo(dtype).tiny), 0, 20_000)
    z = np.concatenate([rng.uniform(low, high, 200_000), rng.uniform(-1, 1, 100_000), tiny, -tiny, [0.0]]).astype(dtype)
    return rng.permutation(z[(z >= low) & (z <= high)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [exp_of, exp_where_sums_are_reassociated])
def test_exp_is_good_to_2_units_in_the_last_place(dtype: str, function: Any) -> None:
    info = np.finfo(dtype)
    z = arguments(dtype, float(np.log(info.tiny)) * 0.9999999, float(np.log(info.max)) * 0.9999999)
    assert ulps(applied(function, z), np.exp(z.astype(np.longdouble))) <= 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_at_the_ends(dtype: str) -> None:
    info = np.finfo(dtype)
    largest = np.log(np.longdouble(info.max)).astype(dtype)
    if np.longdouble(largest) > np.log(np.longdouble(info.max)):
        largest = np.nextafter(largest, largest * 0)
    z = np.array([np.inf, -np.inf, np.nan, 1e4, -1e4, info.max, -info.max, 0, largest, np.nextafter(largest, largest * 2)], dtype)
    got = applied(exp_of, z)
    np.testing.assert_array_equal(got[:8], [np.inf, 0, np.nan, np.inf, 0, np.inf, 0, 1])
    assert ulps(got[8:9], np.exp(z[8:9].astype(np.longdouble))) <= 2
    assert got[9] == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_keeps_any_nan(dtype: str) -> None:
    bits = np.random.default_rng(0).integers(1, 2 ** np.finfo(dtype).nmant, 1001, dtype=f"int{np.finfo(dtype).bits}")
    z = (bits | np.array(np.nan, dtype).view(bits.dtype)).view(dtype)
    assert np.isnan(z).all()
    assert np.isnan(applied(exp_of, z)).all()
    assert np.isnan(applied(tanh_of, z)).all()
    assert np.isnan(applied(sigmoid_of, z)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_below_the_smallest_normal_number_is_0_or_close(dtype: str) -> None:
    tiny = np.finfo(dtype).tiny
    got = applied(exp_of, np.linspace(np.log(tiny) * 2, np.log(tiny), 1001, dtype=dtype))
    assert np.all((got >= 0) & (got <= 1.001 * tiny))


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_good_to_4_units_in_the_last_place(dtype: str) -> None:
    z = arguments(dtype, -40, 40)
    assert ulps(applied(tanh_of, z), np.tanh(z.astype(np.longdouble))) <= 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_at_the_ends(dtype: str) -> None:
    largest = np.finfo(dtype).max
    z = np.array([np.inf, -np.inf, np.nan, largest, -largest, 0.0, -0.0], dtype)
    got = applied(tanh_of, z)
    np.testing.assert_array_equal(got, [1, -1, np.nan, 1, -1, 0, 0])
    np.testing.assert_array_equal(np.signbit(got[-2:]), [False, True])


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_keeps_its_relative_accuracy_far_below_0(dtype: str) -> None:
    z = arguments(dtype, float(np.log(np.finfo(dtype).tiny)) * 0.9999999, 40)
    assert ulps(applied(sigmoid_of, z), 1 / (1 + np.exp(-z.astype(np.longdouble)))) <= 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_at_the_ends(dtype: str) -> None:
    largest = np.finfo(dtype).max
    z = np.array([np.inf, -np.inf, np.nan, 1e4, -1e4, largest, -largest, 0], dtype)
    np.testing.assert_array_equal(applied(sigmoid_of, z), [1, 0, np.nan, 1, 0, 1, 0, 0.5])


# Against the other kernels


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
    bound = 8 * np.sqrt(terms + 16) * np.finfo(got.dtype).eps * max(1e-3, float(np.max(np.abs(expected))))
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
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 15, 16, 17])
def test_agrees_around_the_change_from_loops_to_the_blas(dtype: str, n: int) -> None:
    for width in (SMALL // (16 * n) - 1, SMALL // (16 * n), SMALL // (16 * n) + 1):
        agree(*case((width, n, width), 16, dtype), "numpy")


@pytest.mark.parametrize("left_transposed", [False, True])
@pytest.mark.parametrize("right_transposed", [False, True])
@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_product(left_transposed: bool, right_transposed: bool, beta: float, dtype: str) -> None:
    rng = np.random.default_rng(0)
    left, right, out = (rng.standard_normal(shape).astype(dtype) for shape in ((3, 4), (4, 5), (3, 5)))
    if beta == 0:
        out[:] = np.nan  # what stands in the result must not matter
    expected = left @ right + (out if beta else 0)
    left, right = (left.T.copy() if left_transposed else left), (right.T.copy() if right_transposed else right)
    product = njit(lambda left, flag, right, other_flag, beta, out: add_product(left, flag, right, other_flag, beta, out))
    product(left, left_transposed, right, right_transposed, beta, out)
    close(out, expected, 4)


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


def test_derivative_of_relu_at_the_kink_is_0() -> None:
    network = Network((1, 1, 1), ("relu", "identity"))
    theta = np.array([0.0, 0.0, 1.0, 0.0])
    np.testing.assert_array_equal(NumbaKernel(network).value_and_grad(theta, np.ones((1, 1)), np.ones((1, 1)))[1], [0, 0, 0, -1])


# Purity, and what may be handed in


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


def readonly(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def strided(array: Array) -> Array:
    wide = np.full([2 * n for n in array.shape], np.nan, array.dtype)
    wide[tuple(slice(None, None, 2) for _ in array.shape)] = array
    return wide[tuple(slice(None, None, 2) for _ in array.shape)]


def reversed_order(array: Array) -> Array:
    return np.flip(np.flip(array).copy())


def misaligned(array: Array) -> Array:
    place = np.frombuffer(bytearray(array.nbytes + 1), np.uint8)[1:]
    moved = place.view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert not moved.flags.aligned
    return moved


FORMS: dict[str, Callable[[Array], Array]] = {
    "readonly": readonly,
    "strided": strided,
    "reversed": reversed_order,
    "fortran": np.asfortranarray,
    "misaligned": misaligned,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["theta", "x", "y", "all"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_strides_and_read_only(form: str, place: str, dtype: str) -> None:
    network, theta, x, y = case((6, 5, 4), 8, dtype)
    kernel = NumbaKernel(network)
    expected = kernel.value_and_grad(theta, x, y)
    in_form = {"theta": theta, "x": x, "y": y}
    for name in in_form if place == "all" else [place]:
        in_form[name] = FORMS[form](in_form[name])
    theta, x, y = in_form.values()
    a = kernel.forward(theta, x)
    assert a[0] is x
    for got in (kernel.value_and_grad(theta, x, y), (expected[0], kernel.backward(theta, a, y))):
        assert got[0] == expected[0]
        np.testing.assert_array_equal(got[1], expected[1])
    np.testing.assert_array_equal(kernel.backward(theta, tuple(FORMS[form](a_i) for a_i in a), y), expected[1])
    np.testing.assert_array_equal(kernel.backward(theta, list(a), y), expected[1])


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_one_specialisation_for_each_dtype() -> None:
    for dtype in DTYPES:
        test_any_strides_and_read_only("readonly", "all", dtype)
        test_any_strides_and_read_only("strided", "all", dtype)
        for layers in ((2, 1), (2, 3, 4, 1)):
            agree(*case(layers, 3, dtype), "numpy")
    compiled: list[Any] = [passes.forward, passes.backward, passes.step]
    for function in compiled:
        assert len(function.signatures) == len(DTYPES)


def test_memory_map(tmp_path: Path) -> None:
    network, theta, x, y = case((6, 5, 4), 8, "float64")
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    kernel = NumbaKernel(network)
    np.testing.assert_array_equal(kernel.value_and_grad(theta, mapped, y)[1], kernel.value_and_grad(theta, x, y)[1])
    np.testing.assert_array_equal(kernel.backward(theta, kernel.forward(theta, mapped), y), kernel.value_and_grad(theta, x, y)[1])


# What forward returns


@pytest.mark.parametrize("i", [0, 1, 2])
def test_a_change_of_the_activations_counts(i: int) -> None:
    network, theta, x, y = case((6, 5, 4), 8, "float64")
    kernel = NumbaKernel(network)
    a = kernel.forward(theta, x)
    before = kernel.backward(theta, a, y)
    a[i][:] *= 0.5
    after = kernel.backward(theta, a, y)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, kernel.backward(theta, tuple(a_i.copy() for a_i in a), y))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a)), tuple, list, lambda a: a[:]])
def test_a_copy_of_the_activations_stands_on_its_own(copied: Any) -> None:
    network, theta, x, y = case((6, 5, 4), 8, "float64")
    kernel = NumbaKernel(network)
    a = copied(kernel.forward(theta, x))
    for i in (1, 2):
        a[i][:] *= 0.5
    np.testing.assert_array_equal(kernel.backward(theta, a, y), kernel.backward(theta, tuple(a_i.copy() for a_i in a), y))


def test_activations_of_another_network_are_refused() -> None:
    network, theta, x, y = case((3, 2, 4), 8, "float64")
    other = Network((3, 4, 2))
    a = NumbaKernel(other).forward(other.initial(np.random.default_rng(0)), x)
    kernel = NumbaKernel(network)
    kernel.value_and_grad(theta, x, y)
    with pytest.raises(ValueError, match=r"a\[1\]: got shape \(8, 4\); expected \(batch, 2\)"):
        kernel.backward(theta, a, y)


def test_activations_made_by_hand() -> None:
    network, theta, x, y = case((3, 2, 4), 8, "float64")
    kernel = NumbaKernel(network)
    a = kernel.forward(theta, x)
    np.testing.assert_array_equal(kernel.backward(theta, Activations(a), y), kernel.backward(theta, a, y))


# What is refused, at the first call and when all is compiled


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("theta", lambda theta: theta[:-1], ValueError, "theta: got shape"),
        ("theta", lambda theta: theta.reshape(1, -1), ValueError, "theta: got shape"),
        ("theta", lambda theta: theta.tolist(), TypeError, "theta: got list"),
        ("theta", lambda theta: theta.astype(np.float32), TypeError, "x: got dtype float64"),
        ("x", lambda x: x[:, :-1], ValueError, "x: got shape"),
        ("x", lambda x: x[0], ValueError, "x: got shape"),
        ("x", lambda x: x[:0], ValueError, "x: got an empty batch"),
        ("x", lambda x: x.astype(np.complex128), TypeError, "x: got dtype complex128"),
        ("x", lambda x: x.astype(np.int64), TypeError, "x: got dtype int64"),
        ("x", lambda x: x.astype(">f8"), TypeError, "x: got dtype >f8"),
        ("x", np.ma.masked_array, TypeError, "x: got MaskedArray"),
        ("x", lambda x: None, TypeError, "x: got NoneType"),
        ("y", lambda y: y[:-1], ValueError, "y: got 7 rows; expected 8"),
        ("y", lambda y: y[:, :-1], ValueError, "y: got shape"),
        ("y", lambda y: y.astype(np.float32), TypeError, "y: got dtype float32"),
    ],
)
def test_refuses_what_does_not_fit(warm: bool, name: str, change: Any, error: type[Exception], message: str) -> None:
    network, theta, x, y = case((6, 5, 4), 8, "float64")
    kernel = NumbaKernel(network)
    a = NumbaKernel(network).forward(theta, x)
    if warm:
        kernel.value_and_grad(theta, x, y)
    arguments = {"theta": theta, "x": x, "y": y}
    arguments[name] = change(arguments[name])
    with pytest.raises(error, match=message):
        kernel.value_and_grad(**arguments)
    if name != "y":
        with pytest.raises(error, match=message):
            kernel.forward(arguments["theta"], arguments["x"])
    if name == "y":
        with pytest.raises(error, match=message):
            kernel.backward(theta, a, arguments["y"])
    if name == "x":
        with pytest.raises(error, match=message.replace("x:", r"a\[0\]:")):
            kernel.backward(theta, (arguments["x"], *a[1:]), y)


def test_refuses_complex_numbers() -> None:
    network, theta, x, y = case((6, 5, 4), 8, "complex128")
    with pytest.raises(TypeError, match="theta: got dtype complex128; expected float32 or float64"):
        NumbaKernel(network).value_and_grad(theta, x, y)


def test_the_product_comes_from_numpys_blas_or_from_scipys():
    """Both ways are taken somewhere: the other one in a process of its own, where NumPy's symbol is not to be found."""
    assert jit_blas.GEMM in ("numpy", "scipy")
    program = (
        "from kernels import jit_blas, jit_options\n"
        "jit_blas.GEMM = jit_options.GEMM = 'scipy'\n"
        "import numpy as np\n"
        "from kernels import Network, load\n"
        "network = Network((70, 40, 30)); rng = np.random.default_rng(0)\n"
        "theta, x, y = network.initial(rng), rng.standard_normal((9, 70)), rng.random((9, 30))\n"
        "one, two = (load(name)(network).value_and_grad(theta, x, y) for name in ('numpy', 'numba'))\n"
        "assert abs(one[0] - two[0]) < 1e-12 and abs(one[1] - two[1]).max() < 1e-13\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent, timeout=300)

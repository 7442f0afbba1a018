"""What may be handed to the compiled kernel and what is refused: strides, read-only arrays, activations made elsewhere, wrong shapes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltacheck.kernels import Network
from deltacheck.kernels.jit import passes
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED
from deltacheck.kernels.jit.kernel import Activations, NumbaKernel
from deltacheck.kernels.jit.test_kernel import DTYPES, agree, case
from deltacheck.kernels.network import Array


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


def in_pages(array: Array) -> Array:
    """A column of a three-dimensional array, its strides in no order."""
    wide = np.full((*array.shape[::-1], 3), np.nan, array.dtype)
    wide[..., 1] = array.T
    return wide[..., 1].T


FORMS: dict[str, Callable[[Array], Array]] = {
    "readonly": readonly,
    "strided": strided,
    "reversed": reversed_order,
    "fortran": np.asfortranarray,
    "misaligned": misaligned,
    "in-pages": in_pages,
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
        for form in ("readonly", "strided"):
            test_any_strides_and_read_only(form, "all", dtype)
        for layers in ((2, 1), (2, 3, 4, 1)):
            agree(*case(layers, 3, dtype), "numpy")
    compiled: Any = passes.one_thread
    assert len(compiled.signatures) == len(DTYPES)


@pytest.mark.parametrize("batch", [1, 5])
def test_rows_that_lie_in_one_place(batch: int) -> None:
    network, theta, x, y = case((6, 5, 4), 1, "float64")
    kernel = NumbaKernel(network)
    for rows in (
        np.broadcast_to(x, (batch, 6)),
        np.broadcast_to(x[:, :1], (batch, 6)),
        np.lib.stride_tricks.as_strided(x, (batch, 6), (0, 8)),
    ):
        wanted, same = np.array(rows), np.broadcast_to(y, (batch, 4))
        np.testing.assert_array_equal(kernel.value_and_grad(theta, rows, same)[1], kernel.value_and_grad(theta, wanted, same.copy())[1])
        np.testing.assert_array_equal(kernel.forward(theta, rows)[-1], kernel.forward(theta, wanted)[-1])


def test_one_row_or_one_column_with_strides_of_no_account() -> None:
    network, theta, x, y = case((1, 3, 1), 1, "float64")
    expected = NumbaKernel(network).value_and_grad(theta, x, y)
    for strides in ((0, 0), (8, 8), (-16, 24), (7, 3), (1 << 40, 1 << 41)):
        odd = [np.lib.stride_tricks.as_strided(array, (1, 1), strides) for array in (x, y)]
        for kernel in (NumbaKernel(network), NumbaKernel(Network((1, 3, 1)))):
            for _ in range(2):
                np.testing.assert_array_equal(kernel.value_and_grad(theta, *odd)[1], expected[1])


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
        ("x", lambda x: x.astype(object), TypeError, "x: got dtype object"),
        ("x", lambda x: x.astype(np.float16), TypeError, "x: got dtype float16"),
        ("x", lambda x: x.view([("one", float)]), TypeError, "x: got dtype"),
        ("x", lambda x: np.array(1.0), ValueError, "x: got shape"),
        ("x", lambda x: x[None], ValueError, "x: got shape"),
        ("x", lambda x: x[0, 0], TypeError, "x: got float64"),
        ("x", lambda x: x.T.copy(), ValueError, "x: got shape"),
        ("theta", lambda theta: np.array(1.0), ValueError, "theta: got shape"),
        ("theta", lambda theta: np.append(theta, 0.0), ValueError, "theta: got shape"),
        ("theta", lambda theta: theta[:0], ValueError, "theta: got shape"),
        ("y", lambda y: y[:-1], ValueError, "y: got 7 rows; expected 8"),
        ("y", lambda y: y[:, :-1], ValueError, "y: got shape"),
        ("y", lambda y: np.vstack([y, y]), ValueError, "y: got 16 rows; expected 8"),
        ("y", lambda y: y[:, 0], ValueError, "y: got shape"),
        ("y", lambda y: y[:0], ValueError, "y: got an empty batch"),
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


def test_a_wrong_shape_is_named_where_there_is_no_room_for_the_batch() -> None:
    network, theta, x, y = case((6, 5, 4), 8, "float64")
    kernel = NumbaKernel(network)
    kernel.value_and_grad(theta, x, y)
    with pytest.raises(ValueError, match="x: got shape"):
        kernel.forward(theta, np.broadcast_to(x[:1, :1], (10**12, 7)))

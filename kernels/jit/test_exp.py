"""The compiled e^z, tanh and sigmoid: within 2 units in the last place of extended precision, and right at every end."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numba import njit

from deltacheck.kernels.jit.compile_options import element_wise, sums
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED
from deltacheck.kernels.jit.exp import exp, sigmoid, tanh
from deltacheck.kernels.network import Array

DTYPES = ("float32", "float64")
FUNCTIONS: dict[str, Callable[[float], float]] = {"exp": exp, "tanh": tanh, "sigmoid": sigmoid}
EXACT: dict[str, Callable[[Array], Array]] = {"exp": np.exp, "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}

# Flags of the caller. A function that is pasted into its caller must keep its own; "fast" would take e^z apart.
CALLERS: dict[str, Callable[[Any], Any]] = {
    "element_wise": element_wise,
    "sums": sums,
    "none": njit,
    "reassociated": njit(fastmath={"reassoc", "contract", "nsz", "arcp", "afn"}, error_model="numpy"),
    "fast": njit(fastmath=True, error_model="numpy"),
}


@cache
def loop(name: str, caller: str = "element_wise") -> Callable[[Array], Array]:
    """One of the functions over an array, in a compiled loop."""
    function = FUNCTIONS[name]

    @CALLERS[caller]
    def each(z, out):
        for k in range(z.size):
            out[k] = function(z[k])

    def applied(z: Array) -> Array:
        out = np.empty_like(z)
        with np.errstate(all="ignore"):  # for the run without Numba
            each(z, out)
        return out

    return applied


def ulps(got: Array, exact: Array) -> Array:
    """Errors in units in the last place of the exact results, which have extended precision."""
    exponents = np.frexp(exact)[1] - 1 - np.finfo(got.dtype).nmant
    return np.abs(got - exact) / np.ldexp(np.longdouble(1), exponents)


def neighbours(centres: Array, reach: int) -> Array:
    """The numbers, and as many as ``reach`` next to each on either side."""
    bits = centres.view(f"int{8 * centres.itemsize}")
    return (bits[:, None] + np.arange(-reach, reach + 1)).astype(bits.dtype).view(centres.dtype).ravel()


def arguments(name: str, dtype: str) -> Array:
    """All over the range of normal results, in random order: even, even in the exponent, near powers of two and where n of 2^n changes."""
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    few = 20 if JIT_DISABLED else 1
    low = -40.0 if name == "tanh" else float(np.log(info.tiny))
    high = {"exp": float(np.log(info.max)), "tanh": 40.0, "sigmoid": 800.0}[name]
    sizes = 2.0 ** rng.uniform(info.minexp, info.maxexp, 100_000 // few)
    powers = np.ldexp(np.array(1, dtype), np.arange(info.minexp + 1, info.maxexp))
    turns = (np.arange(int(2 * low) - 2, int(2 * high) + 2) * (np.log(2) / 2)).astype(dtype)
    near = np.concatenate([neighbours(powers, 20), neighbours(turns[turns != 0], 20)])
    z = np.concatenate([rng.uniform(low, high, 200_000 // few), rng.uniform(-1, 1, 100_000 // few), sizes, [0]]).astype(dtype)
    z = np.concatenate([z, -z, near, -near])
    normal = (z >= low) & (z <= high)
    with np.errstate(under="ignore"):
        normal &= np.abs(EXACT[name](np.clip(z, low, high).astype(np.longdouble))) >= info.tiny
    return rng.permutation(z[normal])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_good_to_2_units_in_the_last_place(name: str, caller: str, dtype: str) -> None:
    z = arguments(name, dtype)
    assert z.size > 30_000
    errors = ulps(loop(name, caller)(z), EXACT[name](z.astype(np.longdouble)))
    worst = int(np.argmax(errors))  # that of a NaN, if there is one
    # Numba switched off, the sigmoid rounds four times and puts nothing back in.
    assert errors[worst] <= (2.5 if JIT_DISABLED else 2), f"{name}({z[worst]!r})"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_bits_in_vector_code_and_in_what_remains(name: str, dtype: str) -> None:
    """Threads cut a row at places of their own, and their number is not to change a result."""
    function, z = loop(name), arguments(name, dtype)[:1000]
    whole = function(z)
    for size in range(1, 70):
        start = 7 * size
        np.testing.assert_array_equal(function(z[start : start + size]), whole[start : start + size])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("caller", ["element_wise", "sums", "none"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_keeps_any_nan(name: str, caller: str, dtype: str) -> None:
    info = np.finfo(dtype)
    rng, integer = np.random.default_rng(0), f"int{info.bits}"
    payloads = np.concatenate([rng.integers(1, 2**info.nmant, 1001), [1, 2 ** (info.nmant - 1), 2**info.nmant - 1]]).astype(integer)
    z = (payloads | np.array(np.inf, dtype).view(integer)).view(dtype)
    z = np.concatenate([z, -z])
    assert np.isnan(z).all()
    assert np.isnan(loop(name, caller)(z)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("caller", ["element_wise", "sums", "none"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_at_the_ends(name: str, caller: str, dtype: str) -> None:
    largest = np.finfo(dtype).max
    z = np.array([np.inf, -np.inf, 1e4, -1e4, largest, -largest, 0.0, -0.0] * 5, dtype)
    ends = {"exp": [np.inf, 0, np.inf, 0, np.inf, 0, 1, 1], "tanh": [1, -1, 1, -1, 1, -1, 0, 0], "sigmoid": [1, 0, 1, 0, 1, 0, 0.5, 0.5]}
    got = loop(name, caller)(z)
    np.testing.assert_array_equal(got, ends[name] * 5)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(z) if name == "tanh" else False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_ends_where_the_dtype_does(dtype: str) -> None:
    largest = np.log(np.longdouble(np.finfo(dtype).max)).astype(dtype)
    if np.longdouble(largest) > np.log(np.longdouble(np.finfo(dtype).max)):
        largest = np.nextafter(largest, largest * 0)
    z = np.full(40, largest, dtype)
    z[1::2] = np.nextafter(largest, largest * 2)
    got = loop("exp")(z)
    assert ulps(got[::2], np.exp(z[::2].astype(np.longdouble))).max() <= 2
    np.testing.assert_array_equal(got[1::2], np.inf)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "sigmoid"])
def test_below_the_smallest_normal_number_is_0_or_close(name: str, dtype: str) -> None:
    tiny = np.finfo(dtype).tiny
    got = loop(name)(np.linspace(np.log(tiny) * 2, np.log(tiny), 1001, dtype=dtype))
    assert np.all((got >= 0) & (got <= 1.001 * tiny))


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_of_a_number_below_the_smallest_normal_one_is_that_number(dtype: str) -> None:
    smallest = np.finfo(dtype).smallest_subnormal
    z = smallest * np.arange(1, 1001).astype(dtype)
    z = np.concatenate([z, -z, np.linspace(smallest, np.finfo(dtype).tiny, 1001, dtype=dtype)])
    np.testing.assert_array_equal(loop("tanh")(z), z)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_stays_within_its_bounds(name: str, dtype: str) -> None:
    got = loop(name)(arguments(name, dtype))
    assert np.all(np.abs(got) <= (np.inf if name == "exp" else 1))
    assert np.all(got >= (-1 if name == "tanh" else 0))

"""The compiled kernel by several threads: the gradient that one thread makes, to the bit, in every case. So one verdict serves for all."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.kernels.jit.kernel import NumbaKernel
from deltacheck.verify.suite.cases import CASES, Case, point


@pytest.mark.parametrize(("dtype", "threads"), [("float64", 2), ("float32", 3)])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_any_number_of_threads_gives_the_same_bits(case: Case, dtype: str, threads: int) -> None:
    theta, x, y = point(case, dtype)
    alone, together = NumbaKernel(case.network, threads=1), NumbaKernel(case.network, threads=threads)
    expected, got = alone.value_and_grad(theta, x, y), together.value_and_grad(theta, x, y)
    np.testing.assert_array_equal(got[1], expected[1])
    assert got[0] == pytest.approx(expected[0], rel=1e-12)  # a sum in double precision of each thread's part
    a, expected_a = together.forward(theta, x), alone.forward(theta, x)
    for a_i, expected_i in zip(a, expected_a, strict=True):
        np.testing.assert_array_equal(a_i, expected_i)
    np.testing.assert_array_equal(together.backward(theta, a, y), alone.backward(theta, a, y))

"""A network worked out by hand: 2-2-2, relu then identity, two samples, squared error.

    w_0 = [[1, −1],   b_0 = [0, 1]      w_1 = [[1, 2],    b_1 = [1, 0]
           [2,  1]]                            [3, −1]]
    x = [[1, 1],      y = [[10, 4],
         [2, −1]]          [ 1, 2]]

Forward, (2) and (3):
    z_1 = x w_0 + b_0 = [[1+2, −1+1] + [0, 1], [2−2, −2−1] + [0, 1]] = [[3, 1], [0, −2]]
    a_1 = max(z_1, 0) = [[3, 1], [0, 0]]
    z_2 = a_1 w_1 + b_1 = [[3+3, 6−1] + [1, 0], [0, 0] + [1, 0]] = [[7, 5], [1, 0]] = a_2

Cost (5): ½ ((10−7)² + (4−5)² + (1−1)² + (2−0)²) = ½ (9 + 1 + 0 + 4) = 7

Backward:
    δ_2 = (a_2 − y) ⊙ 1 = [[−3, 1], [0, −2]]                                             (11)
    dC/dw_1 = a_1′ δ_2 = [[3·−3 + 0, 3·1 + 0], [1·−3 + 0, 1·1 + 0]] = [[−9, 3], [−3, 1]]   (13)
    dC/db_1 = column sums of δ_2 = [−3, −1]                                              (14)
    δ_2 w_1′ = [[−3·1 + 1·2, −3·3 + 1·−1], [0 − 2·2, 0 − 2·−1]] = [[−1, −10], [−4, 2]]       (8)
    δ_1 = that ⊙ σ′(z_1), σ′ = [[1, 1], [0, 0]]: z = 0 counts as off → [[−1, −10], [0, 0]]   (12)
    dC/dw_0 = x′ δ_1 = [[−1, −10], [−1, −10]]                                            (13)
    dC/db_0 = [−1, −10]                                                                  (14)
"""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.kernels import BUILT_IN, Network, load
from deltacheck.verify.exam.bugs.classic import CLASSIC
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.references.complex_step import complex_step
from deltacheck.verify.references.network_model import Model

NETWORK = Network((2, 2, 2), ("relu", "identity"))
THETA = np.array([1, -1, 2, 1, 0, 1, 1, 2, 3, -1, 1, 0], np.float64)
X = np.array([[1, 1], [2, -1]], np.float64)
Y = np.array([[10, 4], [1, 2]], np.float64)
ACTIVATIONS = [X, [[3, 1], [0, 0]], [[7, 5], [1, 0]]]
COST = 7
GRADIENT = [-1, -10, -1, -10, -1, -10, -9, 3, -3, 1, -3, -1]


def check(kernel, dtype):
    theta, x, y = THETA.astype(dtype), X.astype(dtype), Y.astype(dtype)
    a = kernel.forward(theta, x)
    for a_i, expected in zip(a, ACTIVATIONS, strict=True):
        np.testing.assert_array_equal(a_i, expected)
    np.testing.assert_array_equal(kernel.backward(theta, a, y), GRADIENT)
    cost, dtheta = kernel.value_and_grad(theta, x, y)
    assert cost == COST
    np.testing.assert_array_equal(dtheta, GRADIENT)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_kernel_gives_the_numbers_worked_out_by_hand(name, dtype):
    check(load(name)(NETWORK), dtype)


@pytest.mark.parametrize("name", ["w-not-transposed", "bias-not-summed", "factor-2"])
def test_a_bug_gives_other_numbers(name):
    (mutant,) = [mutant for mutant in CLASSIC if mutant.name == name]
    with pytest.raises(AssertionError):
        check(mutant.kernel(NETWORK), "float64")


def test_the_verifiers_own_model_agrees():
    check(Plain(NETWORK), "float64")
    model = Model(NETWORK, THETA, X, Y)
    for a_i, expected in zip(model.a, ACTIVATIONS, strict=True):
        np.testing.assert_array_equal(a_i, expected)
    assert model.cost == COST
    last, y, _ = model.along(0, 1, np.array([0, 1, 2]), 1j * 1e-20)  # w_0[0, 1], w_0[1, 1], b_0[1]
    np.testing.assert_allclose(complex_step(lambda h: model.cost_from(model.along(0, 1, np.array([0, 1, 2]), h)[0], y)), [-10, -10, -10])
    assert last.shape == (3, 2, 2)

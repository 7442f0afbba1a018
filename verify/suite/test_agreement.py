"""The built-in kernels against each other, hidden activations included: three programs that share no arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.kernels import BUILT_IN, Network, load
from deltacheck.kernels.network import ACTIVATIONS, COSTS
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.references.rounding_bound import allowed
from deltacheck.verify.suite.cases import CASES, point, reference_of

SOME = [case for case in CASES if case.network.n_parameters < 3000]


def disagreements(kernels, case, dtype):
    """Pairs of kernels that are further apart than rounding can carry both."""
    theta, x, y = point(case, dtype)
    rounding = allowed(reference_of(case, dtype).model, dtype)
    results = {}
    for name, kernel in kernels.items():
        a = kernel.forward(theta, x)
        results[name] = [*a, kernel.backward(theta, a, y)]
    names = [f"a[{i}]" for i in range(len(case.layers))] + ["gradient"]
    bounds = [*rounding.activations, rounding.gradient]
    first, *others = results
    return [
        f"{first} and {other}: {what}"
        for other in others
        for what, one, two, bound in zip(names, results[first], results[other], bounds, strict=True)
        if not (abs(one.astype(np.float64) - two) <= 2 * bound).all()
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", SOME, ids=[case.name for case in SOME])
def test_kernels_agree(case, dtype):
    assert disagreements({name: load(name)(case.network) for name in BUILT_IN}, case, dtype) == []


def test_a_kernel_that_differs_in_a_hidden_layer_is_found():
    class Wrong(Plain):
        def forward(self, theta, x):
            a = super().forward(theta, x)
            a[1][0, 0] *= 1 + 1e-10
            return a

    (case,) = [case for case in CASES if case.name == "equal-widths"]
    found = disagreements({"numpy": load("numpy")(case.network), "wrong": Wrong(case.network)}, case, "float64")
    assert "numpy and wrong: a[1]" in found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_nothing_overflows_for_weighted_inputs_up_to_1e4(name, activation, cost, dtype):
    """No warning (an error in these tests), no NaN, and a finite cost where the answer is finite."""
    network = Network((3, 4, 3), activation, cost)
    rng = np.random.default_rng(0)
    theta = (network.initial(rng) * 3e3).astype(dtype)
    x, y = rng.standard_normal((6, 3)).astype(dtype), np.eye(3, dtype=dtype)[[0, 1, 2, 0, 1, 2]]
    kernel = load(name)(network)
    assert abs(x @ network.unpack(theta)[0][0]).max() > 3e3
    a = kernel.forward(theta, x)
    dtheta = kernel.backward(theta, a, y)
    value, dtheta_too = kernel.value_and_grad(theta, x, y)
    assert all(np.isfinite(result).all() for result in (*a, dtheta, value, dtheta_too))


@pytest.mark.parametrize("name", BUILT_IN)
def test_non_finite_input_reaches_the_result(name):
    for activation in ACTIVATIONS:
        network = Network((2, 3, 2), activation)
        theta = network.initial(np.random.default_rng(0))
        x, y = np.ones((3, 2)), np.ones((3, 2))
        theta[0] = np.nan
        kernel = load(name)(network)
        with np.errstate(invalid="ignore"):
            a = kernel.forward(theta, x)
            assert np.isnan(a[-1]).any(), activation
            assert np.isnan(kernel.backward(theta, a, y)).any(), activation

"""The references: independent of one another, honest about their errors, complete where that can be afforded."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from deltacheck.kernels import Network, load
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.references.network_reference import reference
from deltacheck.verify.suite.cases import CASES, point, reference_of

LARGE = Network((300, 200, 150, 20), "tanh")


def large_point():
    rng = np.random.default_rng(0)
    return LARGE.initial(rng), rng.standard_normal((40, 300)), rng.random((40, 20))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_entry_is_known_and_the_two_references_agree(case, dtype):
    found = reference_of(case, dtype)
    assert found.checked.all()
    assert not found.disagreement.any()
    witnessed = np.isfinite(found.central.error)
    assert witnessed.mean() > (0.5 if "relu" in case.network.activations else 0.999)


def test_a_reference_at_fault_is_blamed_itself():
    """The planted fault: one entry of the complex step off by 1e-6, and the kernel is not blamed."""
    case = next(case for case in CASES if case.name == "equal-widths")
    right = reference_of(case, "float64")
    gradient = right.gradient.copy()
    gradient[7] *= 1 + 1e-6
    report = judge(load("numpy"), case.network, *point(case, "float64"), against=dataclasses.replace(right, gradient=gradient))
    assert report.verdict == "inconclusive"
    assert "they are at fault, not the kernel" in str(report)


def test_a_large_network_is_sampled_and_says_so():
    theta, x, y = large_point()
    found = reference(LARGE, theta, x, y, budget=0.1)
    assert 0.01 < found.checked.mean() < 0.5
    assert len(found.directions) == 4 * 6
    report = judge(Plain, LARGE, theta, x, y, against=found)
    assert report.verdict == "pass"
    assert "sampled" in report.method
    assert all(0 < block.n_checked <= block.n_entries for block in report.gradient_blocks)


def test_an_error_outside_the_sample_is_caught_along_random_directions():
    theta, x, y = large_point()
    found = reference(LARGE, theta, x, y, budget=0.1)
    entry = int(np.flatnonzero(~found.checked)[5])

    class Off(Plain):
        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            dtheta[entry] += 1e-6 * abs(dtheta).max()
            return dtheta

    report = judge(Off, LARGE, theta, x, y, against=found)
    assert report.verdict == "fail"
    assert "along random signs" in str(report)

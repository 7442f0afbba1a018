"""Results that share memory, with an input or among their numbers: each of the three arrays is found by this alone."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.calls import ContractError, passes

NETWORK = Network((3, 3), "identity")


class OutputIsX(Plain):
    """Right where the weights are the identity."""

    def forward(self, theta, x):
        return x, x[:]


class GradientIsTheta(Plain):
    """Right where both are 0."""

    def backward(self, theta, a, y):
        return theta[:]

    def value_and_grad(self, theta, x, y):
        return Plain(self.network).value_and_grad(theta, x, y)


class OtherGradientIsTheta(Plain):
    def value_and_grad(self, theta, x, y):
        return super().value_and_grad(theta, x, y)[0], theta.reshape(1, -1)[0]


class OutputInOneRow(Plain):
    """Right where all weights are 0: each row is the biases."""

    def forward(self, theta, x):
        return x, np.broadcast_to(theta[9:].copy(), x.shape)


class GradientInOneNumber(Plain):
    def backward(self, theta, a, y):
        return np.broadcast_to(theta.dtype.type(0), theta.shape)

    def value_and_grad(self, theta, x, y):
        return Plain(self.network).value_and_grad(theta, x, y)


class OtherGradientInOneNumber(Plain):
    def value_and_grad(self, theta, x, y):
        return super().value_and_grad(theta, x, y)[0], np.broadcast_to(theta.dtype.type(0), theta.shape)


def identity():
    return np.concatenate([np.eye(3).ravel(), np.zeros(3)])


IN_AN_INPUT = "lies in the memory of an input"
WITHIN = "share memory: a result is written into by its owner"
PLANTED = {
    OutputIsX: (identity(), f"the output {IN_AN_INPUT}"),
    GradientIsTheta: (np.zeros(12), f"the gradient {IN_AN_INPUT}"),
    OtherGradientIsTheta: (np.zeros(12), f"the gradient of value_and_grad {IN_AN_INPUT}"),
    OutputInOneRow: (np.zeros(12), f"numbers of the output {WITHIN}"),
    GradientInOneNumber: (np.zeros(12), f"numbers of the gradient {WITHIN}"),
    OtherGradientInOneNumber: (np.zeros(12), f"numbers of the gradient of value_and_grad {WITHIN}"),
}


def of(kernel_class, theta):
    """All results at targets that are the output: the gradient is 0."""
    x = np.arange(12.0).reshape(4, 3)
    return passes(kernel_class(NETWORK), NETWORK, theta, x, Plain(NETWORK).forward(theta, x)[-1])


@pytest.mark.parametrize("kernel_class", PLANTED)
def test_shared_memory_is_found_where_all_numbers_are_right(kernel_class):
    theta, text = PLANTED[kernel_class]
    with pytest.raises(ContractError, match=text) as raised:
        of(kernel_class, theta)
    assert raised.value.name == "keeps-results"
    for one in of(Plain, theta)[1::2]:
        assert not one.any()


def test_one_row_and_one_number_are_no_shared_memory():
    """A stride is whatever it is where there is one number only."""
    network = Network((1, 1), "identity")
    passes(Plain(network), network, np.zeros(2), np.ones((1, 1)), np.zeros((1, 1)))

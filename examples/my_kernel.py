"""A kernel of one's own, the smallest there is: `pytest verify/ --kernel examples/my_kernel.py`."""

import numpy as np

SIGMA = {"sigmoid": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "identity": lambda z: z}
DSIGMA = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a, "relu": lambda a: a > 0, "identity": lambda a: 1}


class MyKernel:
    def __init__(self, network):
        if network.cost != "squared_error":
            raise NotImplementedError(f"no {network.cost} yet")  # such cases are listed as unsupported, not as right
        self.network = network

    def forward(self, theta, x):
        a = [x]
        for w, b, sigma in zip(*self.network.unpack(theta), self.network.activations, strict=True):
            a.append(SIGMA[sigma](a[-1] @ w + b))
        return tuple(a)

    def backward(self, theta, a, y):
        w, _ = self.network.unpack(theta)
        delta = (a[-1] - y) * DSIGMA[self.network.activations[-1]](a[-1])
        gradient = []
        for i in reversed(range(len(w))):
            gradient = [(a[i].T @ delta).ravel(), delta.sum(axis=0), *gradient]
            if i:
                delta = (delta @ w[i].T) * DSIGMA[self.network.activations[i - 1]](a[i])
        return np.concatenate(gradient)

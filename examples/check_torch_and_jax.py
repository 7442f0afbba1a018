"""Is the gradient of a PyTorch or a JAX function right? Two lambdas and `check_gradient`: `python -m examples.check_torch_and_jax`.

Each part runs where its library is installed (`pip install -e ".[peers]"`), and says so where it is not.
"""

import importlib.util

import numpy as np

from deltacheck.verify import check_gradient

THETA = np.random.default_rng(0).standard_normal(6)


def check_torch():
    import torch

    def f(t):
        return torch.logsumexp(3 * t, 0) + (t**2).prod()

    def gradient(theta):
        t = torch.tensor(theta, requires_grad=True)
        f(t).backward()
        return t.grad.numpy()

    return check_gradient(lambda theta: f(torch.tensor(theta)).item(), gradient, THETA)


def check_jax():
    import jax

    jax.config.update("jax_enable_x64", True)

    def f(t):
        return jax.nn.logsumexp(3 * t) + (t**2).prod()

    return check_gradient(lambda theta: float(f(theta)), lambda theta: np.asarray(jax.grad(f)(theta)), THETA)


if __name__ == "__main__":
    for library, check in (("torch", check_torch), ("jax", check_jax)):
        print(f"{library}: {check() if importlib.util.find_spec(library) else 'not installed'}")

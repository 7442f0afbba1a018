"""The rules of other tools, re-implemented from their documented constants, to sit the same exam.

They see what those tools see: a cost, its gradient, and the parameters, in whatever dtype these have. A rule passes or fails; where a
tool draws a random direction, the direction here comes from a fixed seed.

- PyTorch ``torch.autograd.gradcheck(eps=1e-6, atol=1e-5, rtol=1e-3, nondet_tol=0.0)``: its reference page; documented for double
  precision. ``fast_mode=True``, from ``torch/autograd/gradcheck.py``: one direction of uniform numbers, of norm 1, and atol times
  the sum of its entries.
- JAX ``jax.test_util.check_grads``: EPS = 1e-4 and default_gradient_tolerance 1e-5 (float64), 2e-3 (float32), one normal
  direction and cotangent: ``jax/_src/public_test_util.py``.
- SciPy ``scipy.optimize.check_grad``: called, not re-implemented; step 1.49e-8, a norm and no verdict, of which < 1e-6 is
  taken as a pass.
- HIPS autograd ``autograd/test_util.py``: EPS = 1e-6 (half of it to each side), TOL = RTOL = 1e-6, either is enough, one
  normal direction.
- CS231n, "Gradient checks" in its notes (``neural-networks-3``): h = 1e-5, central, |a − n| / (|a| + |n|) below 1e-4 for
  each entry, 0/0 passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import check_grad

from deltacheck.kernels import Kernel, KernelLike, Network, value_and_grad_of
from deltacheck.verify.exam.bugs.mutant import Array

Cost = Callable[[Array], float]
Gradient = Callable[[Array], Array]
Rule = Callable[[Cost, Gradient, Array], bool]


def pytorch(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """Every entry, and two gradients that agree to the bit."""
    got, again = gradient(theta), gradient(theta)
    return np.array_equal(got, again) and bool((abs(got - (n := _central(cost, theta, 1e-6))) <= 1e-5 + 1e-3 * abs(n)).all())


def pytorch_fast(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """One direction."""
    u = np.random.default_rng(0).random(theta.size).astype(theta.dtype)
    u /= np.linalg.norm(u)
    got, again = gradient(theta), gradient(theta)
    numeric = _along(cost, theta, u, 1e-6)
    close = abs(got @ u - numeric) <= 1e-5 * u.sum() + 1e-3 * abs(numeric)
    return np.array_equal(got, again) and bool(close)


def jax(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """One direction."""
    rng = np.random.default_rng(0)
    tangent, cotangent = rng.standard_normal(theta.size).astype(theta.dtype), rng.standard_normal()
    tolerance = 1e-5 if theta.dtype == np.float64 else 2e-3
    expected = _along(cost, theta, tangent, 1e-4) * cotangent
    return bool(abs(gradient(theta) @ tangent * cotangent - expected) <= tolerance + tolerance * abs(expected))


def scipy(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """Every entry, in one norm."""
    return bool(check_grad(cost, gradient, theta) < 1e-6)


def hips_autograd(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """One direction."""
    rng = np.random.default_rng(0)
    direction, factor = rng.standard_normal(theta.size).astype(theta.dtype), rng.standard_normal()
    got, expected = gradient(theta) @ direction * factor, _along(cost, theta, direction, 0.5e-6) * factor
    return bool(abs(got - expected) < 1e-6 or abs(got - expected) / abs(got + expected) < 1e-6)


def cs231n(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """Every entry."""
    got, numeric = gradient(theta), _central(cost, theta, 1e-5)
    size = abs(got) + abs(numeric)
    return bool((abs(got - numeric) <= 1e-4 * size).all())


def _central(cost: Cost, theta: Array, h: float) -> Array:
    """All entries, each from two costs; steps are taken in theta's dtype."""
    numeric = np.empty(theta.shape)
    for p in range(theta.size):
        plus, minus = theta.copy(), theta.copy()
        plus[p] += theta.dtype.type(h)
        minus[p] -= theta.dtype.type(h)
        numeric[p] = (cost(plus) - cost(minus)) / (2 * h)
    return numeric


def _along(cost: Cost, theta: Array, direction: Array, h: float) -> float:
    step = theta.dtype.type(h) * direction
    return (cost(theta + step) - cost(theta - step)) / (2 * h)


RULES: dict[str, Rule] = {
    "PyTorch gradcheck": pytorch,
    "PyTorch fast mode": pytorch_fast,
    "JAX check_grads": jax,
    "SciPy check_grad": scipy,
    "HIPS autograd": hips_autograd,
    "CS231n rule": cs231n,
}


def passes_rule(rule: Rule, kernel_class: Callable[[Network], KernelLike], network: Network, point: tuple[Array, Array, Array]) -> bool:
    """Whether a kernel passes by both ways: ``forward`` and ``backward``, and ``value_and_grad`` if it has its own. What raises fails."""
    with np.errstate(all="ignore"):
        try:
            return all(rule(cost, gradient, point[0].copy()) for cost, gradient in _ways(kernel_class, network, point))
        except Exception:
            return False


def _ways(
    kernel_class: Callable[[Network], KernelLike], network: Network, point: tuple[Array, Array, Array]
) -> list[tuple[Cost, Gradient]]:
    kernel, x, y = kernel_class(network), point[1].copy(), point[2].copy()

    def cost(theta: Array) -> Any:
        return network.cost_of(kernel.forward(theta, x)[-1], y)

    def gradient(theta: Array) -> Array:
        return kernel.backward(theta, kernel.forward(theta, x), y)

    both = value_and_grad_of(kernel, network)
    ways: list[tuple[Cost, Gradient]] = [(cost, gradient)]
    if getattr(type(kernel), "value_and_grad", None) not in (None, Kernel.value_and_grad):
        ways.append((lambda theta: both(theta, x, y)[0], lambda theta: both(theta, x, y)[1]))
    return ways

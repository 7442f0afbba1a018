"""What other tools' published rules say of a cost, a gradient and a point: ``rule(cost, gradient, theta)`` is ``pass`` or ``fail``.

They are written from the tools' documentation and sources, with NumPy alone. They see what the tool would see: steps are taken in
theta's dtype, a direction that the tool draws comes from a fixed seed, and whatever raises fails.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import Array, Cost, Gradient

Judge = Callable[[Cost, Gradient, Array], bool]
Rule = Callable[[Cost, Gradient, Array], str]


def _rule(judge: Judge) -> Rule:
    @wraps(judge)
    def rule(cost: Cost, gradient: Gradient, theta: Array) -> str:
        with np.errstate(all="ignore"):
            try:
                return "pass" if judge(cost, gradient, theta) else "fail"
            except Exception:
                return "fail"

    return rule


@_rule
def pytorch(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """``torch.autograd.gradcheck(eps=1e-6, atol=1e-5, rtol=1e-3, nondet_tol=0.0)``, as its reference page has it.

    Central differences of every entry, ``allclose``, and two gradients that agree to the bit.
    """
    got, again = _gradient(gradient, theta), _gradient(gradient, theta)
    numeric = _central(cost, theta, 1e-6)
    return np.array_equal(got, again) and bool((abs(got - numeric) <= 1e-5 + 1e-3 * abs(numeric)).all())


@_rule
def jax(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """``jax.test_util.check_grads``, from ``jax/_src/public_test_util.py``.

    One normal direction, EPS = 1e-4 to each side; absolute and relative tolerance 1e-5 in float64, 2e-3 in float32.
    """
    direction = np.random.RandomState(0).randn(*theta.shape).astype(theta.dtype)
    tolerance = 2e-3 if theta.dtype == np.float32 else 1e-5
    got, numeric = np.sum(_gradient(gradient, theta) * direction), _along(cost, theta, direction, 1e-4)
    return bool(abs(got - numeric) <= tolerance + tolerance * abs(numeric))


@_rule
def scipy(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """``scipy.optimize.check_grad(epsilon=1.49e-8)``: the 2-norm of the gradient less forward differences.

    It gives no verdict. Its users, and the example on its reference page, take an error far below 1 for right: here below 1e-6.
    """
    h, start = np.sqrt(np.finfo(float).eps), _number(cost(theta.copy()))
    forward = [(_moved(cost, theta, i, h) - start) / h for i in range(theta.size)]
    return bool(np.sqrt(np.sum((_gradient(gradient, theta).ravel() - forward) ** 2)) < 1e-6)


@_rule
def hips_autograd(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """``autograd.test_util.check_grads`` of HIPS: EPS = 1e-6, half to each side, TOL = RTOL = 1e-6 of which one is enough."""
    direction = np.random.default_rng(0).standard_normal(theta.shape).astype(theta.dtype)
    got, numeric = np.sum(_gradient(gradient, theta) * direction), _along(cost, theta, direction, 0.5e-6)
    return bool(abs(got - numeric) < 1e-6 or abs(got - numeric) / abs(got + numeric) < 1e-6)


@_rule
def ceres(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """Ceres' ``GradientChecker``, from ``gradient_checker.cc``, ``is_close.cc``, ``numeric_diff.h`` and ``numeric_diff_options.h``.

    Ridders' extrapolation of central differences. The relative error of each entry is below 1e-8, the default of
    ``Solver::Options::gradient_check_relative_precision``; the absolute one where either value is 0.
    """
    for i, got in enumerate(_gradient(gradient, theta).ravel()):
        numeric = _ridders(cost, theta, i)
        size = 1.0 if got == 0 or numeric == 0 else max(abs(got), abs(numeric))
        if not abs(got - numeric) / size < 1e-8:
            return False
    return True


@_rule
def stan(cost: Cost, gradient: Gradient, theta: Array) -> bool:
    """Stan's ``diagnose test=gradient epsilon=1e-6 error=1e-6``: from its guide, ``test_gradients.hpp`` and ``finite_diff_grad.hpp``.

    Central differences; an entry is counted as failed when the absolute difference is larger than ``error``, which NaN never is.
    """
    return not (abs(_gradient(gradient, theta) - _central(cost, theta, 1e-6)) > 1e-6).any()


RULES: dict[str, Rule] = {
    "PyTorch gradcheck": pytorch,
    "JAX check_grads": jax,
    "SciPy check_grad": scipy,
    "HIPS autograd": hips_autograd,
    "Ceres GradientChecker": ceres,
    "Stan diagnose": stan,
}


def _number(value: Any) -> float:
    return float(np.asarray(value).item())


def _gradient(gradient: Gradient, theta: Array) -> Array:
    got = np.array(gradient(theta.copy()))
    if got.shape != theta.shape:
        raise ValueError(f"gradient of shape {got.shape} for theta of shape {theta.shape}")
    return got


def _moved(cost: Cost, theta: Array, i: int, step: float) -> float:
    moved = np.array(theta, order="C")
    moved.flat[i] += theta.dtype.type(step)
    return _number(cost(moved))


def _central(cost: Cost, theta: Array, h: float) -> Array:
    return np.array([(_moved(cost, theta, i, h) - _moved(cost, theta, i, -h)) / (2 * h) for i in range(theta.size)]).reshape(theta.shape)


def _along(cost: Cost, theta: Array, direction: Array, h: float) -> float:
    step = theta.dtype.type(h) * direction
    return (_number(cost(theta + step)) - _number(cost(theta - step))) / (2 * h)


def _ridders(cost: Cost, theta: Array, i: int) -> float:
    """Ten steps at most, from 32 times 1 % of the entry or 0.01, each half the one before; the tableau's most stable value."""
    step = max(0.01, 0.01 * float(abs(theta.flat[i]))) * 2**5
    best, error = 0.0, float(np.finfo(float).max)
    last: list[float] = []
    for k in range(10):
        row = [(_moved(cost, theta, i, step) - _moved(cost, theta, i, -step)) / (2 * step)]
        if k == 0:
            best = row[0]
        for j in range(1, k + 1):
            row.append((4**j * row[j - 1] - last[j - 1]) / (4**j - 1))
            change = max(abs(row[j] - row[j - 1]), abs(row[j] - last[j - 1]))
            if change <= error:
                best, error = row[j], change
                if error < 1e-12:
                    return best
        if k > 0 and abs(row[k] - last[k - 1]) >= 2 * error:
            return best
        last, step = row, step / 2
    return best

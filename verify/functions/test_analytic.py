"""What is analytic is told from what is not, before the complex step is believed."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.functions.analytic import is_analytic

THETA = np.array([[0.3, 1.2, -0.7], [0.9, 0.1, 2.0]])
A = np.arange(9.0).reshape(3, 3) / 9 + np.eye(3)


def in_place(t):
    total = t * 0
    total += np.exp(t)
    return total.sum()


def filled(t):
    row = np.zeros_like(t)
    row[0] = t[1]
    return np.sum(row**3)


ANALYTIC = {
    "sums and products": lambda t: np.sum(t**3) + np.prod(t) + (t * 2 - 1).mean(),
    "elementary functions": lambda t: np.sum(np.exp(t) * np.sin(t) + np.tanh(t) / (2 + np.cos(t))),
    "products of matrices": lambda t: np.trace(t @ A @ t.T) + np.einsum("ij,jk->", t, A),
    "linear algebra": lambda t: np.sum(np.linalg.solve(A, t.T)) + np.linalg.det(A + t.T @ t),
    "shapes": lambda t: np.sum(np.concatenate([t.ravel(), t[0], t.reshape(3, 2)[:, 0]]) ** 2),
    "in place": in_place,
    "filled": filled,
    "loops": lambda t: sum(row @ row for row in t),
    "norms by hand": lambda t: np.sqrt(np.sum(t * t)),
}

TRAPS = {
    "abs": lambda t: np.sum(np.abs(t)),
    "a little abs": lambda t: np.sum(t**3) + 1e-12 * np.sum(np.abs(t)),
    "builtin abs": lambda t: sum(abs(v) for v in t.ravel()),
    "conj": lambda t: np.sum(t * np.conj(t)),
    "method conj": lambda t: np.sum(t * t.conj()),
    "real": lambda t: np.sum(t**2) + np.sum(np.real(t)),
    "attribute real": lambda t: np.sum(t**2 + t.real),
    "imag": lambda t: np.sum(t**2 + t.imag),
    "cast": lambda t: np.sum(t**2) + np.sum(t.astype(np.float32)),
    "a plain copy": lambda t: np.sum(t**2) + 1e-9 * np.sum(np.abs(np.asarray(t))),
    "a list": lambda t: np.sum(t**2) + 1e-9 * sum(t.tolist()[0]),
    "comparison": lambda t: np.sum(np.where(t > 0.5, t, 0)),
    "maximum": lambda t: np.sum(np.maximum(t, 0)),
    "sort": lambda t: np.sum(np.sort(t.ravel()) ** 2),
    "max": lambda t: t.max() + np.sum(t),
    "clip": lambda t: np.sum(np.clip(t, 0, 1)),
    "norm": lambda t: np.linalg.norm(t),
    "vdot": lambda t: np.vdot(t, t),
    "variance": lambda t: np.var(t),
    "float": lambda t: float(t[0, 0]) ** 2,
    "complex": lambda t: complex(t[0, 0]) ** 2 if np.iscomplexobj(t) else float(t[0, 0]) ** 2,
    "branch": lambda t: np.sum(t) if t[0, 0] > 0 else np.sum(t**2),
    "in a plain array": lambda t: np.sum(np.array([t[0, 0], t[0, 1]]) ** 2),
    "a variable exponent": lambda t: np.sum((1 + t * t) ** t),
    "fourier": lambda t: np.sum(np.fft.fft(t) ** 2),  # its rounding errors are larger than the step
    "constant": lambda t: 3.0,
    "another value for complex numbers": lambda t: np.sum(t) + (1.0 if np.iscomplexobj(t) else 0.0),
}


@pytest.mark.parametrize("name", ANALYTIC)
def test_an_analytic_cost_is_recognised(name):
    assert is_analytic(ANALYTIC[name], THETA, float(ANALYTIC[name](THETA)))


@pytest.mark.parametrize("name", TRAPS)
def test_anything_else_is_refused(name):
    assert not is_analytic(TRAPS[name], THETA, float(np.real(TRAPS[name](THETA))))

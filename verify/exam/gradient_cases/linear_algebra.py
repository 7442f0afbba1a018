"""Determinants, inverses, factorisations, eigenvalues and singular values of a matrix theta."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed

GENERAL = np.array([[1.2, 0.3, -0.5], [0.7, -0.9, 0.4], [0.1, 0.8, 1.1]])
POSITIVE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.7], [0.5, -0.7, 2.0]])


def _det(theta: Array) -> Make:
    def cofactors(t: Array) -> Array:
        n = len(t)
        minors = [[np.delete(np.delete(t, i, 0), j, 1) for j in range(n)] for i in range(n)]
        return np.array([[(-1) ** (i + j) * (np.linalg.det(minors[i][j]) if n > 1 else 1.0) for j in range(n)] for i in range(n)])

    return lambda: (np.linalg.det, cofactors, theta.copy())


def _log_det() -> Triple:
    return lambda t: np.linalg.slogdet(t)[1], lambda t: np.linalg.inv(t).T, GENERAL.copy()


def _cholesky_log_det() -> Triple:
    """Only the lower triangle is read, so an entry below the diagonal counts for both."""

    def gradient(t: Array) -> Array:
        low = np.tril(t) + np.tril(t, -1).T
        inverse = np.linalg.inv(low)
        return np.tril(2 * inverse) - np.diag(np.diag(inverse))

    return lambda t: 2 * np.sum(np.log(np.diag(np.linalg.cholesky(t)))), gradient, POSITIVE.copy()


def _cholesky_upper() -> Triple:
    """The sum of the factor, from the upper triangle; the derivative of the factor is solved for each entry."""

    def gradient(t: Array) -> Array:
        u = linalg.cholesky(t)
        v, g = np.linalg.inv(u), np.zeros((3, 3))
        for i in range(3):
            for j in range(i, 3):
                d = np.zeros((3, 3))
                d[i, j] = d[j, i] = 1
                m = v.T @ d @ v
                g[i, j] = np.sum((np.triu(m, 1) + np.diag(np.diag(m)) / 2) @ u)
        return g

    return lambda t: np.sum(linalg.cholesky(t)), gradient, POSITIVE.copy()


def _inverse_trace() -> Triple:
    return lambda t: np.trace(np.linalg.inv(t)), lambda t: -np.linalg.matrix_power(np.linalg.inv(t), 2).T, GENERAL.copy()


def _quadratic_form() -> Triple:
    b = np.array([0.3, -1.0, 0.6])

    def gradient(t: Array) -> Array:
        return -np.outer(np.linalg.solve(t.T, b), np.linalg.solve(t, b))

    return lambda t: b @ np.linalg.solve(t, b), gradient, POSITIVE.copy()


def _largest_eigenvalue() -> Triple:
    def gradient(t: Array) -> Array:
        v = np.linalg.eigh((t + t.T) / 2)[1][:, -1]
        return np.outer(v, v)

    return lambda t: np.linalg.eigvalsh((t + t.T) / 2)[-1], gradient, POSITIVE.copy()


def _squared_eigenvalues() -> Triple:
    """A sum over all eigenvalues is smooth where two are equal."""
    return lambda t: np.sum(np.linalg.eigvalsh((t + t.T) / 2) ** 2), lambda t: t + t.T, np.diag([1.0, 1.0, 2.0])


def _rebuilt_from_svd() -> Triple:
    """The norm of a matrix put together again from its factors; two singular values are equal."""

    def cost(t: Array) -> Any:
        u, s, v = np.linalg.svd(t)
        return np.linalg.norm((u * s) @ v)

    return cost, lambda t: t / np.linalg.norm(t), np.diag([1.0, 1.0, 2.0, 3.0])


def _nuclear_norm() -> Triple:
    def gradient(t: Array) -> Any:
        u, _, v = np.linalg.svd(t, full_matrices=False)
        return u @ v

    return lambda t: np.sum(np.linalg.svd(t, compute_uv=False)), gradient, np.array([[1.0, 0.2], [-0.4, 1.5], [0.3, 0.8]])


def _matrix_exponential() -> Triple:
    w = np.array([[0.3, -1.0], [0.6, 0.2]])
    return (
        lambda t: np.sum(w * linalg.expm(t)),
        lambda t: linalg.expm_frechet(t.T, w, compute_expm=False),
        np.array([[0.4, -0.3], [0.8, 0.1]]),
    )


def _cube() -> Triple:
    return lambda t: np.trace(t @ t @ t), lambda t: 3 * (t @ t).T, GENERAL.copy()


def _commuting(t: Array) -> Any:
    return np.array([[0.3, -1.0], [0.6, 0.2]]) @ linalg.expm(t).T


CASES = [
    Case("determinant", "", PASS, _det(GENERAL)),
    Case("determinant of a singular matrix", "jax-ml/jax#2380", PASS, _det(np.array([[1.0, 2.0], [2.0, 4.0]]))),
    Case(
        "determinant of a singular matrix, 0",
        "tensorflow/tensorflow#119477",
        FAIL,
        changed(_det(np.array([[1.0, 2.0], [2.0, 4.0]])), lambda g, t: 0 * g),
    ),
    Case(
        "determinant of a singular matrix, NaN",
        "HIPS/autograd#549",
        FAIL,
        changed(_det(np.array([[1.0, 2.0], [2.0, 4.0]])), lambda g, t: np.nan * g),
    ),
    Case("determinant of [[0]]", "pytorch/pytorch#171225", PASS, _det(np.zeros((1, 1)))),
    Case("determinant of [[0]], 0", "pytorch/pytorch#80761", FAIL, changed(_det(np.zeros((1, 1))), lambda g, t: 0 * g)),
    Case("determinant of zeros", "jax-ml/jax#2380", PASS, _det(np.zeros((3, 3)))),
    Case("log determinant", "", PASS, _log_det),
    Case("log determinant, not transposed", "", FAIL, changed(_log_det, lambda g, t: g.T)),
    Case("log determinant by Cholesky", "HIPS/autograd#56", PASS, _cholesky_log_det),
    Case(
        "log determinant by Cholesky, made symmetric", "pytorch/pytorch#18825", FAIL, changed(_cholesky_log_det, lambda g, t: (g + g.T) / 2)
    ),
    Case("upper Cholesky factor", "jax-ml/jax#40421", PASS, _cholesky_upper),
    Case(
        "upper Cholesky factor, an entry for the part not read",
        "jax-ml/jax#40421",
        FAIL,
        changed(_cholesky_upper, lambda g, t: g - 0.075 * np.tri(3, 3, -1)),
    ),
    Case("trace of the inverse", "", PASS, _inverse_trace),
    Case("trace of the inverse, sign turned", "", FAIL, changed(_inverse_trace, lambda g, t: -g)),
    Case("quadratic form with the inverse", "", PASS, _quadratic_form),
    Case("quadratic form with the inverse, one solve left out", "", FAIL, changed(_quadratic_form, lambda g, t: g @ t)),
    Case("largest eigenvalue", "", PASS, _largest_eigenvalue),
    Case("largest eigenvalue, off the diagonal twice", "", FAIL, changed(_largest_eigenvalue, lambda g, t: 2 * g - np.diag(np.diag(g)))),
    Case("squares of eigenvalues, two equal", "adtzlr/felupe#67", PASS, _squared_eigenvalues),
    Case("squares of eigenvalues, two equal, NaN", "adtzlr/felupe#67", FAIL, changed(_squared_eigenvalues, lambda g, t: np.nan * g)),
    Case("norm by singular values, two equal", "jax-ml/jax#8732", PASS, _rebuilt_from_svd),
    Case("norm by singular values, two equal, NaN", "jax-ml/jax#8732", FAIL, changed(_rebuilt_from_svd, lambda g, t: np.nan * g)),
    Case("nuclear norm", "", PASS, _nuclear_norm),
    Case("nuclear norm, the singular values again", "", FAIL, changed(_nuclear_norm, lambda g, t: t)),
    Case("matrix exponential", "", PASS, _matrix_exponential),
    Case("matrix exponential, as if all commuted", "", FAIL, changed(_matrix_exponential, lambda g, t: _commuting(t))),
    Case("trace of the cube", "", PASS, _cube),
    Case("trace of the cube, not transposed", "", FAIL, changed(_cube, lambda g, t: g.T)),
]

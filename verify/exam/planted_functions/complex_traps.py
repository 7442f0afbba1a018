"""Functions that a complex step gets wrong, and gradients that are what it gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.planted_functions.planted_bug import Array, Functions, PlantedBug, generator

THETA = np.array([0.5, -1.2, 2.0, 0.8])
KIND = "complex step"


def _modulus() -> Functions:
    return lambda t: np.sum(abs(t) * t), lambda t: 2 * abs(t), abs, THETA


def _conjugate() -> Functions:
    return lambda t: np.sum(np.conj(t) * t * t), lambda t: 3 * t * t, lambda t: t * t, THETA


def _real_part() -> Functions:
    return lambda t: np.sum(np.real(t) * t), lambda t: 2 * t, lambda t: t.copy(), THETA


def _norm() -> Functions:
    return lambda t: np.linalg.norm(t) + np.sum(t), lambda t: t / np.linalg.norm(t) + 1, np.ones_like, THETA


def _inner_product() -> Functions:
    return lambda t: np.vdot(t, t) + np.sum(t**3), lambda t: 2 * t + 3 * t * t, lambda t: 3 * t * t, THETA


def _sign() -> Functions:
    """sign(z) = z / |z| for complex numbers: twice the slope."""
    return lambda t: np.sum(np.sign(t) * t), np.sign, lambda t: 2 * np.sign(t), THETA


def _hermitian() -> Functions:
    a = generator(21).standard_normal((4, 4))
    return lambda t: np.conj(t) @ a @ t, lambda t: (a + a.T) @ t, lambda t: (a.T - a) @ t, THETA


def _branch() -> Functions:
    """Another formula for complex numbers, of the same value."""

    def cost(t: Array) -> Any:
        return np.sum(t**2) if not np.iscomplexobj(t) else np.sum(t.real**2 + 1j * 3 * t.real * t.imag)

    return cost, lambda t: 2 * t, lambda t: 3 * t, THETA


def _angle() -> Functions:
    """A phase that is 0 for positive numbers and turns for complex ones."""

    def cost(t: Array) -> Any:
        return np.sum(t**2 * np.exp(1j * np.angle(t))) if np.iscomplexobj(t) else np.sum(t**2)

    return cost, lambda t: 2 * t, lambda t: 3 * t, abs(THETA)


def _maximum_tie() -> Functions:
    """max(t, u) of equal numbers: complex ones are ordered by their imaginary parts; between 0 and 1 every share is right."""
    u = THETA.copy()
    return lambda t: np.sum(np.maximum(t, u)), lambda t: np.full(4, 0.5), lambda t: np.full(4, 1.25), THETA.copy()


def _cast() -> Functions:
    """A factor that is cast to real numbers on its way."""

    def cost(t: Array) -> Any:
        weights = np.exp(np.asarray(t).real)
        return np.sum(weights * t)

    return cost, lambda t: np.exp(t) * (1 + t), np.exp, THETA


def _square_root_of_square() -> Functions:
    """sqrt(z conj z) as a length."""
    return (
        lambda t: np.sqrt(np.sum(t * np.conj(t))) * np.sum(t),
        lambda t: t / np.linalg.norm(t) * np.sum(t) + np.linalg.norm(t),
        lambda t: np.full_like(t, np.linalg.norm(t)),
        THETA,
    )


BUGS = [
    PlantedBug("modulus", KIND, _modulus),
    PlantedBug("conjugate", KIND, _conjugate),
    PlantedBug("real part", KIND, _real_part),
    PlantedBug("norm", KIND, _norm),
    PlantedBug("inner product with a conjugate", KIND, _inner_product),
    PlantedBug("sign of a complex number", KIND, _sign),
    PlantedBug("Hermitian form", KIND, _hermitian),
    PlantedBug("branch for complex numbers", KIND, _branch),
    PlantedBug("phase", KIND, _angle),
    PlantedBug("maximum of equal numbers", KIND, _maximum_tie),
    PlantedBug("cast to real numbers", KIND, _cast),
    PlantedBug("length by a conjugate", KIND, _square_root_of_square),
]

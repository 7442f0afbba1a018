"""Entries, parameters, factors and offsets of unlike sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Draw, Rng, count, drawn, families, normal, powers, signs, uniform, wide


def _unlike_squares(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    c = powers(rng, -12, 0, n, dtype)
    return drawn(lambda t: np.sum(c * t * t) * 0.5, lambda t: c * t, normal(rng, n, dtype))


def _unlike_parameters(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = powers(rng, -6, 6, n, dtype) * signs(rng, n, dtype)
    return drawn(lambda t: np.sum(np.log1p(t * t)), lambda t: 2 * t / (1 + t * t), theta)


def _unlike_rates(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    k = powers(rng, -6, 6, n, dtype)
    theta = (normal(rng, n, np.float64) / k).astype(dtype)
    return drawn(lambda t: np.sum(np.sin(k * t)), lambda t: k * np.cos(k * t), theta)


def _product_of_powers(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 12)
    a = normal(rng, n, dtype, 0.5)

    def cost(t: Any) -> Any:
        return np.exp(np.sum(a * np.log(t)))

    return drawn(cost, lambda t: cost(t) * a / t, powers(rng, -6, 6, n, dtype) if dtype == np.float64 else powers(rng, -2, 2, n, dtype))


def _scaled_quadratic(rng: Rng, dtype: Any) -> Draw:
    n = count(rng, 5, 20)
    d = powers(rng, -5, 5, n, np.float64)
    root = rng.standard_normal((n, n))
    a = ((root @ root.T / n) * d * d[:, None]).astype(dtype)
    a = (a + a.T) / 2
    theta = (rng.standard_normal(n) / d).astype(dtype)
    return drawn(lambda t: t @ (a @ t) * 0.5, lambda t: a @ t, theta)


def _large_offset(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    offset = powers(rng, 0, wide(dtype, 9, 3), 1, dtype)[0]
    return drawn(lambda t: offset + np.sum(np.sin(t)), np.cos, normal(rng, n, dtype))


def _tiny_and_huge_costs(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    reach = wide(dtype, 60, 12)
    factor = powers(rng, -reach, reach, 1, dtype)[0]
    return drawn(lambda t: factor * np.sum(t**4), lambda t: factor * 4 * t**3, normal(rng, n, dtype))


def _huge_parameters(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    theta = powers(rng, 3, wide(dtype, 12, 8), n, dtype)
    w = normal(rng, n, dtype)
    return drawn(lambda t: np.sum(w * np.sqrt(t)), lambda t: w * 0.5 / np.sqrt(t), theta)


def _one_large_among_small(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w = np.ones(n, dtype)
    w[rng.integers(n)] = powers(rng, 2, wide(dtype, 10, 5), 1, dtype)[0]
    return drawn(lambda t: np.sum(w * np.cos(t)), lambda t: -w * np.sin(t), uniform(rng, 0.5, 2.5, n, dtype))


FAMILIES = families(
    "scales",
    {
        "squares with unlike factors": _unlike_squares,
        "parameters from 1e-6 to 1e6": _unlike_parameters,
        "sines with unlike rates": _unlike_rates,
        "product of powers": _product_of_powers,
        "scaled quadratic form": _scaled_quadratic,
        "large offset": _large_offset,
        "tiny and huge costs": _tiny_and_huge_costs,
        "huge parameters": _huge_parameters,
        "one large entry among small": _one_large_among_small,
    },
)

"""Functions whose own scale is far from the size of their parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers, uniform, wide


def _sin_far_out(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w = normal(rng, n, dtype)
    theta = (10.0 ** rng.uniform(1, wide(dtype, 5, 2.5)) + 3 * rng.standard_normal(n)).astype(dtype)
    return drawn(lambda t: np.sum(w * np.sin(t)), lambda t: w * np.cos(t), theta)


def _far_residuals(rng: Rng, dtype: Any) -> tuple[Array, Array]:
    """Targets at 1e3 to 1e5, and parameters at a distance of about 1 from them."""
    n = count(rng)
    b = (10.0 ** rng.uniform(wide(dtype, 3, 1), wide(dtype, 5, 3), n)).astype(dtype)
    return b, (b + 1.5 * rng.standard_normal(n)).astype(dtype)


def _cauchy(rng: Rng, dtype: Any) -> Draw:
    b, theta = _far_residuals(rng, dtype)
    return drawn(lambda t: np.sum(np.log1p((t - b) ** 2)), lambda t: 2 * (t - b) / (1 + (t - b) ** 2), theta)


def _welsch(rng: Rng, dtype: Any) -> Draw:
    b, theta = _far_residuals(rng, dtype)
    return drawn(lambda t: np.sum(1 - np.exp(-0.5 * (t - b) ** 2)), lambda t: (t - b) * np.exp(-0.5 * (t - b) ** 2), theta)


def _tukey(rng: Rng, dtype: Any) -> Draw:
    b, theta = _far_residuals(rng, dtype)

    def inside(t: Array) -> Any:
        return np.maximum(1 - (t - b) ** 2 / 4, 0)

    return drawn(lambda t: np.sum(1 - inside(t) ** 3), lambda t: 1.5 * (t - b) * inside(t) ** 2, theta)


def _narrow_bumps(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    width = (10.0 ** rng.uniform(-wide(dtype, 5, 2.5), -1, n)).astype(dtype)
    center = uniform(rng, 0.5, 2, n, dtype)
    theta = (center + 1.2 * width * rng.standard_normal(n)).astype(dtype)

    def bump(t: Array) -> Any:
        return np.exp(-(((t - center) / width) ** 2))

    return drawn(lambda t: np.sum(bump(t)), lambda t: -2 * (t - center) / width / width * bump(t), theta)


def _michaelis_menten(rng: Rng, dtype: Any) -> Draw:
    """Half-saturations of about 2e-9 and limits of about 1, for a few enzymes."""
    enzymes, rows = count(rng, 2, 8), 12
    substrate = powers(rng, -10, -7.5, (rows, enzymes), dtype)
    theta = np.stack([2e-9 * rng.uniform(0.5, 2, enzymes), rng.uniform(0.5, 2, enzymes)]).astype(dtype)
    y = (theta[1] * substrate / (2 * theta[0] + substrate) + 0.05 * rng.standard_normal((rows, enzymes))).astype(dtype)

    def cost(t: Array) -> Any:
        r = t[1] * substrate / (t[0] + substrate) - y
        return np.sum(r * r) * 0.5

    def gradient(t: Array) -> Any:
        share = substrate / (t[0] + substrate)
        r = t[1] * share - y
        return np.stack([-np.sum(r * t[1] * share / (t[0] + substrate), axis=0), np.sum(r * share, axis=0)])

    return drawn(cost, gradient, theta)


def _ripple(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    rate = powers(rng, 1, wide(dtype, 4, 2), 1, dtype)[0]
    height = powers(rng, -wide(dtype, 6, 3), 0, 1, dtype)[0]
    return drawn(
        lambda t: np.sum(t * t + height * np.sin(rate * t)), lambda t: 2 * t + height * (rate * np.cos(rate * t)), normal(rng, n, dtype)
    )


def _chirp(rng: Rng, dtype: Any) -> Draw:
    theta = uniform(rng, 0, wide(dtype, 60, 10), count(rng), dtype)
    return drawn(lambda t: np.sum(np.sin(t * t)), lambda t: 2 * t * np.cos(t * t), theta)


def _arrhenius(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    barrier = uniform(rng, 500, 8000, n, dtype)
    theta = uniform(rng, 280, 900, n, dtype)
    return drawn(lambda t: np.sum(np.exp(-barrier / t)), lambda t: np.exp(-barrier / t) * barrier / (t * t), theta)


def _spring_far_away(rng: Rng, dtype: Any) -> Draw:
    b, theta = _far_residuals(rng, dtype)
    k = powers(rng, -2, 2, b.size, dtype)
    return drawn(lambda t: np.sum(k * (t - b) ** 2) * 0.5, lambda t: k * (t - b), theta)


FAMILIES = families(
    "own scale",
    {
        "sin far out": _sin_far_out,
        "Cauchy loss far out": _cauchy,
        "Welsch loss far out": _welsch,
        "Tukey loss far out": _tukey,
        "narrow bumps": _narrow_bumps,
        "Michaelis-Menten": _michaelis_menten,
        "ripple on a bowl": _ripple,
        "chirp": _chirp,
        "Arrhenius": _arrhenius,
        "springs far out": _spring_far_away,
    },
)

"""All families."""

from __future__ import annotations

from deltacheck.verify.calibration.families import (
    cancellation,
    edges,
    kinks,
    likelihoods,
    linear_algebra,
    networks,
    noise,
    own_scale,
    saturation,
    scales,
    smooth,
    special,
)

MODULES = (scales, saturation, cancellation, edges, own_scale, kinks, noise, smooth, special, linear_algebra, likelihoods, networks)
FAMILIES = tuple(family for module in MODULES for family in module.FAMILIES)

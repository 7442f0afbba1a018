"""A drawn configuration made ready to judge at: its arrays in memory and its reference, made once for all kernels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deltacheck.verify.judging.layouts import NUMBER, LaidOut
from deltacheck.verify.references.confirmed_gradient import by_formulas, confirmed
from deltacheck.verify.references.network_reference import Reference
from deltacheck.verify.references.rounding_bound import allowed
from deltacheck.verify.suite.configurations import USUAL, VALUES, Configuration
from deltacheck.verify.verdict.array_verdict import SHOWN
from deltacheck.verify.verdict.parameter_blocks import spans

KEPT = 2000  # references of small networks


@dataclass(frozen=True)
class Point:
    """A configuration, and what is right there."""

    configuration: Configuration
    reference: Reference

    @property
    def inputs(self) -> tuple[LaidOut, LaidOut, LaidOut]:
        """The arrays in memory, made anew: a kernel may write into them."""
        return self.configuration.laid_out()


@lru_cache(KEPT)
def point_of(configuration: Configuration) -> Point:
    """The point of a configuration."""
    return Point(configuration, confirmed(_draft(configuration).reference))


@lru_cache(1)
def _draft(configuration: Configuration) -> Point:
    """The point as the formulas have it: enough to see whether it tells."""
    return Point(configuration, by_formulas(configuration.network, *configuration.point()))


@lru_cache(KEPT)
def telling(configuration: Configuration) -> Configuration:
    """The configuration, or the one nearest to it at which a gradient is there to be judged.

    Saturated units and dead ones of relu may leave a gradient that is 0 or all rounding: no error could be seen in it.
    """
    return next((one for one in _nearby(configuration) if tells(_draft(one)) and tells(point_of(one))), configuration)


def _nearby(configuration: Configuration) -> Iterator[Configuration]:
    yield configuration
    plain = {"y_layout": "contiguous"}
    if configuration.theta_layout == NUMBER:
        plain["theta_layout"] = "contiguous"
    for usual in ({"biases": USUAL}, {"weights": USUAL}, {"biases": USUAL, "weights": USUAL}, plain):
        yield replace(configuration, **usual)  # type: ignore[arg-type]
    for seed in range(1, 20):
        usual = dict.fromkeys(VALUES, USUAL) | plain
        yield replace(configuration, **usual, seed=configuration.seed + seed)  # type: ignore[arg-type]
    while len(configuration.layers) > 2:  # in single precision a deep network may be all rounding
        first, *hidden, last = configuration.layers
        *before, output = configuration.activations
        fewer = {"layers": (first, *hidden[1::2], last), "activations": (*before[1::2], output)}
        configuration = replace(configuration, **dict.fromkeys(VALUES, USUAL), **plain, **fewer)  # type: ignore[arg-type]
        yield configuration


def tells(point: Point) -> bool:
    """Whether an error of a hundredth would be seen in some entry of every tensor; and no number is beyond the dtype."""
    rounding, reference = allowed(point.reference.model, point.configuration.dtype), point.reference
    bounds = rounding.gradient + reference.error
    if not np.isfinite(bounds).all() or not np.isfinite(reference.gradient).all():
        return False
    seen = 2 * bounds < SHOWN * abs(reference.gradient)
    return all(bool(seen[span.at].any()) for span in spans(point.configuration.network)[-2:]) and bool(seen.any())

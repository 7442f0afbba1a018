"""All cases, and the kind of each: the module that it stands in."""

from __future__ import annotations

from deltacheck.verify.exam.gradient_cases import (
    complex_step_traps,
    conditioning,
    domain_edges,
    extremes,
    float32,
    interpolation,
    kinks,
    layers,
    likelihoods,
    linear_algebra,
    many_rows,
    own_scale,
    precision,
    returned_values,
    sequences,
    shapes,
    solvers,
    special_functions,
    state,
    ties,
    unlike_scales,
    zeros,
)
from deltacheck.verify.exam.gradient_cases.case import Case

KINDS: dict[str, list[Case]] = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (
        domain_edges,
        unlike_scales,
        own_scale,
        precision,
        state,
        kinks,
        ties,
        many_rows,
        zeros,
        extremes,
        complex_step_traps,
        float32,
        returned_values,
        shapes,
        conditioning,
        linear_algebra,
        special_functions,
        likelihoods,
        layers,
        sequences,
        solvers,
        interpolation,
    )
}
ALL: tuple[Case, ...] = tuple(case for cases in KINDS.values() for case in cases)

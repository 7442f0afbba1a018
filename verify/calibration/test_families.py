"""The families themselves, without the checker: truths against mpmath, right gradients against truths."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.calibration.families.catalogue import FAMILIES
from deltacheck.verify.calibration.family import FINER
from deltacheck.verify.calibration.scoring import draw_of

mpmath = pytest.importorskip("mpmath")  # of the dev extra
if FINER < 1000:
    pytest.skip("np.longdouble is no finer than float64 here", allow_module_level=True)

SEED = 3
DRAWS = 6
DRAWS_COMPARED, COMPARED = 2, 2  # with mpmath; entries of each
ROUNDING = 256.0  # units of round-off that an ordinary formula may be off, of what is explained below
METHODS = ["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "expm1", "log1p"]
ARCS = {"arcsin": "asin", "arctan": "atan", "arccosh": "acosh"}


def name_of(family):
    return str(family)


def test_there_are_enough_and_each_has_its_name():
    assert len({family.name for family in FAMILIES}) >= 100
    assert len({str(family) for family in FAMILIES}) == len(FAMILIES)
    assert {family.dtype for family in FAMILIES} == {"float64", "float32"}


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
def test_a_draw_is_what_it_says(family):
    for number in range(DRAWS):
        draw = draw_of(family, SEED, number)
        assert draw.theta.dtype == family.dtype
        before = draw.theta.copy()
        with np.errstate(under="ignore"):
            cost = draw.cost(draw.theta)
            gradient = draw.gradient(draw.theta)
        assert np.ndim(cost) == 0
        assert np.isfinite(float(cost))
        assert draw.theta.tobytes() == before.tobytes()
        assert gradient.shape == draw.theta.shape == draw.truth.shape
        assert gradient.dtype == (family.dtype if gradient.dtype != np.int64 else np.int64)
        assert np.isfinite(gradient).all()
        assert (np.isfinite(draw.truth) == draw.differentiable).all()
    assert draw_of(family, SEED, 1).theta.tobytes() == draw_of(family, SEED, 1).theta.tobytes()


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
def test_right_gradients_are_as_near_to_the_truth_as_rounding_lets_them(family):
    """Explained: the entry's own size, the largest of the gradient, rounding of theta, and rounding of the cost over theta."""
    rng = np.random.default_rng(SEED)
    for number in range(DRAWS):
        draw = draw_of(family, SEED, number)
        u = float(np.finfo(np.float32 if "float32" in family.name else family.dtype).eps) / 2
        fine = draw.theta.astype(np.longdouble)
        with np.errstate(all="ignore"):
            right = draw.gradient(fine)
            moved = [draw.gradient(fine * (1 + np.longdouble(u) * rng.choice([-1.0, 1.0], fine.shape))) for _ in range(4)]
            moved = np.max([abs(one - right) for one in moved], axis=0).astype(float)
        known = np.where(draw.differentiable, draw.truth, 0.0)
        cost = abs(float(draw.cost(draw.theta))) + 1.0
        scale = np.maximum(abs(draw.theta.astype(float)), np.median(abs(draw.theta.astype(float))))
        explained = moved + u * (abs(known) + abs(known).max() + cost / np.where(scale > 0, scale, 1.0)) + 2.0**-149
        off = abs(draw.gradient(draw.theta).astype(float) - known)[draw.differentiable]
        assert (off <= ROUNDING * explained[draw.differentiable]).all(), f"draw {number}"


@pytest.fixture
def mp(monkeypatch):
    """mpmath whose numbers have the methods that NumPy looks for in an array of objects."""
    for name, in_mpmath in ({name: name for name in METHODS} | ARCS).items():
        function = getattr(mpmath, in_mpmath)
        monkeypatch.setattr(mpmath.mpf, name, lambda self, function=function: function(self), raising=False)
    return mpmath


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
def test_truths_are_the_derivatives_of_the_costs_by_mpmath(family, mp):
    with mp.workdps(420 if family.kind == "saturation" else 60):  # numbers down to underflow
        compare_with(mp, family)


def compare_with(mp, family):
    rng = np.random.default_rng(SEED)
    for number in range(DRAWS_COMPARED):
        draw = draw_of(family, SEED, number)
        theta = np.array([mp.mpf(float(v)) for v in draw.theta.ravel()], object)
        fit = np.flatnonzero(draw.differentiable)
        for entry in rng.choice(fit, min(COMPARED, fit.size), replace=False):
            h = mp.mpf(10) ** -20 * (abs(theta[entry]) or 1)
            ends = []
            for step in (h, -h):
                at = theta.copy()
                at[entry] += step
                ends.append(draw.smooth(at.reshape(draw.theta.shape)))
            derivative = (ends[0] - ends[1]) / (2 * h)
            truth, error = draw.truth.ravel()[entry], draw.truth_error.ravel()[entry]
            off = float(abs(derivative - mp.mpf(float(truth))))
            assert off <= error + 1e-30 * abs(truth), f"draw {number}, entry {entry}: {mp.nstr(derivative, 20)}, {truth!r}"

"""A small calibration: right gradients of every family are not said to be wrong, and references keep their bounds."""

from __future__ import annotations

from functools import cache

import pytest

from deltacheck.verify.calibration.families.catalogue import FAMILIES
from deltacheck.verify.calibration.family import FINER
from deltacheck.verify.calibration.scoring import score

pytest.importorskip("mpmath")  # of the dev extra: the truths of special functions
if FINER < 1000:
    pytest.skip("np.longdouble is no finer than float64 here", allow_module_level=True)

SEED = 7
ENTRIES = 1  # of each family at least: one draw
INSIDE = 0.999  # of all references
MISSED = 2  # planted errors of some hundreds, at most: more probes of the rounding, made on suspicion, may widen a bound

BY_NAME = {str(family): family for family in FAMILIES}


@cache
def scores_of(name):
    return score(BY_NAME[name], SEED, range(ENTRIES), ENTRIES)


def doubts(what):
    return [doubt for name in BY_NAME for doubt in scores_of(name).doubts if doubt["what"] == what]


@pytest.mark.parametrize("name", BY_NAME)
def test_no_right_gradient_is_said_to_be_wrong(name):
    scores = scores_of(name)
    assert scores.raised == 0, scores.doubts
    assert scores.false_fails == 0, scores.doubts


def test_references_keep_their_bounds():
    known, outside = (sum(getattr(scores_of(name), counted) for name in BY_NAME) for counted in ("truth_known", "reference_outside_bound"))
    assert known > 0
    assert known - outside >= INSIDE * known, doubts("reference outside its bound")


def test_planted_errors_of_three_certificates_are_caught():
    planted, caught = (sum(getattr(scores_of(name), counted) for name in BY_NAME) for counted in ("planted", "caught"))
    assert planted > 0
    assert planted - caught <= MISSED, doubts("planted, not caught")

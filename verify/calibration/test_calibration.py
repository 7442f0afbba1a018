"""A small calibration: right gradients of every family are not said to be wrong, and references keep their bounds."""

from __future__ import annotations

import pytest

from deltacheck.verify.calibration.families.catalogue import FAMILIES
from deltacheck.verify.calibration.family import FINER
from deltacheck.verify.calibration.scoring import score

if FINER < 1000:
    pytest.skip("np.longdouble is no finer than float64 here", allow_module_level=True)

SEED = 7
ENTRIES = 200  # of each family
INSIDE = 0.999  # of all references
CAUGHT = 0.999  # of all planted errors

FOUND = {}


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_no_right_gradient_is_said_to_be_wrong(family):
    scores = FOUND[str(family)] = score(family, SEED, range(ENTRIES), ENTRIES)
    assert scores.raised == 0, scores.doubts
    assert scores.false_fails == 0, scores.doubts


def test_references_keep_their_bounds_and_planted_errors_are_caught():
    known = sum(scores.truth_known for scores in FOUND.values())
    outside = sum(scores.reference_outside_bound for scores in FOUND.values())
    planted = sum(scores.planted for scores in FOUND.values())
    caught = sum(scores.caught for scores in FOUND.values())
    assert len(FOUND) == len(FAMILIES), "this test takes what the others found: run the whole file"
    assert known - outside >= INSIDE * known, [doubt for scores in FOUND.values() for doubt in scores.doubts]
    assert planted > 0
    assert caught >= CAUGHT * planted, [doubt for scores in FOUND.values() for doubt in scores.doubts]

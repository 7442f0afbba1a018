"""Scores and their table, with a stand-in for the checker."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from deltacheck.verify.calibration.__main__ import units
from deltacheck.verify.calibration.families.catalogue import FAMILIES
from deltacheck.verify.calibration.family import Family, drawn
from deltacheck.verify.calibration.score_table import COLUMNS, closing, doubt_table, score_table
from deltacheck.verify.calibration.scoring import draw_of, score

THETA = np.array([[0.5, 1.0, 1.5], [2.0, 2.5, 0.0]])
CUBES = Family("cubes", "float64", "smooth", lambda rng: drawn(lambda t: np.sum(t**3), lambda t: 3 * t**2, THETA))


def check_by_formula(cost, gradient, theta, seed=0, reference_off=0.0, allowed=1e-9, blind=False):
    """What check_gradient is to report, of sums of cubes; the reference ``reference_off`` beside the truth."""
    got = gradient(theta)
    rows = []
    for index in np.ndindex(theta.shape):
        reference = 3 * theta[index] ** 2 + reference_off
        certificate = 2 * allowed / abs(reference) if reference else np.inf
        wrong = abs(got[index] - reference) > allowed and not blind
        numbers = {
            "got": got[index],
            "reference": reference,
            "reference_error": allowed / 2,
            "allowed": allowed,
            "certificate": certificate,
        }
        rows.append({"block": "theta", "index": index, **numbers, "method": "formula", "step": 0.1, "verdict": "fail" if wrong else "pass"})
    entries = pd.DataFrame(rows)
    verdict = "fail" if (entries["verdict"] == "fail").any() else "pass"
    return SimpleNamespace(entries=entries, verdict=verdict, evaluations=12)


def test_a_good_checker():
    scores = score(CUBES, 0, range(10), 18, check=check_by_formula)
    assert (scores.entries, scores.draws, scores.evaluations) == (18, 3, 36)
    assert (scores.false_fails, scores.inconclusive, scores.raised) == (0, 0, 0)
    assert (scores.reference_outside_bound, scores.truth_known) == (0, 18)
    assert (scores.planted, scores.caught) == (3, 3)
    assert len(scores.certificates) == 15, "those whose truth is not 0"
    assert not scores.doubts


def test_the_numbers_of_draws_may_be_used_up():
    assert score(CUBES, 0, range(2), 100, check=check_by_formula).draws == 2


@pytest.mark.parametrize(
    ("faults", "counts", "what"),
    [
        ({"reference_off": 1e-3}, {"false_fails": 6, "reference_outside_bound": 6, "planted": 0}, "false fail"),
        ({"reference_off": 0.8e-9}, {"false_fails": 0, "reference_outside_bound": 6}, "reference outside its bound"),
        ({"blind": True}, {"planted": 1, "caught": 0, "false_fails": 0}, "planted, not caught"),
        ({"allowed": 10.0}, {"planted": 0, "false_fails": 0}, None),
    ],
)
def test_a_bad_checker(faults, counts, what):
    scores = score(CUBES, 0, range(1), 6, check=lambda *given, **named: check_by_formula(*given, **named, **faults))
    assert {name: getattr(scores, name) for name in counts} == counts
    assert {doubt["what"] for doubt in scores.doubts} == ({what} if what else set())


def test_a_checker_that_fails_for_other_reasons_or_raises():
    def complains(*given, **named):
        report = check_by_formula(*given, **named)
        return SimpleNamespace(entries=report.entries, verdict="fail", evaluations=12)

    scores = score(CUBES, 0, range(1), 6, check=complains)
    assert (scores.false_fails, scores.planted, scores.doubts[0]["what"]) == (1, 0, "false fail")

    def refuses(*given, **named):
        return SimpleNamespace(entries=check_by_formula(*given, **named).entries.iloc[:0], verdict="fail", evaluations=1)

    scores = score(CUBES, 0, range(1), 6, check=refuses)
    assert (scores.entries, scores.false_fails, scores.planted, scores.raised) == (6, 1, 0, 0)

    def breaks(*given, **named):
        raise ZeroDivisionError("by noise")

    scores = score(CUBES, 0, range(9), 12, check=breaks)
    assert (scores.raised, scores.draws) == (2, 2)
    assert scores.doubts[0]["message"] == "ZeroDivisionError: by noise"


def test_the_table_and_the_closing_lines():
    found = [score(CUBES, 0, range(2), 12, check=check_by_formula), score(CUBES, 0, range(2, 3), 6, check=check_by_formula)]
    table, doubts = score_table(found), doubt_table(found)
    assert list(table.columns) == COLUMNS
    assert table["family"].tolist() == ["cubes", "total"]
    assert table["entries"].tolist() == [18, 18]
    assert table["evaluations_per_entry"].tolist() == [2, 2]
    assert (table["median_certificate"] < 1e-8).all()
    lines = "\n".join(closing(table, doubts, seed=0))
    assert "18 entries of 3 right gradients from 1 families (seed 0):" in lines
    assert "18 of 18 entries whose truth is known (100 %)" in lines
    assert "3 of 3 caught" in lines
    wrong = score(CUBES, 0, range(1), 6, check=lambda *given, **named: check_by_formula(*given, **named, blind=True))
    assert "planted, not caught: cubes float64 (1)" in closing(score_table([wrong]), doubt_table([wrong]), seed=1)
    assert score_table([])["entries"].tolist() == [0]


def test_units_share_the_entries_and_take_each_draw_once():
    work = units(list(FAMILIES[:3]), 6000, seed=1)
    assert sum(entries for *_, entries in work) >= 6000
    assert [name for name, *_ in work[:3]] == [str(family) for family in FAMILIES[:3]]
    numbers = [number for name, _, numbers, _ in work if name == str(FAMILIES[0]) for number in numbers]
    assert len(numbers) == len(set(numbers))


def test_a_draw_depends_on_family_seed_and_number_only():
    first, again, other = (draw_of(FAMILIES[0], *which).theta for which in ((0, 1), (0, 1), (0, 2)))
    assert first.tobytes() == again.tobytes() != other.tobytes()

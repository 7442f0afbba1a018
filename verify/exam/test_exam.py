"""The exam in short: every planted bug is caught and no right kernel is failed; and the exam itself can tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deltacheck.kernels import Network
from deltacheck.verify.exam.__main__ import closing, conditional_closing, drawn_closing
from deltacheck.verify.exam.bugs.catalogue import MUTANTS
from deltacheck.verify.exam.bugs.mutant import Plain, mutant, scaled
from deltacheck.verify.exam.conditional_bugs.catalogue import CONDITIONAL, TUNING, UNSEEN
from deltacheck.verify.exam.correct_kernels import CORRECT
from deltacheck.verify.exam.default_run import default_run
from deltacheck.verify.exam.ground_truth import shows
from deltacheck.verify.exam.published_rules import RULES, passes_rule
from deltacheck.verify.exam.random_cases import on_digits, ordinary, wild
from deltacheck.verify.exam.scores import correct_rows, mutant_rows, mutation_table, rule_rows, score_table
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.suite.cases import CASES, Case, point, reference_of
from deltacheck.verify.verdict.report import Report

SMALL_FIRST = sorted(CASES, key=lambda case: case.network.n_parameters * case.batch)
EQUAL_WIDTHS = next(case for case in CASES if case.name == "equal-widths")
RIGHT = mutant("right", "formula", "no bug at all")
TWICE = mutant("twice", "scale", "all of it doubled", "factor", backward=scaled(lambda y: 2.0))


def always(verdict):
    """A verifier that does not look."""

    class Blind(Report):
        @property
        def verdict(self):
            return verdict

    return lambda *arguments, **options: Blind((), (), (), (), "", 0.0)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_is_caught(mutant):
    """By the smallest cases that show it; three tries, since a small network may hide in rounding what it shows."""
    tries = 0
    for case in SMALL_FIRST:
        for dtype in mutant.dtypes:
            if not shows(mutant.kernel, case.network, point(case, dtype)):
                continue
            report = judge(mutant.kernel, case.network, *point(case, dtype), against=reference_of(case, dtype))
            if report.verdict == "fail":
                return
            tries += 1
        if tries >= 3:
            break
    pytest.fail(f"{mutant.name}: not caught in {tries} tries: {mutant.text}")


@pytest.mark.parametrize("case", [ordinary(0), wild(0), on_digits(1)], ids=lambda case: case.name)
def test_no_right_kernel_is_failed(case):
    rows = correct_rows(case, with_rules=False)
    assert len(rows) >= 2 * (len(CORRECT) - 1)  # one of them takes no cross entropy
    assert [row for row in rows if row["verdict"] == "fail"] == []


def test_a_verifier_that_always_passes_catches_nothing():
    judged = mutant_rows(EQUAL_WIDTHS, "float64", [TWICE], judge=always("pass"))
    table = mutation_table(judged, [], [TWICE])
    assert table.loc[0, "status"] == "missed"
    assert mutation_table(mutant_rows(EQUAL_WIDTHS, "float64", [TWICE]), [], [TWICE]).loc[0, "status"] == "caught"


def test_a_verifier_that_always_fails_raises_false_alarms():
    correct = pd.DataFrame(correct_rows(EQUAL_WIDTHS, with_rules=False, judge=always("fail")))
    bugs = mutation_table(mutant_rows(EQUAL_WIDTHS, "float64", [TWICE]), rule_rows(TWICE, [EQUAL_WIDTHS]), [TWICE])
    score = score_table(bugs, correct).iloc[0]
    assert score["false_alarms_float64"] == score["correct_float64"] > 10
    assert score["false_alarms_float32"] == score["correct_float32"] > 10


def test_a_mutant_that_is_right_is_no_bug():
    table = mutation_table(mutant_rows(EQUAL_WIDTHS, "float64", [RIGHT], judge=always("fail")), [], [RIGHT])
    assert table.loc[0, "status"] == "no bug"


def test_a_bug_that_only_a_random_network_shows_asks_for_a_case():
    judged = mutant_rows(ordinary(0), "float64", [TWICE])
    assert mutation_table(judged, [], [TWICE]).loc[0, "status"] == "no case shows it"


def test_a_bug_is_named_by_what_the_diagnosis_says():
    wrongly = mutant("wrongly", "scale", "all of it doubled", "transposed", backward=scaled(lambda y: 2.0))
    table = mutation_table(mutant_rows(EQUAL_WIDTHS, "float64", [TWICE, wrongly]), [], [TWICE, wrongly])
    assert list(table["named"]) == [True, False]
    assert list(table["diagnosis"]) == ["factor", "factor"]


def test_the_score_counts_and_the_closing_lines_tell():
    mutants = [TWICE, RIGHT]
    ruled = rule_rows(TWICE, [EQUAL_WIDTHS])
    correct = pd.DataFrame(correct_rows(EQUAL_WIDTHS, with_rules=True))
    missed = mutation_table(mutant_rows(EQUAL_WIDTHS, "float64", mutants, judge=always("pass")), ruled, mutants)
    scores = score_table(missed, correct)
    assert list(scores["checker"]) == ["deltacheck", *RULES]
    assert list(scores["bugs"]) == [1] * len(scores)
    assert list(scores["caught"]) == [0] + [1] * len(RULES)
    lines = "\n".join(closing(missed, correct, scores))
    assert "not caught: twice (missed)" in lines
    assert "not caught: right (no bug)" in lines


def test_every_mutant_has_a_name_of_its_own():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 75


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kernel", CORRECT)
def test_a_right_kernel_shows_no_bug(kernel, dtype):
    for name in ("equal-widths", "mixed", "saturated-sigmoid", "cost-offset"):
        case = next(case for case in CASES if case.name == name)
        assert not shows(CORRECT[kernel], case.network, point(case, dtype))


def test_what_is_small_and_what_is_late_shows():
    at = point(EQUAL_WIDTHS, "float64")
    for name in ("off-by-1e-7", "race", "cached-by-identity", "shared-output", "borrows-theta", "x-without-strides"):
        assert shows(next(m for m in MUTANTS if m.name == name).kernel, EQUAL_WIDTHS.network, at), name


@pytest.mark.parametrize("rule", RULES)
def test_a_published_rule_passes_what_is_right_and_fails_what_is_doubled(rule):
    at = point(EQUAL_WIDTHS, "float64")
    assert passes_rule(RULES[rule], Plain, EQUAL_WIDTHS.network, at)
    assert not passes_rule(RULES[rule], TWICE.kernel, EQUAL_WIDTHS.network, at)


@pytest.mark.parametrize(
    ("rule", "tolerance"),
    [
        ("PyTorch gradcheck", 1e-3),  # + 1e-5, which is little beside 4 and 2
        ("HIPS autograd", 6.5e-6),  # 1e-6 by the size of the gradient along its direction
        ("CS231n rule", 2e-4),  # 1e-4 of the sum of both
        ("SciPy check_grad", 1e-6 / 20**0.5),  # a norm
    ],
)
def test_published_rules_have_their_published_tolerance(rule, tolerance):
    network = Network((1, 1), "identity")
    at = np.array([1.0, 0.0]), np.array([[2.0]]), np.array([[0.0]])  # C = ½ (2 w + b)²: derivatives 4 and 2
    for share, passes in ((0.8, True), (1.25, False)):
        off = mutant("off", "scale", "", backward=scaled(lambda y, by=share * tolerance: 1 + by))
        assert passes_rule(RULES[rule], off.kernel, network, at) == passes, share


def test_random_networks_are_the_same_for_the_same_seed():
    for draw in (ordinary, wild, on_digits):
        assert draw(3) == draw(3)
        assert draw(3) != draw(4)
        assert isinstance(draw(3), Case)


def test_the_conditional_bugs_are_split_in_halves_of_bugs_of_their_own():
    names = [bug.name for bug in CONDITIONAL]
    assert len(names) == len(set(names)) >= 150
    assert not set(names) & {mutant.name for mutant in MUTANTS}
    assert [*TUNING, *UNSEEN] != CONDITIONAL
    assert sorted(names) == sorted(bug.name for bug in (*TUNING, *UNSEEN))


@pytest.mark.parametrize("family", list(dict.fromkeys(bug.family for bug in TUNING)))
def test_a_usual_run_catches_the_first_of_each_family(family):
    bug = next(bug for bug in TUNING if bug.family == family)
    found = default_run(bug.kernel)
    assert found.by != "nothing", bug.text
    assert found.message


def test_a_usual_run_passes_what_is_right_and_the_closing_lines_tell():
    found = default_run(Plain)
    assert (found.by, found.message) == ("nothing", "")
    table = pd.DataFrame([{"bug": "one", "family": "sizes", "half": "unseen", "description": "a bug", "by": "nothing"}])
    assert conditional_closing(table) == ["unseen, sizes: 0 of 1 caught", "not caught: one (unseen): a bug"]


def test_the_drawn_part_says_what_was_not_passed():
    rows = [("plain", "float64", 1, 0, 0, 0, 1, ""), ("numpy", "float64", 0, 1, 0, 0, 0, "fail at 1-1: off by 1")]
    table = pd.DataFrame(rows, columns=["kernel", "dtype", "pass", "fail", "inconclusive", "unsupported", "too_slow", "doubted"])
    assert drawn_closing(table) == [
        "2 judgements of 2 right kernels; of all: pass 1, fail 1, inconclusive 0, unsupported 0, too_slow 1",
        "not passed, though right: numpy, float64: fail at 1-1: off by 1",
    ]

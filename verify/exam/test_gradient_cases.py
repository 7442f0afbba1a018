"""The gradient cases are well made, and ``check_gradient`` judges each as it should."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from deltacheck.verify.exam.function_scores import CASE_OF, OWN, function_row, function_summary, function_table
from deltacheck.verify.exam.gradient_cases.case import Case
from deltacheck.verify.exam.gradient_cases.catalogue import ALL, KINDS
from deltacheck.verify.exam.published_function_rules import RULES

# A solver's steps follow theta smoothly here, so its error of 1e-3 has a derivative that is as good as any other's.
UNTOLD = {"adaptive steps to 1e-3", "adaptive steps to 1e-9"}
VERDICTS = {"pass", "fail", "inconclusive"}


def test_names_are_unique_and_cases_many() -> None:
    assert [name for name, count in Counter(case.name for case in ALL).items() if count > 1] == []
    assert len(ALL) >= 180


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_right_and_wrong_gradients(kind: str) -> None:
    verdicts = [set(case.accepted) for case in KINDS[kind]]
    assert all(accepted and accepted <= VERDICTS for accepted in verdicts)
    assert any("pass" in accepted for accepted in verdicts)
    assert any("fail" in accepted for accepted in verdicts)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_each_case_is_fresh_and_its_cost_finite(case: Case) -> None:
    (cost, _, theta), (_, _, again) = case.make(), case.make()
    assert theta.dtype in (np.float32, np.float64)
    assert theta is not again
    assert not np.shares_memory(theta, again)
    np.testing.assert_array_equal(theta, again)
    with np.errstate(all="ignore"):
        assert np.isfinite(np.asarray(cost(theta.copy())).item())


@pytest.mark.parametrize("name", CASE_OF)
def test_verdicts(name: str) -> None:
    row = function_row(name)
    assert row["right"] != (name in UNTOLD), f"{row[OWN]}; accepted: {row['accepted']}"


def test_states_start_anew() -> None:
    drifting = next(case for case in ALL if case.name == "cost drifts by 1e-6 a call")
    values = [cost(theta) for cost, _, theta in (drifting.make(), drifting.make())]
    assert values[0] == values[1]


def test_rules_judge_a_parabola() -> None:
    theta = np.array([1.0, -2.0])
    for name, rule in RULES.items():
        assert rule(lambda t: t @ t / 8, lambda t: t / 4, theta) == "pass", name
        assert rule(lambda t: t @ t / 8, lambda t: t / 3, theta) == "fail", name
        assert rule(lambda t: t @ t / 8, lambda t: t[:1], theta) == "fail", name


def test_summary_counts_what_is_refused() -> None:
    table = function_table(["theta of one entry", "theta of one entry, sign turned"])
    assert set(table[OWN]) <= VERDICTS | {"raised"}
    table[OWN] = ["fail", "pass"]
    own = function_summary(table).set_index("checker").loc[OWN]
    assert own[["cases", "right", "false_alarms", "missed", "other"]].tolist() == [2, 0, 1, 1, 0]

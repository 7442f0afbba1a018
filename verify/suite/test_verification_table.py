"""The summary at the end of a run: what a kernel's failures are called, and when no name fits them all."""

from __future__ import annotations

import pytest

from deltacheck.verify.suite.cases import CASES
from deltacheck.verify.suite.verification_table import Table, rows_of_contract
from deltacheck.verify.verdict.array_verdict import Diagnosis


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["factor", "factor"], "mine failed 2 cases: factor in 2; "),
        (["factor"], "mine failed 1 case: factor in 1; "),
        (["factor", "sample-dropped"], "mine failed 2 cases: factor in 1, sample-dropped in 1, so no one name fits all of them; "),
        (["factor", "unknown"], "mine failed 2 cases: factor in 1, unknown in 1, so no one name fits all of them; "),
    ],
)
def test_a_name_that_does_not_fit_all_failures_is_doubted(tmp_path, names, said):
    table = Table(tmp_path)
    for case, name in zip(CASES, names, strict=False):
        table.append(rows_of_contract("mine", case, "float64", [Diagnosis(name, "text")], 0.1))
    assert any(line.startswith(said) for line in table.summary())

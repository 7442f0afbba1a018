"""Every kernel × every case × both dtypes: is the backward pass right?"""

from __future__ import annotations

import pytest

from deltacheck.suites.selection import Selection
from deltacheck.suites.shared_options import SELECTION
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.suite.cases import Case, cases_for, point, reference_of
from deltacheck.verify.suite.pytest_hooks import Judging
from deltacheck.verify.suite.verification_table import rows_of, rows_of_unsupported


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    selection = metafunc.config.stash[SELECTION]
    cases = cases_for(selection)
    metafunc.parametrize("dtype", selection.dtypes or ("float64", "float32"))
    metafunc.parametrize("case", cases, ids=[case.name for case in cases])
    metafunc.parametrize("kernel", selection.kernels)


def test_kernel(selection: Selection, judging: Judging, kernel: str, case: Case, dtype: str) -> None:
    kernel_class = selection.kernels[kernel]
    judging.begin(f"{kernel} in {dtype} at {case}")
    try:
        report = judge(kernel_class, case.network, *point(case, dtype), against=reference_of(case, dtype))
    except NotImplementedError as error:
        judging.end(rows_of_unsupported(kernel, case, dtype, str(error)))
        pytest.skip(f"{kernel} does not support {case.network}: {error}")
    judging.end(rows_of(kernel, case, dtype, report))
    if report.verdict != "pass":
        verdict = "fails" if report.verdict == "fail" else "is inconclusive"
        lines = str(report).replace("\n", "\n  ")
        pytest.fail(f"{kernel} {verdict} in {dtype} at {case}\n  {lines}\n  why this case: {case.reason}", pytrace=False)

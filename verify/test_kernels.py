"""Every kernel × every case × both dtypes: is the backward pass right?"""

from __future__ import annotations

from functools import cache

import pytest

from kernels.selection import Selection
from verify.cases import Case, point
from verify.judge import judge
from verify.reference import Reference, reference
from verify.table import Table


@cache
def reference_of(case: Case, dtype: str) -> Reference:
    """The reference of a case, made once for all kernels."""
    return reference(case.network, *point(case, dtype))


def test_kernel(selection: Selection, verdicts: Table, kernel: str, case: Case, dtype: str) -> None:
    kernel_class = selection.kernels[kernel]
    verdicts.judging = f"{kernel} in {dtype} at {case}"
    try:
        report = judge(kernel_class, case.network, *point(case, dtype), against=reference_of(case, dtype))
    except NotImplementedError as error:
        verdicts.add_unsupported(kernel, case, dtype, str(error))
        pytest.skip(f"{kernel} does not support {case.network}: {error}")
    verdicts.add(kernel, case, dtype, report)
    if report.verdict != "pass":
        verdict = "fails" if report.verdict == "fail" else "is inconclusive"
        lines = str(report).replace("\n", "\n  ")
        pytest.fail(f"{kernel} {verdict} in {dtype} at {case}\n  {lines}\n  why this case: {case.reason}", pytrace=False)

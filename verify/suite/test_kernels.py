"""Every kernel × every case × both dtypes: is the backward pass right?"""

from __future__ import annotations

import time
from functools import cache
from math import inf

import pytest

from deltacheck.suites.selection import Selection
from deltacheck.suites.shared_options import selection_of
from deltacheck.verify.judging.contract_checks import TooSlow, all_violations
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.suite.cases import CONTRACT_CASES, CONTRACT_S, Case, cases_for, point, reference_of
from deltacheck.verify.suite.configurations import Configuration
from deltacheck.verify.suite.coverage_table import rows_of_drawn
from deltacheck.verify.suite.covering import DIMENSIONS, covering, thorough
from deltacheck.verify.suite.drawn_judging import explained, judged
from deltacheck.verify.suite.pytest_hooks import Judging
from deltacheck.verify.suite.verification_table import TOO_SLOW, UNSUPPORTED, rows_of, rows_of_contract, rows_of_unjudged


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    selection = selection_of(metafunc.config)
    if metafunc.function is test_kernel:
        cases = cases_for(selection)
        metafunc.parametrize("dtype", selection.dtypes or ("float64", "float32"))
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
    elif metafunc.function is test_contract:
        metafunc.parametrize("dtype", selection.dtypes or ("float64", "float32"))
        cases = () if selection.network_given else CONTRACT_CASES
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
    else:
        metafunc.parametrize("dimension", [] if selection.network_given else DIMENSIONS)
    metafunc.parametrize("kernel", selection.kernels)


def test_kernel(selection: Selection, judging: Judging, kernel: str, case: Case, dtype: str, pytestconfig: pytest.Config) -> None:
    kernel_class = selection.kernels[kernel]
    judging.begin(f"{kernel} in {dtype} at {case}")
    try:
        contiguous = pytestconfig.getoption("contiguous")
        report = judge(kernel_class, case.network, *point(case, dtype), against=reference_of(case, dtype), contiguous=contiguous)
    except NotImplementedError as error:
        judging.end(rows_of_unjudged(kernel, case, dtype, UNSUPPORTED, str(error)))
        pytest.skip(f"{kernel} does not support {case.network}: {error}")
    judging.end(rows_of(kernel, case, dtype, report))
    if report.verdict != "pass":
        verdict = "fails" if report.verdict == "fail" else "is inconclusive"
        lines = str(report).replace("\n", "\n  ")
        pytest.fail(f"{kernel} {verdict} in {dtype} at {case}\n  {lines}\n  why this case: {case.reason}", pytrace=False)


def test_contract(selection: Selection, judging: Judging, kernel: str, case: Case, dtype: str, pytestconfig: pytest.Config) -> None:
    kernel_class = selection.kernels[kernel]
    judging.begin(f"the contract of {kernel} in {dtype} at {case}")
    started = time.perf_counter()
    try:
        found = all_violations(
            kernel_class,
            case.network,
            *point(case, dtype),
            contiguous=pytestconfig.getoption("contiguous"),
            at_most_s=inf if pytestconfig.getoption("thorough") else CONTRACT_S,
        )
    except NotImplementedError as error:
        judging.end(rows_of_unjudged(kernel, case, dtype, UNSUPPORTED, str(error)))
        pytest.skip(f"{kernel} does not support {case.network}: {error}")
    except TooSlow as error:
        judging.end(rows_of_unjudged(kernel, case, dtype, TOO_SLOW, str(error)))
        pytest.skip(f"{kernel} is too slow for {case}: {error}; --thorough tries it all the same")
    judging.end(rows_of_contract(kernel, case, dtype, found, time.perf_counter() - started))
    if found:
        lines = "\n  ".join(violation.text for violation in found)
        pytest.fail(f"{kernel} breaks the contract in {dtype} at {case}\n  {lines}", pytrace=False)


@cache
def _drawn(more: bool, seed: int) -> list[tuple[str, Configuration]]:
    """The configurations of the run, made once for all tests."""
    return list(thorough(seed) if more else covering(seed))


def test_drawn(selection: Selection, judging: Judging, kernel: str, dimension: str, pytestconfig: pytest.Config) -> None:
    kernel_class = selection.kernels[kernel]
    judging.begin(f"{kernel} at drawn configurations: {dimension}")
    drawn = [one for name, one in _drawn(pytestconfig.getoption("thorough"), pytestconfig.getoption("seed")) if name == dimension]
    drawn = [one for one in drawn if one.dtype in (selection.dtypes or (one.dtype,))]
    if pytestconfig.getoption("contiguous"):
        drawn = [one.contiguous for one in drawn]
    found = list(judged(kernel_class, drawn))
    judging.end(rows_of_drawn(kernel, dimension, found), drawn=True)
    if any(one.verdict in ("fail", "inconclusive") for one in found):
        pytest.fail(f"{kernel} fails ({dimension}) " + "\n  ".join(explained(kernel_class, found)), pytrace=False)
    if found and all(one.verdict == "unsupported" for one in found):
        pytest.skip(f"{kernel} supports none of the drawn configurations: {found[0].message}")

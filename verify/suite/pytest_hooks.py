"""Which cases are judged, and the table of verdicts: written as they come, summed up at the end."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from deltacheck.suites.shared_options import RESULTS, SELECTION, add_options
from deltacheck.verify.suite import coverage_table
from deltacheck.verify.suite.verification_table import Table

VERDICTS = pytest.StashKey[Table]()
ROWS = pytest.StashKey[tuple[bool, list[dict[str, Any]]]]()  # of a test
VERIFY = Path(__file__).resolve().parents[1]
JUDGES = {"test_kernels.py"}  # what judges a kernel; all other tests here test the verifier


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deltacheck verification", "deltacheck: verification only")
    more = "more drawn configurations, sizes to 4,096: minutes for each kernel"
    once: dict[str, dict[str, Any]] = {
        "seed": {"type": int, "default": 0, "metavar": "N", "help": "which configurations are drawn (default: 0)"},
        "contiguous": {
            "action": "store_true",
            "help": "for kernels that demand contiguous arrays: no others are tried, and that is said",
        },
        "thorough": {"action": "store_true", "help": more},
    }
    add_options(group, once)


def pytest_configure(config: pytest.Config) -> None:
    table = config.stash[VERDICTS] = Table(config.stash[RESULTS])
    if not hasattr(config, "workerinput"):  # a worker's reports are sent on
        config.pluginmanager.register(Writer(table), "deltacheck-verdicts")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    selection = config.stash[SELECTION]
    own = selection.own_kernels or selection.network_given
    is_test = VERIFY in collection_path.resolve().parents and collection_path.name.startswith("test_")
    return True if own and is_test and collection_path.name not in JUDGES else None


class Judging:
    """What a test says of its kernel and case; its rows go with its report, from another process too (pytest-xdist)."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def begin(self, what: str) -> None:
        """What is being judged from now on."""
        self._item.config.stash[VERDICTS].judging = what

    def end(self, rows: list[dict[str, Any]], drawn: bool = False) -> None:
        """The rows that came of it: of verification.csv, or of configurations.csv where it was ``drawn``."""
        self._item.stash[ROWS] = drawn, rows


class Writer:
    """Appends the rows to the table as the tests' reports come."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for each phase of each test."""
        drawn, rows = getattr(report, "verification_rows", (False, []))
        if rows:
            self._table.append(rows, drawn)


@pytest.fixture
def judging(request: pytest.FixtureRequest) -> Judging:
    return Judging(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and ROWS in item.stash:
        report.verification_rows = item.stash[ROWS]  # type: ignore[attr-defined]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    table = session.config.stash[VERDICTS]
    if exitstatus == pytest.ExitCode.OK and table.unjudged:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED  # a check of nothing is no success


@pytest.hookimpl(wrapper=True, tryfirst=True)  # after pytest's line for each failure, which may be many
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> Generator[None]:
    yield
    table = config.stash[VERDICTS]
    if table.judging and exitstatus == pytest.ExitCode.INTERRUPTED:
        terminalreporter.write_line(f"interrupted while judging {table.judging}")
    if not (table.rows or table.drawn):
        return
    terminalreporter.section("verdicts")
    if config.getoption("contiguous"):
        terminalreporter.write_line("contiguous arrays only: by --contiguous no other layout was tried, which the interface asks for")
    for line in table.summary() if table.rows else []:
        terminalreporter.write_line(line)
    for line in coverage_table.summary(table.drawn, config.getoption("seed")) if table.drawn else []:
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"every block of every case: {table.shown_path(config.invocation_params.dir)}")

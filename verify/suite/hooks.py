"""Which cases are judged, and the table of verdicts: written as they come, summed up at the end."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from deltacheck.suites.hooks import RESULTS, SELECTION
from deltacheck.verify.suite.verification_table import Table

VERDICTS = pytest.StashKey[Table]()
VERIFY = Path(__file__).parents[1]
JUDGES = {"test_kernels.py"}  # what judges a kernel; all other tests here test the verifier


def pytest_configure(config: pytest.Config) -> None:
    config.stash[VERDICTS] = Table(config.stash[RESULTS])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    selection = config.stash[SELECTION]
    own = selection.own_kernels or selection.layers or selection.batches or selection.activations or selection.costs
    is_test = VERIFY in collection_path.parents and collection_path.name.startswith("test_")
    return True if own and is_test and collection_path.name not in JUDGES else None


@pytest.fixture
def verdicts(request: pytest.FixtureRequest) -> Table:
    return request.config.stash[VERDICTS]


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
    if not table.rows:
        return
    terminalreporter.section("verdicts")
    for line in table.summary():
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"every block of every case: {table.shown_path(config.invocation_params.dir)}")

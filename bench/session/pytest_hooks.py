"""The benchmarks inside pytest: one run for the session, replays for pytest-benchmark, the closing summary."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.time_budget import Budget, usual_limit
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.session.options import OPTIONS, Options
from deltacheck.bench.session.progress import Progress
from deltacheck.bench.session.replay import Entry, Smoke, measured
from deltacheck.bench.session.run import SWEEPS, Plan, Run
from deltacheck.bench.session.run_summary import closing_lines
from deltacheck.bench.timing.samples_file import NAME as SAMPLES
from deltacheck.kernels.error_text import one_line
from deltacheck.suites.run_folder import new_run
from deltacheck.suites.shared_options import RESULTS, SELECTION, add_options, repeated

BENCH = Path(__file__).resolve().parents[1]
OPTIONS_OF_RUN = pytest.StashKey[Options]()
RUN = pytest.StashKey[Run]()
QUICK = (0.06, 0.05)  # of --benchmark-max-time: for a cell and phase, for one call


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deltacheck benchmarks", "deltacheck: benchmarks only (each may be repeated)")
    add_options(group, {name: repeated(name, text) for name, text in OPTIONS.items()})
    processes = f"how many times all cells are gone through, each time in another process (default: {SWEEPS}, with --quick 1; once)"
    limit = "a contender that is longer at one turn, or at its first calls, hangs (default: 120; once)"
    once: dict[str, dict[str, Any]] = {
        "baseline": {"default": None, "metavar": "NAME", "help": "the kernel that speed-ups are over (default: numpy; once)"},
        "cell-limit": {"default": None, "metavar": "SECONDS", "help": limit},
        "processes": {"default": None, "metavar": "N", "help": processes},
        "quick": {"action": "store_true", "help": "a look: the same cells in less time, without first calls in fresh processes"},
    }
    add_options(group, once)


def pytest_configure(config: pytest.Config) -> None:
    given = {name: config.getoption(name, []) for name in OPTIONS}
    given |= {name: config.getoption(name, None) for name in ("baseline", "cell_limit", "processes")}
    try:
        config.stash[OPTIONS_OF_RUN] = Options.parse(config.stash[SELECTION], **given)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    if config.getoption("benchmark_columns", None) is None:  # pytest-benchmark's ten columns do not fit a terminal
        config.option.benchmark_columns = ["min", "median", "iqr", "rounds"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --benchmark-only the suite's own tests are not even read."""
    own = BENCH in collection_path.resolve().parents and collection_path.name.startswith("test_")
    return True if own and collection_path.name != "test_benchmark.py" and config.getoption("benchmark_only") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What --benchmark-only and --benchmark-skip leave out is deselected; pytest-benchmark would show a wall of skips."""
    only, skip = config.getoption("benchmark_only"), config.getoption("benchmark_skip")
    out = [item for item in items if (only and not timing(item)) or (skip and not only and timing(item))]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]


def timing(item: pytest.Item) -> bool:
    return "benchmark" in getattr(item, "fixturenames", ())


def of_a_cell(item: pytest.Item) -> bool:
    return "entry" in getattr(item, "fixturenames", ())


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """No dots for the timed tests: the progress lines say more, and dots would stand between them."""
    if "test_benchmark.py::test_speed" not in report.nodeid or config.getoption("verbose") > 0 or config.getoption("benchmark_disable"):
        return None
    if report.failed:
        return ("failed" if report.when == "call" else "error"), "", report.outcome.upper()
    if report.skipped or report.when == "call":
        return report.outcome, "", ""
    return None


def cell_of(item: pytest.Item) -> tuple[Cell, str, str]:
    """The cell, phase and kernel of a timed test."""
    params: dict[str, Any] = item.callspec.params  # type: ignore[attr-defined]
    cell = Cell.of(params["layers"], params["activation"], params["cost"], params["batch"], params["dtype"], params["threads"])
    return cell, params["phase"], params["kernel"]


def planned(items: Sequence[pytest.Item]) -> Plan:
    """Which kernels the tests will ask for, by cell and phase."""
    plan: Plan = {}
    for item in filter(of_a_cell, items):
        cell, phase, kernel = cell_of(item)
        plan.setdefault((cell, phase), []).append(kernel)
    return plan


@pytest.fixture(scope="session")
def budget(request: pytest.FixtureRequest) -> Budget:
    """pytest-benchmark's own options: --benchmark-max-time for a cell and phase, --benchmark-min-rounds, --benchmark-min-time."""
    option = request.config.getoption
    default = Budget()
    total, one_call = QUICK if option("quick") else (1.0, 0.5)
    call_limit_s = one_call * float(option("benchmark_max_time"))
    return Budget(
        total_s=total * float(option("benchmark_max_time")),
        call_limit_s=call_limit_s,
        min_rounds=max(default.min_rounds, option("benchmark_min_rounds")),
        max_rounds=max(default.max_rounds, option("benchmark_min_rounds")),
        round_s=max(default.round_s, float(option("benchmark_min_time"))),
        limit_s=request.config.stash[OPTIONS_OF_RUN].limit_s or usual_limit(call_limit_s),
    )


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest, budget: Budget) -> Iterator[Run]:
    config = request.config
    options = config.stash[OPTIONS_OF_RUN]
    plan = planned(request.session.items)
    command = shlex.join(["pytest", *config.invocation_params.args]).replace(f"{config.rootpath}{os.sep}", "")
    quick = config.getoption("quick")
    sweeps = options.processes or (1 if quick else SWEEPS)
    shown = Progress(config, sweeps * len(plan), len({cell for cell, _ in plan}))
    processes = Processes(options.contenders, options.baseline)
    begun(processes)
    folder = new_run(config.stash[RESULTS], "bench")
    processes.samples = folder / SAMPLES, folder.name
    run = Run(folder, config.rootpath, command, plan, processes, options.contenders, budget, shown, sweeps, options.baseline, quick)
    config.stash[RUN] = run
    yield run
    run.close()


@pytest.fixture(scope="session")
def smoke(request: pytest.FixtureRequest, budget: Budget) -> Iterator[Smoke]:
    processes = Processes(request.config.stash[OPTIONS_OF_RUN].contenders)
    begun(processes)
    yield Smoke(processes, planned(request.session.items), budget)
    processes.close()


def begun(processes: Processes) -> None:
    """Begin with them, or end the session in one line."""
    try:
        processes.start()
    except (OSError, RuntimeError) as error:
        pytest.exit(one_line(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> Entry:
    """The contender of this test; listed before ``benchmark``, which takes its timer and group from the marker."""
    cell, phase, kernel = cell_of(request.node)
    if request.config._benchmarksession.disabled:  # type: ignore[attr-defined]
        asked: Smoke = request.getfixturevalue("smoke")
        return asked.entry(cell, phase, kernel)
    entry, timer = measured(request.getfixturevalue("run"), cell, phase, kernel)
    request.node.add_marker(pytest.mark.benchmark(timer=timer, group=f"{cell} {phase}"))
    return entry


@pytest.hookimpl(wrapper=True, tryfirst=True)  # after pytest-benchmark's tables, and pytest's line for each failure
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Generator[None]:
    yield
    run = config.stash.get(RUN, None)
    if run is not None:
        terminalreporter.section("deltacheck benchmarks")
        for line in closing_lines(run):
            terminalreporter.write_line(line)

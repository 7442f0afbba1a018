"""Tables made anew are those that the run wrote, whenever it ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.result import NOT_CONTENDERS
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.report import main
from deltacheck.bench.session.run import Run
from deltacheck.bench.session.run_summary import speedup_text
from deltacheck.bench.session.test_command_line import TINY, pytest_in
from deltacheck.bench.tables.rebuild import rebuild
from deltacheck.bench.tables.saved_run import read_run

CELLS = [Cell.of("3-4-2", "sigmoid", "squared_error", batch, dtype) for batch in (1, 5) for dtype in ("float32", "float64")]
KERNELS = ("numpy", "naive", *(f"deltacheck.bench.timing.test_contest:{name}Kernel" for name in ("Wrong", "Tiring", "Unsupported")))
TABLES = ("summary.csv", "scaling.csv", "crossovers.csv")
KILLING = """
import os, signal
from pathlib import Path
from deltacheck.kernels.vectorised import NumpyKernel
class Killing(NumpyKernel):
    def forward(self, theta, x):
        if Path("bench/latest/samples.csv").read_text().count("\\n") > {after}:
            os.kill(os.getppid(), signal.SIGKILL)  # the run
        return super().forward(theta, x)
"""


SECOND = """
import os, signal
from deltacheck.kernels.vectorised import NumpyKernel
class Killing(NumpyKernel):
    def forward(self, theta, x):
        last = open("bench/latest/samples.csv").read().splitlines()[-1].split(",")
        if (last[7], last[10]) == ("2", "1"):  # batch size and process: amid their turns
            os.kill(os.getppid(), signal.SIGKILL)  # the run
        return super().forward(theta, x)
"""


class Silent:
    """Progress that nobody sees."""

    def advance(self) -> None: ...
    def admitted(self) -> None: ...
    def say(self, text: str) -> None: ...
    def finished(self, place: str) -> None: ...


def page(folder: Path) -> Path:
    """A page in place of the one that takes its time."""
    (folder / "report.html").write_text(str(len(pd.read_csv(folder / "summary.csv"))))
    assert json.loads((folder / "run.json").read_text())["ended"]
    return folder / "report.html"


@pytest.fixture(autouse=True)
def _no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deltacheck.bench.page", SimpleNamespace(write_page=page))


def started(folder: Path, kernels: tuple[str, ...] = KERNELS) -> Run:
    folder.mkdir()
    plan = {(cell, phase): list(kernels) for cell in CELLS for phase in PHASES}
    plan[CELLS[0], "forward"] = ["naive"]  # somebody left the others out
    processes = Processes(Contenders(kernels), "numpy")
    processes.start()
    processes.samples = folder / "samples.csv", folder.name
    contenders, budget, silent = Contenders(kernels), Budget(total_s=0.01), Silent()
    return Run(folder, folder, "a test", plan, processes, contenders, budget, silent, sweeps=2, quick=True)  # type: ignore[arg-type]


def measured(run: Run) -> Run:
    for cell in CELLS:
        for phase in PHASES:
            run.result(cell, phase, "naive")
    run.close()
    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "deltacheck.bench.page", SimpleNamespace(write_page=page))
        return measured(started(tmp_path_factory.mktemp("report") / "run")).folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run's samples and run.json."""
    for name in ("samples.csv", "run.json"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    return tmp_path


def test_every_table_comes_out_as_it_was(finished: Path, folder: Path) -> None:
    assert rebuild(folder) == []
    for name in TABLES:
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name
    summary = pd.read_csv(folder / "summary.csv")
    assert set(summary["status"]) == {"ok", "failed_verification", "error", "unsupported"}
    assert (finished / "report.html").read_text() == str(len(summary))
    samples = (folder / "samples.csv").read_text().splitlines()
    samples[1:20] = [line.rpartition(",")[0] + ",1.5" for line in samples[1:20]]  # other samples would be seen
    (folder / "samples.csv").write_text("\n".join(samples) + "\n")
    rebuild(folder)
    assert (folder / "summary.csv").read_bytes() != (finished / "summary.csv").read_bytes()


def test_both_of_a_pair_take_every_round_and_only_contenders_have_rows(finished: Path) -> None:
    samples, summary = pd.read_csv(finished / "samples.csv"), pd.read_csv(finished / "summary.csv")
    for (phase, batch, dtype), of in samples.groupby(["phase", "batch", "dtype"]):
        rounds = of.groupby("kernel")["round"].agg(list)
        first = "naive" if (phase, batch, dtype) == ("forward", 1, "float32") else "numpy"
        assert rounds["again"] == rounds[first]
    assert samples["process"].is_monotonic_increasing  # all cells in the first, then all in the second
    assert set(samples.groupby(["phase", "batch", "dtype"])["process"].agg(lambda of: tuple(of.unique()))) == {(0, 1)}
    assert set(NOT_CONTENDERS) <= set(samples["kernel"])
    assert not set(NOT_CONTENDERS) & set(summary["kernel"])
    assert summary["aa_ratio"].notna().all()
    assert summary["peak_bytes"].notna().equals(summary["verdict"] == "pass")


@pytest.mark.parametrize("after", [1, 5, 12, 17])  # in the first process or the second, of 12 cells and phases
def test_of_an_interrupted_run_what_was_finished_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    run = started(tmp_path / "run", ("naive",))
    kept, times = run._processes.time, iter(range(100))

    def interrupted(cell: Cell, *arguments: Any, **named: Any) -> Any:
        found = kept(cell, *arguments, **named)
        if cell in CELLS and next(times) == after:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(run._processes, "time", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measured(run)
    run.close()
    before = (run.folder / "summary.csv").read_bytes()
    summary = pd.read_csv(run.folder / "summary.csv")
    n = min(after, len(summary))
    assert summary["status"].tolist() == ["ok"] * n + ["not_run"] * (len(summary) - n)
    samples = pd.read_csv(run.folder / "samples.csv")
    taken = samples[samples["kernel"] == "naive"].groupby(["batch", "dtype", "phase", "process"], sort=False).ngroups
    assert taken == after + 1  # what was taken of the one in hand is there, and no time is made of it
    assert summary["n_samples"].sum() < (samples["kernel"] == "naive").sum()
    rebuild(run.folder)
    assert (run.folder / "summary.csv").read_bytes() == before
    assert len([key for key in read_run("A", run.folder).samples if key.kernel == "naive"]) == n
    assert json.loads((run.folder / "run.json").read_text())["complete"] is False


def test_what_fails_in_the_suite_itself_costs_its_place_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(tmp_path / "run", ("naive", "numpy"))
    kept = run._processes.time

    def failing(cell: Cell, phase: str, *arguments: Any, **named: Any) -> Any:
        if (cell, phase) == (CELLS[1], "backward"):
            raise RuntimeError("Traceback:\nplanted")
        return kept(cell, phase, *arguments, **named)

    monkeypatch.setattr(run._processes, "time", failing)
    measured(run)
    assert f"{CELLS[1]} backward: planted" in run.warnings
    summary = pd.read_csv(run.folder / "summary.csv")
    bad = summary[summary["status"] != "ok"]
    assert set(zip(bad["batch"], bad["dtype"], bad["phase"], bad["status"], strict=True)) == {(1, "float64", "backward", "error")}
    assert json.loads((run.folder / "run.json").read_text())["complete"] is True
    before = (run.folder / "summary.csv").read_bytes()
    rebuild(run.folder)
    assert (run.folder / "summary.csv").read_bytes() == before


def test_a_run_without_a_page_keeps_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> Path:
        raise RuntimeError("planted")

    monkeypatch.setitem(sys.modules, "deltacheck.bench.page", SimpleNamespace(write_page=broken))
    run = measured(started(tmp_path / "run", ("naive",)))
    assert run.warnings[-1:] == ["no report.html: RuntimeError: planted"]
    about = json.loads((run.folder / "run.json").read_text())
    assert (about["warnings"][-1:], about["complete"]) == (run.warnings[-1:], True)
    assert all((run.folder / name).exists() for name in TABLES)


@pytest.mark.parametrize("after", [1, 20, 60, 100])  # rows; a cell and phase takes 28 to 48
def test_killed_at_any_moment_the_tables_are_those_of_all_finished_cells(tmp_path: Path, after: int) -> None:
    (tmp_path / "killing.py").write_text(KILLING.format(after=after))
    own = ("--kernel", str(tmp_path / "killing.py"), "--kernel", "numpy")
    done = pytest_in(tmp_path, *TINY, "--quick", "--batch", "2", "--benchmark-max-time", "0.5", *own)
    assert done.returncode == -9, done.stdout
    run = tmp_path / "bench" / "latest"
    about, samples = json.loads((run / "run.json").read_text()), pd.read_csv(run / "samples.csv")
    assert (about["complete"], about["ended"]) == (False, None)
    (run / "summary.csv").unlink()
    with (run / "samples.csv").open("a") as file:
        file.write("20260101T000000Z,numpy,backw")  # the half of a line that a kill may leave
    rebuild(run)
    summary = pd.read_csv(run / "summary.csv")
    places = ["phase", "batch"]
    taken = samples.groupby([*places, "kernel"]).size()
    times = summary[summary["status"] == "ok"].set_index([*places, "kernel"])
    assert times["n_samples"].equals(taken.reindex(times.index))
    begun = samples[places].drop_duplicates()
    assert 0 <= len(begun) - len(times.reset_index()[places].drop_duplicates()) <= 1  # at most the one in hand is lost
    assert set(summary["status"]) == ({"ok", "not_run"} if after > 48 else {"not_run"})
    assert len(summary) == 12
    assert {key.kernel for key in read_run("A", run).samples} == ({"killing", "numpy", "floor"} if after > 48 else set())


def test_killed_the_second_time_through_all_cells_have_times(tmp_path: Path) -> None:
    (tmp_path / "killing.py").write_text(SECOND)
    own = ("--kernel", str(tmp_path / "killing.py"), "--kernel", "numpy", "--processes", "2")
    done = pytest_in(tmp_path, *TINY, "--quick", "--batch", "2", *own)
    assert done.returncode == -9, done.stdout
    run = tmp_path / "bench" / "latest"
    rebuild(run)
    summary, samples = pd.read_csv(run / "summary.csv"), pd.read_csv(run / "samples.csv")
    assert set(summary["status"]) == {"ok"}
    places = ["batch", "phase", "kernel"]
    first = samples[samples["process"] == 0].groupby(places).size()
    counted = summary.set_index(places)["n_samples"]
    assert (samples["process"].eq(1) & samples["batch"].eq(2)).any()  # what was in hand
    again = counted > first.reindex(counted.index)
    assert again.groupby("batch").all().to_dict() == {1: True, 2: False}  # of batch size 2 there is the first time alone
    assert (counted[~again] == first.reindex(counted.index)[~again]).all()
    found = read_run("A", run)
    assert {key: len(of.seconds) for key, of in found.samples.items() if found.timed(key)} == {
        key: int(row["n_samples"]) for key, row in found.rows.items()
    }


def test_a_stranger_can_rebuild_the_speedups(folder: Path) -> None:
    """By the lines in results/README.md."""
    rebuild(folder)
    planted = pd.read_csv(folder / "summary.csv")
    planted["tie"] = planted["tie"].mask(planted["tie"].notna() & (planted["dtype"] == "float32"), True)
    planted.to_csv(folder / "summary.csv", index=False)
    readme = Path(__file__).parents[1] / "results" / "README.md"
    if not readme.exists():
        pytest.skip("the documentation is in the source checkout")
    text = readme.read_text(encoding="utf-8")
    first, second, *_ = [block.partition("```")[0] for block in text.split("```python\n")[1:]]
    names: dict[str, Any] = {}
    for block in (first, second):
        assert len([line for line in block.splitlines() if line]) <= 5
        exec(block.replace("results/bench/latest", str(folder)), names)
    for row in pd.read_csv(folder / "summary.csv", dtype={"tie": str}).to_dict("records"):
        place = tuple(row[name] for name in names["place"])
        if row["speedup"] == row["speedup"]:
            assert names["speedups"].loc[place, row["kernel"]] == pytest.approx(row["speedup"])
            shown = speedup_text(row | {"tie": row["tie"] == "True"}).strip()
            assert names["table"].loc[place, row["kernel"]] == shown
        else:
            assert place not in names["table"].index or pd.isna(names["table"].loc[place].get(row["kernel"]))
    assert names["table"].notna().sum().sum() > 20
    assert (names["table"].xs("float32", level="dtype") == "tie").any(axis=None)


def damaged(name: str, change: Callable[[str], str] | None) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.unlink() if change is None else path.write_text(change(path.read_text()))

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damaged("run.json", None), "has no run.json; expected a run's folder"),
        (damaged("samples.csv", None), "has no samples.csv; expected a run's folder"),
        (damaged("run.json", lambda text: text[:99]), "run.json cannot be read: JSONDecodeError"),
        (damaged("run.json", lambda text: text.replace('"outcomes"', '"results"')), "is not what a run of this version writes: KeyError"),
        (damaged("samples.csv", lambda text: text.replace("round,", "turn,", 1)), "has no column round"),
        (damaged("samples.csv", lambda text: text[: len(text) // 2]), r"samples.csv has \d+ samples of \w+ on 3-4-2 x [15] float"),
    ],
)
def test_what_is_no_run_is_said_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None], message: str
) -> None:
    damage(folder)
    with pytest.raises(ValueError, match=message):
        rebuild(folder)
    with pytest.raises(SystemExit, match="2"):
        main([str(folder)])
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "summary.csv").exists()


def test_the_command_writes_tables_and_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(folder)])
    assert all((folder / name).exists() for name in (*TABLES, "report.html"))
    assert f"page: {folder / 'report.html'}" in capsys.readouterr().out

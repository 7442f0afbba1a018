"""The suite as its users run it, in processes of its own, on a tiny grid."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deltacheck.bench.tables.summary import SUMMARY
from deltacheck.bench.timing.samples_file import SAMPLES

BENCH = Path(__file__).parents[1]
TINY = ("--benchmark-only", "--layers", "2-3-1", "--batch", "1", "--dtype", "float64", "--benchmark-max-time", "0.05")

# A process for all of these: what each does to the run, and to the others, is read from its tables.
WRONG = """
from deltacheck.kernels.vectorised import NumpyKernel
class Wrong(NumpyKernel):
    def _backward(self, theta, a, y):
        return super()._backward(theta, a, y) * 1.001
"""
RAISING = """
from deltacheck.kernels.vectorised import NumpyKernel
class Raising(NumpyKernel):
    def _backward(self, theta, a, y):
        raise ZeroDivisionError("planted")
"""
SLOW = """
import time
from deltacheck.kernels.vectorised import NumpyKernel
class Slow(NumpyKernel):
    def _forward(self, *arguments):
        time.sleep(0.06)
        return super()._forward(*arguments)
"""
ENDING = """
import os, signal, time
from deltacheck.kernels.vectorised import NumpyKernel
class Ending(NumpyKernel):
    def forward(self, theta, x):
        if len(x) == 7:
            os.kill(os.getppid(), signal.{end})  # the run
            time.sleep(5)
        return super().forward(theta, x)
"""


SPEAKING = """
from deltacheck.kernels.vectorised import NumpyKernel
class Speaking(NumpyKernel):
    @staticmethod
    def about():
        return {"width": 512}
"""


def pytest_in(results: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(BENCH), "--results", str(results), *arguments]
    return subprocess.run(command, cwd=results, capture_output=True, text=True, timeout=120, check=False)


def summary(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / "bench" / "latest" / "summary.csv")


def about(results: Path) -> dict[str, Any]:
    return json.loads((results / "bench" / "latest" / "run.json").read_text())  # type: ignore[no-any-return]


def test_a_run(tmp_path: Path) -> None:
    for extra in (["-k", "step-numpy", "--benchmark-save", "one"], ["--benchmark-compare", "--benchmark-json", str(tmp_path / "b.json")]):
        done = pytest_in(tmp_path, *TINY, "--kernel", "naive", "--kernel", "numpy", *extra)
        assert done.returncode == 0, done.stdout
        for saved in (tmp_path / ".benchmarks").rglob("*.json"):  # as if from another machine
            saved.write_text(saved.read_text().replace('"machine_info": {', '"machine_info": {"planted": 1,'))
    assert len([path for path in (tmp_path / "bench").iterdir() if not path.is_symlink()]) == 2  # nothing is overwritten

    table, samples, run = summary(tmp_path), pd.read_csv(tmp_path / "bench" / "latest" / "samples.csv"), about(tmp_path)
    assert list(table.columns) == SUMMARY
    assert list(samples.columns) == SAMPLES
    assert table["phase"].tolist() == ["forward"] * 2 + ["backward"] * 2 + ["step"] * 2
    assert table["kernel"].tolist() == ["naive", "numpy"] * 3
    assert set(table["status"]) == {"ok"}
    assert set(table["verdict"]) == {"pass"}
    assert (table["ci_low_s"] <= table["median_s"]).all()
    assert (table["median_s"] <= table["ci_high_s"]).all()
    assert (table["first_call_s"] > 0).all()
    assert samples["kernel"].isin(["naive", "numpy"]).sum() == table["n_samples"].sum()
    assert set(samples["kernel"]) == {"naive", "numpy", "floor", "again"}  # the latter two are no contenders
    assert {name for name in ("scaling.csv", "crossovers.csv") if (tmp_path / "bench" / "latest" / name).exists()} == {
        *("scaling.csv", "crossovers.csv")
    }
    for column in ("floor_s", "share_of_gemm", "share_of_gemm_ci_low", "cold_first_call_s", "cached_first_call_s", "dispatch_s"):
        assert (table[column] > 0).all()
    assert (table["share_of_peak"] * run["peak_gflops"]["float64"]["1"]).tolist() == pytest.approx(table["gflops"].tolist())
    assert table.groupby("kernel")["cold_first_call_s"].nunique().tolist() == [1, 1]
    assert run["threads"] == [1]
    assert run["kernel_paths"] == {}
    assert run["complete"] is True
    assert run["run_id"] == table["run_id"][0]
    assert str(BENCH.parent) not in json.dumps(run)

    benchmarks = json.loads((tmp_path / "b.json").read_text())["benchmarks"]
    assert {b["group"] for b in benchmarks} == {f"2-3-1 x 1 float64 {phase}" for phase in ("forward", "backward", "step")}
    assert benchmarks[0]["params"]["kernel"] == "naive"
    assert [b["extra_info"]["speedup"] for b in benchmarks] == table["speedup"].tolist()
    assert table["n_samples"].min() >= 5 * 2  # of all processes
    ours = table.set_index(["phase", "kernel"])["median_s"]
    assert all(b["stats"]["median"] == pytest.approx(ours[b["params"]["phase"], b["params"]["kernel"]]) for b in benchmarks)

    out = done.stdout
    assert "15 of 15 done, 0 to go" in out
    assert "benchmark '2-3-1 x 1 float64 step': 3 tests" in out  # pytest-benchmark's own table, the saved run in it
    assert "float64-step-numpy] (0001_one)" in out
    assert "Benchmark machine_info is different" in done.stderr  # no traceback
    assert "fastest step, by cells:" in out
    assert "of 3 pairs called different, band " in out
    assert "\r" not in out  # this is no terminal
    assert "6 passed" in out
    assert "skipped" not in out  # no wall of the suite's own tests
    assert "deselected" not in out


def test_bad_kernels_fail_and_stay_in_the_table(tmp_path: Path) -> None:
    own = []
    for name, text in {"wrong": WRONG, "raising": RAISING, "slow": SLOW}.items():
        (tmp_path / f"{name}.py").write_text(text)
        own += ["--kernel", str(tmp_path / f"{name}.py")]
    done = pytest_in(tmp_path, *TINY, *own, "--kernel", "numpy")
    assert done.returncode == 1
    table = summary(tmp_path).set_index(["phase", "kernel"])
    for phase in ("forward", "backward", "step"):
        statuses = {kernel: table["status"][phase, kernel] for kernel in ("wrong", "raising", "slow", "numpy")}
        assert statuses == {"wrong": "failed_verification", "raising": "error", "slow": "too_slow", "numpy": "ok"}
        assert table.loc[phase]["median_s"].notna().tolist() == [False, False, False, True]
        assert table["message"][phase, "raising"] == "ZeroDivisionError: planted (raising.py, line 5)"
    assert "6 failed, 3 passed, 3 skipped" in done.stdout
    assert about(tmp_path)["complete"] is True
    for line in ("failed_verification: wrong on 2-3-1 x 1 float64", "error: raising on 2-3-1 x 1 float64", "too_slow: slow in 1 cell,"):
        assert line in done.stdout


@pytest.mark.parametrize(("end", "status"), [("SIGKILL", -9), ("SIGINT", 2)])
def test_a_run_that_ends_early_keeps_what_it_had(tmp_path: Path, end: str, status: int) -> None:
    (tmp_path / "ending.py").write_text(ENDING.format(end=end))
    done = pytest_in(tmp_path, *TINY, "--batch", "7", "--kernel", str(tmp_path / "ending.py"), "--kernel", "numpy")
    assert done.returncode == status
    table = summary(tmp_path)
    assert table["status"].tolist() == ["ok"] * 6 + ["not_run"] * 6
    samples = pd.read_csv(tmp_path / "bench" / "latest" / "samples.csv")
    assert samples["kernel"].isin(["ending", "numpy"]).sum() == table["n_samples"].sum() > 0
    run = about(tmp_path)
    assert run["complete"] is False
    assert (run["ended"] is None) == (status == -9)
    assert ("INCOMPLETE" in done.stdout) == (status == 2)


def test_disabled_benchmarks_run_once_and_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "raising.py").write_text(RAISING)
    options = [option for option in TINY if option != "--benchmark-only"]
    done = pytest_in(
        tmp_path, "--benchmark-disable", "-k", "test_speed", *options, "--kernel", str(tmp_path / "raising.py"), "--kernel", "numpy"
    )
    assert done.returncode == 1
    assert "3 failed, 3 passed" in done.stdout
    assert not (tmp_path / "bench").exists()


def test_threads_cells_and_labels(tmp_path: Path) -> None:
    """Another number of threads, a cell beside the grid, a kernel that goes by the floor's name, one that says what it does."""
    (tmp_path / "floor.py").write_text(SPEAKING)
    own = ("--kernel", str(tmp_path / "floor.py"), "--kernel", "numpy")
    done = pytest_in(
        tmp_path, *TINY, *own, "--threads", "1", "--threads", "2", "--cell", "3-2x4", "-k", "step", "--baseline", "floor-kernel"
    )
    assert done.returncode == 0, done.stdout
    table, run = summary(tmp_path), about(tmp_path)
    keys = [(row.layers, row.batch, row.threads, row.kernel) for row in table.itertuples()]
    assert keys == [(layers, b, n, k) for layers, b in (("2-3-1", 1), ("3-2", 4)) for n in (1, 2) for k in ("floor-kernel", "numpy")]
    assert (run["threads"], run["baseline"]) == ([1, 2], "floor-kernel")
    assert set(table["baseline"]) == {"floor-kernel"}
    assert (table["speedup_vs_numpy"] == 1).equals(table["kernel"] == "numpy")
    assert (table["speedup"] == 1).equals(table["kernel"] == "floor-kernel")
    assert table.groupby("threads")["aa_band"].nunique().tolist() == [1, 1]
    assert table.groupby(["layers", "threads"])["aa_ratio"].nunique().tolist() == [1] * 4
    assert run["kernel_paths"] == {"floor-kernel": {"width": 512}}
    assert table["cold_first_call_s"].notna().all()
    assert "2-3-1 x 1 float64 2 threads" in done.stdout
    assert "benchmark '2-3-1 x 1 float64 step'" in done.stdout


def test_a_quick_look_has_the_same_cells_and_no_fresh_processes(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, *TINY, "--quick", "--kernel", "numpy", "--benchmark-max-time", "0.5")
    assert done.returncode == 0, done.stdout
    table, run = summary(tmp_path), about(tmp_path)
    assert table["status"].tolist() == ["ok"] * 3
    assert run["budget"]["total_s"] < 0.1
    assert run["first_calls"] == []
    assert table["cold_first_call_s"].isna().all()
    assert (table["dispatch_s"] > 0).all()


@pytest.mark.parametrize(
    "option",
    [
        ("--layers", "2-0-1"),
        ("--kernel", "no_such_kernel"),
        ("--baseline", "numpi"),
        ("--threads", "0"),
        ("--threads", "x"),
        ("--cell", "2-3-1"),
        ("--cell", "2x3"),
        ("--peer", "tensorflow"),
        ("--processes", "0"),
        ("--cell-limit", "soon"),
    ],
)
def test_a_wrong_option_is_said_in_a_line(tmp_path: Path, option: tuple[str, str]) -> None:
    done = pytest_in(tmp_path, "--benchmark-only", *option)
    assert done.returncode == 4
    assert f"ERROR: {option[0]}: got {option[1]!r}" in done.stderr
    assert not (tmp_path / "bench").exists()

"""A kernel that never returns from native code, or takes its process with it, at its first calls: a status, and the run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench.grid import Cell
from bench.limit import HungError, limited
from bench.trial import DiedError, Trial
from kernels import load
from kernels.vectorised import NumpyKernel

ROOT = Path(__file__).parent.parent
CELL = Cell.of("3-2", "sigmoid", "squared_error", 7, "float64")
OTHER = Cell.of("3-2", "sigmoid", "squared_error", 8, "float64")
FAULTY = """
import ctypes, itertools, os
from kernels.vectorised import NumpyKernel

class Faulty(NumpyKernel):
    def backward(self, theta, a, y):
        if len(y) == 7:
            {fault}
        return super().backward(theta, a, y)
"""
HANGS = "sum(itertools.repeat(0))"  # a loop of C that no signal's handler gets into
CRASHES = "ctypes.string_at(0)"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the faults are those of POSIX systems")


def faulty(folder: Path, fault: str) -> Path:
    path = folder / "faulty.py"
    path.write_text(FAULTY.format(fault=fault))
    return path


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        (HANGS, "timeout", "HungError"),
        (CRASHES, "error", "its process died in the first calls: SIGSEGV"),
    ],
)
def test_it_gets_a_status_and_the_run_goes_on(fault: str, status: str, message: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "bench/", "--benchmark-only", "-q", "-p", "no:cacheprovider", "--results", str(tmp_path)]
    command += ["--kernel", "numpy", "--kernel", str(faulty(tmp_path, fault)), "--layers", "3-2", "--dtype", "float64", "--quick"]
    command += ["--batch", "1", "--batch", "7", "--batch", "8", "--cell-limit", "3"]
    ran = subprocess.run(command, cwd=ROOT, timeout=120, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    table = pd.read_csv(tmp_path / "bench" / "latest" / "summary.csv")
    assert set(table.loc[table["kernel"] == "numpy", "status"]) == {"ok"}
    of = {batch: set(rows["status"]) for batch, rows in table[table["kernel"] == "faulty"].groupby("batch")}
    assert of == {1: {"ok"}, 7: {status}, 8: {"timeout" if status == "timeout" else "ok"}}  # what hung is not tried again
    told = table.loc[(table["kernel"] == "faulty") & (table["batch"] == 7), "message"]
    expected = "still running after 3 s at its first calls and their verification" if status == "timeout" else message
    assert set(told) == {expected}
    assert json.loads((tmp_path / "bench" / "latest" / "run.json").read_text())["complete"]


@pytest.mark.parametrize(("fault", "fate"), [(CRASHES, "SIGSEGV"), ("os._exit(3)", "exit status 3")])
def test_one_process_serves_until_it_dies_and_then_another(fault: str, fate: str, tmp_path: Path) -> None:
    trial = Trial()
    mine = load(str(faulty(tmp_path, fault)))
    try:
        trial.of("faulty", mine)(OTHER)
        first = trial._process.pid
        trial.of("faulty", mine)(OTHER)
        assert trial._process.pid == first
        with pytest.raises(DiedError, match=fate):
            trial.of("faulty", mine)(CELL)
        trial.of("faulty", mine)(OTHER)
        assert trial._process.pid != first
    finally:
        trial.close()
    assert trial._process is None


def test_what_hangs_there_is_ended_with_its_process(tmp_path: Path) -> None:
    trial = Trial()
    rehearse = trial.of("faulty", load(str(faulty(tmp_path, HANGS))))
    pid = trial._process.pid
    with pytest.raises(HungError), limited(0.5):
        rehearse(CELL)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_where_no_process_can_begin_there_is_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.trial._serve", os._exit)  # it gets a pipe for a status, and dies of it
    trial = Trial()
    trial.of("faulty", load(str(faulty(tmp_path, CRASHES))))(CELL)
    assert trial._process is None


def test_what_it_raises_is_left_for_the_calls_here(tmp_path: Path) -> None:
    trial = Trial()
    try:
        trial.of("faulty", load(str(faulty(tmp_path, "raise ValueError('no')"))))(CELL)
        trial.of("faulty", load(str(faulty(tmp_path, "raise SystemExit(1)"))))(CELL)
        trial.of("faulty", load(str(faulty(tmp_path, "raise KeyboardInterrupt"))))(CELL)
    finally:
        trial.close()


def test_the_suite_s_own_and_what_cannot_be_loaded_elsewhere_need_no_process() -> None:
    trial = Trial()
    trial.of("numpy", NumpyKernel)(CELL)
    trial.of("mine", type("Mine", (NumpyKernel,), {"__module__": "nowhere"}))(CELL)
    assert trial._process is None

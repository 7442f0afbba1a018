"""Kernels that hang or take their process with them, at their first calls or amid their turns: a status, and the run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.result import AA_INSTANCE, FLOOR, Admitted, Result
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.tables.rebuild import rebuild
from deltacheck.bench.timing.samples_file import begin_samples, read_samples
from deltacheck.bench.timing.step_time_estimates import StepTimes

BENCH = Path(__file__).parents[1]
CELL = Cell.of("3-2", "sigmoid", "squared_error", 7, "float64")
OTHER = Cell.of("3-2", "sigmoid", "squared_error", 8, "float64")
BUDGET = Budget(total_s=0.02, limit_s=2.5)
FAULTY = """
import ctypes, itertools, os, time
from pathlib import Path
from deltacheck.kernels.vectorised import NumpyKernel

class Faulty(NumpyKernel):
    calls = 0
    def backward(self, theta, a, y):
        Faulty.calls += 1
        if len(y) == 7 and {when}:
            {fault}
        return super().backward(theta, a, y)
"""
SECOND = """
import time
from deltacheck.kernels.vectorised import NumpyKernel

class Second(NumpyKernel):
    made = calls = 0
    def value_and_grad(self, theta, x, y):
        self.calls += 1
        Second.made += self.calls == 1
        if self.calls == 1: self.nth = Second.made
        if self.nth == 2 and self.calls > 10: time.sleep(1e9)
        return super().value_and_grad(theta, x, y)
"""
SHY = """
import time
from deltacheck.kernels.vectorised import NumpyKernel
class Shy(NumpyKernel):
    @staticmethod
    def about():
        time.sleep(1e9)
"""
FIRST, AMID = "True", "Faulty.calls > 100"
HANGS = "sum(itertools.repeat(0))"  # a loop of C that no signal's handler gets into
SLEEPS = "time.sleep(1e9)"
CRASHES = "ctypes.string_at(0)"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the faults are those of POSIX systems")


def faulty(folder: Path, fault: str, when: str = FIRST) -> str:
    path = folder / "faulty.py"
    path.write_text(FAULTY.format(fault=fault, when=when))
    return str(path)


@pytest.fixture
def closing() -> Iterator[list[Processes]]:
    """What is to be closed afterwards."""
    begun: list[Processes] = []
    yield begun
    for processes in begun:
        processes.close()


def begun(closing: list[Processes], folder: Path, *kernels: str, baseline: str = "numpy") -> Processes:
    processes = Processes(Contenders(kernels), baseline)
    processes.samples = folder / "samples.csv", "a run"
    begin_samples(folder / "samples.csv")
    closing.append(processes)
    processes.start()
    return processes


def swept(processes: Processes, admitted: dict[str, Admitted], sweeps: int = 2) -> dict[str, dict[str, Result]]:
    """The results of all phases of the cell, from so many processes."""
    results = {phase: {name: of[phase] for name, of in admitted.items()} for phase in PHASES}
    for sweep in range(sweeps):
        if sweep:
            processes.renew()
        results = {phase: processes.time(CELL, phase, of, BUDGET) for phase, of in results.items()}
    return results


@pytest.mark.parametrize("when", [FIRST, AMID])
@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        (HANGS, "timeout", "still running after 2.5 s {} (faulty.py, line 11 in backward)"),
        (SLEEPS, "timeout", "still running after 2.5 s {} (faulty.py, line 11 in backward)"),
        (CRASHES, "error", "its process died {}: SIGSEGV"),
        ("os._exit(3)", "error", "its process died {}: exit status 3"),
    ],
)
def test_a_fault_is_a_status_and_costs_nobody_else_a_thing(
    closing: list[Processes], tmp_path: Path, when: str, fault: str, status: str, message: str
) -> None:
    processes = begun(closing, tmp_path, "numpy", faulty(tmp_path, fault, when))
    names = ["numpy", "faulty"]
    admitted = processes.admit(CELL, names, BUDGET, StepTimes())
    assert {result.status for result in admitted["numpy"].values()} == {"ok"}
    assert {result.status for result in admitted["faulty"].values()} == {status if when == FIRST else "ok"}
    results = swept(processes, admitted)
    for phase, of in results.items():
        assert (of["numpy"].status, of[AA_INSTANCE].status, of[FLOOR].status) == ("ok", "ok", "ok"), phase
        assert len(of["numpy"].turns) == len(of[AA_INSTANCE].turns) >= 7
        assert len({turn.process for turn in of["numpy"].turns}) >= 2
        assert len({turn.round for turn in of["numpy"].turns}) == len(of["numpy"].turns)
    failed = {phase: of["faulty"] for phase, of in results.items() if of["faulty"].status != "ok"}
    assert "backward" in failed
    assert not any(result.turns for result in failed.values())
    told = "at its first calls and their verification" if when == FIRST else "in backward"
    assert failed["backward"].message == message.format(told)
    saved = read_samples(tmp_path / "samples.csv")
    assert {phase: tuple(saved[CELL, phase]["numpy"]) for phase in PHASES} == {phase: of["numpy"].turns for phase, of in results.items()}
    later = processes.admit(OTHER, names, BUDGET, StepTimes())["faulty"]["step"]  # what hung is not tried again
    assert (later.status, later.message[:22]) == (("timeout", "not tried: it hung on ") if status == "timeout" else ("ok", ""))


def test_one_that_fails_in_another_process_alone_has_no_time(closing: list[Processes], tmp_path: Path) -> None:
    once = f"Path({str(tmp_path / 'first')!r})"
    when = f"({once}.exists() and {once}.read_text() != str(os.getpid()) or {once}.write_text(str(os.getpid())) == 0)"
    processes = begun(closing, tmp_path, "numpy", faulty(tmp_path, "raise ValueError('planted')", when))
    admitted = processes.admit(CELL, ["numpy", "faulty"], BUDGET, StepTimes())
    assert admitted["faulty"]["step"].status == "ok"
    for of in swept(processes, admitted).values():
        found = of["faulty"]
        assert (found.status, found.turns, found.message) == ("error", (), "ValueError: planted (faulty.py, line 11)")


def test_where_the_second_entry_hangs_it_is_the_kernel_that_does(closing: list[Processes], tmp_path: Path) -> None:
    (tmp_path / "second.py").write_text(SECOND)
    processes = begun(closing, tmp_path, str(tmp_path / "second.py"), "naive", baseline="second")
    admitted = processes.admit(CELL, ["second", "naive"], BUDGET, StepTimes(), verified=False)
    found = processes.time(CELL, "step", {name: of["step"] for name, of in admitted.items()}, BUDGET)
    assert {name: result.status for name, result in found.items()} == {
        "second": "timeout",
        "naive": "ok",
        AA_INSTANCE: "timeout",
        FLOOR: "ok",
    }
    assert "in step (second.py, line 11 in value_and_grad)" in found["second"].message
    assert not found[AA_INSTANCE].turns


def test_the_second_entry_is_that_of_the_first_whoever_came_first_there(closing: list[Processes], tmp_path: Path) -> None:
    """A process that is lost at first calls leaves one that some have yet to enter."""
    crash = faulty(tmp_path, CRASHES)
    processes = begun(closing, tmp_path, "numpy", crash, "naive", baseline="none")
    admitted = processes.admit(CELL, ["numpy", "faulty", "naive"], BUDGET, StepTimes())
    found = swept(processes, admitted)["forward"]
    seconds = {name: np.median([turn.seconds for turn in found[name].turns]) for name in ("numpy", "naive", AA_INSTANCE)}
    assert abs(np.log(seconds[AA_INSTANCE] / seconds["numpy"])) < abs(np.log(seconds[AA_INSTANCE] / seconds["naive"]))
    assert len(found[AA_INSTANCE].turns) == len(found["numpy"].turns)


def test_what_hung_keeps_the_turns_that_it_has_and_is_not_tried_again(closing: list[Processes], tmp_path: Path) -> None:
    processes = begun(closing, tmp_path, "numpy", faulty(tmp_path, SLEEPS, f"Path({str(tmp_path / 'now')!r}).exists()"))
    admitted = processes.admit(CELL, ["numpy", "faulty"], BUDGET, StepTimes())
    results = {phase: {name: of[phase] for name, of in admitted.items()} for phase in PHASES}
    first = {phase: processes.time(CELL, phase, of, BUDGET) for phase, of in results.items()}
    (tmp_path / "now").touch()
    second = {phase: processes.time(CELL, phase, of, BUDGET) for phase, of in first.items()}
    assert second["backward"]["faulty"].status == "timeout"
    for phase in ("forward", "step"):
        assert second[phase]["faulty"].status == "ok"
        assert len(second[phase]["numpy"].turns) > len(first[phase]["numpy"].turns)
    assert second["step"]["faulty"].turns == first["step"]["faulty"].turns
    began = time.monotonic()
    processes.renew()
    third = processes.time(CELL, "step", second["step"], BUDGET)
    assert time.monotonic() - began < 30
    assert third["faulty"].turns == first["step"]["faulty"].turns


@pytest.mark.parametrize("work", ["multiprocessing.Pool(2).map(abs, [1, -1])", "os.fork() or os._exit(0)"])
def test_kernels_may_have_processes_of_their_own(closing: list[Processes], tmp_path: Path, work: str) -> None:
    name = faulty(tmp_path, f"import multiprocessing; Faulty.done = Faulty.calls == 1 and ({work})")
    processes = begun(closing, tmp_path, "numpy", name)
    found = swept(processes, processes.admit(CELL, ["numpy", "faulty"], BUDGET, StepTimes()))
    assert [found[phase]["faulty"].status for phase in PHASES] == ["ok"] * 3


def test_a_crash_is_none_the_less_one_where_a_child_lives_on(closing: list[Processes], tmp_path: Path) -> None:
    processes = begun(closing, tmp_path, "numpy", faulty(tmp_path, f"os.fork() or time.sleep(20); {CRASHES}"))
    found = processes.admit(CELL, ["numpy", "faulty"], Budget(limit_s=15.0), StepTimes())["faulty"]["step"]
    assert (found.status, found.message) == ("error", "its process died at its first calls and their verification: SIGSEGV")


def test_an_about_that_hangs_is_not_asked_again(closing: list[Processes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltacheck.bench.processes.process_sequence.TELL_S", 0.5)
    (tmp_path / "shy.py").write_text(SHY)
    processes = begun(closing, tmp_path, str(tmp_path / "shy.py"))
    assert (processes.tell(), processes.tell()) == ({}, {})
    assert processes.admit(CELL, ["shy"], BUDGET, StepTimes())["shy"]["step"].status == "ok"
    going_on = processes._process
    assert processes.tell() == {}
    assert processes._process is going_on is not None


def test_a_run_with_faults_is_complete_and_its_tables_can_be_made_anew(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", str(BENCH), "--benchmark-only", "-q", "-p", "no:cacheprovider", "--results", str(tmp_path)]
    command += ["--kernel", "numpy", "--kernel", faulty(tmp_path, CRASHES, AMID), "--layers", "3-2", "--dtype", "float64", "--quick"]
    command += ["--batch", "1", "--batch", "7", "--batch", "8", "--cell-limit", "3", "--processes", "2"]
    ran = subprocess.run(command, cwd=tmp_path, timeout=120, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    folder = tmp_path / "bench" / "latest"
    text = (folder / "summary.csv").read_bytes()
    table = pd.read_csv(folder / "summary.csv")
    assert set(table.loc[table["kernel"] == "numpy", "status"]) == {"ok"}
    of = table[table["kernel"] == "faulty"].groupby("batch")["status"].agg(set).to_dict()
    assert (of[1], of[8]) == ({"ok"}, {"ok"})
    assert "error" in of[7]
    about = json.loads((folder / "run.json").read_text())
    assert (about["complete"], about["processes"]) == (True, 2)
    rebuild(folder.resolve())
    assert (folder / "summary.csv").read_bytes() == text


def test_whoever_takes_turns_does_not_hang(closing: list[Processes], tmp_path: Path) -> None:
    """The limit is for one turn, not for all of them."""
    processes = begun(closing, tmp_path, "numpy")
    budget = Budget(total_s=1.5, limit_s=0.5, max_rounds=10**6)
    admitted = processes.admit(CELL, ["numpy"], budget, StepTimes())["numpy"]
    assert processes.time(CELL, "step", {"numpy": admitted["step"]}, budget)["numpy"].status == "ok"


def test_one_that_somebody_killed_is_replaced(closing: list[Processes], tmp_path: Path) -> None:
    processes = begun(closing, tmp_path, "numpy")

    def kill() -> None:
        assert processes._process is not None
        processes._process._process.kill()
        processes._process._process.join()

    admitted = processes.admit(CELL, ["numpy"], BUDGET, StepTimes())
    kill()
    assert processes.time(CELL, "step", {"numpy": admitted["numpy"]["step"]}, BUDGET)["numpy"].status == "ok"
    assert processes.warnings == [f"{CELL}: a process was gone, and another began in its place"]
    kill()
    assert processes.tell() == {}
    assert processes.admit(OTHER, ["numpy"], BUDGET, StepTimes())["numpy"]["step"].status == "ok"


def test_a_script_that_runs_pytest_needs_no_guard(tmp_path: Path) -> None:
    options = [
        str(BENCH),
        "--benchmark-only",
        "--quick",
        "--layers",
        "2-3-1",
        "--batch",
        "1",
        "--kernel",
        "numpy",
        "-p",
        "no:cacheprovider",
    ]
    script = tmp_path / "script.py"
    script.write_text(f"import pytest, sys\nsys.exit(pytest.main({[*options, '--results', str(tmp_path)]}))\n")
    ran = subprocess.run([sys.executable, str(script)], cwd=tmp_path, timeout=120, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert set(pd.read_csv(tmp_path / "bench" / "latest" / "summary.csv")["status"]) == {"ok"}


def test_ctrl_c_is_for_the_run(closing: list[Processes], tmp_path: Path) -> None:
    processes = begun(closing, tmp_path, "numpy")
    admitted = processes.admit(CELL, ["numpy"], BUDGET, StepTimes())
    going_on = processes._process
    assert going_on is not None
    os.kill(going_on._process.pid or 0, signal.SIGINT)
    assert processes.time(CELL, "step", {"numpy": admitted["numpy"]["step"]}, BUDGET)["numpy"].status == "ok"
    assert processes._process is going_on
    assert processes.warnings == []


def test_where_no_process_can_begin_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltacheck.bench.processes.child_process.serve", os._exit)  # it gets a pipe for a status, and dies of it
    with pytest.raises(RuntimeError, match="no process for the kernels could begin: its process died: exit status"):
        Processes(Contenders(("numpy",))).start()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no system call says so")
def test_a_run_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    fault = f"Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); {HANGS}"
    command = [sys.executable, "-m", "pytest", str(BENCH), "--benchmark-only", "-q", "-p", "no:cacheprovider", "--results", str(tmp_path)]
    command += ["--kernel", faulty(tmp_path, fault), "--layers", "3-2", "--batch", "7", "--quick"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as run:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert run.poll() is None
            time.sleep(0.1)
        run.send_signal(signal.SIGKILL)
    for _ in range(100):
        state = Path("/proc") / (tmp_path / "pid").read_text() / "stat"
        if not state.exists() or state.read_text().rpartition(") ")[2][0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("it is still there")

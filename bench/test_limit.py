"""Contenders that hang: a status, and the run goes on; in native code, the end of the run with a word of where."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.contest import Contest
from bench.grid import Cell
from bench.limit import HungError, limit_of, limited, usual_limit
from bench.measure import Budget
from bench.reach import Reach
from kernels.vectorised import NumpyKernel

ROOT = Path(__file__).parent.parent
CELLS = [Cell.of("3-2", "sigmoid", "squared_error", batch, "float64") for batch in (1, 2)]
SMALL = Budget(total_s=0.02, limit_s=0.5)

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="without SIGALRM nothing is ended")


def hang() -> None:
    while True:
        try:
            time.sleep(1e9)
        except Exception:  # as careless code does
            continue


class Hanging(NumpyKernel):
    """Hangs in a pass, at a call that is counted over all instances."""

    where, at = "forward", 1
    calls = 0

    def forward(self, theta, x):
        return self._perhaps("forward", super().forward(theta, x))

    def backward(self, theta, a, y):
        return self._perhaps("backward", super().backward(theta, a, y))

    def value_and_grad(self, theta, x, y):
        return self._perhaps("value_and_grad", super().value_and_grad(theta, x, y))

    def _perhaps(self, where, result):
        if where == self.where:
            type(self).calls += 1
            if type(self).calls >= self.at:
                hang()
        return result


@pytest.mark.parametrize("where", ["forward", "backward", "value_and_grad"])
@pytest.mark.parametrize("at", [1, 2, 200])
def test_a_kernel_that_hangs_gets_a_status_and_is_not_tried_again(where: str, at: int) -> None:
    kernel = type("Mine", (Hanging,), {"where": where, "at": at, "calls": 0})
    reach = Reach()
    first, second = (Contest(cell, {"numpy": NumpyKernel, "mine": kernel}, SMALL, reach) for cell in CELLS)
    phases = {phase: first.run(phase) for phase in ("forward", "backward", "step")}
    assert all(results["numpy"].status == "ok" and results["numpy"].turns for results in phases.values())
    hung = [results["mine"] for results in phases.values() if results["mine"].status == "timeout"]
    if at < 200:
        assert hung
        assert "still running after 0.5 s" in hung[0].message
        assert not any(result.turns for result in hung)
        later = Contest(CELLS[1], {"numpy": NumpyKernel, "mine": kernel}, SMALL, reach).run("step")
        assert later["mine"].status == "timeout"
        assert later["mine"].message.startswith("not tried: it hung on 3-2 x 1 float64")
    else:  # some way into the turns, of this cell or the other
        assert hung or second.run("step")["mine"].status in ("ok", "timeout")


def test_a_block_in_time_is_left_alone_and_the_alarm_is_off_afterwards() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with limited(60):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
    with pytest.raises(HungError, match=r"still running after 0\.05 s"), limited(0.05):
        hang()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_in_another_thread_nothing_is_limited_and_nothing_fails() -> None:
    done = []

    def work() -> None:
        with limited(1e-3):
            time.sleep(0.01)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_limit_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"--cell-limit: got '{text}'; expected a number of seconds, more than 0"):
        limit_of(text)
    assert limit_of("2.5") == 2.5
    assert limit_of(None) is None


def test_where_calls_may_take_long_the_limit_is_longer() -> None:
    assert usual_limit(0.5) == 120
    assert usual_limit(10) >= 2 * 20 * 10


NATIVE = """
import ctypes, multiprocessing
import numpy as np
from numba import njit
from kernels.vectorised import NumpyKernel

@njit("void(int64[:])")
def loop(a):
    while a[0] == 0:
        a[1] += 1

class Native(NumpyKernel):
    def value_and_grad(self, theta, x, y):
        if len(x) == 7 and multiprocessing.parent_process() is None:  # not at its trial
            {fault}
        return super().value_and_grad(theta, x, y)
"""
FAULTS = {
    "hangs": "loop(np.zeros(2, np.int64))",
    "crashes": "ctypes.string_at(0)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="by functions of the C library")
@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_come_back_after_its_trial_ends_the_run_and_keeps_the_cells_before(fault: str, tmp_path: Path) -> None:
    kernel = tmp_path / "native.py"
    kernel.write_text(NATIVE.format(fault=FAULTS[fault]))
    command = [sys.executable, "-m", "pytest", "bench/", "--benchmark-only", "-q", "-p", "no:cacheprovider", "--results", str(tmp_path)]
    command += ["--kernel", "numpy", "--kernel", str(kernel), "--layers", "3-2", "--batch", "1", "--batch", "7", "--dtype", "float64"]
    ran = subprocess.run([*command, "--quick", "--cell-limit", "4"], cwd=ROOT, timeout=120, capture_output=True, text=True)
    assert ran.returncode not in (0, 5)
    assert "native.py" in ran.stderr  # the stack: who it was
    (folder,) = (tmp_path / "bench").glob("2*")
    for again in range(2):
        table = pd.read_csv(folder / "summary.csv")
        assert set(table.loc[table["batch"] == 1, "status"]) == {"ok"}
        assert set(table.loc[table["batch"] == 7, "status"]) == {"not_run"}
        assert np.isfinite(table.loc[table["batch"] == 1, "median_s"]).all()
        if not again:
            subprocess.run([sys.executable, "-m", "bench.report", str(folder)], cwd=ROOT, timeout=120, check=True, capture_output=True)
    assert '"complete": false' in (folder / "run.json").read_text()


def test_time_in_which_the_process_was_halted_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("bench.limit.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("bench.limit.signal.setitimer", lambda *arguments: (0.0, 0.0))  # the test rings itself

    def ring(*gaps: float) -> None:
        for seconds in gaps:
            clock[0] += seconds
            signal.raise_signal(signal.SIGALRM)

    with limited(100.0):
        ring(1.0, 1.0, 3600.0, *[1.0] * 95)
    with pytest.raises(HungError), limited(100.0):
        ring(1.0, 1.0, 3600.0, *[1.0] * 96)


def test_an_earlier_timer_is_put_back() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        with limited(10):
            assert signal.getitimer(signal.ITIMER_REAL)[0] <= 10
        assert 10 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with limited(10):  # the earlier one comes first
            time.sleep(0.2)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_disabled_benchmarks_are_held_to_it_too(tmp_path: Path) -> None:
    lines = [
        "from kernels.vectorised import NumpyKernel",
        "class Mine(NumpyKernel):",
        "    def forward(self, theta, x):",
        "        while True: pass",
    ]
    (tmp_path / "mine.py").write_text("\n".join(lines))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "bench/test_benchmark.py",
        "--benchmark-disable",
        "--layers",
        "2-3-1",
    ]
    command += ["--batch", "1", "--dtype", "float64", "--kernel", str(tmp_path / "mine.py"), "--cell-limit", "0.5"]
    done = subprocess.run(command, cwd=ROOT, timeout=120, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.count("timeout: still running after 0.5 s") >= 3


ALIVE = """
import time
from bench.limit import last_resort, limited
with last_resort(0.2):
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        {turn}
print("through")
"""


@pytest.mark.parametrize("alive", [True, False])
def test_the_last_resort_is_for_what_gives_no_sign_of_life(alive: bool) -> None:
    turn = "with limited(5): time.sleep(0.01)" if alive else "time.sleep(0.01)"
    code = "import bench.limit; bench.limit.AGAIN_S = 0.05\n" + ALIVE.format(turn=turn)
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, capture_output=True, text=True)
    assert (ran.stdout == "through\n") == alive
    assert ("Timeout" in ran.stderr) != alive


def test_after_ctrl_z_a_run_goes_on() -> None:
    code = "import bench.limit; bench.limit.AGAIN_S = 0.05\n" + ALIVE.format(
        turn="with limited(5): print('in', flush=True); time.sleep(0.01)"
    )
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    # In a group of its own: the system does not stop one that no shell is there to go on with.
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, process_group=0) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.send_signal(signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(run.pid, os.WUNTRACED)[1])
        time.sleep(1)  # over twice its patience
        run.send_signal(signal.SIGCONT)
        out, err = run.communicate(timeout=60)
    assert out.endswith("through\n"), err

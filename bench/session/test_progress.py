"""What is said of a run's standing; how it looks in a terminal and in a file is part of ``test_suite``."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deltacheck.bench.session.progress import Progress, duration
from deltacheck.bench.session.test_command_line import BENCH, TINY

SPEAKING = """
from deltacheck.kernels.vectorised import NumpyKernel
class Speaking(NumpyKernel):
    def forward(self, theta, x):
        print("hello from the kernel")
        return super().forward(theta, x)
"""


def test_the_time_left_is_by_what_cells_took_without_the_one_that_compiled() -> None:
    times = iter([0.0, 90.0, 100.0, 101.0, 104.0, 106.0, 109.0])
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=lambda name: None), getoption=lambda name, default: "fd")
    progress = Progress(config, 6, 3, lambda: next(times))
    said = []
    for lap in (progress.admitted, progress.advance, progress.admitted, progress.advance, progress.advance):
        lap()
        said.append(progress.standings()[0])
    assert said == [
        "0 of 6 done, 6 to go",
        "1 of 6 done, 5 to go",
        "1 of 6 done, 5 to go",
        "2 of 6 done, 4 to go, about 13 s left",  # 4 of 3 s, a cell to verify of 1 s
        "3 of 6 done, 3 to go, about 8 s left",  # 3 of 2.5 s, 1 s
    ]


def test_durations() -> None:
    assert [duration(s) for s in (0.4, 59.4, 60, 130)] == ["0 s", "59 s", "1 min 0 s", "2 min 10 s"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("columns", "term", "options"),
    [(100, "xterm", ()), (60, "xterm", ("-q",)), (34, "xterm", ()), (100, "dumb", ()), (100, "xterm", ("-v",)), (100, "xterm", ("-s",))],
)
def test_in_a_terminal_a_line_is_written_over_and_never_wraps(tmp_path: Path, columns: int, term: str, options: tuple[str, ...]) -> None:
    import fcntl
    import pty
    import termios

    (tmp_path / "speaking.py").write_text(SPEAKING)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    own = ("--kernel", str(tmp_path / "speaking.py"), "--batch", "7", "--processes", "2", "--results", str(tmp_path), *options)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(BENCH), *TINY, *own]
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "CI")} | {"TERM": term}
    run = subprocess.Popen(command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # as Linux tells that the other end is closed
            break
        if not read:
            break
        shown += read
    os.close(ours)
    assert run.wait(60) == 0
    lines = shown.decode().replace("\r\n", "\n").split("\n")
    over = [part for line in lines for part in line.split("\r")[1:] if " of 12" in part]  # pytest writes over a line of its own
    live = term != "dumb" and options in ((), ("-q",))
    assert (len(over) > 12) == live
    assert {len(part) for part in over} == ({columns - 1} if live else set())
    assert any("2-3-1 x 7" in line.split("\r")[-1] and "6 of 12" in line for line in lines)
    assert any("process 2 of 2" in line.split("\r")[-1] and "12 of 12" in line for line in lines)
    assert ("hello from the kernel" in shown.decode()) == (options == ("-s",))


def test_without_pytest_s_terminal_nothing_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:terminal", str(BENCH), *TINY]
    command += ["--kernel", "numpy", "--results", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list(tmp_path.glob("bench/2*/run.json"))) == 1

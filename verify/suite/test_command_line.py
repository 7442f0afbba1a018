"""`pytest verify/` as a user runs it: exit statuses, the place of a failure, the table, one line for a wrong option."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from deltacheck.examples import my_kernel

VERIFY = Path(__file__).parents[1]
MINE = Path(my_kernel.__file__)
HANGING = """def backward(self, theta, a, y):
        import pathlib
        while True:
            pathlib.Path(__file__).with_name("endless_is_at_it").touch()
"""


def run(tmp_path, *options):
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(VERIFY),
        "-q",
        "-p",
        "no:cacheprovider",
        "--results",
        str(tmp_path / "results"),
        *options,
    ]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)


@pytest.fixture
def wrong(tmp_path):
    """The smallest kernel with one wrong line, outside of the repository."""
    text = MINE.read_text()
    assert text.count("w[i].T") == 1
    path = tmp_path / "wrong_kernel.py"
    path.write_text(text.replace("w[i].T", "w[i]"))
    return path


def test_a_right_kernel_passes_and_a_wrong_one_fails_with_the_place(tmp_path, wrong):
    right = run(tmp_path, "--kernel", str(MINE), "-k", "equal-widths")
    assert right.returncode == 0, right.stdout
    table = pd.read_csv(tmp_path / "results" / "verify" / "latest" / "verification.csv")
    assert (table["verdict"] == "pass").all()
    assert set(table["block"]) >= {"output", "cost", "dC/dw_0", "dC/db_0", "dC/dw_1", "dC/db_1"}
    assert set(table["dtype"]) == {"float32", "float64"}
    assert table.loc[table["block"] == "dC/dw_0", "smallest_detectable"].max() < 1e-4

    failed = run(tmp_path, "--kernel", str(wrong), "--dtype", "float64", "-k", "float64-equal-widths")
    assert failed.returncode == 1
    assert "wrong_kernel fails in float64 at equal-widths" in failed.stdout
    assert "diagnosis: δ goes back through w_1, not through its transpose" in failed.stdout
    assert "fail: dC/dw_0[" in failed.stdout
    assert "\n  why this case: a missing transpose is a wrong number here" in failed.stdout
    of_test = failed.stdout.index("suite/test_kernels.py::test_kernel[float64-equal-widths")
    assert of_test < failed.stdout.index("= verdicts =")  # the table is what one sees last
    assert "Traceback" not in failed.stdout + failed.stderr
    table = pd.read_csv(tmp_path / "results" / "verify" / "latest" / "verification.csv")
    by_block = table[table["kernel"] == "wrong_kernel"].drop_duplicates("block").set_index("block")
    assert by_block.loc["dC/dw_0", "verdict"] == "fail"
    assert by_block.loc["dC/dw_0", "diagnosis"] == "transposed"
    assert by_block.loc["dC/dw_1", "verdict"] == "pass"
    assert len(list((tmp_path / "results" / "verify").glob("2*"))) == 2, "a folder for each run"


@pytest.mark.skipif(sys.platform == "win32", reason="the signal of Ctrl-C")
def test_ctrl_c_says_what_was_being_judged(tmp_path):
    path = tmp_path / "endless.py"
    path.write_text(MINE.read_text().replace("def backward(self, theta, a, y):", HANGING))
    assert HANGING in path.read_text()
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(VERIFY),
        "-q",
        "-p",
        "no:cacheprovider",
        "--results",
        str(tmp_path),
        "--kernel",
        str(path),
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        while not (tmp_path / "endless_is_at_it").exists():
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "\ninterrupted while judging endless in float64 at equal-widths (3-3-3 sigmoid squared_error, batch 5)\n" in out


def test_a_network_of_ones_own(tmp_path):
    found = run(tmp_path, "--kernel", "numpy", "--layers", "6-5-4", "--batch", "3", "--activation", "tanh,relu", "--dtype", "float32")
    assert found.returncode == 0, found.stdout
    table = pd.read_csv(tmp_path / "results" / "verify" / "latest" / "verification.csv")
    assert set(table["layers"]) == {"6-5-4"}
    assert set(table["activation"]) == {"tanh,relu"}
    assert set(table["batch"]) == {3}
    assert set(table["dtype"]) == {"float32"}
    assert "-weights-x3" in " ".join(table["case"])


def test_a_kernel_that_supports_nothing_is_no_success(tmp_path):
    path = tmp_path / "shy.py"
    path.write_text(
        "class Shy:\n"
        "    def __init__(self, network): raise NotImplementedError('later')\n"
        "    def forward(self, theta, x): pass\n"
        "    def backward(self, theta, a, y): pass\n"
    )
    found = run(tmp_path, "--kernel", str(path), "-k", "equal-widths")
    assert found.returncode == 1
    assert "shy: no case was judged, so this is no success" in found.stdout


WRONG = {
    ("--kernel", "nampy"): "--kernel: got 'nampy', which is neither a built-in name nor a module",
    ("--kernel", "deltacheck.kernels.network"): "--kernel: deltacheck.kernels.network holds no class with forward(theta, x)",
    ("--layers", "3"): "--layers: got '3'; expected at least two whole numbers",
    ("--batch", "-1"): "batch",
    ("--results", str(MINE)): "is a file; expected a folder",
    ("--results", str(MINE / "below")): "cannot be made: Not a directory",
}
EACH = """import sys, pytest
for options in {each!r}:
    print("status", int(pytest.main([{folder!r}, "-q", "-p", "no:cacheprovider", "--results", {results!r}, *options])), flush=True)
    print("end of it", flush=True)
    print("end of it", file=sys.stderr, flush=True)
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """The status and all that was said for each of the wrong options, which one process is given one after the other."""
    folder = tmp_path_factory.mktemp("refused")
    script = EACH.format(each=list(WRONG), folder=str(VERIFY), results=str(folder / "results"))
    ran = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120)
    said = zip(*(text.split("end of it\n") for text in (ran.stdout, ran.stderr)), strict=True)
    return dict(zip(WRONG, ("".join(both) for both in said), strict=False))


@pytest.mark.parametrize("options", WRONG, ids="-".join)
def test_a_wrong_option_is_one_clear_line_and_status_4(refused, options):
    output = refused[options]
    assert "status 4" in output
    assert WRONG[options] in output
    assert "Traceback" not in output
    assert sum("ERROR" in line or "error:" in line for line in output.splitlines()) == 1

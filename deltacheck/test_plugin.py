"""The pytest plugin: there where a suite is collected, from any folder, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import deltacheck
from deltacheck.examples import my_kernel

KERNEL = ("--kernel", my_kernel.__file__, "--dtype", "float64", "-k", "equal-widths")
OWN = """
import sys

def test_own(pytestconfig):
    loaded = [name for name in sys.modules if name.startswith("deltacheck.") and name != "deltacheck.plugin"]
    assert loaded == []
    assert pytestconfig.getoption("--kernel", "no such option") == {expected!r}
"""
OPTIONS = """
def pytest_addoption(parser):
    parser.addoption("--kernel", default="mine")
    parser.addoption("--results")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_a_suite_runs_from_any_folder_and_writes_there(tmp_path: Path) -> None:
    ran = run(tmp_path, "--pyargs", "deltacheck.verify", *KERNEL)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "results/verify/latest/verification.csv").exists()


def test_one_file_of_a_suite_is_enough(tmp_path: Path) -> None:
    ran = run(tmp_path, "--pyargs", "deltacheck.verify.suite.test_kernels", *KERNEL)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(("conftest", "expected"), [("", "no such option"), (OPTIONS, "mine")])
def test_another_project_does_not_notice(tmp_path: Path, conftest: str, expected: str) -> None:
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_own.py").write_text(OWN.format(expected=expected))
    assert run(tmp_path).returncode == 0
    assert run(tmp_path, ".").returncode == 0
    assert run(tmp_path, "test_own.py::test_own").returncode == 0


def test_an_option_that_another_plugin_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(OPTIONS)
    ran = run(tmp_path, "-p", "other", "--pyargs", "deltacheck.verify", *KERNEL)
    assert ran.returncode == 4
    assert "--kernel: another pytest plugin has an option of this name" in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_what_can_be_imported() -> None:
    assert {name for name in deltacheck.__all__ if getattr(deltacheck, name) is None} == set()
    assert set(deltacheck.__all__) <= set(dir(deltacheck))
    with pytest.raises(AttributeError, match="has no attribute 'check_gradients'"):
        deltacheck.check_gradients  # noqa: B018


def test_importing_it_loads_nothing_that_is_slow() -> None:
    heavy = ("numba", "pandas", "matplotlib", "scipy", "pytest", "torch", "jax")
    code = f"import sys, deltacheck; from deltacheck import *; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"

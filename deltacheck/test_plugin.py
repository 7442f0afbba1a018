"""The pytest plugin: there where a suite is collected, from any folder, and nowhere else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import deltacheck
import deltacheck.verify
from deltacheck.examples import my_kernel
from deltacheck.plugin import WITH_VALUE

KERNEL = ("--kernel", "mine.py", "--dtype", "float64", "-k", "equal-widths")
VERIFY = Path(deltacheck.verify.__file__).parent
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of somebody's, with a kernel in it."""
    shutil.copy(my_kernel.__file__, tmp_path / "mine.py")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in a folder, which is not on the path itself (-P), as with the command ``pytest``."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_a_suite_runs_from_any_folder_and_writes_there(folder: Path) -> None:
    ran = run(folder, "--pyargs", "deltacheck.verify", *KERNEL)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (folder / "results/verify/latest/verification.csv").exists()


def test_one_file_of_a_suite_is_enough(folder: Path) -> None:
    ran = run(folder, "--pyargs", "deltacheck.verify.suite.test_kernels", *KERNEL)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(("conftest", "expected"), [("", "no such option"), (OPTIONS, "mine")])
def test_another_project_does_not_notice(folder: Path, conftest: str, expected: str) -> None:
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_own.py").write_text(OWN.format(expected=expected))
    assert run(folder).returncode == 0
    assert run(folder, ".").returncode == 0
    assert run(folder, "test_own.py::test_own").returncode == 0


@pytest.mark.parametrize("name", ["other.py", "conftest.py"])
def test_an_option_that_somebody_else_has_is_named(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    (folder / name).write_text(OPTIONS)
    ran = run(folder, *["-p", "other"] * (name == "other.py"), "--pyargs", "deltacheck.verify", *KERNEL)
    assert ran.returncode == 4
    assert "--kernel: a conftest.py here, or another pytest plugin, has an option of this name" in ran.stderr
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


def test_a_value_is_no_path(folder: Path) -> None:
    """``--kernel my_kernel.py`` without anything to collect: what is collected by default, as with ``--kernel=my_kernel.py``."""
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = deltacheck.verify\naddopts = --pyargs\n")
    ran = run(folder, *KERNEL)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_package_without_pyargs_is_said(folder: Path) -> None:
    ran = run(folder, "deltacheck.verify", *KERNEL)
    assert ran.returncode == 4
    assert "pytest --pyargs deltacheck.verify" in ran.stderr


def test_a_checkout_that_is_not_the_installed_one_is_said(folder: Path) -> None:
    (folder / "verify").mkdir()
    (folder / "deltacheck").mkdir()
    (folder / "deltacheck" / "plugin.py").touch()
    ran = run(folder, "verify/", *KERNEL)
    assert ran.returncode == 4
    assert "is not the deltacheck that is installed" in ran.stderr


def test_by_a_symbolic_link_it_is_the_same_suite(folder: Path) -> None:
    (folder / "link").symlink_to(VERIFY)
    ran = run(folder, str(folder / "link"), *KERNEL, "--collect-only")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "test_covering" not in ran.stdout
    assert not (folder / "results").exists()


def test_the_options_with_a_value_are_known_to_the_plugin(folder: Path) -> None:
    ran = run(folder, "--pyargs", "deltacheck.verify", "deltacheck.bench", "--help")
    ours = ran.stdout.partition("deltacheck: which kernels")[2].partition("[pytest] ini-options")[0]
    assert set(re.findall(r"^ +--([\w-]+)=", ours, re.M)) == set(WITH_VALUE)

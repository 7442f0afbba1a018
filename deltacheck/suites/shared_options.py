"""The command-line options that both suites share, and the fixture made of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deltacheck.suites.run_folder import results_folder
from deltacheck.suites.selection import Selection

SELECTION = pytest.StashKey[Selection]()
RESULTS = pytest.StashKey[Path]()
OPTIONS = {
    "kernel": "a kernel: naive, numpy, numba, a file (my_kernel.py), a dotted module, or either with :ClassName",
    "layers": "a network's layer sizes, input first, such as 784-128-10",
    "batch": "a batch size",
    "activation": "sigmoid, tanh, relu or identity; one for all layers, or one for each: tanh,relu,sigmoid",
    "cost": "squared_error or cross_entropy",
    "dtype": "float32 or float64",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deltacheck", "deltacheck: which kernels and networks (each may be repeated)")
    add_options(group, {name: repeated(name, text) for name, text in OPTIONS.items()})
    add_options(group, {"results": {"default": None, "metavar": "DIR", "help": "where the tables go (default: results/)"}})


def repeated(name: str, text: str) -> dict[str, Any]:
    """An option that may be given more than once."""
    return {"action": "append", "default": [], "metavar": name.upper(), "help": text}


def add_options(group: Any, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Add ``--name`` for each. Raises ``pytest.UsageError`` that names an option which another plugin has."""
    for name, settings in options.items():
        try:
            group.addoption(f"--{name}", **settings)
        except ValueError:
            other = "a conftest.py here, or another pytest plugin"
            raise pytest.UsageError(f"--{name}: {other}, has an option of this name; run from another folder, or with -p no:NAME") from None


def selection_of(config: pytest.Config) -> Selection:
    """What the command line selects. Raises ``pytest.UsageError`` where the plugin has not read it."""
    if SELECTION not in config.stash:
        raise pytest.UsageError(
            "the pytest plugin of deltacheck is not active here: run pytest --pyargs deltacheck.verify (or deltacheck.bench)"
        )
    return config.stash[SELECTION]


@pytest.hookimpl(tryfirst=True)  # the suites build on what this reads
def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[SELECTION] = Selection.parse(**{name: config.getoption(name) for name in OPTIONS})
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    given: str | None = config.getoption("results")
    tested = [] if config.getoption("pyargs") else [config.rootpath]  # by --pyargs the suite is a library, wherever it lies
    config.stash[RESULTS] = Path(given).resolve() if given else results_folder(config.invocation_params.dir, *tested)
    if not config.option.collectonly:
        _require_writable(config.stash[RESULTS])


def _require_writable(folder: Path) -> None:
    """Say so before anything runs, not when the first result is to be written."""
    if folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--results: {folder} is a file; expected a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--results: {folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise pytest.UsageError(f"--results: {folder} cannot be written to")


@pytest.fixture(scope="session")
def selection(request: pytest.FixtureRequest) -> Selection:
    return selection_of(request.config)

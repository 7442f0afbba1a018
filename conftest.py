"""The command-line options that both suites share, and the fixtures made of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kernels.selection import Selection

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
    for name, text in OPTIONS.items():
        group.addoption(f"--{name}", action="append", default=[], metavar=name.upper(), help=text)
    group.addoption("--results", default=None, metavar="DIR", help="where the tables go (default: results/ of the project)")


@pytest.hookimpl(tryfirst=True)  # the suites build on what this reads
def pytest_configure(config: pytest.Config) -> None:
    try:
        config.selection = Selection.parse(**{name: config.getoption(name) for name in OPTIONS})  # type: ignore[attr-defined]
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    config.results_dir = Path(config.getoption("results") or Path(__file__).parent / "results").resolve()  # type: ignore[attr-defined]
    _require_writable(config.results_dir)  # type: ignore[attr-defined]


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
    return request.config.selection  # type: ignore[attr-defined,no-any-return]

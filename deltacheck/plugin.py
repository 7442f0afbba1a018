"""The pytest plugin: brings the options and hooks of a suite where that suite is collected, and does nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED = "deltacheck.suites.shared_options"
HOOKS = {"deltacheck.verify": "deltacheck.verify.suite.pytest_hooks", "deltacheck.bench": "deltacheck.bench.session.pytest_hooks"}


@pytest.hookimpl(tryfirst=True)  # options must be known before conftest files and the command line are read
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Register the hooks of the suites that the command line names, by path or with ``--pyargs``."""
    named = list(arguments(early_config))
    for suite, hooks in HOOKS.items():
        if any(collects(suite, argument, early_config) for argument in named):
            early_config.pluginmanager.import_plugin(SHARED)
            early_config.pluginmanager.import_plugin(hooks)


def arguments(config: pytest.Config) -> Iterator[str]:
    """What is collected, as typed or by default, without the names of tests."""
    here = config.invocation_params.dir
    default = config.getini("testpaths") if here == config.rootpath else []
    for argument in config.known_args_namespace.file_or_dir or default or ["."]:
        yield argument.partition("::")[0].partition("[")[0]


def collects(suite: str, argument: str, config: pytest.Config) -> bool:
    """Whether an argument names a suite, something in it, or the folder that holds the suites."""
    if config.known_args_namespace.pyargs and (argument == "deltacheck" or f"{argument}.".startswith(f"{suite}.")):
        return True
    spec = find_spec(suite)
    folders = [Path(folder).resolve() for folder in (spec and spec.submodule_search_locations) or []]
    try:
        path = (config.invocation_params.dir / argument).resolve()
    except (OSError, ValueError):  # not a path: the value of an option that is not known yet
        return False
    return any(path == folder.parent or path == folder or folder in path.parents for folder in folders)

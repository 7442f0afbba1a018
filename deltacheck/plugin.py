"""The pytest plugin: brings the options and hooks of a suite where that suite is collected, and does nothing anywhere else."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED = "deltacheck.suites.shared_options"
HOOKS = {"deltacheck.verify": "deltacheck.verify.suite.pytest_hooks", "deltacheck.bench": "deltacheck.bench.session.pytest_hooks"}
WITH_VALUE = (  # options of the suites that take a value, which is no path to collect
    *("kernel", "layers", "batch", "activation", "cost", "dtype", "results", "seed"),
    *("threads", "peer", "cell", "baseline", "cell-limit", "processes"),
)


@pytest.hookimpl(wrapper=True)  # after conftest files are read: where one of them has an option of the same name, that can be said
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> Generator[None]:
    """Register the hooks of the suites that the command line names, by path or with ``--pyargs``."""
    yield
    named = arguments(early_config, parser, args)
    for suite, hooks in HOOKS.items():
        if any(collects(suite, argument, early_config) for argument in named):
            early_config.pluginmanager.import_plugin(SHARED)
            early_config.pluginmanager.import_plugin(hooks)


def arguments(config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> list[str]:
    """What is collected, as typed or by default, without the names of tests."""
    values = {f"--{name}" for name in WITH_VALUE}
    typed = [text for text, before in zip(args, ["", *args], strict=False) if not {text, before} & values]
    named = [text.partition("::")[0].partition("[")[0] for text in parser.parse_known_args(typed).file_or_dir]
    here = config.invocation_params.dir
    if named and (config.known_args_namespace.pyargs or any((here / text).exists() for text in named)):
        return named
    default = config.getini("testpaths") if here == config.rootpath else []
    return [*named, *(default or ["."])]


def collects(suite: str, argument: str, config: pytest.Config) -> bool:
    """Whether an argument names a suite, something in it, or the folder that holds the suites.

    Raises ``pytest.UsageError`` where it is a suite of a checkout that is not the one that is installed.
    """
    if argument == "deltacheck" or f"{argument}.".startswith(f"{suite}."):
        if not config.known_args_namespace.pyargs and not (config.invocation_params.dir / argument).exists():
            raise pytest.UsageError(f"{argument}: a package's name is taken with --pyargs only: pytest --pyargs {argument} ...")
        if config.known_args_namespace.pyargs:
            return True
    try:
        path = (config.invocation_params.dir / argument).resolve()
    except (OSError, ValueError):  # not a path: the value of an option that is not known yet
        return False
    spec = find_spec(suite)
    folders = [Path(folder).resolve() for folder in (spec and spec.submodule_search_locations) or []]
    for place in (path, *path.parents):
        if place.name == suite.rpartition(".")[2] and (place.parent / "deltacheck" / "plugin.py").exists() and place not in folders:
            installed = folders[0] if folders else "none"
            raise pytest.UsageError(f"{place} is not the deltacheck that is installed ({installed}): pip install -e {place.parent} first")
    return any(path == folder.parent or path == folder or folder in path.parents for folder in folders)

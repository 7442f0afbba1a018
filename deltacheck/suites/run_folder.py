"""A run's own folder, ``results/<suite>/<run_id>/``, and ``latest`` that points at the newest."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path


def results_folder(*places: Path) -> Path:
    """``results`` of the source checkout where one of ``places`` is that checkout or lies in it; of the current folder otherwise."""
    spec = find_spec("deltacheck.verify")
    for folder in (spec and spec.submodule_search_locations) or []:
        checkout = Path(folder).resolve().parent
        if (checkout / "pyproject.toml").exists() and any(place.resolve().is_relative_to(checkout) for place in places):
            return checkout / "results"
    return Path.cwd() / "results"


def new_run(results: Path, suite: str) -> Path:
    """Make an empty folder for a run and point ``latest`` at it. Its name, the run_id, is the UTC time; nothing is overwritten."""
    parent = results / suite
    parent.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for n in count(1):
        folder = parent / (stamp if n == 1 else f"{stamp}-{n}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        break
    link = parent / f".latest-{folder.name}"
    link.symlink_to(folder.name)
    os.replace(link, parent / "latest")  # in one step: a reader never sees it missing
    return folder

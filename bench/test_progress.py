"""What is said of a run's standing; how it looks in a terminal and in a file is part of ``test_suite``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bench.progress import Progress, duration


def test_the_time_left_is_by_what_cells_took_without_the_one_that_compiled() -> None:
    times = iter([0.0, 100.0, 102.0, 106.0])
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=lambda name: None))
    progress = Progress(config, 4, lambda: next(times))
    said = [progress.standing()]
    for _ in range(3):
        progress.advance()
        said.append(progress.standing())
    assert said == [
        "0 of 4 done, 4 to go",
        "1 of 4 done, 3 to go",
        "2 of 4 done, 2 to go, about 4 s left",
        "3 of 4 done, 1 to go, about 3 s left",
    ]


def test_durations() -> None:
    assert [duration(s) for s in (0.4, 59.4, 60, 130)] == ["0 s", "59 s", "1 min 0 s", "2 min 10 s"]

"""What a run says of its machine, and what it warns of."""

from __future__ import annotations

import json
from pathlib import Path

from deltacheck.bench.machine.provenance import commit, environment, machine, thread_pools


def test_no_path_of_the_machine_is_told() -> None:
    told = environment({"NUMBA_CACHE_DIR": "/home/somebody", "OMP_NUM_THREADS": "2", "PATH": "/bin"})
    assert told == {"NUMBA_CACHE_DIR": "(a path)", "OMP_NUM_THREADS": "2"}
    text = json.dumps([machine(), thread_pools()])
    assert str(Path(__file__).parents[2]) not in text
    assert "filepath" not in text
    assert "num_threads" in text


def test_no_commit_where_git_cannot_say(tmp_path: Path) -> None:
    assert commit(tmp_path) == {"commit": None, "dirty": None}

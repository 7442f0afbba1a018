"""What a run says of its machine, and what it warns of."""

from __future__ import annotations

import json
from pathlib import Path

from bench.machine import commit, doubts, environment, machine, thread_pools

HASWELL = {"prefix": "libopenblas", "architecture": "Haswell"}


def test_an_older_kernel_set_than_the_cpu_has_is_a_doubt() -> None:
    assert doubts([HASWELL], ["avx2", "avx512f"], {}) == ["libopenblas runs its Haswell kernels; the CPU has AVX-512"]
    assert doubts([HASWELL | {"architecture": "Nehalem"}], ["avx2"], {}) == ["libopenblas runs its Nehalem kernels; the CPU has AVX2"]
    assert doubts([HASWELL], ["avx2"], {}) == []
    assert doubts([HASWELL | {"architecture": "SkylakeX"}], ["avx2", "avx512f"], {}) == []


def test_a_forced_kernel_set_is_a_doubt() -> None:
    assert doubts([], [], {"OPENBLAS_CORETYPE": "Haswell"}) == ["OPENBLAS_CORETYPE=Haswell is set: it chooses the BLAS's kernels"]
    assert doubts([], [], {"OPENBLAS_NUM_THREADS": "1"}) == []


def test_no_path_of_the_machine_is_told() -> None:
    told = environment({"NUMBA_CACHE_DIR": "/home/somebody", "OMP_NUM_THREADS": "2", "PATH": "/bin"})
    assert told == {"NUMBA_CACHE_DIR": "(a path)", "OMP_NUM_THREADS": "2"}
    text = json.dumps([machine(), thread_pools()])
    assert str(Path(__file__).parent.parent) not in text
    assert "filepath" not in text
    assert "num_threads" in text


def test_no_commit_where_git_cannot_say(tmp_path: Path) -> None:
    assert commit(tmp_path) == {"commit": None, "dirty": None}

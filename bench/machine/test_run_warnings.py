"""What a run warns of, and what it does not."""

from __future__ import annotations

from typing import Any

from deltacheck.bench.machine.run_warnings import after_run, before_run

GOOD: dict[str, Any] = {
    "environment": {},
    "thread_pools": [],
    "cpu_simd": [],
    "cpu_governor": None,
    "cpu_quota": None,
    "threads": [1, 2],
    "cpu_count_usable": 2,
    "load_average_at_start": [0.1, 2.0, 2.0],
}
QUIET: dict[str, Any] = {"cpu_count_usable": 4, "cpus_used_by_others": 0.2, "cpus_stolen": 0.0}


def pool(architecture: str, *simd: str) -> dict[str, Any]:
    return GOOD | {"thread_pools": [{"prefix": "libopenblas", "architecture": architecture}], "cpu_simd": list(simd)}


def test_an_older_kernel_set_than_the_cpu_has() -> None:
    assert before_run(pool("Haswell", "avx2", "avx512f")) == ["libopenblas runs its Haswell kernels; the CPU has AVX-512"]
    assert before_run(pool("Nehalem", "avx2")) == ["libopenblas runs its Nehalem kernels; the CPU has AVX2"]
    assert before_run(pool("Haswell", "avx2")) == []
    assert before_run(pool("SkylakeX", "avx2", "avx512f")) == []


def test_a_forced_kernel_set() -> None:
    forced = GOOD | {"environment": {"OPENBLAS_CORETYPE": "Haswell"}}
    assert before_run(forced) == ["OPENBLAS_CORETYPE=Haswell is set: it chooses the BLAS's kernels"]
    assert before_run(GOOD | {"environment": {"OPENBLAS_NUM_THREADS": "1"}}) == []


def test_a_clock_that_changes_and_a_container_that_holds_back() -> None:
    assert before_run(GOOD | {"cpu_governor": "powersave"}) == ["the CPU's clock follows the governor powersave, not performance"]
    assert before_run(GOOD | {"cpu_governor": "performance", "cpu_quota": 2.0}) == []
    assert before_run(GOOD | {"cpu_quota": 1.5}) == ["a container holds this process to 1.5 CPUs; 2 threads were asked for"]


def test_a_load_that_was_there_before() -> None:
    told = "the load was 1.8 as the run began: with 2 of its own more than the 2 CPUs that it may use"
    assert before_run(GOOD | {"load_average_at_start": [1.8, 0.0, 0.0]}) == [told]
    assert before_run(GOOD | {"load_average_at_start": [1.8, 0.0, 0.0], "cpu_count_usable": 8}) == []
    assert before_run(GOOD | {"load_average_at_start": [0.7, 9.0, 9.0]}) == []
    assert before_run(GOOD | {"load_average_at_start": None}) == []


def test_a_machine_that_others_used() -> None:
    assert after_run(QUIET, {1: 0.02}) == []
    assert after_run(QUIET | {"cpus_used_by_others": 1.04}, {}) == ["other processes used 1 of 4 CPUs during the run"]
    assert after_run(QUIET | {"cpus_stolen": 0.5}, {}) == ["the host took 0.5 of 4 CPUs away during the run"]
    assert after_run(QUIET | {"cpus_used_by_others": None, "cpus_stolen": None}, {}) == []


def test_a_wide_band() -> None:
    (told,) = after_run(QUIET, {1: 0.04, 2: 0.12})
    assert told == "the A/A band is wide, 12 % on 2 threads: something disturbed the run, smaller differences are ties"
    (told,) = after_run(QUIET, {1: 56.0})
    assert "5600 % on 1 thread" in told

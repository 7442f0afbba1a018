"""What a time depends on beside the kernel: machine, BLAS, threads, versions, environment, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import cpuinfo
import llvmlite.binding as llvm
import numba
import psutil
import threadpoolctl

from deltacheck.bench.machine.cpu import cpu_facts, usable_cpus

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "pandas", "pytest", "pytest-benchmark", "threadpoolctl", "torch", "jax", "jaxlib")
CACHES = ("l1_data_cache_size", "l2_cache_size", "l3_cache_size")  # of cpuinfo; bytes, or with a unit
VARIABLES = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "NUMBA_", "BLIS_", "XLA_", "PJRT_", "NPROC", "TORCHINDUCTOR_")


def machine() -> dict[str, Any]:
    """CPU, memory (bytes), load, clock, system, Python, package versions and the variables that steer libraries."""
    cpu = cpuinfo.get_cpu_info()
    facts = cpu_facts()
    if facts["cpu_caches"] is None:  # not Linux
        facts["cpu_caches"] = [{"level": name[1], "size": cpu[name]} for name in CACHES if cpu.get(name)] or None
    clock = time.get_clock_info("perf_counter")
    return {
        "platform": platform.platform(),
        "cpu_model": cpu.get("brand_raw", platform.processor()),
        "cpu_count": os.cpu_count(),
        "cpu_count_usable": len(usable_cpus()),
        "cpu_simd": [flag for flag in cpu.get("flags", []) if flag.startswith(("avx", "sve", "neon", "asimd"))],
        **facts,
        "virtual": "hypervisor" in cpu["flags"] if cpu.get("flags") else None,
        "cpu_affinity": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "nice": os.nice(0) if hasattr(os, "nice") else None,
        "load_average_at_start": list(psutil.getloadavg()),
        "memory_bytes": psutil.virtual_memory().total,
        "memory_available_bytes": psutil.virtual_memory().available,
        "clock": {"implementation": clock.implementation, "resolution_s": clock.resolution},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "python_compiler": platform.python_compiler(),
        "packages": {name: version for name in PACKAGES if (version := installed(name))},
        "environment": environment(os.environ),
    }


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that steer BLAS, OpenMP, Numba and the peers; where one names a file or folder, only that it does."""
    return {name: "(a path)" if os.sep in value else value for name, value in sorted(variables.items()) if name.startswith(VARIABLES)}


def thread_pools() -> list[dict[str, Any]]:
    """The BLAS and OpenMP libraries loaded by now, without the paths they came from."""
    return [{key: value for key, value in pool.items() if key != "filepath"} for pool in threadpoolctl.threadpool_info()]


def numba_facts() -> dict[str, Any]:
    """What Numba compiles for, and what carries its threads (None where none were started)."""
    try:
        layer = numba.threading_layer()
    except ValueError:
        layer = None
    cpu = numba.config.CPU_NAME  # type: ignore[attr-defined]
    return {"numba_cpu": cpu or llvm.get_host_cpu_name(), "numba_threading_layer": layer}


def commit(root: Path) -> dict[str, Any]:
    """The commit checked out at ``root`` and whether files differ from it; None for both where git cannot say."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def installed(package: str) -> str | None:
    """A package's version, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

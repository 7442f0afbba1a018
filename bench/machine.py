"""What a time depends on beside the kernel: machine, BLAS, threads, versions, environment, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import cpuinfo
import llvmlite.binding as llvm
import numba
import threadpoolctl

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "pandas", "pytest", "pytest-benchmark", "threadpoolctl", "torch", "jax", "jaxlib")
VARIABLES = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "NUMBA_", "BLIS_", "XLA_", "PJRT_", "NPROC", "TORCHINDUCTOR_")


def machine() -> dict[str, Any]:
    """CPU, memory (bytes), system, Python, package versions, thread pools and the variables that steer them."""
    cpu = cpuinfo.get_cpu_info()
    return {
        "platform": platform.platform(),
        "cpu_model": cpu.get("brand_raw", platform.processor()),
        "cpu_count": os.cpu_count(),
        "cpu_count_usable": usable_cpus(),
        "cpu_simd": [flag for flag in cpu.get("flags", []) if flag.startswith(("avx", "sve", "neon", "asimd"))],
        "memory_bytes": memory_bytes(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
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


def usable_cpus() -> int:
    """The CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit(root: Path) -> dict[str, Any]:
    """The commit checked out at ``root`` and whether files differ from it; None for both where git cannot say."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def memory_bytes() -> int | None:
    """Physical memory, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def installed(package: str) -> str | None:
    """A package's version, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def doubts(pools: list[dict[str, Any]], simd: list[str], environment: dict[str, str]) -> list[str]:
    """What makes times on this machine differ from what the machine can do."""
    found = [
        f"{name}={value} is set: it chooses the BLAS's kernels"
        for name, value in environment.items()
        if name in ("OPENBLAS_CORETYPE", "MKL_ENABLE_INSTRUCTIONS", "MKL_DEBUG_CPU_TYPE", "BLIS_ARCH_TYPE")
    ]
    older = {"Prescott", "Core2", "Nehalem", "Sandybridge", "Barcelona", "Bulldozer", "Haswell", "Zen"}
    for pool in pools:
        architecture = pool.get("architecture")
        if architecture in older and "avx512f" in simd:
            found.append(f"{pool['prefix']} runs its {architecture} kernels; the CPU has AVX-512")
        elif architecture in older - {"Haswell", "Zen"} and "avx2" in simd:
            found.append(f"{pool['prefix']} runs its {architecture} kernels; the CPU has AVX2")
    return found

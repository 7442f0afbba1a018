"""What makes a run's times differ from what the machine can do: warnings, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltacheck.suites.formatting import percent_text

STEERING = ("OPENBLAS_CORETYPE", "MKL_ENABLE_INSTRUCTIONS", "MKL_DEBUG_CPU_TYPE", "BLIS_ARCH_TYPE")
OLDER = {"Prescott", "Core2", "Nehalem", "Sandybridge", "Barcelona", "Bulldozer", "Haswell", "Zen"}  # kernel sets without AVX-512
BUSY = 0.1  # of the CPUs, used by others
STOLEN = 0.02
SPARE = 0.75  # of the load that this process may itself have left behind, as it started
WIDE = 0.05  # a band beyond which much is tied that need not be


def before_run(about: Mapping[str, Any]) -> list[str]:
    """Of what run.json says at a run's start."""
    found = [
        f"{name}={about['environment'][name]} is set: it chooses the BLAS's kernels" for name in STEERING if name in about["environment"]
    ]
    for pool in about["thread_pools"]:
        architecture = pool.get("architecture")
        if architecture in OLDER and "avx512f" in about["cpu_simd"]:
            found.append(f"{pool['prefix']} runs its {architecture} kernels; the CPU has AVX-512")
        elif architecture in OLDER - {"Haswell", "Zen"} and "avx2" in about["cpu_simd"]:
            found.append(f"{pool['prefix']} runs its {architecture} kernels; the CPU has AVX2")
    if about["cpu_governor"] not in (None, "performance"):
        found.append(f"the CPU's clock follows the governor {about['cpu_governor']}, not performance")
    quota, threads = about["cpu_quota"], max(about["threads"], default=1)
    if quota is not None and quota < threads:
        found.append(f"a container holds this process to {quota:g} CPUs; {threads} threads were asked for")
    load, cpus = (about["load_average_at_start"] or [0.0])[0], about["cpu_count_usable"]
    if load + threads > cpus + SPARE:
        found.append(f"the load was {load:.2g} as the run began: with {threads} of its own more than the {cpus} CPUs that it may use")
    return found


def after_run(about: Mapping[str, Any], bands: Mapping[int, float]) -> list[str]:
    """Of what run.json says at its end, and of the A/A bands, by number of threads."""
    cpus = about["cpu_count_usable"] or 1
    found = []
    busy, stolen = about["cpus_used_by_others"], about["cpus_stolen"]
    if busy is not None and busy > BUSY * cpus:
        found.append(f"other processes used {busy:.2g} of {cpus} CPUs during the run")
    if stolen is not None and stolen > STOLEN * cpus:
        found.append(f"the host took {stolen:.2g} of {cpus} CPUs away during the run")
    for threads, band in bands.items():
        if band > WIDE:
            what = "1 thread" if threads == 1 else f"{threads} threads"
            found.append(f"the A/A band is wide, {percent_text(band)} on {what}: something disturbed the run, smaller differences are ties")
    return found

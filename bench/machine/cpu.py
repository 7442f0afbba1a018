"""The CPU as the system tells of it: caches, clock, and who else is using it. What a system does not tell is None."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import psutil

SYSTEM = Path("/sys")
PROCESSES = Path("/proc")
BUSY = ("user", "nice", "system", "irq", "softirq", "interrupt", "dpc")  # of a CPU's times, by psutil's names; not all on every system


def read(path: Path) -> str | None:
    """A small file's text, None where it is not there or not for us."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def cpu_facts(system: Path = SYSTEM, processes: Path = PROCESSES) -> dict[str, Any]:
    """What Linux says of the first CPU: its caches, what governs its clock, whether it has turbo and sibling threads."""
    cpu = system / "devices/system/cpu"
    boost, no_turbo, smt = read(cpu / "cpufreq/boost"), read(cpu / "intel_pstate/no_turbo"), read(cpu / "smt/active")
    return {
        "cpu_caches": caches(cpu / "cpu0/cache"),
        "cpu_governor": read(cpu / "cpu0/cpufreq/scaling_governor"),
        "cpu_turbo": boost == "1" if boost else no_turbo == "0" if no_turbo else None,
        "cpu_smt": smt == "1" if smt else None,
        "cpu_quota": quota(system / "fs/cgroup", read(processes / "self/cgroup")),
    }


def caches(folder: Path) -> list[dict[str, str | None]] | None:
    """Level, type, size and the CPUs that share it, of each cache."""
    found = [{name: read(index / name) for name in ("level", "type", "size", "shared_cpu_list")} for index in sorted(folder.glob("index*"))]
    return found or None


def quota(root: Path, own: str | None) -> float | None:
    """How many CPUs' time this process may use, the least that its control groups allow; None where there is no limit.

    ``own``: its /proc/self/cgroup. Version 2 has limits at any level of the one tree, version 1 in a tree for the CPU.
    """
    place = next((Path(line[3:].lstrip("/")) for line in (own or "").splitlines() if line.startswith("0::")), Path())
    told = [read(root / folder / "cpu.max") for folder in (place, *place.parents)]
    told.append(f"{read(root / 'cpu/cpu.cfs_quota_us')} {read(root / 'cpu/cpu.cfs_period_us')}")
    return min((most for text in told if (most := allowed(text)) is not None), default=None)


def allowed(text: str | None) -> float | None:
    """A quota by its period, both in microseconds."""
    try:
        most, period = map(int, (text or "").split())
        return most / period if most > 0 else None
    except (ValueError, ZeroDivisionError):  # "max 100000", or nothing
        return None


class Used(NamedTuple):
    """Seconds until now of the CPUs that this process may run on: of all processes, taken away by the host (steal), of this process.

    Its children count with it once they have ended.
    """

    everybody: float
    stolen: float
    own: float


def usable_cpus() -> list[int]:
    """The numbers of the CPUs that this process may run on."""
    own = psutil.Process()
    return list(own.cpu_affinity()) if hasattr(own, "cpu_affinity") else list(range(psutil.cpu_count() or 1))


def used() -> Used | None:
    """None where the system does not tell."""
    try:
        each, own = psutil.cpu_times(percpu=True), psutil.Process().cpu_times()
    except (OSError, psutil.Error):
        return None
    cpus = [each[n] for n in usable_cpus() if n < len(each)]
    stolen = sum(getattr(cpu, "steal", 0.0) for cpu in cpus)
    busy = sum(getattr(cpu, name, 0.0) for cpu in cpus for name in BUSY)
    return Used(busy, stolen, own.user + own.system + getattr(own, "children_user", 0.0) + getattr(own, "children_system", 0.0))


def others(before: Used | None, after: Used | None, seconds: float) -> dict[str, float | None]:
    """How many CPUs others used meanwhile, and how many the host took away."""
    if before is None or after is None or seconds <= 0:
        return {"cpus_used_by_others": None, "cpus_stolen": None}
    own = after.own - before.own
    return {
        "cpus_used_by_others": max(0.0, after.everybody - before.everybody - own) / seconds,
        "cpus_stolen": (after.stolen - before.stolen) / seconds,
    }

"""The CPU as the system tells of it: caches, clock, and who else is using it. What a system does not tell is None."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

SYSTEM = Path("/sys")
PROCESSES = Path("/proc")


def read(path: Path) -> str | None:
    """A small file's text, None where it is not there or not for us."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def cpu_facts(system: Path = SYSTEM, processes: Path = PROCESSES) -> dict[str, Any]:
    """What Linux says of the first CPU: its caches, what governs its clock, whether it has turbo and sibling threads, or is virtual."""
    cpu = system / "devices/system/cpu"
    boost, no_turbo, smt = read(cpu / "cpufreq/boost"), read(cpu / "intel_pstate/no_turbo"), read(cpu / "smt/active")
    described = read(processes / "cpuinfo")
    flags = next((line.split() for line in (described or "").splitlines() if line.startswith("flags")), None)
    return {
        "cpu_caches": caches(cpu / "cpu0/cache"),
        "cpu_governor": read(cpu / "cpu0/cpufreq/scaling_governor"),
        "cpu_turbo": boost == "1" if boost else no_turbo == "0" if no_turbo else None,
        "cpu_smt": smt == "1" if smt else None,
        "virtual": "hypervisor" in flags if flags else None,
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


def used(processes: Path = PROCESSES) -> Used | None:
    """None where there is no /proc/stat."""
    ours = {f"cpu{n}" for n in os.sched_getaffinity(0)} if hasattr(os, "sched_getaffinity") else set()
    cpus = [line.split() for line in (read(processes / "stat") or "").splitlines()]
    ticks = [list(map(int, words[1:9])) for words in cpus if words and words[0] in ours and len(words) >= 9]
    if not ticks:
        return None
    user, nice, kernel, _, _, hard, soft, stolen = (sum(of_all) / os.sysconf("SC_CLK_TCK") for of_all in zip(*ticks, strict=True))
    return Used(user + nice + kernel + hard + soft, stolen, sum(os.times()[:4]))


def others(before: Used | None, after: Used | None, seconds: float) -> dict[str, float | None]:
    """How many CPUs others used meanwhile, and how many the host took away."""
    if before is None or after is None or seconds <= 0:
        return {"cpus_used_by_others": None, "cpus_stolen": None}
    own = after.own - before.own
    return {
        "cpus_used_by_others": max(0.0, after.everybody - before.everybody - own) / seconds,
        "cpus_stolen": (after.stolen - before.stolen) / seconds,
    }


def load_average() -> Sequence[float] | None:
    """Processes that ran or wanted to, on average over the last minute, five, and fifteen."""
    try:
        return list(os.getloadavg())
    except (AttributeError, OSError):
        return None

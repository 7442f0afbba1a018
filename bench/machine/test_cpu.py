"""What is read of the CPU, from files that look like Linux's, and where there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltacheck.bench.machine.cpu import Used, allowed, cpu_facts, others, quota, used


def test_what_linux_tells(tmp_path: Path) -> None:
    cpu = tmp_path / "sys/devices/system/cpu"
    files = {
        "cpu0/cache/index0/level": "1",
        "cpu0/cache/index0/type": "Data",
        "cpu0/cache/index0/size": "32K",
        "cpu0/cache/index0/shared_cpu_list": "0",
        "cpu0/cpufreq/scaling_governor": "powersave\n",
        "intel_pstate/no_turbo": "0",
        "smt/active": "1",
    }
    for name, text in files.items():
        (cpu / name).parent.mkdir(parents=True, exist_ok=True)
        (cpu / name).write_text(text)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("model name : one\nflags : fpu hypervisor avx\n")
    assert cpu_facts(tmp_path / "sys", tmp_path / "proc") == {
        "cpu_caches": [{"level": "1", "type": "Data", "size": "32K", "shared_cpu_list": "0"}],
        "cpu_governor": "powersave",
        "cpu_turbo": True,
        "cpu_smt": True,
        "virtual": True,
        "cpu_quota": None,
    }


def test_where_nothing_is_told(tmp_path: Path) -> None:
    assert set(cpu_facts(tmp_path, tmp_path).values()) == {None}
    assert used(tmp_path) is None
    assert others(None, Used(1, 0, 1), 1.0) == {"cpus_used_by_others": None, "cpus_stolen": None}


@pytest.mark.parametrize(("text", "cpus"), [("150000 100000", 1.5), ("max 100000", None), ("nonsense", None), (None, None), ("1 0", None)])
def test_what_a_control_group_allows(text: str | None, cpus: float | None) -> None:
    assert allowed(text) == cpus


def test_the_least_of_its_control_groups_holds_a_process(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "cpu").mkdir()
    own = "4:memory:/elsewhere\n0::/a/b\n"
    assert quota(tmp_path, own) is None
    (tmp_path / "a/cpu.max").write_text("200000 100000\n")
    (tmp_path / "a/b/cpu.max").write_text("max 100000\n")
    assert quota(tmp_path, own) == 2
    assert quota(tmp_path, "0::/\n") is None  # it is not in that group
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert quota(tmp_path, None) is None
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("50000\n")
    assert quota(tmp_path, own) == 0.5


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="a process may run anywhere here")
def test_only_the_cpus_that_it_may_run_on_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["cpu  9 9 9 9 9 9 9 9 0 0", *(f"cpu{n} {n}00 0 0 5 0 0 0 {n} 0 0" for n in range(1, 4)), "intr 1"]
    (tmp_path / "stat").write_text("\n".join(lines))
    tick = 1 / os.sysconf("SC_CLK_TCK")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 3})
    found = used(tmp_path)
    assert found is not None
    assert found[:2] == pytest.approx((400 * tick, 4 * tick))


def test_what_others_used_is_what_we_did_not() -> None:
    told = others(Used(100, 1, 10), Used(116, 2, 15), 10.0)
    assert told == {"cpus_used_by_others": pytest.approx(1.1), "cpus_stolen": pytest.approx(0.1)}


@pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="Linux")
def test_the_time_of_all_counts_on() -> None:
    before = used()
    after = used()
    assert before is not None
    assert after is not None
    assert after.everybody >= before.everybody > 0
    assert after.own >= before.own > 0

"""What is read of the CPU, from files that look like Linux's, and where there are none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
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
    assert cpu_facts(tmp_path / "sys", tmp_path / "proc") == {
        "cpu_caches": [{"level": "1", "type": "Data", "size": "32K", "shared_cpu_list": "0"}],
        "cpu_governor": "powersave",
        "cpu_turbo": True,
        "cpu_smt": True,
        "cpu_quota": None,
    }


def test_where_nothing_is_told(tmp_path: Path) -> None:
    assert set(cpu_facts(tmp_path, tmp_path).values()) == {None}
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


def test_only_the_cpus_that_it_may_run_on_count(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [SimpleNamespace(user=100.0 * n, nice=1.0, system=0.0, idle=5.0, iowait=7.0, steal=float(n)) for n in range(4)]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: times)
    monkeypatch.setattr("deltacheck.bench.machine.cpu.usable_cpus", lambda: [1, 3])
    found = used()
    assert found is not None
    assert found[:2] == (402.0, 4.0)


def test_what_others_used_is_what_we_did_not() -> None:
    told = others(Used(100, 1, 10), Used(116, 2, 15), 10.0)
    assert told == {"cpus_used_by_others": pytest.approx(1.1), "cpus_stolen": pytest.approx(0.1)}


def test_the_time_of_all_counts_on() -> None:
    before = used()
    after = used()
    assert before is not None
    assert after is not None
    assert after.everybody >= before.everybody > 0
    assert after.own >= before.own > 0


def test_where_the_system_does_not_tell_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(percpu: bool) -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "cpu_times", refused)
    assert used() is None

"""Folders that are no runs, and runs of different machines: one clear line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deltacheck.bench.compare import main
from deltacheck.bench.test_compare import ABOUT, CELLS, compared, make


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("runs") / "a", 1)


def pools(architecture: str, library: str = "openblas") -> list[dict[str, Any]]:
    return [{"user_api": "blas", "internal_api": library, "architecture": architecture}]


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"cpu_model": "another"}, "cpu_model is 'a CPU' in A, 'another' in B"),
        ({"cpu_count_usable": 4}, "cpu_count_usable is 2 in A, 4 in B"),
        ({"memory_bytes": 9_000_000_000}, "memory_bytes is 8000000000 in A, 9000000000 in B"),
        ({"memory_bytes": None}, "memory_bytes is 8000000000 in A, None in B"),
        ({"threads": [1, 2]}, "threads are [1] in A, [1, 2] in B"),
        ({"schema_version": 1}, "schema_version is 4 in A, 1 in B"),
        ({"thread_pools": pools("SkylakeX")}, "the architecture of openblas is ['Haswell'] in A, ['SkylakeX'] in B"),
        (
            {"thread_pools": pools("Haswell", "mkl")},
            "the BLAS is {'openblas': ['Haswell']} in A, {'mkl': ['Haswell']} in B",
        ),
    ],
)
def test_another_machine_is_refused_and_force_marks_it(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], about: dict[str, Any], message: str
) -> None:
    other = make(tmp_path / "b", 2, about=about)
    assert main([str(base), str(other)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not (other / "comparison.csv").exists()
    status, table = compared(base, other, "--force")
    assert (status, table["comparable"].tolist()) == (0, [False] * len(table))
    assert f"NOT COMPARABLE: {message}" in capsys.readouterr().out


def test_a_run_of_before_there_were_processes(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = make(tmp_path / "b", 2, about={"schema_version": 3})
    pd.read_csv(older / "samples.csv").drop(columns="process").to_csv(older / "samples.csv", index=False)
    assert main([str(older), str(base)]) == 2
    assert "schema_version is 3 in A, 4 in B" in capsys.readouterr().err
    assert main([str(older), str(base), "--force", "--out", str(tmp_path / "comparison.csv")]) == 0


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"memory_bytes": 8_200_000_000},
        {"threads": 1},
        {"thread_pools": [*ABOUT["thread_pools"], *pools("Intel", "mkl")]},  # a peer brought it
    ],
)
def test_the_same_machine_is_not(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], about: dict[str, Any]) -> None:
    status, table = compared(base, make(tmp_path / "b", 2, about=about))
    assert (status, table["comparable"].tolist()) == (0, [True] * len(table))
    assert "NOT COMPARABLE" not in capsys.readouterr().out


def cut(file: str, wrong: str | None) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink() if wrong is None else (folder / file).write_text(wrong) and None


def fewer(folder: Path) -> None:
    samples = pd.read_csv(folder / "samples.csv")
    samples[(samples["kernel"] != "numba") | (samples["round"] > 0)].to_csv(folder / "samples.csv", index=False)


def blank(folder: Path) -> None:
    samples = pd.read_csv(folder / "samples.csv")
    samples["time_s"] = samples["time_s"].mask((samples["kernel"] == "numba") & (samples["round"] == 7))
    samples.to_csv(folder / "samples.csv", index=False)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut("run.json", None), "has no run.json; expected a run's folder"),
        (cut("summary.csv", None), "has no summary.csv; expected a run's folder"),
        (cut("samples.csv", None), "has no samples.csv; expected a run's folder"),
        (cut("run.json", "{"), "run.json cannot be read: JSONDecodeError"),
        (cut("run.json", "[]"), "run.json cannot be read: ValueError: no schema_version in it"),
        (cut("summary.csv", ""), "summary.csv cannot be read: EmptyDataError"),
        (cut("summary.csv", 'a,b\n"1'), "summary.csv cannot be read: ParserError"),
        (cut("samples.csv", "kernel,phase\n"), "samples.csv cannot be read: ValueError: no column layers"),
        (fewer, "samples.csv has 39 usable samples of numba on 2-3-1 x 1 float64, backward; expected 40"),
        (blank, "samples.csv has 39 usable samples of numba on 2-3-1 x 1 float64, backward; expected 40"),
    ],
)
def test_a_damaged_folder_is_named(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None], message: str
) -> None:
    other = make(tmp_path / "b", 2)
    damage(other)
    for arguments, name in (((base, other), "B"), ((other, base), "A")):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"python -m deltacheck.bench.compare: {name}: {other}")
        assert message in err


def test_wrong_use(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        ([tmp_path / "none", base], f"A: got {tmp_path / 'none'}, which is no folder; expected a run's"),
        ([base, base, "--threshold", "-1"], "--threshold: got -1.0, expected a percentage, 0 or more"),
        ([base, base, "--threshold", "inf"], "--threshold: got inf, expected a percentage, 0 or more"),
        ([base, base, "--threshold", "nan"], "--threshold: got nan, expected a percentage, 0 or more"),
        ([base, base, "--out", tmp_path / "none" / "c.csv"], f"--out: {tmp_path / 'none' / 'c.csv'} cannot be written: "),
    ):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
    with pytest.raises(SystemExit, match="2"):
        main([str(base)])


def test_nothing_in_common_is_no_success(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make(tmp_path / "b", 2, lambda *_: "not_run", {"complete": False})
    assert main([str(base), str(other)]) == 2
    assert "A and B have nothing in common" in capsys.readouterr().err


def test_a_run_is_the_same_as_itself_and_the_table_is_reproducible(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make(tmp_path / "b", 2)
    for out in ("1.csv", "2.csv"):
        assert main([str(base), str(other), "--all", "--out", str(tmp_path / out)]) == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert not (other / "comparison.csv").exists()
    assert capsys.readouterr().out.count("\nsame  ") == 2 * 3 * 2 * len(CELLS)  # --all
    assert main([str(base), str(base), "--out", str(tmp_path / "self.csv")]) == 0
    assert (pd.read_csv(tmp_path / "self.csv")["ratio"] == 1).all()

"""What changed is found, what did not is not, and runs that say nothing of each other are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import FLOOR, Result, Turn
from deltacheck.bench.compare import main
from deltacheck.bench.session.run import SCHEMA_VERSION
from deltacheck.bench.tables.summary import summary_rows, write_summary
from deltacheck.bench.timing.samples_file import SamplesFile, begin_samples

CELLS = [Cell.of(layers, "sigmoid", "squared_error", batch, "float64") for layers in ("2-3-1", "64-30-10") for batch in (1, 32, 256)]
SPEEDS = {"naive": 100e-3, "numpy": 2e-3, "numba": 1e-3, FLOOR: 0.5e-3}  # seconds
ABOUT = {
    "schema_version": SCHEMA_VERSION,
    "complete": True,
    "commit": "0123456789abcdef",
    "dirty": False,
    "cpu_model": "a CPU",
    "cpu_count_usable": 2,
    "memory_bytes": 8_000_000_000,
    "threads": [1],
    "thread_pools": [{"user_api": "blas", "internal_api": "openblas", "architecture": "Haswell"}],
}
PLANTED = ("numba", CELLS[4], "step")
Alter = Callable[[str, Cell, str], float | str]
Luck = Callable[[str, Cell, str], float]
ONE_PROCESS: dict[int, Luck] = {0: lambda *where: 1.0}
PLACE = ("numba", "64-30-10", 32, "step")
WILD = (CELLS[0], CELLS[5])


def unchanged(kernel: str, cell: Cell, phase: str) -> float | str:
    return 1.0


def planted(factor: float | str) -> Alter:
    return lambda *row: factor if row == PLANTED else 1.0


def make(
    folder: Path,
    seed: int,
    alter: Alter = unchanged,
    about: Mapping[str, Any] = {},
    kernels: Sequence[str] = tuple(SPEEDS),
    drift: float = 0.2,
    luck: Mapping[int, Luck] = ONE_PROCESS,
) -> Path:
    """A run's folder: 3 % of lognormal noise, one sample in 20 up to three times as long; ``alter`` gives a factor or a status.

    Cells drift apart from those of other runs by up to ``drift``, all contenders alike. ``luck``: by process, a contender's factor there.
    """
    folder.mkdir()
    rng, rounds, contests = np.random.default_rng(seed), 40, {}
    begin_samples(folder / "samples.csv")
    samples = SamplesFile(folder / "samples.csv", folder.name)
    for cell in CELLS:
        for phase in ("backward", "step"):
            shared = 1 + drift * rng.uniform(-1, 1)
            results = {}
            for kernel in kernels:
                noise = np.exp(0.03 * rng.standard_normal(rounds)) * (1 + 2 * rng.random(rounds) * (rng.random(rounds) < 0.05))
                factor = alter(kernel, cell, phase)
                if isinstance(factor, str):
                    results[kernel] = Result(factor, message="dC/dw_0 is off")
                else:
                    seconds = SPEEDS[kernel] * factor * shared * noise
                    factors = [of(kernel, cell, phase) for of in luck.values()]
                    turns = [Turn(i, 0, 1, s * factors[i % len(luck)], [*luck][i % len(luck)]) for i, s in enumerate(seconds.tolist())]
                    results[kernel] = Result("ok", "pass", turns=tuple(turns))
            contests[cell, phase] = results
            for kernel, result in results.items():
                for turn in result.turns:
                    samples.add(cell, phase, {kernel: turn})
    samples.close()
    write_summary(folder / "summary.csv", summary_rows(folder.name, contests))
    (folder / "run.json").write_text(json.dumps({"run_id": folder.name, **ABOUT, **about}))
    return folder


def compared(a: Path, b: Path, *options: str) -> tuple[int, pd.DataFrame]:
    status = main([str(a), str(b), *options])
    return status, pd.read_csv(b / "comparison.csv", keep_default_na=False, na_values={"ratio": [""], "corrected_ratio": [""]})


def found(table: pd.DataFrame, *verdicts: str) -> list[tuple[str, str, int, str]]:
    rows = table[table["verdict"].isin(verdicts)]
    return list(zip(rows["kernel"], rows["layers"], rows["batch"], rows["phase"], strict=True))


def test_a_planted_slow_down_is_found_and_nothing_else(tmp_path: Path) -> None:
    hits = 0
    for seed in range(10):
        a, b = make(tmp_path / f"a{seed}", 2 * seed), make(tmp_path / f"b{seed}", 2 * seed + 1, planted(1.1))
        status, table = compared(a, b)
        where = found(table, "slower", "lost")
        assert set(where) <= {PLACE}
        assert status == len(where)
        hits += len(where)
    assert hits >= 9


def test_equal_runs_show_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(10):
        a, b = make(tmp_path / f"a{seed}", 100 + 2 * seed), make(tmp_path / f"b{seed}", 101 + 2 * seed)
        status, table = compared(a, b)
        assert (status, set(table["verdict"]), len(table)) == (0, {"same"}, 3 * 2 * len(CELLS))
        assert (table["ratio"] - 1).abs().max() > 0.1  # the raw ratios drift: judged by them, some would differ
        assert (table["drift_from"] == "cell").all()
    assert capsys.readouterr().out.endswith("\nsame 36\n")


def lucky(run: int, spread: float = 0.012, wild: float = 0.12, processes: int = 5) -> dict[int, Luck]:
    """Processes, in which each contender of each cell is faster or slower by luck, in the largest cells (``WILD``) by more."""

    def luck(process: int) -> Luck:
        def factor(kernel: str, cell: Cell, phase: str) -> float:
            seed = [run, process, list(SPEEDS).index(kernel), cell.batch, *cell.network.layer_sizes, len(phase)]
            return float(np.exp((wild if cell in WILD else spread) * np.random.default_rng(seed).standard_normal()))

        return factor

    return {process: luck(process) for process in range(processes)}


def test_processes_tell_a_change_from_luck(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hits, false, as_one = 0, 0, 0
    for seed in range(10):
        a = make(tmp_path / f"a{seed}", 2 * seed, luck=lucky(2 * seed))
        b = make(tmp_path / f"b{seed}", 2 * seed + 1, planted(1.1), luck=lucky(2 * seed + 1))
        status, table = compared(a, b)
        where = found(table, "slower", "faster")
        hits += PLACE in where
        false += len(where) - (PLACE in where)
        assert status == ("slower" in set(table["verdict"]))
        assert set(table["n_processes_a"]) == {5}
        for folder in (a, b):  # the planted fault: as if it had all been one process
            samples = pd.read_csv(folder / "samples.csv").assign(process=0)
            samples.to_csv(folder / "samples.csv", index=False)
        capsys.readouterr()
        alone = found(compared(a, b)[1], "slower", "faster")
        as_one += len(set(alone) - {PLACE})
        assert ("runs in one process do not tell" in capsys.readouterr().out) == bool(alone)
    assert hits >= 9
    assert false <= 1
    assert as_one >= 3


def test_where_luck_is_great_a_small_change_is_not_told(tmp_path: Path) -> None:
    a, b = (make(tmp_path / name, n, luck=lucky(n)) for n, name in enumerate("ab"))
    _, table = compared(a, b)
    noise = table.set_index(["layers", "batch"])["noise"]
    assert noise.loc[[(cell.layers, cell.batch) for cell in WILD]].min() > 0.15
    assert noise.loc["64-30-10", 32].max() < 0.15


def test_when_one_kernel_changes_much_the_others_do_not_seem_to(tmp_path: Path) -> None:
    a = make(tmp_path / "a", 1, kernels=("numpy", "numba", FLOOR))
    b = make(tmp_path / "b", 2, lambda kernel, *_: 0.5 if kernel == "numba" else 1.0, kernels=("numpy", "numba", FLOOR))
    status, table = compared(a, b)
    assert (status, set(zip(table["kernel"], table["verdict"], strict=True))) == (0, {("numpy", "same"), ("numba", "faster")})
    status, table = compared(b, a)
    assert (status, set(zip(table["kernel"], table["verdict"], strict=True))) == (1, {("numpy", "same"), ("numba", "slower")})


def test_a_kernel_alone_is_judged_by_the_whole_run(tmp_path: Path) -> None:
    a = make(tmp_path / "a", 1, kernels=("numba", FLOOR), drift=0.0)
    b = make(tmp_path / "b", 2, lambda kernel, *_: 1.5 * (1.2 if kernel == "numba" else 1.0), kernels=("numba", FLOOR), drift=0.0)
    status, table = compared(a, b)
    assert (status, set(table["verdict"]), set(table["drift_from"])) == (1, {"slower"}, {"run"})
    assert table["drift"].to_numpy() == pytest.approx(1.5, rel=0.03)
    assert table["ratio"].to_numpy() == pytest.approx(1.8, rel=0.05)
    assert table["corrected_ratio"].to_numpy() == pytest.approx(1.2, rel=0.05)


def test_a_disturbance_is_no_regression(tmp_path: Path) -> None:
    hit = {"naive": 1.6, "numpy": 1.5, "numba": 1.75, FLOOR: 1.35}  # not all alike: numba 17 % above the median of the others
    for n, (kernels, factors) in enumerate(((tuple(SPEEDS), hit), (("numba", FLOOR), {"numba": 1.5, FLOOR: 1.5}))):
        a = make(tmp_path / f"a{n}", 1, kernels=kernels, drift=0.0)
        b = make(tmp_path / f"b{n}", 2, lambda k, *where: factors[k] if where == PLANTED[1:] else 1.0, kernels=kernels, drift=0.0)  # noqa: B023
        status, table = compared(a, b)
        assert (status, set(table["verdict"])) == (0, {"same"})


def shifted(factor: float, alter: Alter = unchanged) -> Alter:
    """A process in which one kernel's passes of a kind are slower or faster than in the next, as Python's memory makes them."""

    def altered(kernel: str, cell: Cell, phase: str) -> float | str:
        by = alter(kernel, cell, phase)
        return by * factor if not isinstance(by, str) and (kernel, phase) == ("naive", "backward") else by

    return altered


def test_what_differs_between_processes_is_told_from_a_change_by_further_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    factors = (1.25, 1.0, 0.8)
    a = [make(tmp_path / f"a{n}", 2 * n) for n in range(3)]
    b = [make(tmp_path / f"b{n}", 2 * n + 1, shifted(factor, planted(1.15))) for n, factor in enumerate(factors)]
    alone = [found(compared(*pair)[1], "slower", "faster") for pair in zip(a, b, strict=True)]
    assert any(kernel == "naive" for rows in alone for kernel, *_ in rows)  # a pair of them deceives
    assert "runs in one process do not tell" in capsys.readouterr().out
    status, table = compared(a[0], b[0], *(str(folder) for pair in zip(a[1:], b[1:], strict=True) for folder in pair))
    assert (status, found(table, "slower", "faster")) == (1, [PLACE])
    row = table[table["verdict"] == "slower"].iloc[0]
    assert (row["n_pairs"], row["n_slower"], row["n_faster"]) == (3, 3, 0)
    assert set(table["n_pairs"]) == {3}
    out = capsys.readouterr().out
    assert "by all of the 3 pairs" in out
    assert "runs in one process" not in out


def test_a_time_that_one_pair_lost_is_lost(tmp_path: Path) -> None:
    a, c = make(tmp_path / "a", 1), make(tmp_path / "c", 3)
    b, d = make(tmp_path / "b", 2), make(tmp_path / "d", 4, planted("error"))
    status, table = compared(a, b, str(c), str(d))
    assert (status, found(table, "lost")) == (1, [PLACE])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["a"], "A B: got 3 folders; expected pairs of them, an older and a newer run each"),
        (["a", "b"], "A B: a run stands there twice; expected runs of their own for each pair"),
    ],
)
def test_runs_that_are_no_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str) -> None:
    a, b = make(tmp_path / "a", 1), make(tmp_path / "b", 2)
    assert main([str(a), str(b), *(str(tmp_path / name) for name in more)]) == 2
    assert capsys.readouterr().err == f"python -m deltacheck.bench.compare: {message}\n"


def test_the_threshold_is_the_smallest_difference_that_counts(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a", 1), make(tmp_path / "b", 2, planted(1.3))
    assert [compared(a, b, "--threshold", percent)[0] for percent in ("0", "20", "40")] == [1, 1, 0]


@pytest.mark.parametrize("status", ["failed_verification", "inconclusive", "error", "too_slow", "unsupported"])
def test_a_time_that_was_lost_is_a_regression(tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str) -> None:
    a, b = make(tmp_path / "a", 1), make(tmp_path / "b", 2, planted(status))
    exit_status, table = compared(a, b)
    assert (exit_status, found(table, "lost")) == (1, [PLACE])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("lost"))
    assert "64-30-10 x 32 float64, step" in line
    assert status in line
    assert "dC/dw_0 is off" in line
    exit_status, table = compared(b, a)
    assert (exit_status, found(table, "new")) == (0, [PLACE])


def test_new_and_gone_kernels_are_no_regression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = make(tmp_path / "a", 1, kernels=("naive", "numpy", FLOOR)), make(tmp_path / "b", 2, kernels=("numpy", "numba", FLOOR))
    status, table = compared(a, b)
    assert (status, table.groupby("verdict")["kernel"].agg(set).to_dict()) == (0, {"gone": {"naive"}, "new": {"numba"}, "same": {"numpy"}})
    told = capsys.readouterr().out
    assert "gone: naive in 12 rows, the first 2-3-1 x 1 float64, backward" in told
    assert told.endswith("\nsame 12, new 12, gone 12\n")


def test_an_incomplete_run_is_compared_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = make(tmp_path / "a", 1)
    b = make(tmp_path / "b", 2, lambda kernel, cell, phase: 1.0 if cell.batch == 1 else "not_run", {"complete": False})
    with (b / "samples.csv").open("a") as file:
        file.write("b,numpy,step,64-30-10,sig")  # killed while it wrote
    status, table = compared(a, b)
    assert (status, set(table["verdict"]), set(table["batch"]), len(table)) == (0, {"same"}, {1}, 12)
    assert "warning: B is incomplete, 24 of its 36 rows were not measured" in capsys.readouterr().out

"""Intervals, rows and files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.contest import Result
from bench.floor import FLOOR
from bench.grid import Cell
from bench.measure import Turn
from bench.tables import SAMPLES, SUMMARY, append, median_interval, ratio_interval, sample_rows, summary_rows, write
from bench.yardsticks import Yardsticks

CELL = Cell.of("784-128-10", "sigmoid", "squared_error", 32, "float64")


def timed(*seconds: float) -> Result:
    return Result("ok", "pass", 1e-16, 0.5, turns=tuple(Turn(i, 0, 3, s) for i, s in enumerate(seconds)))


def test_the_interval_of_a_median_lies_between_order_statistics() -> None:
    # 40th and 61st of 100: the tables of the binomial distribution (Conover 1999, section 3.2)
    assert median_interval([float(n) for n in range(1, 101)]) == (50.5, 40.0, 61.0)
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]) == (4.0, 1.0, 7.0)
    assert np.isnan(median_interval([1.0, 2.0, 3.0, 4.0, 5.0])[1:]).all()
    assert np.isnan(median_interval([])).all()


def coverage(shrink: float) -> float:
    """How often the interval of a ratio, made narrower by ``shrink``, holds the true one (1.1)."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        noise = np.exp(0.1 * rng.standard_normal((2, 50)))
        ratio, low, high = ratio_interval(1.1 * noise[0], noise[1])
        held += ratio + (low - ratio) * shrink <= 1.1 <= ratio + (high - ratio) * shrink
    return held / 200


def test_the_interval_of_a_ratio_holds_the_true_one_as_often_as_it_says() -> None:
    assert coverage(1.0) > 0.9
    assert coverage(0.5) < 0.8  # the planted fault: an interval of half the width is found out


def test_the_ratio_is_of_pairs() -> None:
    assert ratio_interval([2.0, 20.0, 200.0] * 2, [1.0, 10.0, 100.0] * 2) == pytest.approx((2.0, 2.0, 2.0))
    ratio, low, high = ratio_interval([200.0, 20.0, 2.0] * 2, [1.0, 10.0, 100.0] * 2)  # pair by pair 200, 2 and 0.02
    assert ratio == pytest.approx(2.0)
    assert low < 0.5 < 2.0 < 10.0 < high


def test_a_few_pairs_have_no_interval() -> None:
    ratio, low, high = ratio_interval([2.0, 2.0], [1.0, 1.0])
    assert ratio == pytest.approx(2.0)
    assert np.isnan([low, high]).all()


def test_summary_rows() -> None:
    results = {
        "numpy": timed(*[2e-3] * 7),
        "mine": timed(*[1e-3] * 7),
        "bad": Result("failed_verification", "fail", 0.1, 0.2, "dC/dw_0 is off"),
    }
    rows = {row["kernel"]: row for row in summary_rows("run", "step", CELL, results)}
    assert all(list(row) == SUMMARY for row in rows.values())
    assert rows["mine"]["speedup_vs_numpy"] == pytest.approx(2.0)
    assert rows["numpy"]["speedup_vs_numpy"] == 1.0
    # 6 B sum n n' - 2 B n_0 n_1 flops in a millisecond
    assert rows["mine"]["gflops"] == pytest.approx((6 * 32 * (784 * 128 + 128 * 10) - 2 * 32 * 784 * 128) / 1e-3 / 1e9)
    assert (rows["mine"]["n_params"], rows["mine"]["layers"], rows["mine"]["threads"]) == (101770, "784-128-10", 1)
    for column in ("median_s", "ci_low_s", "ci_high_s", "speedup_vs_numpy", "gflops", "share_of_peak", "share_of_gemm"):
        assert np.isnan(rows["bad"][column])
    assert (rows["bad"]["n_samples"], rows["bad"]["message"]) == (0, "dC/dw_0 is off")


def test_pairs_are_of_the_same_round() -> None:
    often = Result("ok", turns=tuple(Turn(i, 0, 1, 1e-3 * (i + 1)) for i in range(100)))
    seldom = Result("ok", turns=tuple(Turn(i, 0, 1, 10e-3 * (i + 1)) for i in range(0, 100, 14)))
    rows = summary_rows("run", "step", CELL, {"numpy": often, "naive": seldom})
    assert [row["n_samples"] for row in rows] == [100, 8]
    assert [rows[1][name] for name in ("speedup_vs_numpy", "speedup_ci_low", "speedup_ci_high")] == pytest.approx([0.1] * 3)


def test_the_floor_is_a_yardstick_and_no_row() -> None:
    results = {"mine": timed(*[1e-3] * 7), "bad": Result("error", message="no"), FLOOR: timed(*[0.25e-3] * 7)}
    measured = Yardsticks({("float64", 1): 50.0, ("float64", 2): 1.0}, {("mine", "float64"): (2.0, 0.5), ("mine", "float32"): (9.0, 9.0)})
    mine, bad = summary_rows("run", "step", CELL, results, measured)
    assert (mine["kernel"], bad["kernel"]) == ("mine", "bad")
    assert [mine[name] for name in ("share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high")] == pytest.approx([0.25] * 3)
    assert mine["floor_s"] == bad["floor_s"] == 0.25e-3
    assert mine["share_of_peak"] == pytest.approx(mine["gflops"] / 50)
    assert (mine["cold_first_call_s"], mine["cached_first_call_s"]) == (2.0, 0.5)
    assert np.isnan([bad["share_of_gemm"], bad["share_of_peak"], bad["cold_first_call_s"]]).all()
    (unknown,) = summary_rows("run", "step", CELL, {"mine": results["mine"]}, Yardsticks({("float64", 1): None}))
    assert np.isnan([unknown["floor_s"], unknown["share_of_gemm"], unknown["share_of_peak"]]).all()
    kernels = {row["kernel"] for row in sample_rows("run", "step", CELL, results)}
    assert kernels == {"mine", FLOOR}


def test_no_speedup_without_numpy() -> None:
    for others in ({}, {"numpy": Result("error", message="no")}):
        (row, *_) = summary_rows("run", "step", CELL, {"mine": timed(*[1e-3] * 7), **others})
        assert np.isnan(row["speedup_vs_numpy"])
        assert row["median_s"] == 1e-3


def test_samples_are_appended_in_full_precision(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    for phase in ("forward", "step"):
        append(path, sample_rows("run", phase, CELL, {"numpy": timed(0.1 + 0.2, 1 / 3)}), SAMPLES)
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == SAMPLES
    assert [float(row[-1]) for row in rows] == [0.1 + 0.2, 1 / 3] * 2
    assert [row[2] for row in rows] == ["forward"] * 2 + ["step"] * 2


def test_a_table_without_rows_still_has_columns(tmp_path: Path) -> None:
    write(tmp_path / "summary.csv", [], SUMMARY)
    append(tmp_path / "samples.csv", [], SAMPLES)
    append(tmp_path / "samples.csv", [], SAMPLES)
    assert list(pd.read_csv(tmp_path / "summary.csv").columns) == SUMMARY
    assert (tmp_path / "samples.csv").read_text().count("run_id") == 1
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["samples.csv", "summary.csv"]


def undocumented(text: str, columns: set[str] = {*SUMMARY, *SAMPLES}) -> set[str]:  # noqa: B006
    """Those columns that the benchmarks' part of a text does not have in backquotes at the start of a table row."""
    part = text.partition("## Benchmarks")[2]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return columns - {name.strip() for row in rows for name in row.replace("`", "").split(",")}


def test_every_column_is_documented() -> None:
    text = (Path(__file__).parent.parent / "results" / "README.md").read_text(encoding="utf-8")
    assert undocumented(text) == set()
    assert undocumented(text.replace("`gflops`", "`glops`")) == {"gflops"}

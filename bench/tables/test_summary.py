"""Rows and files of the summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import AA_INSTANCE, FLOOR, Result, Turn
from deltacheck.bench.cells.run_constants import NONE, RunConstants
from deltacheck.bench.statistics.aa_pairs import LEAST
from deltacheck.bench.tables.summary import SUMMARY, break_even, summary_rows, write_summary

CELL = Cell.of("784-128-10", "sigmoid", "squared_error", 32, "float64")
NOISE = (1.0, 1.004, 0.997, 1.002, 0.999, 1.001, 0.998)
SPEEDUP = ("speedup", "speedup_ci_low", "speedup_ci_high")


def timed(*seconds: float) -> Result:
    return Result("ok", "pass", 1e-16, 0.5, turns=tuple(Turn(i, 0, 3, s) for i, s in enumerate(seconds)))


def steady(seconds: float) -> Result:
    return timed(*[seconds] * 7)


def noisy(seconds: float) -> Result:
    return timed(*(seconds * noise for noise in NOISE))


def rows_of(
    results: Mapping[str, Result], measured: RunConstants = NONE, baseline: str | None = "numpy", phase: str = "step"
) -> dict[str, dict[str, Any]]:
    return {row["kernel"]: row for row in summary_rows("run", {(CELL, phase): results}, measured, baseline)}


def test_a_row_for_each_kernel() -> None:
    bad = Result("failed_verification", "fail", 0.1, 0.2, None, "dC/dw_0 is off")
    rows = rows_of({"numpy": steady(2e-3), "mine": steady(1e-3), "bad": bad})
    assert all(list(row) == SUMMARY for row in rows.values())
    assert [rows["mine"][name] for name in SPEEDUP] == pytest.approx([2.0] * 3)
    assert (rows["numpy"]["speedup"], rows["numpy"]["tie"], rows["mine"]["tie"]) == (1.0, None, False)
    # 6 B sum n n' - 2 B n_0 n_1 flops in a millisecond
    assert rows["mine"]["gflops"] == pytest.approx((6 * 32 * (784 * 128 + 128 * 10) - 2 * 32 * 784 * 128) / 1e-3 / 1e9)
    assert (rows["mine"]["n_params"], rows["mine"]["layers"], rows["mine"]["threads"]) == (101770, "784-128-10", 1)
    for column in ("median_s", "ci_low_s", "ci_high_s", "speedup", "speedup_vs_numpy", "gflops", "share_of_peak", "share_of_gemm"):
        assert np.isnan(rows["bad"][column])
    assert (rows["bad"]["n_samples"], rows["bad"]["tie"], rows["bad"]["message"]) == (0, None, "dC/dw_0 is off")


def test_pairs_are_of_the_same_round() -> None:
    often = timed(*(1e-3 * (i + 1) for i in range(100)))
    seldom = Result("ok", turns=tuple(Turn(i, 0, 1, 10e-3 * (i + 1)) for i in range(0, 100, 14)))
    rows = rows_of({"numpy": often, "naive": seldom})
    assert [row["n_samples"] for row in rows.values()] == [100, 8]
    assert [rows["naive"][name] for name in SPEEDUP] == pytest.approx([0.1] * 3)


def test_the_floor_is_a_yardstick_and_no_row() -> None:
    results = {"mine": steady(1e-3), "bad": Result("error", message="no"), FLOOR: steady(0.25e-3)}
    measured = RunConstants({("float64", 1): 50.0, ("float64", 2): 1.0}, {("mine", "float64"): (2.0, 0.5), ("mine", "float32"): (9.0, 9.0)})
    mine, bad = rows_of(results, measured).values()
    assert (mine["kernel"], bad["kernel"]) == ("mine", "bad")
    assert [mine[name] for name in ("share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high")] == pytest.approx([0.25] * 3)
    assert mine["floor_s"] == bad["floor_s"] == 0.25e-3
    assert mine["share_of_peak"] == pytest.approx(mine["gflops"] / 50)
    assert (mine["cold_first_call_s"], mine["cached_first_call_s"]) == (2.0, 0.5)
    assert np.isnan([bad["share_of_gemm"], bad["share_of_peak"], bad["cold_first_call_s"]]).all()
    (unknown,) = rows_of({"mine": results["mine"]}, RunConstants({("float64", 1): None})).values()
    assert np.isnan([unknown["floor_s"], unknown["share_of_gemm"], unknown["share_of_peak"]]).all()


def test_the_second_entry_is_a_ratio_on_all_rows_and_no_row() -> None:
    results = {"naive": noisy(9e-3), "numpy": noisy(2e-3), "bad": Result("error"), AA_INSTANCE: noisy(1.9e-3)}
    rows = rows_of(results)
    assert list(rows) == ["naive", "numpy", "bad"]
    for row in rows.values():
        assert [row[name] for name in ("aa_ratio", "aa_ci_low", "aa_ci_high")] == pytest.approx([0.95] * 3)
        assert row["aa_band"] > 0.05  # from one pair, it may be more than that shows
    (other, *_) = rows_of(results, baseline=None).values()  # without a baseline it was the first that has a time
    assert other["aa_ratio"] == pytest.approx(1.9 / 9)


@pytest.mark.parametrize(
    ("factor", "tie"), [(1.0, True), (1.015, True), (1 / 1.015, True), (1.03, False), (1 / 1.03, False), (1.021, True), (2.0, False)]
)
def test_a_tie_is_an_interval_that_is_not_wholly_beyond_the_band(factor: float, tie: bool) -> None:
    wide = timed(*(2e-3 / factor * noise for noise in NOISE[::-1]))  # the interval is about 0.5 % to either side
    rows = rows_of({"numpy": noisy(2e-3), "mine": wide, AA_INSTANCE: noisy(2e-3)})
    assert (rows["mine"]["aa_band"], rows["mine"]["tie"]) == (LEAST, tie)


def test_a_wider_band_makes_more_ties() -> None:
    results = {"numpy": noisy(2e-3), "mine": noisy(2e-3 / 1.1)}
    assert rows_of(results | {AA_INSTANCE: noisy(2e-3)})["mine"]["tie"] is False
    assert rows_of(results | {AA_INSTANCE: noisy(2.1e-3)})["mine"]["tie"] is True


def test_without_an_interval_nothing_is_told_from_a_tie() -> None:
    assert rows_of({"numpy": timed(2e-3, 2e-3), "mine": timed(1e-3, 1e-3)})["mine"]["tie"] is True


@pytest.mark.parametrize("baseline", ["numpy", "other", None])
def test_no_speedup_where_the_baseline_has_no_time(baseline: str | None) -> None:
    for others in ({}, {"numpy": Result("error", message="no")}):
        row = rows_of({"mine": steady(1e-3), **others}, baseline=baseline)["mine"]
        assert np.isnan([row["speedup"], row["speedup_vs_numpy"]]).all()
        assert (row["baseline"], row["tie"], row["median_s"]) == (None, None, 1e-3)


def test_another_baseline() -> None:
    rows = rows_of({"numpy": steady(4e-3), "numba": steady(1e-3), "mine": steady(2e-3)}, baseline="numba")
    assert [rows[name]["speedup"] for name in ("numpy", "numba", "mine")] == pytest.approx([0.25, 1.0, 0.5])
    assert [rows[name]["speedup_vs_numpy"] for name in ("numpy", "numba", "mine")] == pytest.approx([1.0, 4.0, 2.0])
    assert [rows[name]["tie"] for name in ("numpy", "numba", "mine")] == [False, None, False]
    assert {row["baseline"] for row in rows.values()} == {"numba"}


def test_backward_by_forward() -> None:
    results = {"forward": {"numpy": steady(1e-3), "jax": steady(1e-3)}, "backward": {"numpy": steady(3e-3), "jax": Result("unsupported")}}
    table = pd.DataFrame(summary_rows("run", {(CELL, phase): of for phase, of in results.items()})).set_index(["phase", "kernel"])
    assert table["backward_over_forward"].tolist() == pytest.approx([np.nan, np.nan, 3.0, np.nan], nan_ok=True)
    products = 784 * 128 + 128 * 10
    assert table["backward_over_forward_model"]["backward", "numpy"] == pytest.approx(2 - 784 * 128 / products)


@pytest.mark.parametrize(
    ("numba", "expected"),
    [
        ((5.0, 1e-3), 1 + 5000),  # 5 s to make up for, a millisecond with each step
        ((5.0, 1.9995e-3), 1 + 10_000_000),
        ((5.0, 2e-3), None),
        ((5.0, 3e-3), None),
        ((0.0, 1e-3), None),  # nothing to make up for
        ((float("nan"), 1e-3), None),
    ],
)
def test_when_a_compiler_has_paid(numba: tuple[float, float], expected: int | None) -> None:
    calls = break_even(*numba, 0.0, 2e-3)
    assert np.isnan(calls) if expected is None else calls == pytest.approx(expected, abs=1)
    if expected is not None:  # it has, and a call before it had not
        first_s, median_s = numba
        behind = [first_s + (n - 1) * median_s - (n - 1) * 2e-3 for n in (calls - 1, calls)]
        assert behind[0] > 0 >= round(behind[1], 9)


def test_why_columns_are_of_their_phase_and_threads() -> None:
    measured = RunConstants(
        first_calls_s={("numpy", "float64"): (0.001, 0.001), ("mine", "float64"): (8.001, 0.201)},
        dispatch_s={("mine", "float64", 1): 3e-6, ("mine", "float64", 2): 9e-6},
    )
    results = {"numpy": steady(2e-3), "mine": steady(1e-3)}
    mine = rows_of(results, measured)["mine"]
    assert [mine[name] for name in ("break_even_calls", "break_even_calls_cached")] == pytest.approx([8001, 201], abs=1)
    assert mine["dispatch_s"] == 3e-6
    assert np.isnan(rows_of(results, measured, phase="forward")["mine"]["break_even_calls"])
    assert np.isnan(rows_of(results, measured)["numpy"]["break_even_calls"])


def test_a_file_says_it_all(tmp_path: Path) -> None:
    measured = RunConstants(first_calls_s={("numpy", "float64"): (0.0, 0.0), ("mine", "float64"): (8.0, 0.0)})
    rows = rows_of({"numpy": steady(2e-3), "mine": Result("ok", turns=timed(*[1e-3] * 7).turns, peak_bytes=1234)}, measured)
    write_summary(tmp_path / "summary.csv", list(rows.values()))
    write_summary(tmp_path / "empty.csv", [])
    text = pd.read_csv(tmp_path / "summary.csv", dtype=str, keep_default_na=False).set_index("kernel")
    assert text.loc["mine", ["tie", "peak_bytes", "break_even_calls", "break_even_calls_cached"]].tolist() == ["False", "1234", "8001", ""]
    assert text.loc["numpy", ["tie", "peak_bytes", "baseline"]].tolist() == ["", "", "numpy"]
    assert [list(pd.read_csv(tmp_path / name).columns) for name in ("summary.csv", "empty.csv")] == [SUMMARY] * 2
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["empty.csv", "summary.csv"]

"""Who the page says is the fastest, and where it says that nobody is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from bench.page.inputs import read
from bench.page.winners import winners
from bench.test_page import NAN, Rows, behind, rows, save


def won(table: Rows, tmp_path: Path) -> pd.DataFrame:
    return winners(read(save(tmp_path, table)).rows)


def test_a_lead_within_the_noise_is_a_tie(tmp_path: Path) -> None:
    def of(factor: float, **changed: Any) -> str:
        table = rows(["numpy", "a"], layers=["2-3-1"], batches=[1], phases=["step"])
        table[1]["median_s"] = table[0]["median_s"] / factor
        for row, ratio in zip(table, (factor, 1 / factor), strict=True):
            row |= behind(max(1.0, ratio)) | changed
        (row,) = won(table, tmp_path).to_dict("records")
        return str(row["winner"])

    assert [of(factor) for factor in (0.5, 0.98, 1.0, 1.02, 1.05, 2.0)] == ["numpy", "", "", "", "a", "a"]
    assert of(1.05, aa_band=0.05) == ""
    assert of(2.0, over_fastest_ci_low=NAN) == ""


def test_the_lead_is_over_the_next_whatever_the_baseline(tmp_path: Path) -> None:
    table = rows(["numpy", "a", "b"], layers=["2-3-1"], batches=[1], phases=["step"])
    (row,) = won(table, tmp_path).to_dict("records")
    assert (row["winner"], row["next"], row["factor"], row["low"]) == ("b", "a", 2.0, 1.98)
    table[1] |= behind(1.02)
    (row,) = won(table, tmp_path).to_dict("records")
    assert (row["winner"], row["fastest"]) == ("", "b")
    alone = won([row | ({"median_s": NAN} if row["kernel"] != "a" else {}) for row in table], tmp_path).to_dict("records")
    assert (alone[0]["winner"], alone[0]["n_timed"]) == ("a", 1)

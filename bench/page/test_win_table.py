"""Who the page says is the fastest, and where it says that nobody is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deltacheck.bench.page.page_data import read
from deltacheck.bench.page.sections.headline import the_other
from deltacheck.bench.page.test_page import NAN, Parsed, Rows, behind, page, rows, save
from deltacheck.bench.page.win_table import winners
from deltacheck.bench.statistics.winners import tally


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
    assert (alone[0]["winner"], alone[0]["n_timed"]) == ("", 1)


def test_one_alone_has_not_won_and_both_places_count_alike(tmp_path: Path) -> None:
    table = rows(["numpy", "numba"], layers=["2-3-1"], batches=[1, 2, 3, 4], phases=["step"])
    untimed = {"median_s": NAN, "status": "too_slow", "speedup": NAN}
    for row, times in zip(table[2:], (0, 1, 0, 0, 1, 1), strict=True):  # batch 1: both, 2: numba alone, 3: none, 4: both
        row |= {} if times else untimed
    found = won(table, tmp_path)
    assert list(zip(found["winner"], found["fastest"], found["n_timed"], strict=True)) == [
        *(("numba", "numba", 2), ("", "numba", 1), ("", "", 0), ("numba", "numba", 2))
    ]
    count = tally(zip(found["winner"], found["n_timed"], strict=True))
    assert (count.wins, count.ties, count.no_contest, count.contests) == ({"numba": 2}, 0, 2, 2)
    text = Parsed(page(tmp_path / "page", table)).text
    assert "numba is the fastest in all 2 cells (one step, forward and backward)" in text
    assert "No contest in 2 more cells, where fewer than two kernels have a time." in text
    assert "Squares won. float64: numba 2, no contest in 2." in text
    assert "Alone: no other kernel has a time there" in text
    assert "No time: every kernel was too slow there" in text
    assert "Blank: " not in text
    assert Counter(re.findall(r">(alone|no time)</text>", (tmp_path / "page" / "report.html").read_text())) == {"alone": 1, "no time": 1}


def test_blank_squares_are_explained(tmp_path: Path) -> None:
    table = rows(layers=["2-3-1"], batches=[1]) + rows(layers=["4-3-1"], batches=[2])
    assert "Blank: no cell of this run, or not reached." in Parsed(page(tmp_path, table)).text


def test_cells_an_interrupted_run_has_not_reached_are_not_counted(tmp_path: Path) -> None:
    table = rows(layers=["2-3-1"], batches=[1, 2], phases=["step"])
    for row in table[2:]:
        row |= {"median_s": NAN, "status": "not_run"}
    assert list(won(table, tmp_path)["batch"]) == [1]


@pytest.mark.parametrize(
    ("n", "wins", "ties", "expected"),
    [
        (0, {}, 0, []),
        (23, {}, 23, ["The other 23 are ties."]),
        (1, {}, 1, ["The other one is a tie."]),
        (2, {"numpy": 2}, 0, ["In the other 2 it is numpy."]),
        (1, {"numpy": 1}, 0, ["In the other one it is numpy."]),
        (4, {"numpy": 2, "naive": 1}, 1, ["In the other 4: numpy 2, naive 1, 1 tie."]),
    ],
)
def test_what_came_of_the_others_is_said_once(n: int, wins: dict[str, int], ties: int, expected: list[str]) -> None:
    assert the_other(n, wins, ties) == expected


def test_the_headline_says_what_its_factors_range_over(tmp_path: Path) -> None:
    table = rows(layers=["2-3-1"], batches=[1, 2], phases=["step"])
    table[3] |= {"speedup": 8.0}
    text = Parsed(page(tmp_path, table)).text
    assert "4.0 times as fast as numpy in the geometric mean of the 2 cells where both have a time" in text
    assert "from 2.0 times in one of them to 8.0 times in another." in text

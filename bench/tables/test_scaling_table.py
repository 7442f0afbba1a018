"""Known exponents and crossovers are found again, and nothing is said where nothing can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.scaling import main
from deltacheck.bench.tables.crossovers import COLUMNS as CROSSOVERS
from deltacheck.bench.tables.crossovers import crossovers
from deltacheck.bench.tables.csv_files import write
from deltacheck.bench.tables.scaling_table import SCALING, scaling, write_or_warn
from deltacheck.bench.tables.summary import SUMMARY

BATCHES = (1, 4, 16, 64, 256)
SQUARES = ("16-16-16", "64-64-64", "256-256-256", "1024-1024-1024")  # work: 2 B n^2
NAN = float("nan")
Law = Callable[[int], float]  # seconds, of the batch size or the work


def rows(kernel: str, law: Law, batches: tuple[int, ...] = BATCHES, spread: float = 0.01, **kept: object) -> list[dict[str, object]]:
    """A kernel's rows along the batch size, its medians within ``spread``."""
    place = {"run_id": "run", "phase": "step", "layers": "64-64-64", "activation": "sigmoid", "cost": "squared_error"}
    place |= {"dtype": "float64", "threads": 1, "kernel": kernel, **kept}  # type: ignore[dict-item]
    times = [(batch, law(batch)) for batch in batches]
    return [place | {"batch": b, "median_s": t, "ci_low_s": t / (1 + spread), "ci_high_s": t * (1 + spread)} for b, t in times]


def over_networks(kernel: str, law: Law, networks: tuple[str, ...] = SQUARES) -> list[dict[str, object]]:
    """A kernel's rows along the work at batch 8."""
    works = {layers: Cell.of(layers, "sigmoid", "squared_error", 8, "float64").multiply_adds for layers in networks}
    return [row for layers, work in works.items() for row in rows(kernel, lambda _, work=work: law(work), (8,), layers=layers)]  # type: ignore[misc]


def fit(table: list[dict[str, object]], along: str = "batch") -> pd.Series:
    """The one row along an axis."""
    found = scaling(pd.DataFrame(table))
    (row,) = [row for _, row in found[found["along"] == along].iterrows()]
    return row


def crossed(*tables: list[dict[str, object]], along: str = "batch") -> pd.DataFrame:
    found = crossovers(pd.DataFrame([row for table in tables for row in table]))
    return found[found["along"] == along]


def noisy(exponent: float, seed: int, sd: float = 0.03) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    return rows("mine", lambda batch: float(1e-5 * batch**exponent * np.exp(sd * rng.standard_normal())))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_an_exact_power_law_is_found_again(exponent: float) -> None:
    row = fit(rows("mine", lambda batch: 1e-5 * batch**exponent))
    assert [row["exponent"], row["exponent_ci_low"], row["exponent_ci_high"]] == pytest.approx([exponent] * 3, abs=1e-6)
    assert (row["n_sizes"], row["smallest_size"], row["largest_size"], row["layers"]) == (5, 1, 256, "64-64-64")
    assert pd.isna(row["reason"])
    assert pd.isna(row["batch"])


def test_along_the_work_it_is_of_multiply_adds() -> None:
    row = fit(over_networks("mine", lambda work: 1e-9 * work**0.9), "work")
    assert row["exponent"] == pytest.approx(0.9)
    assert (row["smallest_size"], row["largest_size"], row["batch"]) == (8 * 2 * 16**2, 8 * 2 * 1024**2, 8)
    assert pd.isna(row["layers"])


def held(exponent: float, planted: float = 0.0) -> float:
    """How often the interval, moved by ``planted``, holds the true exponent."""
    found = [fit(noisy(exponent, seed)) for seed in range(150)]
    return float(np.mean([row["exponent_ci_low"] + planted <= exponent <= row["exponent_ci_high"] + planted for row in found]))


def test_the_interval_holds_the_exponent_as_often_as_it_says() -> None:
    assert 0.9 < held(0.8) < 0.99
    assert held(0.8, planted=0.05) < 0.2  # the planted fault: an exponent off by 0.05 is found out


def test_the_interval_of_three_points_is_that_of_the_textbook() -> None:
    row = fit(rows("mine", lambda batch: {1: 1.0, 10: 11.0, 100: 100.0}[batch], (1, 10, 100)))
    # By hand: slope 1, residuals (-1, 2, -1) ln(1.1) / 3, one degree of freedom, t = 12.7062
    sd = np.log(1.1) / 3 * np.sqrt(6)
    half = 12.7062 * sd / (np.log(10) * np.sqrt(2))
    assert [row["residual_sd"], row["exponent_ci_low"], row["exponent_ci_high"]] == pytest.approx([sd, 1 - half, 1 + half], rel=1e-5)


@pytest.mark.parametrize(
    ("law", "batches", "reason"),
    [
        (lambda batch: 1e-5 * batch, (1, 256), "too few sizes: 2 with a time, expected 3 or more"),
        (lambda batch: 1e-5 * batch, (32, 64, 128, 255), "too short a range: 7.97x, expected 8x or more"),
        (lambda batch: 1e-4 + 1e-7 * batch, BATCHES, r"no power law: R² of 0\.\d{4}, expected 0.98 or more"),  # overhead and a little
        (lambda batch: 1e-4 + 2e-6 * batch, BATCHES, r"no power law: residuals of 0\.\d+, expected 0.15 or less"),
        (lambda batch: 1e-4, BATCHES, r"no power law: R² of 0\.0000, expected 0.98 or more"),  # overhead alone
        (lambda batch: 1e-5 * batch * (1.5 if batch in (4, 64) else 1), BATCHES, r"no power law: residuals of 0\.\d+, expected"),
        (lambda batch: NAN, BATCHES, "too few sizes: 0 with a time, expected 3 or more"),
    ],
)
def test_what_is_no_power_law_is_refused(law: Law, batches: tuple[int, ...], reason: str) -> None:
    row = fit(rows("mine", law, batches))
    assert pd.Series([row["reason"]]).str.fullmatch(reason + ".*").all(), row["reason"]
    assert row[["exponent", "exponent_ci_low", "exponent_ci_high"]].isna().all()
    assert pd.isna(fit(rows("mine", lambda batch: 1e-5 * batch, (32, 64, 128, 256)))["reason"])  # just long enough


def test_cells_without_a_time_are_skipped() -> None:
    row = fit(rows("mine", lambda batch: 1e-5 * batch) + rows("mine", lambda batch: NAN, (512, 1024)))
    assert (row["n_sizes"], row["largest_size"]) == (5, 256)
    assert row["exponent"] == pytest.approx(1.0)
    (crossing,) = crossed(rows("a", lambda b: b if b != 16 else NAN), rows("b", lambda b: 10.0)).to_dict("records")
    assert (crossing["size_below"], crossing["size_above"]) == (4, 64)


def test_what_differs_is_not_mixed() -> None:
    table = rows("a", lambda b: 1e-5 * b)
    for n, kept in enumerate([{"dtype": "float32"}, {"threads": 2}, {"phase": "forward"}, {"activation": "relu"}, {"run_id": "two"}]):
        table += rows("a", lambda b, n=n: (n + 2) * 1e-5 * b ** (1 - 0.1 * n), **kept)  # type: ignore[misc]
    found = scaling(pd.DataFrame(table))
    assert found.loc[found["along"] == "batch", "exponent"].tolist() == pytest.approx([1.0, 1.0, 0.9, 0.8, 0.7, 0.6])
    assert crossed(rows("a", lambda b: 1.0 * b), rows("b", lambda b: 9.0, dtype="float32")).empty


@pytest.fixture
def run(tmp_path: Path) -> Path:
    table = rows("null", lambda b: 1e-5 * b) + rows("numpy", lambda b: 1e-4 + 2e-6 * b) + rows("slow", lambda b: NAN)
    write(tmp_path / "summary.csv", table, [column for column in SUMMARY if column in table[0]])
    return tmp_path


def test_the_tables_and_the_words(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(run), "--out", str(run / "new" / "out")])
    main([str(run)])
    for name, columns in (("scaling.csv", SCALING), ("crossovers.csv", CROSSOVERS)):
        assert list(pd.read_csv(run / name).columns) == columns
        assert (run / name).read_bytes() == (run / "new" / "out" / name).read_bytes()
    assert "run,null,step,64-64-64,sigmoid,squared_error,,float64,1,batch,5,1,256,1." in (run / "scaling.csv").read_text()
    out = capsys.readouterr().out
    assert "1.00 [1.00, 1.00]" in out
    assert "numpy overtakes null at batch 12." in out
    assert max(map(len, out.splitlines())) <= 160


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("median_s", "median", "summary: got no column median_s"),
        ("64-64-64", "64-x-64", "summary: line 2 is none of a run's summary.csv: invalid literal"),
        (",256,", ",-256,", "summary: line 6 is none of a run's summary.csv: batch: got -256, expected 1 or more"),
        (",1e-05,", ",-1e-05,", "median_s: got -1e-05, expected seconds, more than 0"),
        ("slow", "numpy", None),  # rows without a time beside those with one are no second time
        ("numpy", "null", "summary: line 7 is another time of null for 64-64-64 x 1 float64 step, expected one"),
    ],
)
def test_bad_input_is_one_line(run: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str | None) -> None:
    path = run / "summary.csv"
    path.write_text(path.read_text().replace(old, new))
    if message is None:
        main([str(run)])
        return
    with pytest.raises(SystemExit, match="2"):
        main([str(run)])
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (run / "scaling.csv").exists()


def test_no_table_no_rows_and_no_folder(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "summary.csv").write_text((run / "summary.csv").read_text().partition("\n")[0] + "\n")
    (run / "empty").mkdir()
    (run / "empty" / "summary.csv").touch()
    for folder, message in ((run, "without rows"), (run / "empty", "No columns"), (run / "none", "which is no folder")):
        with pytest.raises(SystemExit, match="2"):
            main([str(folder)])
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_a_run_is_warned_and_goes_on(run: Path) -> None:
    assert write_or_warn(rows("a", lambda b: 1.0), run / "summary.csv" / "no") != []
    (warning,) = write_or_warn([], run)
    assert warning.startswith("no scaling.csv and crossovers.csv: ValueError: summary: got no column run_id, ")
    assert write_or_warn(rows("a", lambda b: 1.0), run) == []

"""The picture shows what the table says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import Result, Turn
from deltacheck.bench.page.figures.batch_times import picture
from deltacheck.bench.plot import main
from deltacheck.bench.tables.csv_files import write
from deltacheck.bench.tables.summary import SUMMARY, summary_rows


def table() -> list[dict[str, object]]:
    rows = []
    for layers in ("2-3-1", "64-30-10"):
        for batch in (1, 32):
            cell = Cell.of(layers, "sigmoid", "squared_error", batch, "float64")
            turns = tuple(Turn(i, 0, 1, batch * 1e-3 * (1 + i / 100)) for i in range(7))
            results = {"naive": Result("too_slow", message="no"), "numpy": Result("ok", "pass", 0.0, 0.1, turns=turns)}
            rows += summary_rows("run", {(cell, "step"): results})
    return rows


def test_lines_are_the_medians() -> None:
    figure = picture(pd.DataFrame(table(), columns=SUMMARY))
    assert [ax.get_title() for ax in figure.axes] == ["2-3-1", "64-30-10"]
    for ax in figure.axes:
        drawn = [line for line in ax.get_lines() if len(line.get_xdata())]
        assert [(list(line.get_xdata()), list(line.get_ydata())) for line in drawn] == [([1, 32], pytest.approx([1.03e-3, 32 * 1.03e-3]))]
        assert ax.texts[0].get_text() == "naive too slow at 1, 32"


def test_another_number_of_threads_has_a_panel_of_its_own() -> None:
    two = [row | {"threads": 2} for row in table()]
    figure = picture(pd.DataFrame(table() + two, columns=SUMMARY))
    assert [ax.get_title() for ax in figure.axes if ax.get_visible()] == ["2-3-1", "64-30-10", "2-3-1 2 threads", "64-30-10 2 threads"]
    assert list(figure.axes[0].get_xticks()) == [1, 32]
    assert all(len(line.get_xdata()) in (0, 2) for ax in figure.axes for line in ax.get_lines())  # not four points on one line


def test_a_phase_without_times_is_refused() -> None:
    with pytest.raises(ValueError, match=r"phase: got 'forward', which has no times in this table; expected one of step"):
        picture(pd.DataFrame(table(), columns=SUMMARY), "forward")


def test_the_same_table_gives_the_same_file(tmp_path: Path) -> None:
    write(tmp_path / "summary.csv", table(), SUMMARY)
    for name in ("a.svg", "b.svg"):
        main([str(tmp_path), str(tmp_path / name)])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "none"), str(tmp_path / "c.svg")])


@pytest.mark.parametrize(
    ("run", "out", "message"),
    [
        ("none", "a.svg", "run: got none, which is no folder; expected a run's, such as results/bench/latest"),
        ("empty", "a.svg", "run: empty has no summary.csv; expected a run's folder, such as results/bench/latest"),
        (".", "none/a.svg", "out: none/a.svg cannot be written: FileNotFoundError"),
        (".", "a.foo", "out: a.foo cannot be written: ValueError: Format 'foo' is not supported"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: str, out: str, message: str
) -> None:
    write(tmp_path / "summary.csv", table(), SUMMARY)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main([run, out])
    told = capsys.readouterr().err
    assert told.startswith(f"python -m deltacheck.bench.plot: {message}")
    assert told.count("\n") == 1


def test_one_number_of_threads_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "summary.csv", table() + [row | {"threads": 2} for row in table()], SUMMARY)
    for arguments in (["a.svg"], ["b.svg", "--threads", "2"]):
        main([str(tmp_path), str(tmp_path / arguments[0]), *arguments[1:]])
    assert (tmp_path / "b.svg").stat().st_size < (tmp_path / "a.svg").stat().st_size
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), str(tmp_path / "c.svg"), "--threads", "3"])
    assert "--threads: got 3; there is no such cell" in capsys.readouterr().err

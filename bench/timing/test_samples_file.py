"""Samples are on the disk when their round ends, and come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import Turn
from deltacheck.bench.timing.samples_file import SAMPLES, SamplesFile, begin_samples, read_samples

CELL = Cell.of("3-4-2", "tanh,relu", "squared_error", 5, "float32", 2)
ROUNDS = [{"numpy": Turn(n, 0, 3, 0.1 + n / 3, n % 2), 'a "quoted", one': Turn(n, 1, 1, 1 / (n + 1))} for n in range(4)]


def written(folder: Path) -> Path:
    begin_samples(folder / "samples.csv")
    file = SamplesFile(folder / "samples.csv", "run")
    for turns in ROUNDS:
        file.add(CELL, "step", turns)
    file.close()
    return folder / "samples.csv"


def test_what_is_added_is_there_at_once_and_in_full_precision(tmp_path: Path) -> None:
    begin_samples(tmp_path / "samples.csv")
    file = SamplesFile(tmp_path / "samples.csv", "run")
    assert read_samples(tmp_path / "samples.csv") == {}
    for n, turns in enumerate(ROUNDS, 1):
        file.add(CELL, "step", turns)
        assert read_samples(tmp_path / "samples.csv") == {(CELL, "step"): {name: [r[name] for r in ROUNDS[:n]] for name in turns}}
    file.close()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(FileExistsError):
        begin_samples(tmp_path / "samples.csv")
    before = read_samples(tmp_path / "samples.csv")
    SamplesFile(tmp_path / "samples.csv", "run").close()
    assert read_samples(tmp_path / "samples.csv") == before


def test_cut_anywhere_a_sample_is_whole_or_not_there(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_bytes()
    known = {turn for turns in ROUNDS for turn in turns.values()}
    for end in range(text.index(b"\n") + 1, len(text), 7):
        path.write_bytes(text[:end])
        found = [turn for of_place in read_samples(path).values() for turns in of_place.values() for turn in turns]
        assert set(found) <= known
        assert len(found) == text[:end].count(b"\n") - 1


def test_another_file_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("iterations", "iteration"))
    with pytest.raises(ValueError, match="has no column iterations"):
        read_samples(path)
    path.write_text(",".join(SAMPLES) + "\n" + "x," * (len(SAMPLES) - 1) + "x\n")
    with pytest.raises(ValueError, match=r"samples.csv, line 2: invalid literal"):
        read_samples(path)

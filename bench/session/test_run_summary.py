"""The closing table: intervals or ties, never a bare quotient, and readable with as many contenders as there are."""

from __future__ import annotations

import re

import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import Result, Turn
from deltacheck.bench.session.run_summary import ROOM, a_by_a, who_won, without_times
from deltacheck.bench.tables.summary import Row, summary_rows
from deltacheck.suites.formatting import time_text

NAMES = ("numpy", "naive", "numba", "torch-autograd", "torch-by-hand", "torch-compile", "jax")
NOISE = (1.0, 1.004, 0.997, 1.002, 0.999, 1.001, 0.998)


class FakeRun:
    """Two cells, and what the contenders take in both: milliseconds; None where it is too slow."""

    def __init__(self, baseline: str | None = "numpy", **took: float | None) -> None:
        cells = [Cell.of("256-256-256-256", "sigmoid", "squared_error", 1024, "float32", threads) for threads in (1, 2)]
        results = {
            name.replace("_", "-"): Result("ok", "pass", turns=tuple(Turn(i, 0, 1, 1e-3 * ms * noise) for i, noise in enumerate(NOISE)))
            if ms
            else Result("too_slow")
            for name, ms in took.items()
        }
        self.results = {(cell, "step"): results for cell in cells}
        self._rows = summary_rows("run", self.results, baseline=baseline)

    def rows(self) -> list[Row]:
        return self._rows

    def row(self, cell: Cell, phase: str, kernel: str) -> Row:
        return next(row for row in self._rows if (row["kernel"], row["threads"]) == (kernel, cell.threads))


def lines(baseline: str | None = "numpy", **took: float) -> list[str]:
    return who_won(FakeRun(baseline, **took), "step")  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [NAMES, NAMES[:ROOM]])
def test_no_wider_than_a_wide_terminal_and_no_quotient_without_its_interval(names: tuple[str, ...]) -> None:
    text = lines(**{name.replace("-", "_"): n + 1 for n, name in enumerate(names)}, again=1.0)
    assert max(map(len, text)) <= 160
    heads = [line for line in text if line.startswith("cell ")]
    assert len(heads) == -(-len(names) // ROOM)
    assert [name for head in heads for name in head.split()[1:]] == list(names)
    assert text[3].startswith("256-256-256-256 x 1024 float32  ")
    assert text[4].startswith("256-256-256-256 x 1024 float32 2 threads")
    assert "1 ms *" in text[3]
    assert "2 ms 0.5x [0.5, 0.5]" in text[3]
    assert len(re.findall(r"[0-9]x \[", " ".join(text))) == len(re.findall(r"[0-9]x", " ".join(text))) == 2 * (len(names) - 1)
    assert text[-1] == f"fastest step, by cells: numpy 2, {', '.join(f'{name} 0' for name in names[1:])}"


def test_a_tie_is_printed_as_one_and_nobody_has_won() -> None:
    text = lines(numpy=1.0, numba=0.99, naive=5.0, again=1.0)
    assert re.search(r"990 us tie +5 ms 0.2x \[", text[3])
    assert "*" not in text[3]
    assert text[-1] == "fastest step, by cells: numpy 0, numba 0, naive 0, tied 2"
    assert "990 us 1.01x" not in " ".join(text)
    clear = lines(numpy=1.0, numba=0.9, naive=5.0, again=1.0)
    assert re.search(r"900 us 1.11x \[1.11, 1.11\] \*", clear[3])
    assert "tie " in lines(numpy=1.0, numba=0.9, naive=5.0, again=1.2)[3]  # where equal kernels differ by as much, it is one


def test_the_winner_is_ahead_of_the_next_whatever_the_baseline() -> None:
    assert lines(numpy=1.0, numba=0.5, naive=0.502, again=1.0)[-1].endswith("tied 2")
    assert lines("naive", numpy=1.0, numba=0.5, naive=9.0, again=9.0)[-1] == "fastest step, by cells: numpy 0, numba 2, naive 0"


def test_another_baseline_and_none() -> None:
    text = lines("numba", numpy=1.0, numba=0.5, again=0.5)
    assert "speed-up over numba [its 95 % interval] or tie" in text[0]
    assert "1 ms 0.5x [0.5, 0.5]" in text[3]
    assert "500 us *" in text[3]
    alone = lines(None, naive=1.0, numba=0.5, again=1.0)
    assert "speed-up" not in alone[0]
    assert not re.search(r"tie|[0-9]x \[", alone[3])


def test_pairs_that_are_called_different_are_counted_by_threads() -> None:
    assert a_by_a(FakeRun(numpy=1.0, again=1.0).rows()) == [
        "A/A: 0 of 1 pairs called different, band 2 %",
        "A/A, 2 threads: 0 of 1 pairs called different, band 2 %",
    ]
    assert a_by_a(FakeRun(numpy=1.0, again=1.05).rows())[0].startswith("A/A: 1 of 1 pairs called different, band ")
    assert a_by_a(FakeRun(numpy=1.0).rows()) == []
    assert re.fullmatch(r"A/A: 1 of 1 pairs called different, band [0-9]{4,} %", a_by_a(FakeRun(numpy=1.0, again=1.5).rows())[0])


def test_one_alone_has_not_won() -> None:
    run = FakeRun(numpy=1.0, naive=9.0)
    alone = FakeRun(numpy=1.0, naive=None)
    assert who_won(run, "step")[-1] == "fastest step, by cells: numpy 2, naive 0"  # type: ignore[arg-type]
    text = who_won(alone, "step")  # type: ignore[arg-type]
    assert text[3].endswith("1 ms   too_slow")
    assert "*" not in "".join(text[1:])
    assert text[-1] == "fastest step, by cells: numpy 0, naive 0, no contest in 2"


def test_what_has_no_time_is_counted_in_cells() -> None:
    rows = FakeRun(numpy=1.0, naive=None).rows()
    assert without_times(rows) == ["too_slow: naive in 2 cells, the first 256-256-256-256 x 1024 float32"]
    assert without_times(rows[:2]) == ["too_slow: naive in 1 cell, the first 256-256-256-256 x 1024 float32"]


def test_times_have_three_digits_and_a_unit() -> None:
    assert [time_text(s) for s in (999.6e-6, 1.2345e-3, 9.994e-4, 5e-10, 12.0)] == ["1 ms", "1.23 ms", "999 us", "0.5 ns", "12 s"]

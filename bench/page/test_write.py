"""Where the page is written, what it does without, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltacheck.bench.page import write_page
from deltacheck.bench.page.test_page import Parsed, rows, save


def test_tables_a_run_failed_to_make_are_missed(tmp_path: Path) -> None:
    folder = save(tmp_path, rows())
    for name in ("scaling.csv", "crossovers.csv"):
        (folder / name).unlink()
    assert "There is no scaling.csv" in write_page(folder).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("summary.csv", None, "has no summary.csv; expected a run's folder"),
        ("run.json", None, "has no run.json; expected a run's folder"),
        ("run.json", "[1]", "run.json cannot be read: "),
        ("summary.csv", "kernel,phase\n", "summary.csv cannot be read: ValueError: no column layers"),
    ],
)
def test_no_run_is_one_line_and_the_old_page_stays(tmp_path: Path, file: str, content: str | None, message: str) -> None:
    folder = save(tmp_path, rows())
    (folder / "report.html").write_text("old")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(ValueError, match=r"^folder: ") as caught:
        write_page(folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (folder / "report.html").read_text() == "old"


def test_the_verification_table_is_linked_where_it_is(tmp_path: Path) -> None:
    folder = save(tmp_path / "bench" / "run", rows())
    assert "verification.csv" not in Parsed(write_page(folder).read_text(encoding="utf-8")).addresses
    (tmp_path / "verify" / "of date").mkdir(parents=True)
    (tmp_path / "verify" / "latest").symlink_to("of date")
    (tmp_path / "verify" / "of date" / "verification.csv").touch()
    assert "../../verify/of%20date/verification.csv" in Parsed(write_page(folder).read_text(encoding="utf-8")).addresses

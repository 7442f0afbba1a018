"""A run's tables and page made anew from samples.csv and run.json: ``python -m bench.report results/bench/latest``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.outcomes import contests_of
from bench.samples import read_samples
from bench.saved import lacks
from bench.scaling import write_or_warn
from bench.tables import Row, summary_rows, write_summary
from bench.yardsticks import Yardsticks
from kernels.protocol import one_line

TABLES = "summary.csv, scaling.csv, crossovers.csv"


def rebuild(folder: Path) -> list[str]:
    """Write summary.csv, scaling.csv and crossovers.csv of a run, killed or not; what was not finished is ``not_run``.

    Returns warnings. Raises ``ValueError`` in one line where run.json or samples.csv is missing, or is not what a run of this version
    writes.
    """
    file = "run.json"
    try:
        about: dict[str, Any] = json.loads((folder / file).read_text(encoding="utf-8"))
        run_id, baseline, records, yardsticks = about["run_id"], about["baseline"], about["outcomes"], Yardsticks.of(about)
        file = "samples.csv"
        contests = contests_of(records, read_samples(folder / file))
    except FileNotFoundError:
        raise ValueError(lacks(folder, file)) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / 'run.json'} is not what a run of this version writes: {one_line(error)}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder / file} cannot be read: {one_line(error)}") from None
    return write_tables(folder, summary_rows(run_id, contests, yardsticks, baseline))


def write_tables(folder: Path, rows: Sequence[Row]) -> list[str]:
    """Write the three tables of a summary's rows. Returns a warning where two of them could not be made."""
    write_summary(folder / "summary.csv", rows)
    return write_or_warn(rows, folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a folder's tables and page anew; what is wrong in one line, exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description="A run's tables and page, from samples.csv and run.json.")
    parser.add_argument("run", type=Path, help="a run's folder, such as results/bench/latest")
    folder: Path = parser.parse_args(arguments).run
    try:
        warnings = rebuild(folder)
        from bench.page import write_page

        page = write_page(folder)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {' '.join(str(error).split())}\n")
    print("\n".join([*(f"warning: {text}" for text in warnings), f"page: {page}", f"tables: {folder}/ ({TABLES})"]))


if __name__ == "__main__":
    main()

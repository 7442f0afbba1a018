"""A run's tables, written from its results, or again from samples.csv and run.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deltacheck.bench.cells.run_constants import RunConstants
from deltacheck.bench.tables.run_records import contests_of
from deltacheck.bench.tables.saved_run import lacks
from deltacheck.bench.tables.scaling_table import write_or_warn
from deltacheck.bench.tables.summary import Row, summary_rows, write_summary
from deltacheck.bench.timing.samples_file import read_samples
from deltacheck.kernels.error_text import one_line

TABLES = "summary.csv, scaling.csv, crossovers.csv"


def rebuild(folder: Path) -> list[str]:
    """Write summary.csv, scaling.csv and crossovers.csv of a run, killed or not; what was not finished is ``not_run``.

    Returns warnings. Raises ``ValueError`` in one line where run.json or samples.csv is missing, or is not what a run of this version
    writes.
    """
    file = "run.json"
    try:
        about: dict[str, Any] = json.loads((folder / file).read_text(encoding="utf-8"))
        run_id, baseline, records, constants = about["run_id"], about["baseline"], about["outcomes"], RunConstants.of(about)
        file = "samples.csv"
        contests = contests_of(records, read_samples(folder / file))
    except FileNotFoundError:
        raise ValueError(lacks(folder, file)) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / 'run.json'} is not what a run of this version writes: {one_line(error)}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder / file} cannot be read: {one_line(error)}") from None
    return write_tables(folder, summary_rows(run_id, contests, constants, baseline))


def write_tables(folder: Path, rows: Sequence[Row]) -> list[str]:
    """Write the three tables of a summary's rows. Returns a warning where two of them could not be made."""
    write_summary(folder / "summary.csv", rows)
    return write_or_warn(rows, folder)

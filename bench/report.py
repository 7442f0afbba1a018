"""A run's tables and page made anew from samples.csv and run.json: ``python -m deltacheck.bench.report results/bench/latest``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from deltacheck.bench.tables.rebuild import TABLES, rebuild


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a folder's tables and page anew; what is wrong in one line, exit status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m deltacheck.bench.report", description="A run's tables and page, from samples.csv and run.json."
    )
    parser.add_argument("run", type=Path, help="a run's folder, such as results/bench/latest")
    folder: Path = parser.parse_args(arguments).run
    try:
        warnings = rebuild(folder)
        from deltacheck.bench.page import write_page

        page = write_page(folder)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {' '.join(str(error).split())}\n")
    print("\n".join([*(f"warning: {text}" for text in warnings), f"page: {page}", f"tables: {folder}/ ({TABLES})"]))


if __name__ == "__main__":
    main()

"""One picture of a run: ``python -m deltacheck.bench.plot results/bench/latest steps.svg``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from deltacheck.bench.page.figures.batch_times import picture
from deltacheck.bench.tables.saved_run import read_summary
from deltacheck.kernels.error_text import one_line


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw a run's folder into a file; the file's suffix says what kind (svg, png, pdf)."""
    parser = argparse.ArgumentParser(prog="python -m deltacheck.bench.plot", description="Draw a run's times against batch size.")
    parser.add_argument("run", type=Path, help="a run's folder, such as results/bench/latest")
    parser.add_argument("out", type=Path, help="the picture to write: .svg, .png or .pdf")
    parser.add_argument("--phase", default="step", help="forward, backward or step (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=None, help="only cells on so many threads (default: all)")
    given = parser.parse_args(arguments)
    try:
        summary = read_summary(given.run)
        if given.threads is not None:
            summary = summary[summary["threads"] == given.threads]
            if summary.empty:
                raise ValueError(f"--threads: got {given.threads}; there is no such cell in this table")
        figure = picture(summary, given.phase)
        matplotlib.rcParams["svg.hashsalt"] = "deltacheck"  # the same table gives the same file
        try:
            figure.savefig(given.out, facecolor="white", dpi=200, metadata={"Date": None} if given.out.suffix == ".svg" else None)
        except (OSError, ValueError) as error:
            raise ValueError(f"out: {given.out} cannot be written: {one_line(error)}") from None
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: {' '.join(str(error).split())}\n")
    print(f"picture: {given.out}")


if __name__ == "__main__":
    main()

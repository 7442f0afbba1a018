"""The shape of the cost: how time grows with size, and who overtakes whom: ``python -m bench.scaling results/bench/latest``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from bench.contest import NAN
from bench.crossovers import COLUMNS as CROSSOVERS
from bench.crossovers import crossovers
from bench.intervals import CONFIDENCE
from bench.saved import read_summary
from bench.series import series
from bench.tables import write

SCALING = [
    *("run_id", "kernel", "phase", "layers", "activation", "cost", "batch", "dtype", "threads", "along"),
    *("n_sizes", "smallest_size", "largest_size", "exponent", "exponent_ci_low", "exponent_ci_high", "residual_sd", "r_squared", "reason"),
]
FEWEST = 3  # sizes; through two of them any line goes
RANGE = 8  # largest size by smallest; over less, an exponent says little of what is beyond
RESIDUAL = 0.15  # standard deviation of the log residuals: 15 %
R_SQUARED = 0.98  # below it the size does not account for the time: overhead does, or the network's shape
ROOM, MOST = 4, 12  # kernels whose intervals fit on a line; crossovers that are told one by one


def scaling(summary: pd.DataFrame) -> pd.DataFrame:
    """The exponent of the median time against batch size and against work, for each kernel and all that is fixed; or why there is none.

    ``summary``: a run's summary.csv. Sizes are rows of x along the batch, multiply-adds of a forward pass along the work. Raises
    ``ValueError`` as ``bench.series.series`` does.
    """
    rows = []
    for line, kernels in series(summary).items():
        for kernel, points in kernels.items():
            fitted = power_law([point.size for point in points.values()], [point.median_s for point in points.values()])
            rows.append({"kernel": kernel} | line._asdict() | fitted)
    return pd.DataFrame(rows, columns=SCALING).astype({"batch": "Int64", "smallest_size": "Int64", "largest_size": "Int64"})


def power_law(sizes: Sequence[int], seconds: Sequence[float]) -> dict[str, Any]:
    """The exponent e of ``seconds`` = c ``size``^e and its 95 % interval, as columns of the table: least squares on the logs, Student's t.

    NaN and a reason where there are fewer than 3 different sizes, they range over less than 8x, the residuals' standard deviation (by
    n - 2) is above 15 %, or R² is below 0.98. Source: Draper and Smith 1998, Applied Regression Analysis, section 1.4.
    """
    n_sizes = len(set(sizes))
    columns: dict[str, Any] = {"n_sizes": n_sizes, "smallest_size": min(sizes, default=None), "largest_size": max(sizes, default=None)}
    columns |= dict.fromkeys(SCALING[-6:-1], NAN) | {"reason": None}
    if n_sizes < FEWEST:
        return columns | {"reason": f"too few sizes: {n_sizes} with a time, expected {FEWEST} or more"}
    if max(sizes) < RANGE * min(sizes):
        return columns | {"reason": f"too short a range: {max(sizes) / min(sizes):.3g}x, expected {RANGE}x or more"}
    x, y = np.log(sizes), np.log(np.divide(seconds, seconds[0]))  # of equal times, exactly 0: rounding is no slope
    line = stats.linregress(x, y)
    freedom = len(sizes) - 2
    r_squared = float(np.nan_to_num(line.rvalue)) ** 2
    residual = float(np.sqrt(np.sum((y - line.intercept - line.slope * x) ** 2) / freedom))
    columns |= {"residual_sd": residual, "r_squared": r_squared}
    if residual > RESIDUAL:
        return columns | {"reason": f"no power law: residuals of {residual:.3g}, expected {RESIDUAL} or less"}
    if r_squared < R_SQUARED:
        return columns | {"reason": f"no power law: R² of {r_squared:.4f}, expected {R_SQUARED} or more"}
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * line.stderr)
    exponent = float(line.slope)
    return columns | {"exponent": exponent, "exponent_ci_low": exponent - half, "exponent_ci_high": exponent + half}


def write_both(summary: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make both tables of a run's summary and write ``scaling.csv`` and ``crossovers.csv``. Raises ``ValueError`` and ``OSError``."""
    exponents, sizes = scaling(summary), crossovers(summary)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "scaling.csv", exponents, SCALING)
    write(folder / "crossovers.csv", sizes, CROSSOVERS)
    return exponents, sizes


def write_or_warn(rows: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """What a run calls at its end: both tables of its summary's rows, or one warning. Never raises: its times matter more."""
    try:
        write_both(pd.DataFrame(rows), folder)
    except Exception as error:
        return [f"no scaling.csv and crossovers.csv: {type(error).__name__}: {error}"]
    return []


def report(exponents: pd.DataFrame, sizes: pd.DataFrame) -> list[str]:
    """The step (or the last phase there is) for people: exponents in a table, crossovers line by line."""
    phases = list(exponents["phase"])
    phase = "step" if "step" in phases else phases[-1]
    shown = exponents[exponents["phase"] == phase]
    kernels = list(dict.fromkeys(shown["kernel"]))
    table: dict[tuple[str, str], dict[str, str]] = {}
    for row in shown.to_dict("records"):
        text = "-" if row["exponent"] != row["exponent"] else f"{row['exponent']:.2f}"
        if text != "-" and len(kernels) <= ROOM:
            text += f" [{row['exponent_ci_low']:.2f}, {row['exponent_ci_high']:.2f}]"
        table.setdefault((row["along"], where(row)), {})[row["kernel"]] = text
    lines = [["along", "at", *kernels]]
    lines += [
        [along, at, *(texts.get(kernel, "") for kernel in kernels)] for (along, at), texts in table.items() if set(texts.values()) != {"-"}
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    interval = " [its 95 % interval]" * (len(kernels) <= ROOM)
    told = [f"{phase}: exponent of the median time{interval}; - where it is refused", ""]
    told += ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    reasons = shown["reason"].dropna().str.partition(":")[0].value_counts(sort=False)
    told += [
        "",
        f"{len(shown)} series, {len(shown) - int(reasons.sum())} with an exponent; " + ", ".join(f"{k}: {n}" for k, n in reasons.items()),
    ]
    both = sizes[sizes["phase"] == phase]
    clear = both.dropna(subset=["crossover_low", "crossover_high"])
    told += ["", f"{phase}: who overtakes whom [where it may be instead]", ""]
    for row in clear.head(MOST).to_dict("records"):
        size = f"{row['along']} {row['crossover']:.3g} [{row['crossover_low']:.3g}, {row['crossover_high']:.3g}]"
        told.append(f"{row['faster_above']} overtakes {row['faster_below']} at {size}, {where(row)}")
    told.append(f"{max(len(clear) - MOST, 0)} more; and {len(both) - len(clear)} that lie within the noise on one side or both")
    return told


def where(row: Mapping[Any, Any]) -> str:
    """What is fixed in a series, for people."""
    usual = ("sigmoid", "squared_error")
    words = [row["layers"] if row["along"] == "batch" else f"batch {row['batch']}"]
    words += [row[name] for name, common in zip(("activation", "cost"), usual, strict=True) if row[name] != common]
    return " ".join([*words, row["dtype"], *[f"{row['threads']} threads"] * (row["threads"] != 1)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both tables into a run's folder, or into ``--out``, and print a short summary; what is wrong in one line, exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description="Exponents and crossover sizes of a run.")
    parser.add_argument("run", type=Path, help="a run's folder, such as results/bench/latest")
    parser.add_argument("--out", type=Path, help="the folder for scaling.csv and crossovers.csv (default: the run's)")
    given = parser.parse_args(arguments)
    out = given.out or given.run
    try:
        tables = write_both(read_summary(given.run), out)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {' '.join(str(error).split())}\n")
    print("\n".join([*report(*tables), "", f"tables: {out}/ (scaling.csv, crossovers.csv)"]))


if __name__ == "__main__":
    main()

"""How time grows with size: exponents of the median time along the batch size and along the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from deltacheck.bench.cells.result import NAN
from deltacheck.bench.statistics.intervals import CONFIDENCE
from deltacheck.bench.tables.crossovers import COLUMNS as CROSSOVERS
from deltacheck.bench.tables.crossovers import crossovers
from deltacheck.bench.tables.csv_files import write
from deltacheck.bench.tables.size_series import series

SCALING = [
    *("run_id", "kernel", "phase", "layers", "activation", "cost", "batch", "dtype", "threads", "along"),
    *("n_sizes", "smallest_size", "largest_size", "exponent", "exponent_ci_low", "exponent_ci_high", "residual_sd", "r_squared", "reason"),
]


FEWEST = 3  # sizes; through two of them any line goes


RANGE = 8  # largest size by smallest; over less, an exponent says little of what is beyond


RESIDUAL = 0.15  # standard deviation of the log residuals: 15 %


R_SQUARED = 0.98  # below it the size does not account for the time: overhead does, or the network's shape


def scaling(summary: pd.DataFrame) -> pd.DataFrame:
    """The exponent of the median time against batch size and against work, for each kernel and all that is fixed; or why there is none.

    ``summary``: a run's summary.csv. Sizes are rows of x along the batch, multiply-adds of a forward pass along the work. Raises
    ``ValueError`` as ``deltacheck.bench.tables.size_series.series`` does.
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

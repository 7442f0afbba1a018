"""The shape of the cost: the exponents that scaling.csv has, and the crossovers that are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from deltacheck.bench.page.page_data import Inputs
from deltacheck.bench.page.sections.html_table import Column, html, keys
from deltacheck.bench.page.wording import count, count_interval, estimates, exponent
from deltacheck.suites.formatting import counted


def exponents(run: Inputs) -> tuple[str, Markup | None]:
    """How many series have an exponent and why others have none, and the table of those that have."""
    if run.scaling is None:
        return "There is no scaling.csv in this run's folder.", None
    rows = run.scaling[run.scaling["exponent"].notna()]
    told = (
        f"{counted(len(run.scaling), 'series', 'series')}, {len(rows)} of them with an exponent: the power of the size as which time grows."
    )
    reasons = run.scaling.loc[run.scaling["exponent"].isna(), "reason"].str.partition(":")[0].value_counts()
    if len(reasons):
        told += f" Refused: {', '.join(f'{reason} in {n}' for reason, n in reasons.items())}; scaling.csv says why, series by series."
    columns = [
        *keys(rows, ("kernel", "phase", "along")),
        Column("at", [at(row) for row in rows.to_dict("records")]),
        *keys(rows, ("dtype", "threads")),
        Column("exponent [95 %]", estimates(rows, "exponent", "exponent_ci_low", "exponent_ci_high"), exponent),
        Column("from", rows["smallest_size"], count),
        Column("to", rows["largest_size"], count),
        Column("sizes", rows["n_sizes"], count),
        Column("R²", rows["r_squared"], "{:.3f}".format),
    ]
    return told, html("Exponents", columns, ("kernel", "phase", "along", "dtype", "threads")) if len(rows) else None


def crossovers(run: Inputs) -> tuple[str, Markup | None]:
    """How many there are, and the table of those bounded on both sides: the others may as well be ties."""
    if run.crossovers is None:
        return "There is no crossovers.csv in this run's folder.", None
    if run.crossovers.empty:
        return "No crossovers: of each two kernels one is the faster at all sizes.", None
    rows = run.crossovers.dropna(subset=["crossover_low", "crossover_high"])
    told = f"{counted(len(run.crossovers), 'crossover')}, {len(rows)} of them told: below that size one kernel is the faster, beyond it"
    told += f" another. {len(run.crossovers) - len(rows)} lie within the noise on one side or both and are left to crossovers.csv."
    columns = [
        Column("faster beyond", rows["faster_above"]),
        Column("faster below", rows["faster_below"]),
        *keys(rows, ("phase", "along")),
        Column("at", [at(row) for row in rows.to_dict("records")]),
        *keys(rows, ("dtype", "threads")),
        Column("size [where it may be]", estimates(rows, "crossover", "crossover_low", "crossover_high"), count_interval),
    ]
    filters = ("faster beyond", "faster below", "phase", "along", "dtype", "threads")
    return told, html("Crossovers", columns, filters, run.first_phase) if len(rows) else None


def at(row: Mapping[Any, Any]) -> str:
    """What is fixed in a series."""
    fixed = str(row["layers"]) if row["along"] == "batch" else f"batch {row['batch']:.0f}"
    unusual = [str(row[name]) for name, usual in (("activation", "sigmoid"), ("cost", "squared_error")) if row[name] != usual]
    return " ".join([fixed, *unusual])

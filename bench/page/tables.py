"""The tables of the page, made with pandas' Styler: what is in each, and how a number in it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from pandas.io.formats.style import Styler

from bench.page import text
from bench.page.inputs import CELL, Inputs
from bench.page.startup import stages
from bench.page.text import estimates

Format = Callable[[float], str]
PageStyler = Styler.from_custom_template([str(Path(__file__).parent)], html_table="table.html.jinja")
FILTERS = ("kernel", "phase", "network", "dtype", "threads")


def html(rows: pd.DataFrame, caption: str, formats: Mapping[str, Format], start: Mapping[str, str] | None = None, filters: Sequence[str] = ()) -> Markup:
    """A table that reads well as it is, and that the page's script makes sortable and, by ``filters``, filterable.

    ``start``: what the filters show at first.
    """
    plain = {name: str for name in rows.columns if name not in formats}
    styler = PageStyler(rows.reset_index(drop=True)).hide(axis="index").format({**plain, **formats})
    shown = [name for name in filters if rows[name].nunique() > 1]
    return Markup(styler.to_html(exclude_styles=True, title=caption, filters=shown, start=start or {}))


def keyed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns that say what a row is of."""
    return rows[["kernel", "phase", "network", "batch", "dtype", "threads"]]


def speedups(run: Inputs) -> Markup:
    """All rows: the median, the speed-up over the baseline, and what it amounts to."""
    rows = run.rows
    said = np.select(
        [rows["median_s"].isna(), rows["kernel"] == rows["baseline"], rows["speedup"].isna(), rows["tie"] == "True", rows["speedup"] > 1],
        [rows["status"].str.replace("_", " "), "baseline", "", "tie", "faster"],
        "slower",
    )
    shown = keyed(rows).assign(
        **{
            "median": rows["median_s"],
            "speed-up [95 %]": estimates(rows, "speedup", "speedup_ci_low", "speedup_ci_high"),
            "result": said,
            "samples": rows["n_samples"],
        }
    )
    shown.loc[said == "baseline", "speed-up [95 %]"] = np.nan
    formats = {"median": text.seconds, "speed-up [95 %]": text.ratio_interval, "batch": text.count, "threads": text.count, "samples": text.count}
    return html(shown, f"Speed-up over {run.baseline}", formats, {"phase": run.phases[0]} if run.phases else {}, [*FILTERS, "result"])


def why(run: Inputs) -> Markup:
    """The rows that have a time: what they make of the machine."""
    # What is known of a kernel in a cell stands in the row of one phase; here in all of them.
    of_cell = run.rows.groupby(["kernel", *CELL])[["backward_over_forward", "backward_over_forward_model"]].transform("first")
    rows = run.rows.assign(**dict(of_cell))[run.rows["median_s"].notna()]
    shown = keyed(rows).assign(
        **{
            "GFLOP/s": rows["gflops"],
            "of peak": rows["share_of_peak"],
            "of floor [95 %]": estimates(rows, "share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high"),
            "floor": rows["floor_s"],
            "backward ÷ forward": rows["backward_over_forward"],
            "by flops": rows["backward_over_forward_model"],
            "dispatch": rows["dispatch_s"],
            "peak memory": rows["peak_bytes"],
        }
    )
    formats = {
        **dict.fromkeys(("batch", "threads"), text.count),
        **dict.fromkeys(("GFLOP/s", "backward ÷ forward", "by flops"), text.number),
        **{"of peak": text.percent, "of floor [95 %]": text.percent_interval, "peak memory": text.size},
        **dict.fromkeys(("floor", "dispatch"), text.seconds),
    }
    return html(shown, "What the times amount to", formats, {"phase": run.phases[0]}, FILTERS)


def startup(run: Inputs) -> Markup:
    """A row for each kernel, dtype and number of threads."""
    steps = run.rows[run.rows["phase"] == "step"]
    by = ["kernel", "dtype", "threads"]
    group = steps.groupby(by, sort=False)
    over = group.agg(
        fastest=("median_s", "min"), slowest=("median_s", "max"), least=("break_even_calls", "min"), most=("break_even_calls", "max"),
        cached=("break_even_calls_cached", "max"), n=("break_even_calls", "count"), of=("median_s", "count"),
    )  # fmt: skip
    rows = stages(run).merge(over.reset_index(), on=by, how="left")
    shown = rows[by].assign(
        **{
            "first call, cold": rows["cold_first_call_s"],
            "first call, cached": rows["cached_first_call_s"],
            "dispatch": rows["dispatch_s"],
            "steady: fastest cell": rows["fastest"],
            "slowest cell": rows["slowest"],
            "breaks even after": rows["least"],
            "at most": rows["most"],
            "at most, cached": rows["cached"],
            "in cells": [f"{n} of {of}" if n else text.NONE for n, of in zip(rows["n"].fillna(0).astype(int), rows["of"].fillna(0).astype(int), strict=True)],
        }
    )
    formats = {
        "threads": text.count,
        **dict.fromkeys(("first call, cold", "first call, cached", "dispatch", "steady: fastest cell", "slowest cell"), text.seconds),
        **dict.fromkeys(("breaks even after", "at most", "at most, cached"), text.count),
    }
    return html(shown, "Start-up", formats, filters=("kernel", "dtype", "threads"))


def break_even(run: Inputs) -> Markup:
    """The step of each kernel that had to be made up for, cell by cell."""
    rows = run.rows[run.rows["break_even_calls"].notna()]
    shown = keyed(rows).drop(columns="phase").assign(
        **{
            "steady": rows["median_s"],
            "speed-up": rows["speedup"],
            "breaks even after": rows["break_even_calls"],
            "cached": rows["break_even_calls_cached"],
        }
    )
    formats = {"steady": text.seconds, "speed-up": text.ratio, **dict.fromkeys(("batch", "threads", "breaks even after", "cached"), text.count)}
    return html(shown, "Breaking even, cell by cell", formats, filters=("kernel", "network", "dtype", "threads"))


def exponents(run: Inputs) -> Markup:
    """The series that have one."""
    assert run.scaling is not None
    rows = run.scaling[run.scaling["exponent"].notna()]
    shown = rows[["kernel", "phase", "along"]].assign(
        **{
            "at": [at(row) for row in rows.to_dict("records")],
            "dtype": rows["dtype"],
            "threads": rows["threads"],
            "exponent [95 %]": estimates(rows, "exponent", "exponent_ci_low", "exponent_ci_high"),
            "from": rows["smallest_size"],
            "to": rows["largest_size"],
            "sizes": rows["n_sizes"],
            "R²": rows["r_squared"],
        }
    )
    formats = {"exponent [95 %]": text.exponent, "R²": "{:.3f}".format, **dict.fromkeys(("threads", "from", "to", "sizes"), text.count)}
    return html(shown, "Exponents", formats, filters=("kernel", "phase", "along", "dtype", "threads"))


def overtakings(run: Inputs) -> Markup:
    """The crossovers that are bounded on both sides."""
    assert run.crossovers is not None
    rows = bounded(run.crossovers)
    shown = pd.DataFrame(
        {
            "faster at more": rows["faster_above"],
            "faster at less": rows["faster_below"],
            "phase": rows["phase"],
            "along": rows["along"],
            "at": [at(row) for row in rows.to_dict("records")],
            "dtype": rows["dtype"],
            "threads": rows["threads"],
            "crossover [may lie]": estimates(rows, "crossover", "crossover_low", "crossover_high"),
        }
    )
    formats = {"threads": text.count, "crossover [may lie]": text.count_interval}
    start = {"phase": run.phases[0]} if run.phases else {}
    return html(shown, "Crossovers", formats, start, ("faster at more", "faster at less", "phase", "along", "dtype", "threads"))


def bounded(crossovers: pd.DataFrame) -> pd.DataFrame:
    """Those that are told: the others may as well be ties."""
    return crossovers.dropna(subset=["crossover_low", "crossover_high"])


def at(row: Mapping[str, object]) -> str:
    """What is fixed in a series."""
    fixed = str(row["layers"]) if row["along"] == "batch" else f"batch {row['batch']:.0f}"
    unusual = [str(row[name]) for name, usual in (("activation", "sigmoid"), ("cost", "squared_error")) if row[name] != usual]
    return " ".join([fixed, *unusual])

"""The speed-ups, and why they are what they are: a row for each kernel, cell and phase."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from deltacheck.bench.page.page_data import CELL, Inputs
from deltacheck.bench.page.sections.html_table import FILTERS, Column, html, keys
from deltacheck.bench.page.wording import count, estimates, number, percent, percent_interval, ratio_interval, seconds, size

OF_CELL = ["backward_over_forward", "backward_over_forward_model"]  # known of a kernel in a cell, whatever the phase of the row


def speedups(run: Inputs) -> Markup:
    """All rows: the median, the speed-up over the baseline, and what it amounts to."""
    rows = run.rows
    base = rows["kernel"] == rows["baseline"]
    result = np.select(
        [rows["median_s"].isna(), base, rows["speedup"].isna(), rows["tie"] == "True", rows["speedup"] > 1],
        [rows["status"].str.replace("_", " "), "baseline", "", "tie", "faster"],
        "slower",
    )
    columns = [
        *keys(rows),
        Column("median", rows["median_s"], seconds),
        Column("speed-up [95 %]", estimates(rows, "speedup", "speedup_ci_low", "speedup_ci_high").mask(base, np.nan), ratio_interval),
        Column("result", list(result)),
        Column("samples", rows["n_samples"], count),
    ]
    return html(f"Speed-up over {run.baseline}", columns, (*FILTERS, "result"), run.first_phase)


def why(run: Inputs) -> Markup:
    """The rows that have a time: what they make of the machine."""
    of_cell = run.rows.groupby(["kernel", *CELL])[OF_CELL].transform("first")
    rows = run.rows.assign(**{name: of_cell[name] for name in OF_CELL})[run.rows["median_s"].notna()]
    columns = [
        *keys(rows),
        Column("GFLOP/s", rows["gflops"], number),
        Column("of peak", rows["share_of_peak"], percent),
        Column("of floor [95 %]", estimates(rows, "share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high"), percent_interval),
        Column("floor", rows["floor_s"], seconds),
        Column("backward ÷ forward", rows["backward_over_forward"], number),
        Column("backward ÷ forward, by flops", rows["backward_over_forward_model"], number),
        Column("dispatch", rows["dispatch_s"], seconds),
        Column("peak memory", rows["peak_bytes"], size),
    ]
    return html("What the times amount to", columns, FILTERS, run.first_phase)

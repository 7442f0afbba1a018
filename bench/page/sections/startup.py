"""What a kernel costs before it is fast: compiling, loading, dispatch, and after how many steps that is paid back."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from deltacheck.bench.page.figures.panels import Group, least, most, short
from deltacheck.bench.page.figures.svg import svg
from deltacheck.bench.page.page_data import Inputs
from deltacheck.bench.page.sections.html_table import Column, html, keys
from deltacheck.bench.page.wording import NONE, count, counts, ratio, seconds
from deltacheck.suites.formatting import counted

STAGES = {  # column: its name for people, and how it is drawn
    "cold_first_call_s": ("first call", "s", "#D55E00"),
    "cached_first_call_s": ("first call, cached", "D", "#E69F00"),
    "dispatch_s": ("dispatch", "o", "#0072B2"),
}
FIRST_CALLS = ["cold_first_call_s", "cached_first_call_s"]
BREAK_EVEN = ["break_even_calls", "break_even_calls_cached"]


def stages(run: Inputs) -> pd.DataFrame:
    """A row for each kernel, dtype and number of threads of which one of the three is known."""
    names = list(STAGES)
    rows = run.rows.dropna(subset=names, how="all")
    return rows.groupby(["kernel", "dtype", "threads"], sort=False)[names].first().reset_index()


def startup_plot(run: Inputs) -> list[Group]:
    """One panel, a line in it for each kernel; of several dtypes and numbers of threads, the slowest. No panel without first calls."""
    worst = stages(run).groupby("kernel", sort=False)[list(STAGES)].max()
    if worst.empty:
        return []
    if worst[FIRST_CALLS].isna().all(axis=None):
        return [Group("", [], caption(run, worst))]
    drawn = {column: stage for column, stage in STAGES.items() if worst[column].notna().any()}
    figure = Figure(figsize=(4.8, 1.25 + 0.27 * len(worst)), layout="constrained")
    ax = figure.subplots()
    for column, (_, marker, colour) in drawn.items():
        ax.plot(worst[column], range(len(worst)), marker=marker, color=colour, linestyle="none", markersize=6)
    ax.hlines(range(len(worst)), worst.min(axis=1), worst.max(axis=1), color="0.75", linewidth=1.2, zorder=1)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(numticks=12))
    ax.xaxis.set_major_formatter(EngFormatter(unit="s"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(range(len(worst)), [short(str(kernel), 28) for kernel in worst.index])
    ax.set_ylim(len(worst) - 0.4, -0.6)
    ax.grid(axis="x", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    handles = [Line2D([], [], marker=marker, color=colour, linestyle="none", label=name) for name, marker, colour in drawn.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, handletextpad=0.2, columnspacing=1.2)
    return [Group("", [svg(figure, "startup", "Start-up and dispatch of each kernel, in seconds")], caption(run, worst))]


def caption(run: Inputs, worst: pd.DataFrame) -> str:
    """Who pays most at first, and whether the steps pay it back."""
    words = []
    cold = worst.dropna(subset=["cold_first_call_s"])
    if len(cold):
        top = most(cold, "cold_first_call_s")
        first, cached = seconds(top["cold_first_call_s"]), seconds(top["cached_first_call_s"])
        words.append(f"The slowest start is {top.name}'s, {first}, and {cached} once its code is in the cache.")
    else:
        words.append("First calls in fresh processes were not measured: --quick leaves them out.")
    for kernel, rows in run.rows[run.rows["phase"] == "step"].groupby("kernel", sort=False):
        calls = rows["break_even_calls"].dropna()
        if len(calls):
            words.append(
                f"{kernel} has made up for its own after {span(calls)} steps"
                f" in {len(calls)} of {counted(int(rows['median_s'].notna().sum()), 'cell')}."
            )
    known = worst.dropna(subset=["dispatch_s"])
    if len(known):
        ends = [f"{seconds(row['dispatch_s'])} ({row.name})" for row in (least(known, "dispatch_s"), most(known, "dispatch_s"))]
        words.append(f"Whatever its size, a call costs {' to '.join(dict.fromkeys(ends))} at least.")
    return " ".join(words)


def span(calls: pd.Series) -> str:
    """``80 to 1,900``, or the one number."""
    return " to ".join(dict.fromkeys(counts(calls.min(), calls.max())))


def startup(run: Inputs) -> Markup:
    """A row for each kernel, dtype and number of threads; no column in which nothing stands."""
    by = ["kernel", "dtype", "threads"]
    steps = run.rows[run.rows["phase"] == "step"].groupby(by, sort=False)
    rows = stages(run).merge(steps[["median_s", *BREAK_EVEN]].agg(["min", "max", "count"]).pipe(flat).reset_index(), on=by, how="left")
    paid = rows[["break_even_calls count", "median_s count"]].fillna(0).astype(int)
    columns = [
        Column("first call, cold", rows["cold_first_call_s"], seconds),
        Column("first call, cached", rows["cached_first_call_s"], seconds),
        Column("dispatch", rows["dispatch_s"], seconds),
        Column("steady: fastest cell", rows["median_s min"], seconds),
        Column("slowest cell", rows["median_s max"], seconds),
        Column("breaks even after, steps", rows["break_even_calls min"], count),
        Column("at most", rows["break_even_calls max"], count),
        Column("at most, cached", rows["break_even_calls_cached max"], count),
        Column("in cells", [f"{n} of {of}" if n else NONE for n, of in paid.itertuples(index=False)]),
    ]
    known = [column for column in columns if any(column.read(value) != NONE for value in column.values)]
    return html("Start-up", [*keys(rows, by), *known], by)


def flat(rows: pd.DataFrame) -> pd.DataFrame:
    """Two levels of column names as one."""
    return rows.set_axis([" ".join(names) for names in rows.columns], axis="columns")


def break_even(run: Inputs) -> Markup | None:
    """Cell by cell, after how many steps a kernel has made up for its first call; None where there is no such kernel."""
    rows = run.rows[run.rows["break_even_calls"].notna()]
    if rows.empty:
        return None
    columns = [
        *keys(rows, ("kernel", "network", "batch", "dtype", "threads")),
        Column("steady", rows["median_s"], seconds),
        Column("speed-up", rows["speedup"], ratio),
        Column("breaks even after, steps", rows["break_even_calls"], count),
        Column("cached", rows["break_even_calls_cached"], count),
    ]
    return html("Breaking even, cell by cell", columns, ("kernel", "network", "dtype", "threads"))

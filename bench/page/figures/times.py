"""Time against size, on logarithmic axes, with the floor drawn in: by batch size for each network, and by work for all cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullLocator

from deltacheck.bench.page.figures.batch_times import panel, time_axis, without_times
from deltacheck.bench.page.figures.panels import Group, conditions, least, most, short
from deltacheck.bench.page.figures.style import GREY, KernelStyle
from deltacheck.bench.page.figures.svg import svg
from deltacheck.bench.page.page_data import Inputs
from deltacheck.bench.page.wording import count, listed, ratio, seconds, times

SIZE = (3.3, 2.5)


def against_work(run: Inputs, styles: Mapping[str, KernelStyle]) -> list[Group]:
    """One group: a panel for each dtype and number of threads, a point for each kernel and cell."""
    rows = of_first_phase(run)
    if rows.empty:
        return []
    phase = rows["phase"].iloc[0]
    low, high = limits(rows)
    panels = []
    for n, (words, cells) in enumerate(conditions(rows)):
        figure = Figure(figsize=(4.4, 3.4), layout="constrained")
        ax = figure.subplots()
        floor = cells.dropna(subset=["floor_s"]).drop_duplicates("cell")
        ax.plot(floor["work"], floor["floor_s"], color=GREY, marker="_", linestyle="none", markersize=11, markeredgewidth=2.2, zorder=1)
        for kernel, these in cells.dropna(subset=["median_s"]).groupby("kernel", sort=False):
            style = styles[str(kernel)]
            ax.plot(these["work"], these["median_s"], color=style.colour, marker=style.marker, linestyle="none", markersize=4.5, alpha=0.85)
        ax.set_xscale("log")
        time_axis(ax)
        ax.set_ylim(low, high)
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlabel("work: multiply-adds of a forward pass")
        ax.set_ylabel(f"time of one {phase}")
        ax.set_title(words)
        panels.append(svg(figure, f"work-{n}", f"Time of one {phase} against work, {words}"))
    return [Group(f"against work, phase: {phase}", panels, work_caption(rows))]


def against_batch(run: Inputs, styles: Mapping[str, KernelStyle]) -> list[Group]:
    """A group for each dtype and number of threads, a panel in it for each network with two batch sizes or more."""
    rows = of_first_phase(run)
    groups = []
    for n, (words, cells) in enumerate(conditions(rows)):
        several = cells.dropna(subset=["median_s"]).groupby("network")["batch"].nunique()
        networks = [name for name in cells["network"].unique() if several.get(name, 0) > 1]
        panels = []
        drawn = cells[cells["network"].isin(networks)]
        for m, network in enumerate(networks):
            these = cells[cells["network"] == network]
            figure = Figure(figsize=SIZE, layout="constrained")
            ax = figure.subplots()
            panel(ax, these, styles, dict.fromkeys(these["dtype"], "-"))
            batches = sorted(drawn["batch"].unique())
            ax.set_xticks(batches, [str(batch) for batch in batches])
            ax.set_ylim(*limits(drawn))
            ax.set_title(short(network, 30))
            ax.set_xlabel("batch size (rows)")
            picture = svg(figure, f"batch-{n}-{m}", f"Time of one {these['phase'].iloc[0]} of {network} against batch size, {words}")
            panels.append(picture + Markup('<p class="note">{}</p>').format("; ".join(without_times(these))))
        if panels:
            groups.append(Group(f"against batch size: {words}", panels, batch_caption(drawn)))
    return groups


def of_first_phase(run: Inputs) -> pd.DataFrame:
    """The rows of the phase that matters most; none where nothing has a time."""
    return run.rows[run.rows["phase"].isin(run.phases[:1])]


def limits(rows: pd.DataFrame) -> tuple[float, float]:
    """One axis of time for all panels of a group, so that heights can be compared."""
    seen = rows[["median_s", "floor_s"]].to_numpy()
    return float(np.nanmin(seen)) / 1.6, float(np.nanmax(seen)) * 2.5


def work_caption(rows: pd.DataFrame) -> str:
    """How far the fastest kernel is above the floor in the smallest and in the largest cells."""
    best = rows.dropna(subset=["median_s", "floor_s"]).sort_values("median_s", kind="stable").drop_duplicates("cell")
    text = "Grey dashes are the floor: the bare matrix products of the cell."
    if best.empty:
        return text
    ends = [best[best["work"] == edge] for edge in (best["work"].min(), best["work"].max())]
    words = [
        f"{times(np.exp(np.log(cells['median_s'] / cells['floor_s']).mean()))} the floor at {count(cells['work'].iloc[0])} multiply-adds"
        for cells in ends[: best["work"].nunique()]
    ]
    return f"{text} The fastest kernel takes {listed(words)}."


def batch_caption(rows: pd.DataFrame) -> str:
    """How much the time grows from the smallest batch to the largest, against as many times the work."""
    text = "The thick grey line is the floor, the bare matrix products; bars are 95 % intervals."
    timed = rows.dropna(subset=["median_s"])
    first, last = timed["batch"].min(), timed["batch"].max()
    both = timed[timed["batch"] == first].merge(timed[timed["batch"] == last], on=["kernel", "network"], suffixes=("", "_last"))
    if first == last or both.empty:
        return text
    growth = both.assign(growth=both["median_s_last"] / both["median_s"])
    flat, steep = least(growth, "growth"), most(growth, "growth")
    return (
        f"{text} From batch {first} to {last}, {last / first:,.4g} times the work, the time grows least for {flat['kernel']} on"
        f" {flat['network']} ({ratio(flat['growth'])}) and most for {steep['kernel']} on {steep['network']}"
        f" ({ratio(steep['growth'])}, from {seconds(steep['median_s'])} to {seconds(steep['median_s_last'])})."
    )

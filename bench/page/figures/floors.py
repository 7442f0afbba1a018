"""How far each kernel is from what the machine can do: the bare products of the cell, and the measured peak."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from deltacheck.bench.page.figures.panels import Group, conditions, most, short
from deltacheck.bench.page.figures.style import GREY, KernelStyle
from deltacheck.bench.page.figures.svg import svg
from deltacheck.bench.page.figures.times import of_first_phase
from deltacheck.bench.page.page_data import Inputs
from deltacheck.bench.page.wording import percent
from deltacheck.suites.formatting import counted, percent_text

MEASURES = {"share_of_gemm": "share of the floor's speed", "share_of_peak": "share of the measured peak"}


def floor_plots(run: Inputs, styles: Mapping[str, KernelStyle]) -> list[Group]:
    """A group for each dtype and number of threads: a panel for the floor and one for the peak, a line in it for each cell."""
    rows = of_first_phase(run)
    groups = []
    for n, (words, cells) in enumerate(conditions(rows)):
        panels = [
            svg(dots(cells, styles, name, title), f"{name}-{n}", f"{title}, {cells['phase'].iloc[0]}, {words}")
            for name, title in MEASURES.items()
            if cells[name].notna().any()
        ]
        if panels:
            groups.append(Group(words, panels, caption(cells)))
    return groups


def dots(cells: pd.DataFrame, styles: Mapping[str, KernelStyle], name: str, title: str) -> Figure:
    """One panel: cells from the least work to the most, a dot for each kernel. 1 is the yardstick."""
    places = list(cells[cells[name].notna()].sort_values("work", kind="stable")["place"].unique())
    figure = Figure(figsize=(4.6, 0.9 + 0.21 * len(places)), layout="constrained")
    ax = figure.subplots()
    ax.axvline(1, color=GREY, linewidth=1.6, zorder=1)
    for kernel, these in cells[cells[name].notna()].groupby("kernel", sort=False):
        style = styles[str(kernel)]
        y = [places.index(place) for place in these["place"]]
        ax.plot(these[name], y, color=style.colour, marker=style.marker, linestyle="none", markersize=5, alpha=0.9)
    ax.set_xscale("log")
    low, high = float(cells[name].min()), float(cells[name].max())
    ax.set_xlim(low / 1.5, max(1.3, high * 1.3))
    ax.xaxis.set_major_locator(LogLocator(numticks=5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: percent_text(x)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(range(len(places)), [short(place, 30) for place in places], fontsize=8)
    ax.set_ylim(len(places) - 0.4, -0.6)
    ax.grid(color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_title(title)
    return figure


def caption(cells: pd.DataFrame) -> str:
    """Who comes closest, and in how many cells anybody reaches half."""
    text = "Cells from the least work at the top to the most; the grey line is the yardstick itself."
    for name, what in (("share_of_gemm", "the floor"), ("share_of_peak", "the peak")):
        told = cells.dropna(subset=[name])
        if len(told):
            top = most(told, name)
            best = told.groupby("cell")[name].max()
            text += f" Highest share of {what}: {top['kernel']} on {top['place']}, {percent(top[name])};"
            text += f" half of it is reached in {(best >= 0.5).sum()} of {counted(len(best), 'cell')}."
    return text

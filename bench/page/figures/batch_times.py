"""Time of one call against batch size: a panel for each network."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from deltacheck.bench.page.figures.style import GREY, KernelStyle, kernel_styles

STYLES: dict[str, Literal["-", "--"]] = {"float64": "-", "float32": "--"}


COLUMNS = 3


def picture(summary: pd.DataFrame, phase: str = "step") -> Figure:
    """Time of one call against batch size, a panel for each network and number of threads, a line for each kernel and dtype.

    ``summary``: a run's summary.csv. Bars are the 95 % intervals of the medians. Raises ``ValueError`` where the phase has no times.
    """
    rows = summary[summary["phase"] == phase]
    if not rows["median_s"].notna().any():
        raise ValueError(f"phase: got {phase!r}, which has no times in this table; expected one of {', '.join(summary['phase'].unique())}")
    kernels = list(rows["kernel"].unique())
    kernel_style = kernel_styles(kernels)
    networks = [(tuple(map(str, names)), cells) for names, cells in rows.groupby(["layers", "activation", "cost", "threads"], sort=False)]
    columns = min(COLUMNS, len(networks))
    figure = Figure(figsize=(1.2 + 2.9 * columns, 1.3 + 2.3 * ceil(len(networks) / columns)), layout="constrained")
    axes = figure.subplots(ceil(len(networks) / columns), columns, sharex=True, sharey=True, squeeze=False)
    for ax, ((layers, activation, cost, threads), cells) in zip(axes.flat, networks, strict=False):
        unusual = [name for name, usual in ((activation, "sigmoid"), (cost, "squared_error")) if name != usual]
        unusual += [f"{threads} threads"] * (threads != "1")
        panel(ax, cells, kernel_style)
        ax.text(0.03, 0.97, "\n".join(without_times(cells)), transform=ax.transAxes, va="top", fontsize=7.5, color="0.35")
        batches = sorted(rows["batch"].unique())  # of all panels: they share the axis, and a cell may have come alone
        ax.set_xticks(batches, [str(batch) for batch in batches])
        ax.set_title(" ".join([layers, *unusual]), fontsize=10)
    for n in range(len(networks), axes.size):
        axes.flat[n].set_visible(False)
        axes.flat[n - columns].tick_params(labelbottom=True)  # nothing below it has the numbers now
    figure.supxlabel("batch size (rows)", fontsize=10)
    figure.supylabel("time of one " + ("step: cost and gradient" if phase == "step" else f"{phase} pass"), fontsize=10)
    handles = [Line2D([], [], color=kernel_style[k].colour, marker=kernel_style[k].marker, label=k) for k in kernels]
    handles += [Line2D([], [], color=GREY, linewidth=2.5, label="floor: bare products")] * bool(rows["floor_s"].notna().any())
    handles += [Line2D([], [], color="0.4", linestyle=STYLES[dtype], label=dtype) for dtype in STYLES if dtype in set(rows["dtype"])]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 2 * columns), frameon=False, fontsize=10)
    return figure


def panel(
    ax: Axes, cells: pd.DataFrame, kernel_style: Mapping[str, KernelStyle], styles: Mapping[str, Literal["-", "--"]] = STYLES
) -> None:
    """One network: log time against log batch size, and the floor."""
    for dtype, line in cells[cells["floor_s"].notna()].drop_duplicates(["dtype", "batch"]).sort_values("batch").groupby("dtype"):
        ax.plot(line["batch"], line["floor_s"], color=GREY, linestyle=styles[str(dtype)], linewidth=2.5, zorder=1)
    for kernel, dtype in dict.fromkeys(zip(cells["kernel"], cells["dtype"], strict=True)):
        line = cells[(cells["kernel"] == kernel) & (cells["dtype"] == dtype)]
        timed = line[line["median_s"].notna()].sort_values("batch")
        bars = [timed["median_s"] - timed["ci_low_s"], timed["ci_high_s"] - timed["median_s"]]
        colour, marker, _ = kernel_style[kernel]
        ax.errorbar(
            timed["batch"], timed["median_s"], bars, color=colour, marker=marker, linestyle=styles[dtype], markersize=4, linewidth=1.4
        )
    ax.set_xscale("log", base=2)
    ax.xaxis.set_minor_locator(NullLocator())
    time_axis(ax)
    ax.tick_params(labelsize=9, color="0.6")


def time_axis(ax: Axes) -> None:
    """Decades of seconds upwards, each with its unit."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=20))
    ax.yaxis.set_major_formatter(EngFormatter(unit="s"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def without_times(cells: pd.DataFrame) -> list[str]:
    """A word on each kernel and status without a time: ``naive too slow at 32, 256``."""
    without = cells[cells["median_s"].isna()]
    words = []
    for kernel, status in dict.fromkeys(zip(without["kernel"], without["status"], strict=True)):
        batches = without.loc[(without["kernel"] == kernel) & (without["status"] == status), "batch"].unique()
        words.append(f"{kernel} {status.replace('_', ' ')} at {', '.join(map(str, sorted(batches)))}")
    return words

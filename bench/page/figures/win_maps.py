"""The map of who is the fastest: networks by batch sizes, a square for each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from deltacheck.bench.page.figures.panels import Group, conditions, least, most, short
from deltacheck.bench.page.figures.style import KernelStyle
from deltacheck.bench.page.figures.svg import svg
from deltacheck.bench.page.page_data import Inputs
from deltacheck.bench.page.win_table import NOBODY
from deltacheck.bench.page.wording import ratio
from deltacheck.bench.statistics.winners import tally


def win_maps(run: Inputs, won: pd.DataFrame, styles: Mapping[str, KernelStyle]) -> list[Group]:
    """A group for each phase, a panel in it for each dtype and number of threads."""
    groups = []
    for phase in run.phases:
        here = won[won["phase"] == phase]
        panels = []
        for n, (words, cells) in enumerate(conditions(here)):
            text = f"Who is the fastest, {phase}, {words}: {tally_text(cells)}"
            panels.append(svg(win_map(cells, styles, words), f"wins-{phase}-{n}", text))
        groups.append(Group(f"phase: {phase}", panels, caption(here)))
    return groups


def win_map(cells: pd.DataFrame, styles: Mapping[str, KernelStyle], title: str) -> Figure:
    """One panel. ``cells``: rows of ``winners`` of one phase, dtype and number of threads."""
    networks = list(cells.sort_values(["n_params", "network"], kind="stable")["network"].unique())
    batches = sorted(cells["batch"].unique())
    figure = Figure(figsize=(1.9 + 0.66 * max(len(batches), 3), 0.75 + 0.44 * len(networks)), layout="constrained")
    ax = figure.subplots()
    for cell in cells.to_dict("records"):
        square(ax, batches.index(cell["batch"]), networks.index(cell["network"]), cell, styles)
    ax.set_xlim(-0.5, len(batches) - 0.5)
    ax.set_ylim(len(networks) - 0.5, -0.5)
    ax.set_xticks(range(len(batches)), [str(batch) for batch in batches])
    ax.set_yticks(range(len(networks)), ["\n".join(short(word) for word in name.split(" ", 1)) for name in networks])
    ax.set_xlabel("batch size (rows)")
    ax.set_title(title)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def square(ax: Axes, x: int, y: int, cell: Mapping[Any, Any], styles: Mapping[str, KernelStyle]) -> None:
    """The winner's colour and marker and its factor over the next, or ``alone``; hatched for a tie, empty where nobody has a time."""
    corner, side = (x - 0.47, y - 0.46), (0.94, 0.92)
    if cell["n_timed"] == 0:
        ax.add_patch(Rectangle(corner, *side, facecolor="none", edgecolor="0.6", linewidth=0.5))
        ax.text(x, y, "no time", ha="center", va="center", fontsize=8, color="0.35")
        return
    if cell["n_timed"] > 1 and cell["winner"] == NOBODY:
        ax.add_patch(Rectangle(corner, *side, facecolor="white", edgecolor="0.6", hatch="////", linewidth=0.5))
        ax.text(x, y, "tie", ha="center", va="center", fontsize=8.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
        return
    style = styles[cell["fastest"]]
    # at 0.179 black and white contrast alike
    ink = "black" if luminance(style.colour) > 0.179 else "white"
    ax.add_patch(Rectangle(corner, *side, facecolor=style.colour, edgecolor="none"))
    ax.plot([x], [y - 0.2], marker=style.marker, color=ink, markersize=5, linestyle="none")
    lead = "alone" if cell["n_timed"] == 1 else ratio(cell["factor"])
    ax.text(x, y + 0.2, lead, ha="center", va="center", fontsize=8, color=ink)


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = ((c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def tally_text(cells: pd.DataFrame) -> str:
    """``numba 12, numpy 1, tied 3, no contest in 2``, of the kernels the most first."""
    count = tally(zip(cells["winner"], cells["n_timed"], strict=True))
    return ", ".join([*(f"{kernel} {n}" for kernel, n in count.wins.most_common()), *count.others])


def caption(cells: pd.DataFrame) -> str:
    """Who wins how often in each panel, and where the lead is largest; what squares without a winner mean, where there are any."""
    words = [f"{name}: {tally_text(these)}" for name, these in conditions(cells)]
    text = f"Squares won. {'; '.join(words)}."
    clear = cells[(cells["winner"] != NOBODY) & cells["factor"].notna()]
    if len(clear):
        top, close = most(clear, "factor"), least(clear, "factor")
        text += f" The clearest lead: {top['winner']} on {top['cell']}, {ratio(top['factor'])} ahead of {top['next']}."
        if len(clear) > 1:
            text += f" The closest that still counts: {close['winner']} on {close['cell']}, {ratio(close['factor'])}."
    if (cells["n_timed"] == 1).any():
        text += " Alone: no other kernel has a time there, so it has not won."
    if (cells["n_timed"] == 0).any():
        text += " No time: every kernel was too slow there, could not run or failed; see the verification."
    if any(these["network"].nunique() * these["batch"].nunique() > len(these) for _, these in conditions(cells)):
        text += " Blank: no cell of this run, or not reached."
    return text

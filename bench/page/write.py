"""Put the page together, and write it in one step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from deltacheck.bench.page import wording
from deltacheck.bench.page.figures.floors import floor_plots
from deltacheck.bench.page.figures.style import GREY, kernel_styles
from deltacheck.bench.page.figures.svg import drawing
from deltacheck.bench.page.figures.times import against_batch, against_work
from deltacheck.bench.page.figures.win_maps import win_maps
from deltacheck.bench.page.page_data import Inputs, read
from deltacheck.bench.page.sections import headline
from deltacheck.bench.page.sections.scaling import crossovers, exponents
from deltacheck.bench.page.sections.speeds import speedups, why
from deltacheck.bench.page.sections.startup import break_even, startup, startup_plot
from deltacheck.bench.page.sections.verification import verdicts, verification_table, without_times
from deltacheck.bench.page.win_table import winners
from deltacheck.suites.formatting import counted

HERE = Path(__file__).parent
MOST = 40  # records that are shown of a list in run.json; longer ones are data, and in the tables


def write_page(folder: Path) -> Path:
    """Make ``report.html`` of the tables and run.json in a run's folder; a reader finds the old page or the new one.

    The same tables give the same bytes. Raises ``ValueError`` in one line where summary.csv or run.json is missing or is not what a
    run writes, ``OSError`` where the page cannot be written.
    """
    page = folder / "report.html"
    beside = page.with_name(page.name + ".new")
    beside.write_text(rendered(read(folder)), encoding="utf-8")
    os.replace(beside, page)
    return page


def rendered(run: Inputs) -> str:
    """The page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"quoted": quote, "provenance": provenance, "counted": counted}
    with drawing():
        return environment.get_template("page.html.jinja").render(contents(run))


def contents(run: Inputs) -> dict[str, Any]:
    """What the template needs."""
    won = winners(run.rows)
    styles = kernel_styles(run.kernels)
    return {
        "run": run,
        "styles": {kernel: styles[kernel] for kernel in run.timed},
        "grey": GREY,
        "css": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup((HERE / "page.js").read_text(encoding="utf-8")),
        "finding": headline.finding(run, won),
        "band": headline.band(run.rows),
        "warnings": headline.warnings(run),
        "facts": headline.facts(run),
        "maps": win_maps(run, won, styles),
        "against_work": against_work(run, styles),
        "against_batch": against_batch(run, styles),
        "floors": floor_plots(run, styles),
        "startup_plot": startup_plot(run),
        "speedups": speedups(run),
        "why": why(run) if run.phases else None,
        "startup": startup(run),
        "break_even": break_even(run),
        "shapes": [exponents(run), crossovers(run)],
        "verdicts": verdicts(run),
        "without_times": without_times(run),
        "verification_table": verification_table(run.folder),
        "most": MOST,
    }


def provenance(value: object, name: str = "") -> str:
    """One value of run.json for people."""
    if value is None:
        return wording.NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return (
            wording.size(value)
            if name.endswith("_bytes")
            else wording.seconds(value)
            if name.endswith("_s") and value
            else f"{value:,.10g}"
        )
    return str(value)

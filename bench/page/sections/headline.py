"""What to know of a run before anything else: the finding, the noise, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from deltacheck.bench.page.page_data import CELL, Inputs
from deltacheck.bench.page.wording import listed, number, times
from deltacheck.bench.statistics.aa_pairs import called_different
from deltacheck.bench.statistics.winners import tally
from deltacheck.suites.formatting import counted, percent_text

WRONG = ("failed_verification", "inconclusive", "error", "timeout")


def finding(run: Inputs, won: pd.DataFrame) -> list[str]:
    """The main finding in a sentence or two, of the step (or the first phase that has times)."""
    if not run.phases:
        return ["No kernel has a time in this run."]
    phase = run.phases[0]
    here = won[won["phase"] == phase]
    timed = here[here["n_timed"] > 0]
    what = "one step, forward and backward" if phase == "step" else f"one {phase} pass"
    if (here["n_timed"] < 2).all():
        return [f"{listed(list(timed['fastest'].unique()))} alone: {counted(len(timed), 'cell')} timed ({what}), nothing to compare."]
    count = tally(zip(here["winner"], here["n_timed"], strict=True))
    n = count.contests
    if not count.wins:
        told = [f"No kernel is told to be the fastest: {f'all {n} cells are ties' if n > 1 else 'the one cell is a tie'} ({what})."]
    else:
        (best, most), *others = count.wins.most_common()  # of equals the first in the table
        where = f"{most} of {n} cells" if most < n else f"all {n} cells" if n > 1 else "the one cell"
        told = [f"{best} is the fastest in {where} ({what}){over(run, phase, best, here)}."]
        told += the_other(n - most, dict(others), count.ties)
    if count.no_contest:
        told += [f"No contest in {counted(count.no_contest, 'more cell')}, where fewer than two kernels have a time."]
    return told


def the_other(n: int, wins: Mapping[str, int], ties: int) -> list[str]:
    """What came of the cells that the best has not won: a sentence, or none where there are no such cells."""
    if not n:
        return []
    if ties == n:
        return [f"The other {n} are ties." if n > 1 else "The other one is a tie."]
    where = f"In the other {n}" if n > 1 else "In the other one"
    if len(wins) == 1 and not ties:
        return [f"{where} it is {next(iter(wins))}."]
    return [f"{where}: {', '.join([f'{kernel} {m}' for kernel, m in wins.items()] + [counted(ties, 'tie')] * bool(ties))}."]


def over(run: Inputs, phase: str, kernel: str, here: pd.DataFrame) -> str:
    """By what factor it is ahead of the baseline, in all cells that have both; the baseline itself, of the next kernel where it wins."""
    rows = run.rows[(run.rows["phase"] == phase) & (run.rows["kernel"] == kernel)]
    factors, other = rows["speedup"].dropna(), run.baseline
    cells = f"the {len(factors)} cells where both have a time"
    if kernel == run.baseline:
        factors, other = here.loc[here["winner"] == kernel, "factor"].dropna(), "the next one"
        cells = f"the {len(factors)} cells it wins"
    if factors.empty:
        return ""
    least, most = number(factors.min(), 2), times(factors.max())
    if least == number(factors.max(), 2):
        return f": {most} as fast as {other}"
    mean = times(np.exp(np.log(factors).mean()))
    return f": {mean} as fast as {other} in the geometric mean of {cells}, from {least} times in one of them to {most} in another"


def band(rows: pd.DataFrame) -> str:
    """The A/A band, and how the pairs it comes from fared; empty where no kernel was entered twice."""
    bands = rows.dropna(subset=["aa_band"]).groupby("threads")["aa_band"].max()
    if bands.empty:
        return ""
    one = bands.nunique() == 1
    words = [percent_text(float(b)) + ("" if one else f" on {n} thread{'s' * (n != 1)}") for n, b in bands.items()]
    text = f"Differences of up to {listed(words[:1] if one else words)} are ties: by as much may a kernel, entered twice, seem to differ"
    text += " from itself (A/A band)."
    called = called_different(rows.to_dict("records"))
    return text + f" Told apart although they are one: {sum(called.values())} of {counted(len(called), 'such pair')}." * bool(called)


def warnings(run: Inputs) -> list[str]:
    """What to know before believing the rest: that the run is incomplete, what failed, and what the run itself found."""
    found = []
    if not run.about.get("complete"):
        missing = int((run.rows["status"] == "not_run").sum())
        found.append(f"This run is incomplete: {missing:,} of {counted(len(run.rows), 'row')} were not measured.")
    for status in WRONG:
        rows = run.rows[run.rows["status"] == status]
        if len(rows):
            kernels = listed(list(rows["kernel"].unique()))
            found.append(f"{kernels}: {status.replace('_', ' ')} in {counted(len(rows), 'row')}, no time there; see the verification.")
    return found + [str(text) for text in run.about.get("warnings") or []]


def facts(run: Inputs) -> dict[str, str]:
    """The run in a few words."""
    about, rows = run.about, run.rows
    known = {
        "run": about.get("run_id", run.folder.name),
        "started": when(about.get("started")),
        "took": duration(about.get("started"), about.get("ended")),
        "processor": about.get("cpu_model"),
        "cells": f"{len(rows[CELL].drop_duplicates()):,}",
        "kernels": len(run.kernels),
        "processes": about.get("processes"),
        "rows with a time": f"{rows['median_s'].notna().sum():,} of {len(rows):,}",
        "commit": about.get("commit") and f"{str(about['commit'])[:10]}{', files changed' * bool(about.get('dirty'))}",
    }
    return {name: str(fact) for name, fact in known.items() if fact}


def when(moment: object) -> str:
    """``2026-11-24 09:03 UTC``; as it stands where it is no time."""
    try:
        return datetime.fromisoformat(str(moment)).strftime("%Y-%m-%d %H:%M %Z")
    except ValueError:
        return str(moment or "")


def duration(start: object, end: object) -> str:
    """Whole minutes, or seconds below two of them; empty where either is no time."""
    try:
        passed = (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (TypeError, ValueError):
        return ""
    return f"{passed / 60:.0f} min" if passed >= 120 else f"{passed:.0f} s"

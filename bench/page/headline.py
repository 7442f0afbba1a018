"""What to know of a run before anything else: the finding, the noise, what went wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.page.inputs import CELL, Inputs
from bench.page.text import counted, listed, number, percent, ratio
from bench.page.winners import TIE

WRONG = ("failed_verification", "inconclusive", "error")


def finding(run: Inputs, won: pd.DataFrame) -> list[str]:
    """The main finding in a sentence or two, of the step (or the first phase that has times)."""
    if not run.phases:
        return ["No kernel has a time in this run."]
    phase = run.phases[0]
    here = won[(won["phase"] == phase) & (won["n_timed"] > 0)]
    what = "one step, forward and backward" if phase == "step" else f"one {phase} pass"
    if (here["n_timed"] < 2).all():
        return [f"{listed(list(here['fastest'].unique()))} alone: {counted(len(here), 'cell')} timed ({what}), nothing to compare."]
    tally = here.loc[here["winner"] != TIE, "winner"].value_counts()  # most first; of equals the first in the table
    if tally.empty:
        told = [f"No kernel is told to be the fastest: all {counted(len(here), 'cell')} are ties ({what})."]
    else:
        best = str(tally.index[0])
        told = [f"{best} is the fastest in {tally.iloc[0]} of {counted(len(here), 'cell')} ({what}){over(run, phase, best, here)}."]
        others = [f"{kernel} in {n}" for kernel, n in tally.iloc[1:].items()]
        ties = int((here["winner"] == TIE).sum())
        others += [f"{ties} {'is a tie' if ties == 1 else 'are ties'}"] * bool(ties)
        told += [f"Of the other cells, {listed(others)}."] * bool(others)
    return told


def over(run: Inputs, phase: str, kernel: str, here: pd.DataFrame) -> str:
    """By what factor it is ahead of the baseline; the baseline itself, of the next kernel."""
    if kernel == run.baseline:
        factors, other = here.loc[here["winner"] == kernel, "factor"].dropna(), "the next kernel where it wins"
    else:
        rows = run.rows[(run.rows["phase"] == phase) & (run.rows["kernel"] == kernel)]
        factors, other = rows["speedup"].dropna(), run.baseline
    if factors.empty:
        return ""
    mean = float(np.exp(np.log(factors).mean()))
    if len(factors) == 1:
        return f", {ratio(mean)} the speed of {other}"
    return f", on geometric average {ratio(mean)} the speed of {other} (from {ratio(factors.min())} to {ratio(factors.max())})"


def band(rows: pd.DataFrame) -> str:
    """The A/A band, and how the pairs it comes from fared; empty where no kernel was entered twice."""
    bands = rows.dropna(subset=["aa_band"]).groupby("threads")["aa_band"].max()
    if bands.empty:
        return ""
    words = [percent(b) + (f" on {counted(int(n), 'thread')}" if len(bands) > 1 else "") for n, b in bands.items()]  # type: ignore[call-overload]
    text = f"Differences within the A/A band, {listed(words)}, count as ties: the same kernel, entered twice, seems to differ by as much."
    pairs = rows.drop_duplicates([*CELL, "phase"]).dropna(subset=["aa_ratio"])
    outside = ((pairs["aa_ci_low"] > 1 + pairs["aa_band"]) | (pairs["aa_ci_high"] < 1 / (1 + pairs["aa_band"]))).sum()
    return text + f" Told apart although they are one: {outside} of {counted(len(pairs), 'such pair')}." * bool(len(pairs))


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


def facts(run: Inputs) -> dict[str, Any]:
    """The run in a few words."""
    about, rows = run.about, run.rows
    timed = int(rows["median_s"].notna().sum())
    return {
        "run": about.get("run_id", run.folder.name),
        "started": about.get("started"),
        "ended": about.get("ended"),
        "processor": about.get("cpu_model"),
        "cells": f"{len(rows[CELL].drop_duplicates()):,}",
        "kernels": f"{len(run.kernels)}",
        "rows with a time": f"{timed:,} of {len(rows):,}",
        "commit": f"{str(about['commit'])[:10]}{', files changed' * bool(about.get('dirty'))}" if about.get("commit") else None,
    }


__all__ = ["WRONG", "band", "facts", "finding", "number", "warnings"]

"""Was it right? What the verifier said of every kernel on every cell, failures first."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from deltacheck.bench.page.page_data import CELL, Inputs
from deltacheck.bench.page.sections.headline import WRONG
from deltacheck.bench.page.sections.html_table import Column, html, keys
from deltacheck.bench.page.wording import count, listed, number


def verdicts(run: Inputs) -> Markup | None:
    """A row for each kernel and dtype, those with a failure on top; a cell counts once, whatever phases it has. None without cells."""
    rows = []
    for (kernel, dtype), cells in run.rows.drop_duplicates(["kernel", *CELL]).groupby(["kernel", "dtype"], sort=False):
        said = {f"{verdict}": int((cells["verdict"] == verdict).sum()) for verdict in ("pass", "fail", "inconclusive", "")}
        rows.append({"kernel": kernel, "dtype": dtype, "cells": len(cells), **said, "error": cells["max_rel_error"].max()})
    if not rows:
        return None
    table = pd.DataFrame(rows).sort_values(["fail", "inconclusive"], ascending=False, kind="stable")
    columns = keys(table, ("kernel", "dtype")) + [Column(name, table[name], count) for name in ("cells", "pass", "fail", "inconclusive")]
    columns += [Column("not judged", table[""], count), Column("largest relative error", table["error"], number)]
    return html("Verdicts by kernel and dtype", columns)


def without_times(run: Inputs) -> Markup | None:
    """What has no time and why: failures one by one, the rest by kernel and reason. None where all have one."""
    rows = run.rows[run.rows["status"] != "ok"]
    wrong = rows[rows["status"].isin(WRONG)].drop_duplicates(["kernel", "cell", "status", "message"])
    wrong = wrong.sort_values("status", key=lambda status: status.map(WRONG.index), kind="stable")
    told = [(row["status"], row["kernel"], 1, row["cell"], row["max_rel_error"], row["message"]) for row in wrong.to_dict("records")]
    for (status, kernel), these in rows[~rows["status"].isin(WRONG)].groupby(["status", "kernel"], sort=False):
        first = these.iloc[0]
        where = f"{listed(list(these['phase'].unique()))}; the first {first['cell']}"
        told.append((status, kernel, these["cell"].nunique(), where, float("nan"), first["message"]))
    if not told:
        return None
    status, kernels, cells, places, errors, messages = zip(*told, strict=True)
    columns = [
        Column("status", [str(name).replace("_", " ") for name in status]),
        Column("kernel", kernels),
        Column("cells", cells, count),
        Column("where", places),
        Column("relative error", errors, number),
        Column("message", messages),
    ]
    return html("Without a time", columns)


def verification_table(folder: Path) -> str | None:
    """The path of the newest verification.csv beside the benchmarks, from the run's folder; None where there is none."""
    latest = folder.resolve().parent.parent / "verify" / "latest" / "verification.csv"
    return Path(os.path.relpath(latest.resolve(), folder.resolve())).as_posix() if latest.is_file() else None

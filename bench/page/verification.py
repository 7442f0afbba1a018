"""Was it right? What the verifier said of every kernel on every cell, failures first."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from bench.page import text
from bench.page.headline import WRONG
from bench.page.inputs import CELL, Inputs
from bench.page.tables import html

OTHER = ("too_slow", "unsupported", "not_run")


def verdicts(run: Inputs) -> Markup:
    """A row for each kernel and dtype, those with a failure on top. A cell counts once, whatever phases it has."""
    cells = run.rows.drop_duplicates(["kernel", *CELL])
    rows = []
    for (kernel, dtype), these in cells.groupby(["kernel", "dtype"], sort=False):
        said = these["verdict"].value_counts()
        row = {"kernel": kernel, "dtype": dtype, "cells": len(these)}
        row |= {name: int(said.get(name, 0)) for name in ("pass", "fail", "inconclusive")}
        rows.append(row | {"not judged": int((these["verdict"] == "").sum()), "largest relative error": these["max_rel_error"].max()})
    shown = pd.DataFrame(rows).sort_values(["fail", "inconclusive"], ascending=False, kind="stable")
    formats = dict.fromkeys(("cells", "pass", "fail", "inconclusive", "not judged"), text.count)
    return html(shown, "Verdicts by kernel and dtype", {**formats, "largest relative error": text.number})


def without_times(run: Inputs) -> Markup | None:
    """What has no time and why: failures one by one, the rest by kernel and reason. None where all have one."""
    rows = run.rows[run.rows["status"] != "ok"]
    wrong = rows[rows["status"].isin(WRONG)].drop_duplicates(["kernel", "cell", "status", "message"])
    told = [
        {"status": row["status"], "kernel": row["kernel"], "cells": 1, "where": f"{row['cell']}", "error": row["max_rel_error"], "message": row["message"]}
        for row in wrong.to_dict("records")
    ]
    for (status, kernel), these in rows[~rows["status"].isin(WRONG)].groupby(["status", "kernel"], sort=False):
        places = list(these["cell"].unique())
        phases = list(these["phase"].unique())
        where = f"{text.listed(phases)}; the first {places[0]}"
        told.append({"status": status, "kernel": kernel, "cells": len(places), "where": where, "error": float("nan"), "message": these["message"].iloc[0]})
    if not told:
        return None
    shown = pd.DataFrame(told).rename(columns={"error": "relative error"})
    shown["status"] = shown["status"].str.replace("_", " ")
    return html(shown, "Without a time", {"cells": text.count, "relative error": text.number})


def verification_table(folder: Path) -> str | None:
    """The path of the newest verification.csv beside the benchmarks, from the run's folder; None where there is none."""
    latest = folder.resolve().parent.parent / "verify" / "latest" / "verification.csv"
    return Path(os.path.relpath(latest.resolve(), folder.resolve())).as_posix() if latest.is_file() else None

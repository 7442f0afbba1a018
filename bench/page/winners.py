"""Who is the fastest in each cell and phase, and whether that can be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.contest import NAN
from bench.crossovers import log_ratios
from bench.page.inputs import CELL
from bench.series import TIMES, Point

TIE = ""  # as a winner


def winners(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell and phase: ``n_timed`` kernels, the ``fastest``, the ``next``, and the ``factor`` between them with its interval.

    ``winner`` is the fastest where the whole interval lies above 1 + ``aa_band``, or where it alone has a time; empty (a tie) elsewhere.
    ``rows``: the summary, as ``Inputs`` has it.
    """
    found = []
    for key, entered in rows.groupby(["phase", *CELL], sort=False):
        timed = entered[entered["median_s"].notna()].sort_values("median_s", kind="stable").to_dict("records")
        first, second = (*timed, None, None)[:2]
        about: dict[str, Any] = {"n_timed": len(timed), "fastest": "", "next": "", "factor": NAN, "low": NAN, "high": NAN}
        if first:
            about["fastest"] = first["kernel"]
        if first and second:
            about |= {"next": second["kernel"]} | dict(zip(("factor", "low", "high"), lead(first, second), strict=True))
        band = float(entered["aa_band"].fillna(0.0).max())
        told = len(timed) == 1 or about["low"] > 1 + band
        same = entered.iloc[0][["n_params", "work", "network", "place", "cell"]].to_dict()
        found.append(dict(zip(["phase", *CELL], key, strict=True)) | same | about | {"winner": about["fastest"] if told else TIE})
    return pd.DataFrame(found)


def lead(first: dict[Any, Any], second: dict[Any, Any]) -> tuple[float, float, float]:
    """The second's time by the first's, and its 95 % interval.

    Where one of them is the baseline, that of the paired speed-up. Elsewhere of the intervals of the two medians, taken as independent
    as crossovers are: rather too wide, for the two took turns and what slowed both is in both.
    """
    if second["kernel"] == second["baseline"]:
        return first["speedup"], first["speedup_ci_low"], first["speedup_ci_high"]
    if first["kernel"] == first["baseline"]:
        return 1 / second["speedup"], 1 / second["speedup_ci_high"], 1 / second["speedup_ci_low"]
    here = ("", 0)
    points = [{here: Point(0, *(row[name] for name in TIMES))} for row in (second, first)]
    _, *logs = log_ratios(*points)
    factor, low, high = (float(np.exp(values[0])) for values in logs)
    return factor, low, high

"""Who is the fastest in each cell and phase, and whether that can be told."""

from __future__ import annotations

from typing import Any

import pandas as pd

from deltacheck.bench.cells.result import NAN
from deltacheck.bench.page.page_data import CELL
from deltacheck.bench.statistics.winners import ranking

NOBODY = ""  # as a winner


def winners(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell and phase: ``n_timed`` kernels, the ``fastest``, the ``next``, and the ``factor`` between them with its interval.

    ``winner`` is the fastest where the whole interval lies above 1 + ``aa_band``; empty elsewhere: a tie, or no contest where
    ``n_timed`` is less than 2. Nothing of a cell and phase that an interrupted run has not reached.
    ``rows``: the summary, as ``Inputs`` has it.
    """
    found = []
    for key, entered in rows.groupby(["phase", *CELL], sort=False):
        if (entered["status"] == "not_run").all():
            continue
        first, second, n_timed = standing = ranking(entered.to_dict("records"))
        about: dict[str, Any] = {"n_timed": n_timed, "fastest": "", "next": "", "factor": NAN, "low": NAN, "high": NAN}
        if first:
            about["fastest"] = first["kernel"]
        if second:
            of = dict(zip(("factor", "low", "high"), ("over_fastest", "over_fastest_ci_low", "over_fastest_ci_high"), strict=True))
            about |= {"next": second["kernel"]} | {name: second[column] for name, column in of.items()}
        same = entered.iloc[0][["n_params", "work", "network", "place", "cell"]].to_dict()
        found.append(dict(zip(["phase", *CELL], key, strict=True)) | same | about | {"winner": standing.winner or NOBODY})
    return pd.DataFrame(found)

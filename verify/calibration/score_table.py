"""The scores as a table, a row for each family and one for all; and in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.verify.calibration.scoring import Scores

COUNTS = ["entries", "draws", "false_fails", "inconclusive", "reference_outside_bound", "truth_known"]
CERTIFICATES = ["median_certificate", "p90_certificate", "p99_certificate"]
COLUMNS = ["family", "dtype", "kind", *COUNTS, *CERTIFICATES, "planted", "caught", "raised", "evaluations_per_entry", "seconds"]
DOUBTS = ["family", "dtype", "draw", "what", "index", "got", "reference", "reference_error", "allowed", "truth", "truth_error"]
SUMMED = [*COUNTS, "planted", "caught", "raised", "evaluations", "seconds"]
DOUBTS_SHOWN = 5


def score_table(found: Iterable[Scores]) -> pd.DataFrame:
    """A row for each family in the order of the first of its scores, and the total."""
    by_family: dict[tuple[str, str, str], list[Scores]] = {}
    for scores in found:
        by_family.setdefault((scores.family, scores.dtype, scores.kind), []).append(scores)
    rows = [_row(*key, parts) for key, parts in by_family.items()]
    rows.append(_row("total", "", "", [scores for parts in by_family.values() for scores in parts]))
    return pd.DataFrame(rows, columns=COLUMNS)


def doubt_table(found: Iterable[Scores]) -> pd.DataFrame:
    """Each entry noted: false fails, references outside their bounds, planted errors not caught, exceptions."""
    rows = [doubt for scores in found for doubt in scores.doubts]
    return pd.DataFrame(rows, columns=[*DOUBTS, "method", "step", "message"])


def closing(table: pd.DataFrame, doubts: pd.DataFrame, seed: int) -> list[str]:
    """The total in words, and the families with something to look at."""
    total = table.iloc[-1]
    known, planted = int(total["truth_known"]), int(total["planted"])
    median, most, nearly_all = (f"{total[name]:.1g}" for name in CERTIFICATES)
    inside = known - int(total["reference_outside_bound"])
    lines = [
        f"{total['entries']} entries of {total['draws']} right gradients from {len(table) - 1} families (seed {seed}):",
        f"{total['false_fails']} said to be wrong; {total['inconclusive']} inconclusive",
        f"reference within its own bound: {inside} of {known} entries whose truth is known{_share(inside, known)}",
        f"planted errors of three certificates: {total['caught']} of {planted} caught{_share(int(total['caught']), planted)}",
        f"certificate: median {median}, 90 % {most}, 99 % {nearly_all}; {total['evaluations_per_entry']:.3g} evaluations for each entry",
    ]
    if total["raised"]:
        lines.append(f"the checker raised an exception at {total['raised']} draws")
    for what, rows in doubts.groupby("what", sort=True):
        counts = (rows["family"] + " " + rows["dtype"]).value_counts()
        shown = ", ".join(f"{name} ({size})" for name, size in counts.head(DOUBTS_SHOWN).items())
        more = f" and {len(counts) - DOUBTS_SHOWN} families more" if len(counts) > DOUBTS_SHOWN else ""
        lines.append(f"{what}: {shown}{more}")
    return lines


def _row(family: str, dtype: str, kind: str, parts: list[Scores]) -> dict[str, Any]:
    row: dict[str, Any] = {"family": family, "dtype": dtype, "kind": kind}
    row |= {name: sum(getattr(scores, name) for scores in parts) for name in SUMMED}
    certificates = np.concatenate([np.asarray(scores.certificates, float) for scores in parts]) if parts else np.zeros(0)
    levels = np.percentile(certificates, [50, 90, 99], method="higher") if certificates.size else np.full(3, np.nan)
    row |= dict(zip(CERTIFICATES, levels, strict=True))
    row["evaluations_per_entry"] = row["evaluations"] / max(row["entries"], 1)
    return row


def _share(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.4g} %)" if whole else ""

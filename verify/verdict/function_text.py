"""The report on a function's gradient, as text: one screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from deltacheck.verify.verdict.entries import Entries

if TYPE_CHECKING:
    from deltacheck.verify.verdict.report import Report

WORST = 4  # entries shown
WIDTH = 120


def function_text(report: Report) -> list[str]:
    """Verdict, what is wrong, the worst entries, what the check is worth, what it rests on."""
    rows = report.rows
    assert rows is not None
    lines = [_first(report, rows)]
    said = [f"  {text.text}" for text in report.diagnoses]
    lines += [line for text in said for line in textwrap.wrap(text, WIDTH, subsequent_indent="    ")[:2]][:4]
    if report.verdict != "pass" and any(verdict != "pass" for verdict in rows.verdict):
        lines += _worst(rows)
    lines += _certificate(rows)
    lines += [f"  note: {note}" for note in report.notes[:2]]
    lines.append(f"  by {report.method}; {report.evaluations} evaluations of the cost, {report.seconds:.2g} s")
    return lines


def _first(report: Report, rows: Entries) -> str:
    n, entries = len(rows.verdict), sum(block.n_entries for block in report.gradient_blocks)
    checked = f"all {n} entries" if n == entries else f"the {n} of {entries} entries that were checked"
    wrong, undecided = (sum(verdict == what for verdict in rows.verdict) for what in ("fail", "inconclusive"))
    along = next((str(block) for block in report.gradient_blocks if block.verdict == "fail" and "along random" in block.name), "")
    if report.verdict == "pass":
        zero = int(np.count_nonzero(rows.zero))
        return f"pass: {checked} are right" + (f" ({zero} of them 0)" if zero else "")
    if report.verdict == "inconclusive":
        return f"inconclusive: {undecided} of {n} entries could not be judged"
    if wrong:
        return f"fail: {wrong} of {n} entries are wrong" + (f", {undecided} could not be judged" if undecided else "")
    return f"fail: {along}" if along else f"fail: {report.violations[0].name}; the entries at this theta are right"


def _worst(rows: Entries) -> list[str]:
    lines = [f"  {'entry':16} {'got':>16} {'expected':>16} {'± its error':>12} {'allowed':>10} {'off/allowed':>12}"]
    for n in rows.worst(WORST):
        if rows.verdict[n] == "pass":
            break
        name = f"{rows.block[n]}{list(rows.index[n])}" if rows.index[n] else rows.block[n]
        with np.errstate(all="ignore"):
            ratio = abs(rows.got[n] - rows.reference[n]) / rows.allowed[n]
        values = f"{rows.got[n]:16.10g} {rows.reference[n]:16.10g} {rows.reference_error[n]:12.2g} {rows.allowed[n]:10.2g} {ratio:12.3g}"
        lines.append(f"  {name:16} {values}")
    return lines


def _certificate(rows: Entries) -> list[str]:
    """What errors would have been caught, for each entry its own: quantiles; for entries that are 0, in absolute terms."""
    zero = np.asarray(rows.allowed)[rows.zero]
    lines = []
    if rows.certified:
        half, most, every = rows.certified
        lines.append(
            f"  a relative error would have been caught above {half:.1g} in half of the entries, {most:.1g} in 99 %, {every:.1g} in all"
        )
    if zero.size and np.isfinite(zero).any():
        most = 2 * float(zero[np.isfinite(zero)].max())
        lines.append(f"  where it is 0, {f'an error above {most:.1g}' if most else 'any other value'} would have been caught")
    return lines

"""A report in a notebook: its text, and the gradient against its references as a picture."""

from __future__ import annotations

import html

import numpy as np

from deltacheck.verify.verdict.entries import Entries

SIDE, EDGE = 240.0, 24.0
COLOURS = {"pass": "#2b7a3d", "fail": "#c0392b", "inconclusive": "#b8860b"}
MOST = 2000  # points drawn: all that fail, and a selection of the others


def notebook_html(text: str, rows: Entries | None) -> str:
    """The text, and where there are entries one point for each: expected to the right, got upwards; a right one is on the diagonal."""
    picture = _picture(rows) if rows is not None else ""
    return f'<div style="display:flex;gap:16px;align-items:flex-start"><pre style="margin:0">{html.escape(text)}</pre>{picture}</div>'


def _picture(rows: Entries) -> str:
    known = np.flatnonzero(np.isfinite(rows.reference) & np.isfinite(rows.got))
    if not known.size:
        return ""
    order = sorted(map(int, known), key=lambda n: rows.verdict[n] == "pass")[:MOST]
    size = max(float(np.max(abs(rows.reference[order]))), float(np.max(abs(rows.got[order])))) or 1.0

    def place(value: float) -> float:
        return EDGE + (SIDE - 2 * EDGE) * (0.5 + 0.5 * value / size)

    points = "".join(
        f'<circle cx="{place(rows.reference[n]):.1f}" cy="{SIDE - place(rows.got[n]):.1f}" r="3" fill="{COLOURS[rows.verdict[n]]}"/>'
        for n in reversed(order)
    )
    diagonal = f'<line x1="{EDGE}" y1="{SIDE - EDGE}" x2="{SIDE - EDGE}" y2="{EDGE}" stroke="#999"/>'
    words = (
        f'<text x="{SIDE / 2}" y="{SIDE - 6}" text-anchor="middle">expected, ±{size:.3g}</text>'
        f'<text x="12" y="{SIDE / 2}" text-anchor="middle" transform="rotate(-90 12 {SIDE / 2})">got</text>'
    )
    return f'<svg width="{SIDE:.0f}" height="{SIDE:.0f}" font-size="11" font-family="sans-serif" role="img">{diagonal}{points}{words}</svg>'

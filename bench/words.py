"""Counts and percentages as people read them, on the terminal and on the page."""

from __future__ import annotations

from math import floor, log10


def counted(n: int, one: str, many: str = "") -> str:
    """``1 cell``, ``2 cells``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def percent_text(fraction: float) -> str:
    """``4.7 %``, ``130 %``: two digits, never an exponent."""
    rounded = float(f"{100 * fraction:.2g}")
    decimals = max(0, 1 - floor(log10(abs(rounded)))) if rounded else 0
    text = f"{rounded:.{decimals}f}"
    return f"{text.rstrip('0').rstrip('.') if decimals else text} %"

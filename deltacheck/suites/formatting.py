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


def time_text(seconds: float) -> str:
    """Three digits and a unit."""
    seconds = float(f"{seconds:.3g}")  # or 999.6 us would be 1e+03 us
    unit, factor = next(((u, f) for u, f in (("s", 1.0), ("ms", 1e3), ("us", 1e6)) if seconds * f >= 1), ("ns", 1e9))
    return f"{seconds * factor:.3g} {unit}"


def aligned(lines: list[tuple[str, list[str]]]) -> list[str]:
    """Columns as wide as their widest entry."""
    cells = [[first, *rest] for first, rest in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]

"""Numbers as people read them: three digits, a unit, an interval."""

from __future__ import annotations

from math import floor, isnan, log10

import pandas as pd

NONE = "–"


class Estimate(float):
    """A number that knows its 95 % interval: tables sort by the number and show both."""

    low: float
    high: float

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Estimate:
        """The number with the ends of its interval, NaN where it has none."""
        made = cls(value)
        made.low, made.high = low, high
        return made


def estimates(rows: pd.DataFrame, value: str, low: str, high: str) -> pd.Series:
    """Three columns as one, which pandas is not to make plain numbers of."""
    return pd.Series([Estimate.of(*numbers) for numbers in rows[[value, low, high]].itertuples(index=False)], rows.index, dtype=object)


def number(x: float, digits: int = 3) -> str:
    """So many significant digits, ``1,230`` and ``0.0123``; an exponent below 0.0001."""
    if isnan(x):
        return NONE
    rounded = float(f"{x:.{digits}g}")
    if rounded == 0 or not 1e-4 <= abs(rounded) < 1e15:
        return f"{x:.{digits - 1}e}" if rounded else "0"
    return f"{rounded:,.{max(0, digits - 1 - floor(log10(abs(rounded))))}f}"


def count(x: float) -> str:
    """A whole number."""
    return NONE if isnan(x) else counts(x)[0]


def counts(*numbers: float) -> list[str]:
    """Whole numbers that stand together, in one style: all with ``k``, ``M`` and so on where one of them is large."""
    large = any(abs(x) >= 1e5 for x in numbers)
    return [_scaled(x, 1000, ("", " k", " M", " G", " T", " P")) if large else f"{x:,.0f}" for x in numbers]


def ratio(x: float) -> str:
    """``3.10×``."""
    return NONE if isnan(x) else f"{number(x)}×"


def times(x: float) -> str:
    """``3.1 times``, as a sentence has it."""
    return f"{number(x, 2)} times"


def ratio_interval(x: float) -> str:
    """``3.10× [3.00, 3.30]``."""
    return ratio(x) + interval(x)


def interval(x: float) -> str:
    """`` [3.00, 3.30]``; nothing where there is none."""
    if not isinstance(x, Estimate) or isnan(x + x.low + x.high):
        return ""
    return f" [{number(x.low)}, {number(x.high)}]"


def percent(x: float) -> str:
    """``12.3 %``."""
    return NONE if isnan(x) else "< 0.01 %" if 0 < x < 1e-4 else f"{number(100 * x)} %"


def percent_interval(x: float) -> str:
    """``31.2 % [31.0, 31.5]``."""
    return percent(x) + interval(Estimate.of(x, 100 * x.low, 100 * x.high) if isinstance(x, Estimate) else x)


def count_interval(x: float) -> str:
    """``98 [81, 112]``, ``1.2 [1.1, 1.4]``: a size between two that were measured."""
    ends = [x, x.low, x.high] if isinstance(x, Estimate) else [x]
    first, *others = (text if end >= 10 else number(end, 2) for end, text in zip(ends, counts(*ends), strict=True))
    return first + f" [{', '.join(others)}]" * bool(others)


def exponent(x: float) -> str:
    """``0.98 [0.95, 1.01]``: two decimals, for an exponent is about 1."""
    return f"{x:.2f}" + (f" [{x.low:.2f}, {x.high:.2f}]" if isinstance(x, Estimate) else "")


def seconds(x: float) -> str:
    """``131 µs``."""
    if isnan(x):
        return NONE
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if float(f"{x * scale:.3g}") >= 1:
            return f"{number(x * scale)} {unit}"
    return f"{number(x * 1e9)} ns"


def size(x: float) -> str:
    """``1.50 MiB``."""
    return NONE if isnan(x) else _scaled(x, 1024, (" B", " KiB", " MiB", " GiB", " TiB"))


def _scaled(x: float, step: int, units: tuple[str, ...]) -> str:
    n = 0
    while x >= 0.9995 * step and n < len(units) - 1:
        x, n = x / step, n + 1
    return (f"{x:.0f}" if n == 0 else number(x)) + units[n]


def listed(words: list[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""

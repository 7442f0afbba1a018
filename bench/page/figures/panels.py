"""A group of pictures that share a caption, and the panels it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup


@dataclass(frozen=True)
class Group:
    """``panels``: ``<svg>`` elements; ``caption``: what to see in them."""

    title: str
    panels: list[Markup]
    caption: str


def conditions(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each dtype and number of threads, and the two in words."""
    several = rows["threads"].nunique() > 1
    return [
        (f"{dtype}" + f", {threads} thread{'s' * (threads != 1)}" * (several or threads != 1), these)
        for (threads, dtype), these in rows.groupby(["threads", "dtype"], sort=True)
    ]


def most(rows: pd.DataFrame, column: str) -> pd.Series:
    """The row with the largest value."""
    return rows.iloc[int(rows[column].argmax())]


def least(rows: pd.DataFrame, column: str) -> pd.Series:
    """The row with the smallest value."""
    return rows.iloc[int(rows[column].argmin())]


def short(text: str, room: int = 22) -> str:
    """A long name without its middle."""
    return text if len(text) <= room else f"{text[: room // 2]}…{text[-(room - room // 2 - 1) :]}"

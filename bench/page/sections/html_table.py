"""Tables of the page, made with pandas' Styler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup
from pandas.io.formats.style import Styler

from deltacheck.bench.page.wording import count

PageStyler = Styler.from_custom_template([str(Path(__file__).parent)], html_table="table.html.jinja")
FILTERS = ("kernel", "phase", "network", "dtype", "threads")


class Column(NamedTuple):
    """A heading, what stands below it, and how that reads. By numbers a column is sorted as numbers."""

    heading: str
    values: Sequence[Any] | pd.Series[Any]
    read: Callable[[Any], str] = str


def html(title: str, columns: Sequence[Column], filters: Sequence[str] = (), start: Mapping[str, str] | None = None) -> Markup:
    """A table that is whole as it is, and that the page's script makes sortable and, by the columns of ``filters``, filterable.

    ``start``: what the filters show at first.
    """
    rows = pd.DataFrame({column.heading: pd.Series(list(column.values), dtype=object) for column in columns})
    styler = PageStyler(rows).hide(axis="index").format({column.heading: column.read for column in columns})
    shown = [name for name in filters if rows[name].nunique() > 1]
    return Markup(styler.to_html(exclude_styles=True, title=title, filters=shown, start=start or {}))


def keys(rows: pd.DataFrame, names: Sequence[str] = ("kernel", "phase", "network", "batch", "dtype", "threads")) -> list[Column]:
    """The columns that say what a row is of."""
    return [Column(name, rows[name], count if name in ("batch", "threads") else str) for name in names]

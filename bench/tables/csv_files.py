"""CSV files, written in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd


def write(path: Path, rows: Sequence[Mapping[str, Any]] | pd.DataFrame, columns: Sequence[str]) -> None:
    """Write a whole CSV file in one step: a reader finds the old one or the new one."""
    beside = path.with_name(path.name + ".new")
    pd.DataFrame(rows, columns=list(columns)).to_csv(beside, index=False)
    os.replace(beside, path)

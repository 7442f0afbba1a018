"""Exceptions as one line of text."""

from __future__ import annotations

import traceback
from pathlib import Path


def one_line(error: BaseException) -> str:
    """What was raised, as ``Type: message`` on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def one_line_and_place(error: BaseException) -> str:
    """The same, and where it was raised below the function that caught it: ``Type: message (file.py, line 3)``."""
    frames = traceback.extract_tb(error.__traceback__)
    return one_line(error) + (f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else "")

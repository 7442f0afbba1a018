"""Real data for the cases: the first 30 of the handwritten digits, 8 × 8 pixels, that scikit-learn ships.

Source: E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("digits.csv")


def digits() -> tuple[NDArray[Any], NDArray[Any]]:
    """Pixels scaled to 0 … 1, (30, 64), and one-hot labels, (30, 10)."""
    rows = np.loadtxt(FILE, delimiter=",", skiprows=1)
    return rows[:, 1:] / 16.0, np.eye(10)[rows[:, 0].astype(int)]

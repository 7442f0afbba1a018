"""Real data: the 1,797 handwritten digits of 8 × 8 pixels that scikit-learn ships (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from deltacheck.kernels.network import Array


def digits(dtype: DTypeLike = np.float64) -> tuple[Array, Array]:
    """Pixels scaled to 0 … 1, (1797, 64), and one-hot labels, (1797, 10). Raises ``ImportError`` without scikit-learn."""
    try:
        from sklearn.datasets import load_digits  # an extra: only who asks for digits needs it
    except ImportError as error:
        raise ImportError(f"the digits come with scikit-learn, which cannot be imported: {error}; pip install scikit-learn") from None

    pixels, labels = load_digits(return_X_y=True)
    return (pixels / 16.0).astype(dtype), np.eye(10, dtype=dtype)[labels]

"""The verdict of single entries, as columns: what came, what it should be, how sure that is, and what was allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

from deltacheck.verify.verdict.array_verdict import quantiles

Array = NDArray[Any]

ONE_SIDED = "one-sided slopes"


@dataclass(frozen=True, eq=False)
class Entries:
    """Columns of equal length, one row for each entry that was checked; ``index`` is in the shape of its block."""

    block: Sequence[str]
    index: Sequence[tuple[int, ...]]
    got: Array
    reference: Array  # NaN where there is none
    reference_error: Array  # a bound; infinite where there is no reference
    allowed: Array  # on |got − reference|: the reference's error and the rounding that the entry may have
    method: Sequence[str]
    step: Array
    verdict: Sequence[str]

    @property
    def certificate(self) -> Array:
        """The smallest relative error of each entry that would surely have been caught; infinite where the reference is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = 2 * self.allowed / abs(self.reference)
        return np.where(np.isfinite(relative), relative, np.inf)

    @property
    def zero(self) -> Array:
        """Where the reference cannot be told from 0."""
        return np.asarray(abs(self.reference) <= np.where(np.isfinite(self.reference_error), self.reference_error, 0.0))

    @property
    def table(self) -> pd.DataFrame:
        """A row for each entry."""
        import pandas as pd  # slow to import, and only a table needs it

        columns = ("block", "index", "got", "reference", "reference_error", "allowed", "certificate", "method", "step", "verdict")
        return pd.DataFrame({name: list(getattr(self, name)) for name in columns})

    @property
    def certified(self) -> tuple[float, ...]:
        """The quantiles (a half, 99 %, all) of the certificates of entries with a reference that is told from 0; empty when there is none.

        Entries on a kink are left out: any slope between the one-sided ones is right there.
        """
        counted = np.array([method != ONE_SIDED for method in self.method])
        known = np.asarray(self.certificate)[counted & ~self.zero & ~np.isnan(self.reference)]
        return quantiles(known)

    def worst(self, count: int) -> Array:
        """The rows that are furthest outside of what is allowed, or closest to it: at most ``count``."""
        with np.errstate(all="ignore"):
            ratio = abs(self.got - self.reference) / self.allowed
        order = {"fail": 2.0, "inconclusive": 1.0}
        rank = np.array([order.get(verdict, 0.0) for verdict in self.verdict])
        return np.lexsort((-np.nan_to_num(ratio, nan=np.inf, posinf=1e300), -rank))[:count]


NONE = np.array([])
NO_ENTRIES = Entries([], [], NONE, NONE, NONE, NONE, [], NONE, [])  # of a gradient that could not be judged

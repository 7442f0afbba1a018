"""How far the times of a run's processes differ, and so how far those of two runs do that are equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

DISTURBED = 0.03  # of log-times: where all contenders together were so much slower than in the middle process
FEWEST = 3  # processes are kept
LEAST_SPREAD = 1e-3  # of log-ratios: less than that is luck


class Sampled(NamedTuple):
    """Seconds of one call, in order of rounds, and in which process each was taken."""

    seconds: NDArray[np.float64]
    processes: NDArray[np.int64]

    @property
    def n_processes(self) -> int:
        """How many there were; two or more tell how far they differ."""
        return len(np.unique(self.processes))


class Change(NamedTuple):
    """ln(B / A) of a contender, its standard error, and the degrees of freedom that it is known by."""

    estimate: float
    error: float
    freedom: int


def changes(older: Mapping[str, Sampled], newer: Mapping[str, Sampled]) -> dict[str, Change]:
    """How the times of contenders that took turns changed, by means over processes.

    A process is one observation, the logarithm of its median time; those in which something disturbed all of three contenders or more
    are left out (``undisturbed``). What all contenders share in a process goes out first, the median
    of their deviations, where they are three or more: it goes out as drift anyway. The variance is that of all of them together, for
    own ones are known from a few processes; but its own for one that differs more than the others do, by an F test at 5 %.
    """
    tables = [undisturbed(_table(run)) for run in (older, newer)]
    squares, freedom, n_processes = pd.Series(0.0, list(older)), pd.Series(0, list(older)), []
    for table in tables:
        deviations = table.sub(table.mean(axis=1), axis=0)
        if len(deviations) > 2:
            deviations -= deviations.median()
        correction = len(deviations) / (len(deviations) - 1) if len(deviations) > 2 else 1.0
        squares += correction * (deviations**2).sum(axis=1)
        freedom += table.count(axis=1) - 1
        n_processes.append(table.count(axis=1))
    own, rest = squares / freedom, (squares.sum() - squares) / (freedom.sum() - freedom)
    shared = freedom.max() * (len(older) > 2)  # what was estimated of each process
    wild = own > rest * special.fdtri(freedom, freedom.sum() - freedom - shared, 0.95)
    known = int(freedom[~wild].sum() - shared)
    together = squares[~wild].sum() / freedom[~wild].sum()
    variance = np.maximum(own.where(wild, together), LEAST_SPREAD**2)
    errors = np.sqrt(variance * (1 / n_processes[0] + 1 / n_processes[1]))
    means = [table.mean(axis=1) for table in tables]
    estimates = means[1] - means[0]
    return {name: Change(float(estimates[name]), float(errors[name]), int(freedom[name]) if wild[name] else known) for name in older}


def undisturbed(table: pd.DataFrame) -> pd.DataFrame:
    """The processes (columns) in which the contenders (rows) together were not 3 % slower than in the middle one; at least three.

    What slows all does not slow them alike, and what it leaves on each is no luck of theirs. Of fewer than three it is not known what is
    shared.
    """
    if len(table) < 3:
        return table
    shared = table.sub(table.median(axis=1), axis=0).median()
    kept = shared.index[shared - shared.median() <= DISTURBED]
    return table[kept if len(kept) >= FEWEST else shared.nsmallest(FEWEST).index]


def _table(run: Mapping[str, Sampled]) -> pd.DataFrame:
    """ln of the median seconds, a row for each contender, a column for each process."""
    return pd.DataFrame({name: np.log(pd.Series(of.seconds).groupby(of.processes).median()) for name, of in run.items()}).T

"""Medians and ratios of samples, and how far they are uncertain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from deltacheck.bench.cells.cell import SEED
from deltacheck.bench.cells.result import NAN, Result

Draws = NDArray[np.float64]  # (RESAMPLES,)

CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST = 6  # below it neither a median nor a ratio has a 95 % interval


def median_interval(samples: Sequence[float], processes: Sequence[int] | None = None) -> tuple[float, float, float]:
    """The median and its 95 % interval; NaN below 6 samples.

    Between two order statistics (exact, by the binomial distribution) where all samples are of one process, else by a bootstrap.
    """
    if not len(samples):
        return NAN, NAN, NAN
    median = float(np.median(samples))
    if len(samples) < FEWEST:
        return median, NAN, NAN
    low, high = stats.quantile_test(samples, q=median, p=0.5).confidence_interval(CONFIDENCE)
    if len(set(processes or ())) > 1:
        low, high = np.exp(widened(np.log(median), np.log(resampled_medians(samples, processes=processes)), processes))
    return median, float(low), float(high)


def ratio_interval(slower: Sequence[float], quicker: Sequence[float], processes: Sequence[int] | None = None) -> tuple[float, float, float]:
    """The median of ``slower / quicker``, pair by pair, and its 95 % interval: a bootstrap of the log-ratio.

    Of the ``processes`` that the pairs were taken in some are drawn, and of their rounds blocks of neighbours. No interval (NaN) below
    6 pairs.
    """
    log_ratio = np.log(np.asarray(slower) / np.asarray(quicker))
    n = len(log_ratio)
    if n < FEWEST:
        return (float(np.exp(np.median(log_ratio))) if n else NAN), NAN, NAN
    estimate = float(np.median(log_ratio))
    low, high = widened(estimate, resampled_medians(log_ratio, processes=processes), processes)
    return float(np.exp(estimate)), float(np.exp(low)), float(np.exp(high))


def widened(estimate: float, draws: Draws, processes: Sequence[int] | None) -> tuple[float, float]:
    """The middle 95 % of the draws, about the estimate so much wider as few processes ask for: by Student's t, and for n - 1 of n.

    A bootstrap of n clusters has 1 - 1/n of their variance, and knows nothing of how little is known from so few (1.6 times for 5).
    """
    low, high = bounds(draws)
    n = len(set(processes or ()))
    wider = (
        float(np.sqrt(n / (n - 1)) * special.stdtrit(n - 1, (1 + CONFIDENCE) / 2) / special.ndtri((1 + CONFIDENCE) / 2)) if n > 1 else 1.0
    )
    return estimate + wider * (low - estimate), estimate + wider * (high - estimate)


def resampled_medians(values: Sequence[float] | Draws, seed: int | Sequence[int] = SEED, processes: Sequence[int] | None = None) -> Draws:
    """The medians of 2000 samples about as large as that of the ``values``, drawn from it in blocks of neighbours.

    Blocks are circular and about n^(1/3) long, for a disturbance lasts longer than a round. Where the values are of several
    ``processes``, as many of those are drawn, with replacement, and their blocks in them: values of one process are more alike than they
    are like those of the next (the bootstrap of clusters, Davison and Hinkley 1997, section 3.8). As many values and the same seed draw
    the same places. Raises ``ValueError`` where there are no values.
    """
    if not len(values):
        raise ValueError("values: got none, expected at least one")
    ids = np.zeros(len(values), dtype=int) if processes is None else np.unique(processes, return_inverse=True)[1]
    ordered = np.asarray(values)[np.argsort(ids, kind="stable")]
    sizes = np.bincount(ids)
    firsts = np.cumsum(sizes) - sizes
    n = round(len(values) / len(sizes))  # of each process that is drawn
    length = max(1, round(n ** (1 / 3)))
    rng = np.random.default_rng(seed)
    of = rng.integers(len(sizes), size=(RESAMPLES, len(sizes), 1, 1))
    starts = rng.integers(np.iinfo(np.int64).max, size=(RESAMPLES, len(sizes), -(-n // length), 1))
    drawn = firsts[of] + (starts + np.arange(length)) % sizes[of]
    medians: Draws = np.median(ordered[drawn.reshape(RESAMPLES, len(sizes), -1)[:, :, :n].reshape(RESAMPLES, -1)], axis=1)
    return medians


def bounds(draws: Draws) -> tuple[float, float]:
    """The middle 95 % of the draws."""
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def times(result: Result) -> list[float]:
    """Seconds of one call, turn by turn."""
    return [turn.seconds for turn in result.turns]


def process_ids(result: Result) -> list[int]:
    """In which process each turn was."""
    return [turn.process for turn in result.turns]


def paired(one: Result, other: Result) -> tuple[list[float], list[float], list[int]]:
    """Seconds of one call of each, from the rounds in which both took part, and in which process those were."""
    by_round = {turn.round: turn.seconds for turn in other.turns}
    both = [turn for turn in one.turns if turn.round in by_round]
    return [turn.seconds for turn in both], [by_round[turn.round] for turn in both], [turn.process for turn in both]


def compared(one: Result | None, other: Result) -> tuple[float, float, float]:
    """``one`` by ``other``, the ratio and its interval; NaN where either was not timed."""
    return ratio_interval(*paired(one, other)) if one is not None and one.turns and other.turns else (NAN, NAN, NAN)

"""Two runs, row by row: the ratio of times, what of it the whole cell shares, and what to call the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from deltacheck.bench.cells.cell import SEED
from deltacheck.bench.cells.result import NAN
from deltacheck.bench.statistics.intervals import CONFIDENCE, FEWEST, RESAMPLES, bounds, resampled_medians
from deltacheck.bench.statistics.process_variance import changes
from deltacheck.bench.tables.saved_run import Key, SavedRun

COMPARISON = [
    *("run_id_a", "run_id_b", "comparable", *Key._fields, "verdict", "n_pairs", "n_slower", "n_faster", "status_a", "status_b"),
    *("n_samples_a", "n_samples_b", "n_processes_a", "n_processes_b", "median_a_s", "median_b_s", "ratio", "ratio_ci_low", "ratio_ci_high"),
    *("drift", "drift_from", "corrected_ratio", "corrected_ci_low", "corrected_ci_high", "noise", "threshold", "message"),
]
LUCK = 1.25  # times the seconds of a step: Python's loops may take 20 % longer in one process than in another
LEAST_NOISE = 0.03  # identical builds differ by 2 to 3 %
LogRatio = NDArray[np.float64]  # (1 + RESAMPLES,): the estimate of ln(B / A), then the draws of its bootstrap


class Drift(NamedTuple):
    """What moved a row beside its kernel: a log-ratio between the two, whose it is, and how far those did not move alike."""

    lower: LogRatio
    upper: LogRatio
    source: str
    unlike: float = 0.0

    @property
    def estimate(self) -> float:
        """Half way between the two."""
        return float(self.lower[0] + self.upper[0]) / 2


def comparison(a: SavedRun, b: SavedRun, threshold: float, comparable: bool = True) -> list[dict[str, Any]]:
    """A row for all that has a time in ``a`` or ``b`` and that both runs, where they have it, came to; in the order of ``a``.

    ``threshold``: the smallest difference that counts, a fraction. ``comparable`` goes into the table as it is.
    """
    ratios, freedom = log_ratios(a, b)
    drift_of = drifts(ratios)
    corrected = {key: less(change, drift_of(key)) for key, change in ratios.items()}
    both = [key for key in a.rows if a.timed(key) and b.timed(key)]
    noise = noise_of({key: estimate for key, (estimate, _, _) in corrected.items()}, len(both))
    rows = []
    for key in dict.fromkeys([*a.rows, *b.rows]):
        cut_short = any(key in run.rows and not run.reached(key) for run in (a, b))
        if cut_short or not (a.timed(key) or b.timed(key)):
            continue
        in_a, in_b = a.rows.get(key, {}), b.rows.get(key, {})
        row: dict[str, Any] = dict.fromkeys(COMPARISON, NAN) | key._asdict()
        row |= {"run_id_a": a.run_id, "run_id_b": b.run_id, "comparable": comparable, "threshold": threshold}
        row |= {"status_a": in_a.get("status", ""), "status_b": in_b.get("status", ""), "drift_from": ""}
        row |= {"n_samples_a": int(in_a.get("n_samples", 0)), "n_samples_b": int(in_b.get("n_samples", 0))}
        row |= {f"n_processes_{x}": run.samples[key].n_processes if run.timed(key) else 0 for x, run in (("a", a), ("b", b))}
        row |= {"median_a_s": in_a.get("median_s", NAN), "median_b_s": in_b.get("median_s", NAN), "message": in_b.get("message", "")}
        if a.timed(key) and b.timed(key):
            drift = drift_of(key)
            of_row = noise_between(ratios[key], drift, freedom[key], len(both)) if key in freedom else np.log1p(noise)
            row["noise"] = float(np.expm1(of_row + drift.unlike))
            raw = np.exp([ratios[key][0], *bounds(ratios[key][1:])])
            ratio, low, high = (float(np.exp(value)) for value in corrected[key])
            row |= dict(zip(("ratio", "ratio_ci_low", "ratio_ci_high"), raw.tolist(), strict=True))
            row |= {"drift": float(np.exp(drift.estimate)), "drift_from": drift.source}
            row |= dict(zip(("corrected_ratio", "corrected_ci_low", "corrected_ci_high"), (ratio, low, high), strict=True))
            row["verdict"] = verdict(ratio, *((ratio, ratio) if key in freedom else (low, high)), row["noise"], threshold)
        else:
            gone = key not in b.rows or (in_b["status"] == "too_slow" and near_limit(a, key))
            row["verdict"] = "new" if b.timed(key) else "gone" if gone else "lost"
        rows.append(row)
    return rows


def near_limit(run: SavedRun, key: Key) -> bool:
    """Whether a step took so long there that by luck it may be too slow the next time."""
    step, limit_s = run.rows.get(key._replace(phase="step"), {}), (run.about.get("budget") or {}).get("call_limit_s", NAN)
    return bool(step.get("median_s", NAN) * LUCK > limit_s)


def log_ratios(a: SavedRun, b: SavedRun) -> tuple[dict[Key, LogRatio], dict[Key, int]]:
    """ln(B / A) of all that both have; and the degrees of freedom of those that were timed in several processes, in both."""
    contests: dict[tuple[str, ...], list[Key]] = {}
    for key in a.samples:
        if key in b.samples:
            contests.setdefault(key.contest, []).append(key)
    found, freedom = {}, {}
    for keys in contests.values():
        of_a, of_b = ({key.kernel: run.samples[key] for key in keys} for run in (a, b))
        if all(sampled.n_processes > 1 for sampled in (*of_a.values(), *of_b.values())):
            rng = np.random.default_rng(SEED)
            for key, change in zip(keys, changes(of_a, of_b).values(), strict=True):
                draws = change.error * rng.standard_t(change.freedom, RESAMPLES)
                found[key], freedom[key] = np.array([change.estimate, *(change.estimate + draws)]), change.freedom
        else:
            found |= {key: log_ratio(of_a[key.kernel].seconds, of_b[key.kernel].seconds) for key in keys}
    return found, freedom


def log_ratio(older: NDArray[np.float64], newer: NDArray[np.float64]) -> LogRatio:
    """ln of the ratio of the medians, and its draws, of runs in one process; those are NaN where either has fewer than 6 samples.

    The two runs are drawn independently. In a run, contenders that took part in the same rounds are drawn from the same of them: what
    disturbed all goes out in the drift.
    """
    estimate = np.log(np.median(newer) / np.median(older))
    if min(len(older), len(newer)) < FEWEST:
        return np.array([estimate, *[NAN] * RESAMPLES])
    of_older, of_newer = (resampled_medians(times, [SEED, run, len(times)]) for run, times in enumerate((older, newer)))
    return np.array([estimate, *np.log(of_newer / of_older)])


def noise_between(change: LogRatio, drift: Drift, freedom: int, n_rows: int) -> float:
    """How far a log-ratio of an unchanged row may lie from 0, by how far processes differ; that of 3 % at least.

    The half of its 95 % interval, made so wide that of ``n_rows`` none lies beyond, 19 times in 20 (Bonferroni); and how far the drift
    may be from half way between its two.
    """
    low, high = bounds((change - (drift.lower + drift.upper) / 2)[1:])
    wider = special.stdtrit(freedom, 1 - (1 - CONFIDENCE) / 2 / n_rows) / special.stdtrit(freedom, (1 + CONFIDENCE) / 2)
    return max(float(np.log1p(LEAST_NOISE)), float(wider * (high - low) / 2)) + float(drift.upper[0] - drift.lower[0]) / 2


def drifts(changes: Mapping[Key, LogRatio]) -> Callable[[Key], Drift]:
    """The drift of each row: the median of the others in its cell and phase, or of the other contenders in the run where those are not two.

    Of an even number the median is known only to lie between the middle two: when one of two changed, the third must not seem to. So too
    where one other is in the cell: the drift lies between its and the run's. A disturbance that lasts does not slow all alike: where the
    cell moved, and the others not together, what they differ by (up to half the drift) is ``unlike``.
    """
    usable = {key: change for key, change in changes.items() if np.isfinite(change).all()}
    contests: dict[tuple[str, ...], list[Key]] = {}
    for key in usable:
        contests.setdefault(key.contest, []).append(key)

    @cache
    def of_run(kernel: str) -> Drift:
        others = [change for key, change in usable.items() if key.kernel != kernel]
        return Drift(*middle(others), "run") if others else Drift(np.zeros(1 + RESAMPLES), np.zeros(1 + RESAMPLES), "none")

    @cache
    def drift(key: Key) -> Drift:
        others = [usable[other] for other in contests.get(key.contest, []) if other != key]
        if len(others) >= 2:
            of_cell = Drift(*middle(others), "cell")
            return of_cell._replace(unlike=min(abs(of_cell.estimate) / 2, float(np.ptp([other[0] for other in others]))))
        lower, upper, source, _ = of_run(key.kernel)
        return Drift(np.minimum(lower, *others), np.maximum(upper, *others), source) if others else of_run(key.kernel)

    return drift


def middle(changes: list[LogRatio]) -> tuple[LogRatio, LogRatio]:
    """The middle two, draw by draw; of an odd number the middle one, twice."""
    ordered = np.sort(changes, axis=0)
    return ordered[(len(changes) - 1) // 2], ordered[len(changes) // 2]


def less(change: LogRatio, drift: Drift) -> tuple[float, float, float]:
    """A log-ratio without the drift, and its 95 % interval."""
    low, high = bounds((change - drift.upper)[1:])[0], bounds((change - drift.lower)[1:])[1]
    return float(change[0]) - drift.estimate, low, high


def noise_of(estimates: Mapping[Key, float], n_rows: int) -> float:
    """How far, as a fraction, rows that did not change may lie from 1: what the corrected log-ratios show, and at least 3 %.

    The spread of each contender's (the floor's too) about their median is taken from the median absolute deviation, and of those
    spreads the middle one (of two the smaller): one kernel that changed much, or everywhere, does not hide itself. So many spreads are
    allowed that of ``n_rows`` normal ones none lies beyond, 19 times in 20.
    """
    of_kernel: dict[str, list[float]] = {}
    for key, estimate in estimates.items():
        of_kernel.setdefault(key.kernel, []).append(estimate)
    groups = [np.array(of_one) for of_one in of_kernel.values() if len(of_one) >= 3]
    spreads = [float(np.median(np.abs(group - np.median(group))) / special.ndtri(0.75)) for group in groups]
    if not spreads or not n_rows:
        return LEAST_NOISE
    spread = np.median(spreads) if len(spreads) > 2 else min(spreads)
    return max(LEAST_NOISE, float(np.expm1(spread * special.ndtri(1 - (1 - CONFIDENCE) / 2 / n_rows))))


def verdict(ratio: float, low: float, high: float, noise: float, threshold: float) -> str:
    """``slower`` or ``faster`` where the ratio lies beyond the threshold and its whole interval beyond the noise, ``same`` elsewhere."""
    if low > 1 + noise and ratio >= 1 + threshold:
        return "slower"
    if high < 1 / (1 + noise) and ratio <= 1 / (1 + threshold):
        return "faster"
    return "same"

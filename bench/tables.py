"""A run's tables: samples as they come, a summary row for each kernel, cell and phase, and the intervals in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from bench.contest import NAN, Result
from bench.floor import FLOOR
from bench.grid import SEED, Cell
from bench.yardsticks import NONE, Yardsticks

Draws = NDArray[np.float64]  # (RESAMPLES,)

KEYS = ["run_id", "kernel", "phase", "layers", "activation", "cost", "n_params", "batch", "dtype", "threads"]
SAMPLES = [*KEYS, "round", "position", "iterations", "time_s"]
SUMMARY = [
    *KEYS,
    *("status", "verdict", "max_rel_error", "n_samples", "median_s", "ci_low_s", "ci_high_s"),
    *("speedup_vs_numpy", "speedup_ci_low", "speedup_ci_high", "gflops", "share_of_peak"),
    *("floor_s", "share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high"),
    *("first_call_s", "cold_first_call_s", "cached_first_call_s", "message"),
]
CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST = 6  # below it neither a median nor a ratio has a 95 % interval


def median_interval(samples: Sequence[float]) -> tuple[float, float, float]:
    """The median and its 95 % interval between two order statistics (exact, by the binomial distribution); NaN below 6 samples."""
    if not samples:
        return NAN, NAN, NAN
    ordered, n = np.sort(samples), len(samples)
    # As many samples lie below the true median as heads fall in n throws; cut off what happens less often than 2.5 %.
    k = int(np.sum(special.bdtr(np.arange(n // 2), n, 0.5) <= (1 - CONFIDENCE) / 2))
    low, high = (float(ordered[k - 1]), float(ordered[n - k])) if k else (NAN, NAN)
    return float(np.median(ordered)), low, high


def ratio_interval(slower: Sequence[float], quicker: Sequence[float]) -> tuple[float, float, float]:
    """The median of ``slower / quicker``, pair by pair, and its 95 % interval: a bootstrap of the log-ratio.

    Blocks of neighbouring rounds are drawn. No interval (NaN) below 6 pairs.
    """
    log_ratio = np.log(np.asarray(slower) / np.asarray(quicker))
    n = len(log_ratio)
    if n < FEWEST:
        return (float(np.exp(np.median(log_ratio))) if n else NAN), NAN, NAN
    low, high = bounds(resampled_medians(log_ratio))
    return float(np.exp(np.median(log_ratio))), float(np.exp(low)), float(np.exp(high))


def resampled_medians(values: Sequence[float] | Draws, seed: int | Sequence[int] = SEED) -> Draws:
    """The medians of 2000 samples as large as that of the ``values``, drawn from it in blocks of neighbours.

    Blocks are circular and about n^(1/3) long, for a disturbance lasts longer than a round. As many values and the same seed draw the
    same places. Raises ``ValueError`` where there are no values.
    """
    n = len(values)
    if not n:
        raise ValueError("values: got none, expected at least one")
    length = round(n ** (1 / 3))
    starts = np.random.default_rng(seed).integers(n, size=(RESAMPLES, -(-n // length)))
    drawn = (starts[..., np.newaxis] + np.arange(length)) % n
    medians: Draws = np.median(np.asarray(values)[drawn.reshape(RESAMPLES, -1)[:, :n]], axis=1)
    return medians


def bounds(draws: Draws) -> tuple[float, float]:
    """The middle 95 % of the draws."""
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def times(result: Result) -> list[float]:
    """Seconds of one call, turn by turn."""
    return [turn.seconds for turn in result.turns]


def paired(one: Result, other: Result) -> tuple[list[float], list[float]]:
    """Seconds of one call of each, from the rounds in which both took part."""
    by_round = {turn.round: turn.seconds for turn in other.turns}
    both = [(turn.seconds, by_round[turn.round]) for turn in one.turns if turn.round in by_round]
    return [seconds for seconds, _ in both], [seconds for _, seconds in both]


def keys(run_id: str, kernel: str, phase: str, cell: Cell) -> dict[str, Any]:
    """The columns that name a row."""
    return {
        "run_id": run_id,
        "kernel": kernel,
        "phase": phase,
        "layers": cell.layers,
        "activation": cell.activation,
        "cost": cell.network.cost,
        "n_params": cell.network.n_parameters,
        "batch": cell.batch,
        "dtype": cell.dtype,
        "threads": cell.threads,
    }


def sample_rows(run_id: str, phase: str, cell: Cell, results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """A row for each turn at the clock, kernel by kernel."""
    return [
        keys(run_id, kernel, phase, cell)
        | {"round": turn.round, "position": turn.position, "iterations": turn.iterations, "time_s": turn.seconds}
        for kernel, result in results.items()
        for turn in result.turns
    ]


def compared(one: Result | None, other: Result) -> tuple[float, float, float]:
    """``one`` by ``other``, the ratio and its interval; NaN where either was not timed."""
    return ratio_interval(*paired(one, other)) if one is not None and one.turns and other.turns else (NAN, NAN, NAN)


def summary_rows(
    run_id: str,
    phase: str,
    cell: Cell,
    results: Mapping[str, Result],
    yardsticks: Yardsticks = NONE,
) -> list[dict[str, Any]]:
    """A row for each kernel, with or without a time; the floor among the ``results`` has none of its own.

    Where numpy was not timed beside it, there is no speed-up.
    """
    floor = results.get(FLOOR)
    floor_s = median_interval(times(floor))[0] if floor else NAN
    rows = []
    for kernel, result in results.items():
        if kernel == FLOOR:
            continue
        median, low, high = median_interval(times(result))
        speedup = compared(results.get("numpy"), result)
        of_gemm = compared(floor, result)
        gflops = cell.flops(phase) / median / 1e9
        cold, cached = yardsticks.first_calls_s.get((kernel, cell.dtype), (NAN, NAN))
        rows.append(
            keys(run_id, kernel, phase, cell)
            | {
                "status": result.status,
                "verdict": result.verdict,
                "max_rel_error": result.max_rel_error,
                "n_samples": len(result.turns),
                "median_s": median,
                "ci_low_s": low,
                "ci_high_s": high,
                "speedup_vs_numpy": speedup[0],
                "speedup_ci_low": speedup[1],
                "speedup_ci_high": speedup[2],
                "gflops": gflops,
                "share_of_peak": gflops / (yardsticks.peak_gflops.get((cell.dtype, cell.threads)) or NAN),
                "floor_s": floor_s,
                "share_of_gemm": of_gemm[0],
                "share_of_gemm_ci_low": of_gemm[1],
                "share_of_gemm_ci_high": of_gemm[2],
                "first_call_s": result.first_call_s,
                "cold_first_call_s": cold,
                "cached_first_call_s": cached,
                "message": result.message,
            }
        )
    return rows


def append(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Add rows to a CSV file, and see them to the disk: a killed run loses none of them."""
    with path.open("a", encoding="utf-8", newline="") as file:
        pd.DataFrame(rows, columns=list(columns)).to_csv(file, index=False, header=file.tell() == 0)
        file.flush()
        os.fsync(file.fileno())


def write(path: Path, rows: Sequence[Mapping[str, Any]] | pd.DataFrame, columns: Sequence[str]) -> None:
    """Write a whole CSV file in one step: a reader finds the old one or the new one."""
    beside = path.with_name(path.name + ".new")
    pd.DataFrame(rows, columns=list(columns)).to_csv(beside, index=False)
    os.replace(beside, path)

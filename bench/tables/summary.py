"""The summary: a row for each kernel, cell and phase, made of what was measured there and in the whole run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from deltacheck.bench.cells.contenders import aa_kernel
from deltacheck.bench.cells.key_columns import KEYS, Place, keys
from deltacheck.bench.cells.result import AA_INSTANCE, FLOOR, NAN, NOT_CONTENDERS, Result
from deltacheck.bench.cells.run_constants import NONE, RunConstants
from deltacheck.bench.statistics.aa_pairs import bands, different
from deltacheck.bench.statistics.intervals import compared, median_interval, process_ids, times
from deltacheck.bench.tables.csv_files import write

SUMMARY = [
    *KEYS,
    *("status", "verdict", "max_rel_error", "n_samples", "median_s", "ci_low_s", "ci_high_s"),
    *("baseline", "speedup", "speedup_ci_low", "speedup_ci_high", "tie", "speedup_vs_numpy"),
    *("over_fastest", "over_fastest_ci_low", "over_fastest_ci_high"),
    *("aa_ratio", "aa_ci_low", "aa_ci_high", "aa_band", "gflops", "share_of_peak"),
    *("floor_s", "share_of_gemm", "share_of_gemm_ci_low", "share_of_gemm_ci_high"),
    *("backward_over_forward", "backward_over_forward_model", "first_call_s", "cold_first_call_s", "cached_first_call_s"),
    *("dispatch_s", "break_even_calls", "break_even_calls_cached", "peak_bytes", "message"),
]
WHOLE = ("break_even_calls", "break_even_calls_cached", "peak_bytes")  # numbers without a fraction, or nothing
Row = dict[str, Any]
Results = Mapping[str, Result]  # by kernel, the floor and the second entry among them


def summary_rows(
    run_id: str, contests: Mapping[Place, Results], constants: RunConstants = NONE, baseline: str | None = "numpy"
) -> list[Row]:
    """The summary of a run, in the order of its ``contests``: a row for each kernel, with or without a time."""
    return in_the_run([row for place, results in contests.items() for row in contest_rows(run_id, place, results, constants, baseline)])


def contest_rows(run_id: str, place: Place, results: Results, constants: RunConstants = NONE, baseline: str | None = "numpy") -> list[Row]:
    """The rows of one cell and phase, but for what takes the whole run (``in_the_run``).

    Where the baseline was not timed, there is no speed-up; the floor and the second entry have no rows of their own.
    """
    cell, phase = place
    contenders = {name: result for name, result in results.items() if name not in NOT_CONTENDERS}
    timed = [name for name, result in contenders.items() if result.turns]
    base = results[baseline] if baseline in timed else None
    medians = {name: median_interval(times(result), process_ids(result)) for name, result in results.items()}
    base_s = medians[baseline][0] if baseline in timed else NAN
    first = aa_kernel(timed, baseline)
    pair = compared(results.get(AA_INSTANCE), results[first]) if first else (NAN, NAN, NAN)
    fastest = results[min(timed, key=lambda name: medians[name][0])] if timed else None
    floor = results.get(FLOOR)
    floor_s = medians[FLOOR][0] if floor else NAN
    rows = []
    for kernel, result in contenders.items():
        median, low, high = medians[kernel]
        speedup = compared(base, result)
        over_numpy = speedup if baseline == "numpy" else compared(contenders.get("numpy"), result)
        behind = compared(result, fastest) if fastest else (NAN, NAN, NAN)
        of_gemm = compared(floor, result)
        gflops = cell.flops(phase) / median / 1e9
        cold, cached = constants.first_calls(kernel, cell.dtype)
        cold_base, cached_base = constants.first_calls(baseline, cell.dtype)
        step = phase == "step"
        row = {
            "status": result.status,
            "verdict": result.verdict,
            "max_rel_error": result.max_rel_error,
            "n_samples": len(result.turns),
            "median_s": median,
            "ci_low_s": low,
            "ci_high_s": high,
            "baseline": baseline if base else None,
            "speedup": speedup[0],
            "speedup_ci_low": speedup[1],
            "speedup_ci_high": speedup[2],
            "tie": None,
            "speedup_vs_numpy": over_numpy[0],
            "over_fastest": behind[0],
            "over_fastest_ci_low": behind[1],
            "over_fastest_ci_high": behind[2],
            "aa_ratio": pair[0],
            "aa_ci_low": pair[1],
            "aa_ci_high": pair[2],
            "aa_band": NAN,
            "gflops": gflops,
            "share_of_peak": gflops / (constants.peak_gflops.get((cell.dtype, cell.threads)) or NAN),
            "floor_s": floor_s,
            "share_of_gemm": of_gemm[0],
            "share_of_gemm_ci_low": of_gemm[1],
            "share_of_gemm_ci_high": of_gemm[2],
            "backward_over_forward": NAN,
            "backward_over_forward_model": cell.flops(phase) / cell.flops("forward") if phase == "backward" else NAN,
            "first_call_s": result.first_call_s,
            "cold_first_call_s": cold,
            "cached_first_call_s": cached,
            "dispatch_s": constants.dispatch_s.get((kernel, cell.dtype, cell.threads), NAN),
            "break_even_calls": break_even(cold, median, cold_base, base_s) if step else NAN,
            "break_even_calls_cached": break_even(cached, median, cached_base, base_s) if step else NAN,
            "peak_bytes": result.peak_bytes,
            "message": result.message,
        }
        rows.append(keys(run_id, kernel, phase, cell) | row)
    return rows


def break_even(first_s: float, median_s: float, other_first_s: float, other_median_s: float) -> float:
    """After how many calls a slow first one is made up for, the first included; NaN where it never is or was none (or a time is NaN)."""
    behind, gained = first_s - other_first_s, other_median_s - median_s
    return 1.0 + ceil(behind / gained) if behind > 0 and gained > 0 else NAN


def in_the_run(rows: Sequence[Row]) -> list[Row]:
    """The rows of all cells and phases with what takes all of them: the A/A band, ties by it, a kernel's backward by its forward."""
    width = bands(rows)
    forward = {of_kernel(row): row["median_s"] for row in rows if row["phase"] == "forward"}
    finished = []
    for row in rows:
        band = width[row["threads"]]
        told = different(row["speedup_ci_low"], row["speedup_ci_high"], band)
        compared = row["speedup"] == row["speedup"] and row["kernel"] != row["baseline"]
        by_forward = row["median_s"] / forward.get(of_kernel(row), NAN) if row["phase"] == "backward" else NAN
        finished.append(row | {"aa_band": band, "tie": not told if compared else None, "backward_over_forward": by_forward})
    return finished


def of_kernel(row: Row) -> tuple[Any, ...]:
    """What names a kernel and cell, whatever the phase."""
    return tuple(row[name] for name in KEYS if name not in ("run_id", "phase"))


def write_summary(path: Path, rows: Sequence[Row]) -> None:
    """Write summary.csv in one step."""
    write(path, pd.DataFrame(rows, columns=SUMMARY).astype(dict.fromkeys(WHOLE, "Int64")), SUMMARY)

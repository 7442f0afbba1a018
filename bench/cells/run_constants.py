"""What is measured once per run: peak FLOP/s, first calls, dispatch; its form in run.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deltacheck.bench.cells.result import NAN


@dataclass(frozen=True)
class RunConstants:
    """``peak_gflops``: by dtype and threads, None without a JIT compiler. ``first_calls_s``: by kernel and dtype, cold and cached.

    ``dispatch_s``: by kernel, dtype and threads, what a step costs whatever the size.
    """

    peak_gflops: dict[tuple[str, int], float | None] = field(default_factory=dict)
    first_calls_s: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    dispatch_s: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def first_calls(self, kernel: str | None, dtype: str) -> tuple[float, float]:
        """Seconds of a kernel's first call, cold and cached; NaN where it was not measured."""
        return self.first_calls_s.get((kernel or "", dtype), (NAN, NAN))

    def told(self) -> dict[str, Any]:
        """As run.json has them: a dtype's peaks by the number of threads; a record for each first call and dispatch, null for NaN."""
        peaks: dict[str, dict[str, float | None]] = {}
        for (dtype, threads), peak in self.peak_gflops.items():
            peaks.setdefault(dtype, {})[str(threads)] = peak
        return {
            "peak_gflops": peaks,
            "first_calls": [
                {"kernel": kernel, "dtype": dtype, "cold_s": none_for_nan(cold), "cached_s": none_for_nan(cached)}
                for (kernel, dtype), (cold, cached) in self.first_calls_s.items()
            ],
            "dispatch": [
                {"kernel": kernel, "dtype": dtype, "threads": threads, "dispatch_s": none_for_nan(seconds)}
                for (kernel, dtype, threads), seconds in self.dispatch_s.items()
            ],
        }

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> RunConstants:
        """Those that a run.json tells of. Raises ``KeyError`` and ``TypeError`` where it is none."""
        first = ((told["kernel"], told["dtype"], told["cold_s"], told["cached_s"]) for told in about["first_calls"])
        steps = ((told["kernel"], told["dtype"], told["threads"], told["dispatch_s"]) for told in about["dispatch"])
        return cls(
            {(dtype, int(n)): peak for dtype, peaks in about["peak_gflops"].items() for n, peak in peaks.items()},
            {(kernel, dtype): (nan_for_none(cold), nan_for_none(cached)) for kernel, dtype, cold, cached in first},
            {(kernel, dtype, threads): nan_for_none(seconds) for kernel, dtype, threads, seconds in steps},
        )


NONE = RunConstants()


def none_for_nan(value: float) -> float | None:
    """None for NaN, which JSON does not have."""
    return None if value != value else value


def nan_for_none(value: float | None) -> float:
    """NaN for None."""
    return NAN if value is None else float(value)

"""What a run's times are held against beside each other, measured once before its cells: the machine's peak, the kernels' first calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bench.first_call import cold_and_cached, name_of
from bench.grid import Cell
from bench.peak import peak_gflops
from bench.peers import peer_of
from bench.verified import KernelClass


@dataclass(frozen=True)
class Yardsticks:
    """``peak_gflops``: by dtype and threads, None without a JIT compiler. ``first_calls_s``: by kernel and dtype, cold and cached."""

    peak_gflops: dict[tuple[str, int], float | None] = field(default_factory=dict)
    first_calls_s: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def peaks(self) -> dict[str, dict[str, float | None]]:
        """The peaks as run.json has them: a dtype's by the number of threads."""
        told: dict[str, dict[str, float | None]] = {}
        for (dtype, threads), peak in self.peak_gflops.items():
            told.setdefault(dtype, {})[str(threads)] = peak
        return told


NONE = Yardsticks()


def yardsticks(cells: Iterable[Cell], kernels: Mapping[tuple[str, str], KernelClass], say: Callable[[str], None]) -> Yardsticks:
    """Measure them for these cells, and for kernels by label and dtype; none for peers, nor for what no other process could load."""
    found = Yardsticks()
    for dtype, threads in dict.fromkeys((cell.dtype, cell.threads) for cell in cells):
        say(f"the machine's peak, {dtype}, {threads} threads")
        found.peak_gflops[dtype, threads] = peak_gflops(dtype, threads)
    for (label, dtype), kernel_class in kernels.items():
        name = None if peer_of(kernel_class) else name_of(label, kernel_class)
        if name is not None:
            say(f"the first call of {label}, {dtype}, in a fresh process")
            found.first_calls_s[label, dtype] = cold_and_cached(name, dtype)
    return found

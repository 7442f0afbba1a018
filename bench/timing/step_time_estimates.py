"""How long will a step take? Answered from smaller ones, so that nothing is run that would take too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from deltacheck.bench.cells.cell import Cell
from deltacheck.kernels import Network

FAR = 64  # times the size: from no farther off is a time foretold by a line


class StepTimes:
    """What is known of each kernel's step times, and the times that follow from it.

    Time is taken to grow no faster than the multiply-adds, beside a constant part that two sizes tell. From one alone, and from
    afar, all of it is taken to grow; so what seems too slow is looked at from nearer, on cells between.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[tuple[int, float]]] = {}

    def note(self, kernel: str, cell: Cell, seconds: float) -> None:
        """A step of this cell was seen to take so long."""
        self._known.setdefault((kernel, cell.dtype), []).append((cell.multiply_adds, seconds))

    def learn(self, other: StepTimes) -> None:
        """Know what another knows, which knew all that this one did."""
        self._known = other._known

    def predicted(self, kernel: str, cell: Cell) -> float | None:
        """Seconds a step will take at most, or None where nothing is known."""
        known = sorted(self._known.get((kernel, cell.dtype), []))
        n = cell.multiply_adds
        return min([*(seconds * max(1.0, n / size) for size, seconds in known), *_by_a_line(known, n)], default=None)

    def explore(self, kernel: str, cell: Cell, limit_s: float, try_rung: Callable[[Cell], float]) -> float | None:
        """The prediction for a cell, after trying smaller ones for as long as it says that the limit is exceeded.

        ``try_rung`` returns the seconds of a step on a smaller cell. A kernel may refuse sizes that nobody asked for, so
        a rung that raises teaches nothing; None when there is nothing to go by.
        """
        for rung in rungs(cell):
            predicted = self.predicted(kernel, cell)
            if predicted is not None and predicted <= limit_s:
                break
            known = self._known.get((kernel, cell.dtype), [])
            rung_s = known[0][1] if len(known) == 1 else self.predicted(kernel, rung)  # a second size is worth a longer call
            if rung.multiply_adds <= max(known, default=(0, 0.0))[0] or (rung_s is not None and rung_s > limit_s):
                continue
            try:
                self.note(kernel, rung, try_rung(rung))
            except Exception:
                continue
        return self.predicted(kernel, cell)


def too_far(predicted: float, limit_s: float) -> str:
    """What is said of a prediction beyond the limit."""
    return f"by smaller cells, a step could take {predicted:.2g} s; a call may take {limit_s:g} s"


def _by_a_line(known: Sequence[tuple[int, float]], n: int) -> list[float]:
    """The seconds on the line through the largest size that is known and another far smaller one, if they reach so far."""
    size, seconds = known[-1] if known else (0, 0.0)
    smaller = [point for point in known if 4 * point[0] <= size]
    if not smaller or not size < n <= FAR * size:
        return []
    from_size, from_seconds = smaller[-1]
    return [seconds + max(0.0, seconds - from_seconds) * (n - size) / (size - from_size)]


def rungs(cell: Cell) -> Iterator[Cell]:
    """Smaller cells, from small to large: narrower networks at batch 1, then the network itself at smaller batches."""
    network = cell.network
    for width in (8, 32, 128, 512):
        if width < max(network.layer_sizes):
            sizes = tuple(min(n, width) for n in network.layer_sizes)
            yield Cell(Network(sizes, network.activations, network.cost), 1, cell.dtype, cell.threads)
    batch = 1
    while batch < cell.batch:
        yield Cell(network, batch, cell.dtype, cell.threads)
        batch *= 16

"""Three verdicts, per entry, per block and per case: pass, fail, inconclusive; and the certificate that says what a pass is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Verdict = Literal["pass", "fail", "inconclusive"]

SHOWN = 1e-2  # a check that would let every block be wrong by a hundredth has shown nothing


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, by name (a slug, stable) and in words."""

    name: str
    text: str


UNKNOWN = Diagnosis("unknown", "unknown pattern: none of the known bugs gives these numbers")


QUANTILES = (0.5, 0.99, 1.0)


def quantiles(certificates: Array) -> tuple[float, ...]:
    """A half, 99 % and all of the entries would have shown an error above these; empty where there are none."""
    return tuple(float(np.quantile(certificates, q, method="higher")) for q in QUANTILES) if certificates.size else ()


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of the whole: fail before inconclusive before pass. Of nothing it is inconclusive."""
    found = set(verdicts)
    if "fail" in found:
        return "fail"
    return "pass" if found == {"pass"} else "inconclusive"


@dataclass(frozen=True)
class Block:
    """The judgement of one array (a tensor of the gradient, the output, the cost) against its reference."""

    name: str
    verdict: Verdict
    n_entries: int
    n_checked: int  # entries that have a reference of their own
    n_zero: int  # of these, with a reference of exactly 0: right almost whatever the formula
    max_abs_error: float
    max_rel_error: float  # against the largest reference entry of the block
    error_bound: float  # at the worst entry
    smallest_detectable: float  # the smallest relative error of the whole block that would surely have been caught
    worst_index: tuple[int, ...]
    got: float  # at the worst entry
    expected: float
    n_wrong: int
    why: str  # empty for a pass
    certificates: Array = field(repr=False, compare=False)  # of each entry that is not 0, the relative error that would have been caught

    def __str__(self) -> str:
        """One line: where, both values, their difference and what was allowed."""
        where = f"{self.name}{list(self.worst_index)}" if self.worst_index else self.name
        off = abs(self.got - self.expected)
        line = f"{where}: got {self.got:.10g}, expected {self.expected:.10g}, off by {off:.2g}, allowed {self.error_bound:.2g}"
        return f"{line}; {self.why}" if self.why else line


def compare(name: str, got: Array, expected: Array, allowed: Array, doubtful: Array | None = None) -> Block:
    """Judge ``got`` against ``expected`` with the bound ``allowed`` on their difference, all of one shape.

    An entry passes within its bound and fails outside it or when not finite. It is inconclusive where the two references
    contradict each other (``doubtful``) or where no bound is known (an infinite ``allowed`` beside a finite ``expected``).
    An entry without reference (``expected`` NaN) is left out, and counted so.
    """
    got, expected, allowed = (np.asarray(array, np.float64) for array in (got, expected, allowed))
    checked = ~np.isnan(expected)
    doubtful = np.zeros(got.shape, bool) if doubtful is None else doubtful
    with np.errstate(invalid="ignore", over="ignore"):
        unknown = checked & (~np.isfinite(allowed) | ~np.isfinite(expected) | doubtful)
        wrong = checked & ~unknown & ~(abs(got - expected) <= allowed)
    why = ""
    if doubtful.any():
        why = f"the two references contradict each other at {int(doubtful.sum())} entries: they are at fault, not the kernel"
    elif unknown.any():
        why = f"rounding leaves {int(unknown.sum())} of {int(checked.sum())} entries undetermined"
    return block_of(name, why, got, expected, allowed, checked, wrong, unknown)


def block_of(name: str, why: str, got: Array, expected: Array, allowed: Array, checked: Array, wrong: Array, unknown: Array) -> Block:
    """The block whose entries were ``checked`` and found ``wrong``, or could not be judged (``unknown``, for the reason ``why``)."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        off = np.where(checked & ~np.isnan(expected), abs(got - expected), 0.0)
        excess = np.where(off == 0, 0.0, off / allowed)
        detectable = np.where(checked & ~unknown & (expected != 0), 2.0 * allowed / abs(expected), np.inf)
    n_checked, n_wrong = int(checked.sum()), int(wrong.sum())
    candidates = wrong if n_wrong else unknown if unknown.any() else checked
    at = np.unravel_index(int(np.argmax(np.where(candidates, np.nan_to_num(excess, nan=np.inf), -1.0))), got.shape)
    known = abs(expected[checked & ~np.isnan(expected)])
    scale = float(known.max()) if known.size else np.nan
    max_abs = float(off.max()) if n_checked else np.nan  # NaN when the kernel gave one
    verdict: Verdict = "fail" if n_wrong else "inconclusive" if unknown.any() or not n_checked else "pass"
    if n_wrong:
        why = f"{n_wrong} of {n_checked} entries wrong"
    elif not n_checked:
        why = "nothing was checked"
    return Block(
        name=name,
        verdict=verdict,
        n_entries=got.size,
        n_checked=n_checked,
        n_zero=int((checked & (expected == 0)).sum()),
        max_abs_error=max_abs,
        max_rel_error=max_abs / scale if scale else (0.0 if max_abs == 0 else np.inf),
        error_bound=float(allowed[at]),
        smallest_detectable=float(detectable.min()) if n_checked else np.inf,
        worst_index=tuple(int(n) for n in at),
        got=float(got[at]),
        expected=float(expected[at]),
        n_wrong=n_wrong,
        why=why,
        certificates=detectable[checked & (expected != 0)],
    )

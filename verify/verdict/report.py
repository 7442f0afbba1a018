"""What was found, to read, to tabulate and to raise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deltacheck.verify.verdict.array_verdict import SHOWN, UNKNOWN, Block, Diagnosis, Verdict, quantiles, worst
from deltacheck.verify.verdict.entries import NO_ENTRIES, Entries
from deltacheck.verify.verdict.function_text import function_text
from deltacheck.verify.verdict.notebook import notebook_html

if TYPE_CHECKING:
    import pandas as pd

LINES = 10  # at most, in a report that one reads


class GradientError(AssertionError):
    """A gradient that is wrong, or that could not be judged; the message is the report."""


@dataclass(frozen=True)
class Report:
    """What was found of one gradient at one point."""

    gradient_blocks: tuple[Block, ...]  # the tensors of the gradient, in the order of theta
    forward_blocks: tuple[Block, ...] = ()  # the output and the cost
    violations: tuple[Diagnosis, ...] = ()  # of the contract
    diagnoses: tuple[Diagnosis, ...] = ()  # names for what is wrong, the violations first; empty for a pass
    method: str = "none"
    seconds: float = field(default=0.0, compare=False)
    rows: Entries | None = None  # the gradient's entries one by one, of a function
    notes: tuple[str, ...] = ()  # what was assumed or measured that the verdict rests on
    evaluations: int = 0  # of the cost

    def __bool__(self) -> bool:
        """Whether the verdict is a pass."""
        return self.verdict == "pass"

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks: output and cost, then the gradient's."""
        return self.forward_blocks + self.gradient_blocks

    @property
    def verdict(self) -> Verdict:
        """Fail before inconclusive before pass; inconclusive too when no block could have shown an error of 1 %."""
        if self.violations:
            return "fail"
        found = worst(block.verdict for block in self.blocks)
        return "inconclusive" if found == "pass" and self.shown_nothing else found

    @property
    def shown_nothing(self) -> bool:
        """Whether no block of the gradient could have shown even an error of 1 %: then a pass would be worth nothing.

        A gradient that is exactly 0 throughout has shown something, in absolute terms.
        """
        if self.rows is not None:  # each entry was judged by what its own check is worth
            return not self.gradient_blocks
        return not (self.zero or any(block.smallest_detectable < SHOWN for block in self.gradient_blocks))

    @property
    def zero(self) -> bool:
        """Whether the gradient is exactly 0 in every entry, and all of them were checked within a bound."""
        blocks = self.gradient_blocks
        return bool(blocks) and all(block.n_zero == block.n_entries and block.error_bound < np.inf for block in blocks)

    @property
    def max_rel_error(self) -> float:
        """The largest over the gradient's blocks; NaN when there is none, or one in the gradient."""
        return float(np.max([block.max_rel_error for block in self.gradient_blocks])) if self.gradient_blocks else float("nan")

    @property
    def smallest_detectable(self) -> float:
        """A relative error of this size, of all entries of a block, would have been caught in whichever block it stood."""
        return max((block.smallest_detectable for block in self.gradient_blocks), default=float("inf"))

    @property
    def certified(self) -> tuple[float, ...]:
        """The certificate: in half of the entries, in 99 % and in all, a relative error above these would have been caught.

        Of entries whose right value is not 0; empty when there is none.
        """
        if self.rows is not None:
            return self.rows.certified
        return quantiles(np.concatenate([block.certificates for block in self.gradient_blocks])) if self.gradient_blocks else ()

    @property
    def table(self) -> pd.DataFrame:
        """A row for each block: verdict, counts, errors, bound, certificate, the worst entry and its values."""
        import pandas as pd  # slow to import, and only a table needs it

        names = [name for name in Block.__dataclass_fields__ if name != "certificates"]
        rows = [{name: getattr(block, name) for name in names} | {"method": self.method} for block in self.blocks]
        return pd.DataFrame(rows, columns=[*names, "method"]).rename(columns={"name": "block", "why": "message"})

    @property
    def entries(self) -> pd.DataFrame:
        """A row for each entry checked: block, index, got, reference, its error, allowed, certificate, method, step, verdict."""
        if self.rows is None and self.blocks:
            raise AttributeError("entries: this report holds blocks alone, in table")
        return (self.rows or NO_ENTRIES).table

    @property
    def lines(self) -> list[str]:
        """What is wrong, the most telling first: its names, the forward pass, then the gradient from the output back."""
        lines = [f"fail: {violation.text}" for violation in self.violations]
        names = [f"diagnosis: {diagnosis.text}" for diagnosis in self.diagnoses if diagnosis not in self.violations]
        bad = [block for block in (*self.forward_blocks, *reversed(self.gradient_blocks)) if block.verdict != "pass"]
        blocks = [f"{block.verdict}: {block}" for block in bad]
        lines += [*blocks, *names] if UNKNOWN in self.diagnoses else [*names, *blocks]
        if not lines and self.shown_nothing:
            lines.append(f"inconclusive: the gradient is 0 or lost in rounding: no block could have shown a relative error of {SHOWN:g}")
        return lines

    @property
    def message(self) -> str:
        """The first of ``lines``; empty for a pass."""
        return self.lines[0] if self.lines else ""

    def __str__(self) -> str:
        """At most ten lines to read; one screen for a function."""
        if self.rows is not None:
            return "\n".join(function_text(self))
        if self.verdict != "pass":
            lines = self.lines
            return "\n".join(lines if len(lines) <= LINES else [*lines[: LINES - 1], f"… and {len(lines) - LINES + 1} more"])
        if self.zero:
            bound = max(block.error_bound for block in self.gradient_blocks)
            n = sum(block.n_entries for block in self.gradient_blocks)
            return f"pass: the gradient is exactly 0 in all {n} entries, by {self.method}; one above {bound:.1g} would have been caught"
        checked, entries, zero = (sum(getattr(b, n) for b in self.gradient_blocks) for n in ("n_checked", "n_entries", "n_zero"))
        half, most, _ = self.certified
        return (
            f"pass: {checked} of {entries} gradient entries checked ({zero} of them 0) by {self.method}; "
            f"a relative error would have been caught above {half:.1g} in half of the entries, {most:.1g} in 99 %"
        )

    def _repr_html_(self) -> str:
        """For notebooks: the text, and for a function a picture of the gradient against its references."""
        return notebook_html(str(self), self.rows)

    def raise_if_failed(self) -> None:
        """Raise ``GradientError`` with this report unless the verdict is pass: what could not be told is no success either."""
        if self.verdict != "pass":
            raise GradientError(str(self))

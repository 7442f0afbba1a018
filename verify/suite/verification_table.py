"""``verification.csv``: a row for each kernel, case, dtype and block, written as soon as it is known; and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deltacheck.suites.formatting import counted
from deltacheck.suites.run_folder import new_run
from deltacheck.verify.diagnosis.diagnose import AMBIGUOUS
from deltacheck.verify.suite import coverage_table
from deltacheck.verify.suite.cases import Case
from deltacheck.verify.verdict.array_verdict import Diagnosis, quantiles
from deltacheck.verify.verdict.parameter_blocks import spans
from deltacheck.verify.verdict.report import Report

UNSUPPORTED, TOO_SLOW = "unsupported", "too_slow"  # what was not judged
SHOWN = ("pass", "fail", "inconclusive", UNSUPPORTED, TOO_SLOW)
VERDICTS = ("fail", "inconclusive", TOO_SLOW, UNSUPPORTED, "pass")  # the first that any block has is the case's


RELATIVE = ("largest error", "would catch (half)", "(99 %)")  # of the summary's columns


class Table:
    """The rows of one run; the folder is made with the first of them."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.folder: Path | None = None
        self.rows: list[dict[str, Any]] = []
        self.drawn: list[dict[str, Any]] = []  # the same, of drawn configurations
        self.judging = ""  # what is being judged, for whoever interrupts it

    def append(self, rows: list[dict[str, Any]], drawn: bool = False) -> None:
        """Add rows, to the file too: those of ``drawn`` configurations to configurations.csv."""
        if self.folder is None:
            self.folder = new_run(self.results, "verify")
        if drawn:
            coverage_table.write(rows, self.folder / "configurations.csv")
            self.drawn += rows
            return
        path = self.folder / "verification.csv"
        pd.DataFrame(rows, columns=COLUMNS).to_csv(path, mode="a", header=not path.exists(), index=False)
        self.rows += rows
        self.judging = ""

    @property
    def unjudged(self) -> list[str]:
        """Kernels of which not one case was judged."""
        if not self.rows:
            return []
        judged = {row["kernel"] for row in self.rows if row["verdict"] not in (UNSUPPORTED, TOO_SLOW)}
        return [kernel for kernel in dict.fromkeys(row["kernel"] for row in self.rows) if kernel not in judged]

    def summary(self) -> list[str]:
        """A line for each kernel and dtype: cases by verdict, and what the passes are worth."""
        table = pd.DataFrame(self.rows, columns=COLUMNS)
        table["case_verdict"] = table.groupby(["kernel", "case", "dtype"])["verdict"].transform(_case_verdict)
        cases = table.drop_duplicates(["kernel", "case", "dtype"])
        gradient = table[table["block"].str.startswith("dC/d")]
        lines = []
        for (kernel, dtype), part in cases.groupby(["kernel", "dtype"], sort=False):
            own = gradient[(gradient["kernel"] == kernel) & (gradient["dtype"] == dtype)]
            lines.append(
                {
                    "kernel": kernel,
                    "dtype": dtype,
                    "cases": len(part),
                    **{
                        verdict: int((part["case_verdict"] == verdict).sum())
                        for verdict in ("pass", "fail", "inconclusive", UNSUPPORTED, TOO_SLOW)
                    },
                    "entries": int(own["n_checked"].sum()),
                    "largest error": own["max_rel_error"].max(),
                    "would catch (half)": own["certificate_median"].median(),
                    "(99 %)": own["certificate_99"].median(),
                }
            )
        frame = pd.DataFrame(lines)
        frame = frame.drop(columns=[verdict for verdict in (UNSUPPORTED, TOO_SLOW) if not frame[verdict].any()])
        text = frame.to_string(
            index=False, formatters=dict.fromkeys(("largest error", "would catch (half)", "(99 %)"), "{:.1e}".format), na_rep="-"
        )
        return [
            *text.splitlines(),
            "largest error: of any block, relative to its largest entry. would catch: a relative error above this would have failed,",
            "in half of the entries and in 99 % of them: the median over the blocks; every block has its own in the table.",
            *self._names_of_failures(table),
            *(f"{kernel}: no case was judged, so this is no success" for kernel in self.unjudged),
        ]

    def _names_of_failures(self, table: pd.DataFrame) -> list[str]:
        """For each kernel that failed: what it was called how often, and the smallest case to begin with.

        A name that does not fit all of its failures may be a coincidence of numbers in some of them, and that is said.
        """
        lines = []
        failed = table[table["verdict"] == "fail"].drop_duplicates(["kernel", "case", "dtype"])
        for kernel, part in failed.groupby("kernel", sort=False):
            names = part["diagnosis"].str.split("; ").str[0].replace("", "wrong output or cost").value_counts()
            first = part.sort_values("n_params", kind="stable").iloc[0]
            called = ", ".join(f"{name} in {count}" for name, count in names.items())
            named = [set(text.split("; ")) for text in part["diagnosis"] if text != AMBIGUOUS]  # which says nothing against a name
            fits_all = not named or bool(set.intersection(*named) - {"", "unknown"})
            called += "" if fits_all or len(part) == 1 else ", so no one name fits all of them"
            smallest = f"the smallest of them is {first['case']} ({first['layers']}, {first['dtype']})"
            lines.append(f"{kernel} failed {counted(len(part), 'case')}: {called}; {smallest}")
        return lines

    def shown_path(self, here: Path) -> Path:
        """Where the table lies, relative to ``here`` when it is below."""
        path = self.results / "verify" / "latest" / "verification.csv"
        return path.relative_to(here) if path.is_relative_to(here) else path


COLUMNS = [
    *("kernel", "case", "layers", "activation", "cost", "n_params", "batch", "dtype", "block", "verdict"),
    *("n_entries", "n_checked", "n_zero", "max_abs_error", "max_rel_error", "error_bound", "smallest_detectable"),
    *("certificate_median", "certificate_99"),
    *("worst_index", "method", "diagnosis", "seconds", "message"),
]


def rows_of(kernel: str, case: Case, dtype: str, report: Report) -> list[dict[str, Any]]:
    """The blocks of one report; one row for the contract where it is broken."""
    common = _keys(kernel, case, dtype)
    contract = {
        "block": "contract",
        "verdict": "fail",
        "diagnosis": _names(report.violations),
        "message": "; ".join(violation.text for violation in report.violations),
    }
    return [common | contract] * bool(report.violations) + [
        common
        | {
            "block": block.name,
            "verdict": block.verdict,
            "n_entries": int(block.n_entries),
            "n_checked": int(block.n_checked),
            "n_zero": int(block.n_zero),
            "max_abs_error": float(block.max_abs_error),
            "max_rel_error": float(block.max_rel_error),
            "error_bound": float(block.error_bound),
            "smallest_detectable": float(block.smallest_detectable),
            **dict(zip(("certificate_median", "certificate_99"), quantiles(block.certificates), strict=False)),
            "worst_index": ",".join(map(str, block.worst_index)),
            "method": report.method,
            "diagnosis": _names(report.diagnoses) if block.verdict == "fail" else "",
            "seconds": report.seconds,
            "message": block.why,
        }
        for block in report.blocks
    ]


def rows_of_contract(kernel: str, case: Case, dtype: str, violations: Sequence[Diagnosis], seconds: float) -> list[dict[str, Any]]:
    """One row for the contract at one point."""
    row = {
        "block": "contract",
        "verdict": "fail" if violations else "pass",
        "diagnosis": _names(violations),
        "message": "; ".join(violation.text for violation in violations),
        "seconds": seconds,
    }
    return [_keys(kernel, case, dtype) | row]


def rows_of_unjudged(kernel: str, case: Case, dtype: str, verdict: str, message: str) -> list[dict[str, Any]]:
    """A case that the kernel does not support, or is too slow for: a row for each block, so that nobody takes it for checked."""
    left_out = {"verdict": verdict, "n_checked": 0, "message": message}
    return [_keys(kernel, case, dtype) | {"block": span.name} | left_out for span in spans(case.network)]


def _keys(kernel: str, case: Case, dtype: str) -> dict[str, Any]:
    network = case.network
    return {
        "kernel": kernel,
        "case": case.name,
        "layers": "-".join(map(str, network.layer_sizes)),
        "activation": ",".join(network.activations),
        "cost": network.cost,
        "n_params": network.n_parameters,
        "batch": case.batch,
        "dtype": dtype,
    }


def _names(diagnoses: Sequence[Diagnosis]) -> str:
    return "; ".join(diagnosis.name for diagnosis in diagnoses)


def _case_verdict(verdicts: pd.Series[str]) -> str:
    return next(v for v in VERDICTS if (verdicts == v).any())

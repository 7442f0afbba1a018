"""Each part of the exam as a unit of work, plain data in and rows out, so that units can run side by side; and their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.verify.exam.bugs.catalogue import MUTANTS
from deltacheck.verify.exam.bugs.mutant import Mutant, Plain
from deltacheck.verify.exam.correct_kernels import CORRECT
from deltacheck.verify.exam.ground_truth import shows
from deltacheck.verify.exam.published_rules import RULES, passes_rule
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.references.network_reference import reference
from deltacheck.verify.suite.cases import CASES, Case, point
from deltacheck.verify.verdict.report import Report

Judge = Callable[..., Report]
Row = dict[str, Any]

SMALL = 200  # parameters; what takes a cost or two for each parameter is put to networks up to here
FOR_RULES = ("plain", "numpy", "sample-by-sample")  # right kernels for the rules of other tools, which take far longer


def mutant_rows(case: Case, dtype: str, mutants: Iterable[Mutant] = MUTANTS, judge: Judge = judge) -> list[Row]:
    """Every mutant that shows at this point, judged as a user would judge it."""
    at = point(case, dtype)
    against = None
    rows = []
    for mutant in mutants:
        if dtype not in mutant.dtypes or not shows(mutant.kernel, case.network, at):
            continue
        against = against or reference(case.network, *at)
        with np.errstate(all="ignore"):  # a mutant may divide by zero
            report = judge(mutant.kernel, case.network, *at, against=against)
        names = [diagnosis.name for diagnosis in report.diagnoses]
        rows.append(
            {
                "mutant": mutant.name,
                "case": case.name,
                "dtype": dtype,
                "verdict": report.verdict,
                "diagnosis": names[0] if names else "",
                "named": bool(set(names) & set(mutant.named)),
                "seconds": report.seconds,
                "message": report.message,
            }
        )
    return rows


def rule_rows(mutant: Mutant, shown_by: list[Case]) -> list[Row]:
    """A mutant put to the published rules, at the points that show it and at which the rule passes a right kernel.

    A rule sees the small ones, and where none of them shows the bug the smallest that does.
    """
    shown_by = sorted(shown_by, key=lambda case: case.network.n_parameters)
    seen = [case for case in shown_by if case.network.n_parameters <= SMALL] or shown_by[:1]
    rows = []
    for name, rule in RULES.items():
        fair = (case for case in seen if _passes_right_kernel(name, case))
        caught = any(not passes_rule(rule, mutant.kernel, case.network, point(case, "float64")) for case in fair)
        rows.append({"mutant": mutant.name, "checker": name, "caught": caught})
    return rows


@cache
def _passes_right_kernel(rule: str, case: Case) -> bool:
    return passes_rule(RULES[rule], Plain, case.network, point(case, "float64"))


def correct_rows(case: Case, with_rules: bool, judge: Judge = judge) -> list[Row]:
    """Every right kernel at one point, in both dtypes."""
    rows = []
    for dtype in ("float64", "float32"):
        at = case.point(dtype)
        against = reference(case.network, *at)
        for kernel, kernel_class in CORRECT.items():
            try:
                with np.errstate(all="ignore"):
                    report = judge(kernel_class, case.network, *at, against=against)
            except NotImplementedError:
                continue
            ruled = with_rules and kernel in FOR_RULES and case.network.n_parameters <= SMALL
            rules = {
                name: ("pass" if passes_rule(rule, kernel_class, case.network, at) else "fail") if ruled else ""
                for name, rule in RULES.items()
            }
            rows.append(
                {
                    **_described(case, dtype),
                    "kernel": kernel,
                    "verdict": report.verdict,
                    "smallest_detectable": report.smallest_detectable,
                    "message": report.message,
                    **rules,
                }
            )
    return rows


def _described(case: Case, dtype: str) -> Row:
    network = case.network
    return {
        "point": case.name,
        "layers": "-".join(map(str, network.layer_sizes)),
        "activation": ",".join(network.activations),
        "cost": network.cost,
        "batch": case.batch,
        "weights": case.weights,
        "inputs": case.inputs,
        "targets": case.targets,
        "offset": case.offset,
        "dtype": dtype,
    }


def mutation_table(judged: list[Row], ruled: list[Row], mutants: Iterable[Mutant] = MUTANTS) -> pd.DataFrame:
    """A row for each mutant: is it a bug, was it caught and named, by which case first, and by whom else.

    ``judged``: the rows of ``mutant_rows``, for the built-in cases in their order, then for random networks. Only the built-in
    cases count as catching; how many random networks show the mutant, and on how many of these it fails, stands beside.
    ``first_case`` is the first in the order of ``judged``, ``first_seconds`` the time it took to judge there.
    """
    builtin = {case.name for case in CASES}
    by_rule = {(row["mutant"], row["checker"]): row["caught"] for row in ruled}
    rows = []
    for mutant in mutants:
        own = [row for row in judged if row["mutant"] == mutant.name]
        shown = [row for row in own if row["case"] in builtin]
        others = [row for row in own if row["case"] not in builtin]
        caught = [row for row in shown if row["verdict"] == "fail"]
        first = caught[0] if caught else {}
        names = [row["diagnosis"] for row in caught]
        n_named = sum(row["named"] for row in caught)
        rows.append(
            {
                "mutant": mutant.name,
                "family": mutant.family,
                "description": mutant.text,
                "status": "caught" if caught else "missed" if shown else "no case shows it" if others else "no bug",
                "cases_showing": len(shown),
                "cases_catching": len(caught),
                "first_case": first.get("case", ""),
                "first_dtype": first.get("dtype", ""),
                "first_seconds": first.get("seconds", np.nan),
                "random_showing": len(others),
                "random_catching": sum(row["verdict"] == "fail" for row in others),
                "expected_names": " ".join(mutant.named),
                "diagnosis": max(names, key=names.count) if names else "",
                "cases_named": n_named,
                "named": bool(mutant.named) and 2 * n_named >= len(caught),
                "message": first.get("message", ""),
                **{name: by_rule.get((mutant.name, name), "") for name in RULES},
            }
        )
    return pd.DataFrame(rows)


def score_table(mutation: pd.DataFrame, correct: pd.DataFrame) -> pd.DataFrame:
    """A row for each checker: bugs caught, false alarms on right kernels by dtype, inconclusive verdicts, bugs named."""
    bugs = mutation[mutation["status"] != "no bug"]
    nameable = bugs[bugs["expected_names"] != ""]
    rows = [_score("deltacheck", bugs["status"] == "caught", correct, correct["verdict"] if len(correct) else correct)]
    rows[0].update(
        inconclusive=int((correct["verdict"] == "inconclusive").sum()), nameable=len(nameable), named=int(nameable["named"].sum())
    )
    for name in RULES:
        ruled = correct[correct[name] != ""]
        rows.append(_score(name, bugs[name].astype(bool), ruled, ruled[name]))
    return pd.DataFrame(rows).astype({"inconclusive": "Int64", "nameable": "Int64", "named": "Int64"})


def _score(checker: str, caught: pd.Series[bool], correct: pd.DataFrame, verdicts: Any) -> Row:
    row: Row = {"checker": checker, "bugs": len(caught), "caught": int(caught.sum())}
    for dtype in ("float64", "float32"):
        of_dtype = correct["dtype"] == dtype
        row[f"correct_{dtype}"] = int(of_dtype.sum())
        row[f"false_alarms_{dtype}"] = int((of_dtype & (verdicts == "fail")).sum())
    return {**row, "inconclusive": None, "nameable": None, "named": None}

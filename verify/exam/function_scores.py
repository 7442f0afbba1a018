"""``check_gradient`` and the rules of other tools on the gradient cases: a row for each case, and the sums."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.verify.check_gradient import check_gradient
from deltacheck.verify.exam.gradient_cases.case import Array, Case
from deltacheck.verify.exam.gradient_cases.catalogue import KINDS
from deltacheck.verify.exam.published_function_rules import RULES

OWN = "deltacheck"
CASE_OF = {case.name: (kind, case) for kind, cases in KINDS.items() for case in cases}


def function_row(name: str) -> dict[str, Any]:
    """The verdicts on one case, each on a fresh triple; ``raised`` where ``check_gradient`` itself raises."""
    kind, case = CASE_OF[name]
    with warnings.catch_warnings(action="ignore"):  # casts from complex and the like, which the cases are about
        verdict, seconds, evaluations = _own_verdict(case)
        ruled = {rule_name: rule(*case.make()) for rule_name, rule in RULES.items()}
    row: dict[str, Any] = {"name": name, "source": case.source, "kind": kind, "accepted": "|".join(case.accepted), OWN: verdict}
    return row | {"right": verdict in case.accepted, "seconds": seconds, "evaluations": evaluations} | ruled


def function_table(names: list[str] | None = None) -> pd.DataFrame:
    """The rows of the named cases, or of all."""
    return pd.DataFrame([function_row(name) for name in names or CASE_OF])


def function_summary(table: pd.DataFrame) -> pd.DataFrame:
    """For deltacheck and each rule: right verdicts, false alarms (a fail that is not accepted), misses (a pass that is not accepted)."""
    accepted = table["accepted"].str.split("|")
    rows = []
    for checker in (OWN, *RULES):
        pairs = list(zip(table[checker], accepted, strict=True))
        refused = [verdict for verdict, right in pairs if verdict not in right]
        rows.append(
            {
                "checker": checker,
                "cases": len(pairs),
                "right": len(pairs) - len(refused),
                "false_alarms": refused.count("fail"),
                "missed": refused.count("pass"),
                "other": len(refused) - refused.count("fail") - refused.count("pass"),
            }
        )
    return pd.DataFrame(rows)


def function_closing(table: pd.DataFrame) -> list[str]:
    """The sums as lines, and whatever deltacheck did not get right."""
    wrong = table[~table["right"]].to_dict("records")
    lines = function_summary(table).to_string(index=False).splitlines()
    lines += ["false_alarms: a fail that is not accepted. missed: a pass that is not accepted. other: inconclusive, or raised."]
    return [*lines, *(f"{row['kind']}: {row['name']}: {row[OWN]}; accepted: {row['accepted']}" for row in wrong)]


def _own_verdict(case: Case) -> tuple[str, float, int]:
    cost, gradient, theta = case.make()
    evaluations = 0

    def counted(t: Array) -> Any:
        nonlocal evaluations
        evaluations += 1
        return cost(t)

    started = time.perf_counter()
    with np.errstate(all="ignore"):
        try:
            verdict = str(check_gradient(counted, gradient, theta).verdict)
        except Exception:
            verdict = "raised"
    return verdict, time.perf_counter() - started, evaluations

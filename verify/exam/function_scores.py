"""``check_gradient`` and the rules of other tools on the gradient cases: a row for each case, and the sums."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from deltacheck.verify.exam.gradient_cases.catalogue import KINDS
from deltacheck.verify.exam.own_verdict import own_verdict
from deltacheck.verify.exam.published_function_rules import RULES

OWN = "deltacheck"
CASE_OF = {case.name: (kind, case) for kind, cases in KINDS.items() for case in cases}


def function_row(name: str) -> dict[str, Any]:
    """The verdicts on one case, each on a fresh triple; ``raised`` where ``check_gradient`` itself raises."""
    kind, case = CASE_OF[name]
    with warnings.catch_warnings(action="ignore"):  # casts from complex and the like, which the cases are about
        own = own_verdict(*case.make())
        ruled = {rule_name: rule(*case.make()) for rule_name, rule in RULES.items()}
    row: dict[str, Any] = {"name": name, "source": case.source, "kind": kind, "accepted": "|".join(case.accepted), OWN: own["verdict"]}
    return row | {"right": own["verdict"] in case.accepted, "seconds": own["seconds"], "evaluations": own["evaluations"]} | ruled


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

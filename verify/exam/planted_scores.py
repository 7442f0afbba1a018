"""The planted bugs of functions, put to ``check_gradient``: is the wrong gradient failed, and the right one passed?"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from deltacheck.verify.exam.own_verdict import own_verdict
from deltacheck.verify.exam.planted_functions.catalogue import BUGS
from deltacheck.verify.exam.planted_functions.planted_bug import PlantedBug
from deltacheck.verify.exam.published_function_rules import RULES
from deltacheck.verify.exam.scores import Row

BY_NAME = {bug.name: bug for bug in BUGS}


def planted_rows(name: str) -> list[Row]:
    """One bug: the verdicts on its wrong and on its right gradient, each with fresh functions."""
    bug = BY_NAME[name]
    wrong, right = _judged(bug, wrong=True), _judged(bug, wrong=False)
    return [
        {
            "bug": bug.name,
            "kind": bug.kind,
            "wrong": wrong["verdict"],
            "right": right["verdict"],
            "diagnosis": wrong["diagnosis"],
            "evaluations": wrong["evaluations"],
            "evaluations_right": right["evaluations"],
            "seconds": round(wrong["seconds"] + right["seconds"], 3),
            "message": wrong["message"] if wrong["verdict"] != "fail" else right["message"],
        }
        | {f"{rule}: {what}": _ruled(bug, rule, what == "wrong") for rule in RULES for what in ("wrong", "right")}
    ]


def _ruled(bug: PlantedBug, rule: str, wrong: bool) -> str:
    """What a published rule says of one of the two gradients, with fresh functions."""
    cost, right_gradient, wrong_gradient, theta = bug.make()
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        return RULES[rule](cost, wrong_gradient if wrong else right_gradient, theta)


def planted_closing(table: pd.DataFrame) -> list[str]:
    """How many of each kind are caught, and what is missed or wrongly failed."""
    found = table.assign(caught=table["wrong"] == "fail", passed=table["right"] == "pass")
    kinds = found.groupby("kind", sort=False)[["caught", "passed"]].agg(["sum", "size"])
    lines = [
        f"{kind}: {row['caught', 'sum']} of {row['caught', 'size']} caught, {row['passed', 'sum']} right gradients passed"
        for kind, row in kinds.iterrows()
    ]
    lines.append(f"all: {found['caught'].sum()} of {len(found)} caught, {found['passed'].sum()} right gradients passed")
    for rule in RULES:
        caught, failed = (int((found[f"{rule}: {what}"] == "fail").sum()) for what in ("wrong", "right"))
        lines.append(f"{rule}: {caught} of {len(found)} caught, {len(found) - failed} right gradients passed")
    for row in found.to_dict("records"):
        if not row["caught"]:
            lines.append(f"not caught: {row['bug']} ({row['kind']}): {row['wrong']} {row['message']}".rstrip())
        if not row["passed"]:
            lines.append(f"not passed, though right: {row['bug']} ({row['kind']}): {row['right']} {row['message']}".rstrip())
    return lines


def _judged(bug: PlantedBug, wrong: bool) -> Row:
    cost, right_gradient, wrong_gradient, theta = bug.make()
    return own_verdict(cost, wrong_gradient if wrong else right_gradient, theta.copy())

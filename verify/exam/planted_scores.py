"""The planted bugs of functions, put to ``check_gradient``: is the wrong gradient failed, and the right one passed?"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.verify.check_gradient import check_gradient
from deltacheck.verify.exam.planted_functions.catalogue import BUGS
from deltacheck.verify.exam.planted_functions.planted_bug import Array, Gradient, PlantedBug
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


def _judged(bug: PlantedBug, wrong: bool) -> dict[str, Any]:
    cost, right_gradient, wrong_gradient, theta = bug.make()
    gradient: Gradient = wrong_gradient if wrong else right_gradient
    calls = 0

    def counted(t: Array) -> Any:
        nonlocal calls
        calls += 1
        return cost(t)

    started = time.perf_counter()
    verdict, diagnosis = "raised", ""
    with np.errstate(all="ignore"):
        try:
            report = check_gradient(counted, gradient, theta.copy())
        except Exception as error:  # noted, so that the others are judged too
            message = f"{type(error).__name__}: {error}"
        else:
            verdict, message = report.verdict, report.message
            diagnosis = " ".join(named.name for named in report.diagnoses)
    return {
        "verdict": verdict,
        "message": message,
        "diagnosis": diagnosis,
        "evaluations": calls,
        "seconds": time.perf_counter() - started,
    }

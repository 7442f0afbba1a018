"""``python -m deltacheck.verify.exam``: examine the verifier, print the scores, write the tables; ``--help`` names the parts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from deltacheck.suites.run_folder import new_run, results_folder
from deltacheck.verify.exam.bugs.catalogue import MUTANTS
from deltacheck.verify.exam.bugs.mutant import Mutant
from deltacheck.verify.exam.conditional_bugs.catalogue import CONDITIONAL, TUNING
from deltacheck.verify.exam.correct_kernels import CORRECT
from deltacheck.verify.exam.default_run import default_run
from deltacheck.verify.exam.function_scores import CASE_OF, function_closing, function_row
from deltacheck.verify.exam.function_speed import FUNCTIONS, speed_closing, speed_rows
from deltacheck.verify.exam.planted_functions.catalogue import BUGS
from deltacheck.verify.exam.planted_scores import planted_closing, planted_rows
from deltacheck.verify.exam.random_cases import on_digits, ordinary, wild
from deltacheck.verify.exam.scores import Row, correct_rows, mutant_rows, mutation_table, rule_rows, score_table
from deltacheck.verify.exam.torch_operators import operator_closing, operator_names, operator_row
from deltacheck.verify.suite.cases import CASES, Case
from deltacheck.verify.suite.covering import covering
from deltacheck.verify.suite.drawn_judging import judged

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
DRAWN_VERDICTS = ("pass", "fail", "inconclusive", "unsupported", "too_slow")
LARGE = 1000  # parameters: what a smaller case has caught is not put to these as well, which would take most of the time


def main() -> None:
    """The exam as a command."""
    parser = argparse.ArgumentParser(prog="python -m deltacheck.verify.exam", description="The verifier's own exam.")
    parser.add_argument("--results", type=Path, default=results_folder(Path.cwd()), help="where the tables go (default: results/)")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--quick", action="store_true", help="a tenth of the random networks")
    for part, said in (
        (CONDITIONAL_PART, "the bugs that need a condition, each by a usual run"),
        (DRAWN_PART, "the right kernels at the drawn configurations of a usual run"),
        (PLANTED_PART, "planted bugs in gradients of functions, by check_gradient"),
        (SPEED_PART, "how long check_gradient takes beside other checkers"),
        (OPERATORS_PART, "every fifth of PyTorch's operators, by check_gradient (needs the peers extra)"),
        (FUNCTIONS_PART, "small functions with right and wrong gradients, by check_gradient and the rules of other tools"),
    ):
        parts.add_argument(f"--{part[0]}", dest="part", action="store_const", const=part, help=f"instead, {said}")
    options = parser.parse_args()
    started = time.perf_counter()
    if options.part:
        name, what, unit, items, close = options.part
        with ProcessPoolExecutor(2, initializer=threadpool_limits, initargs=(1,)) as pool:
            table = pd.DataFrame(_run(pool, what, unit, items() if callable(items) else items))
        folder = new_run(options.results.resolve(), "exam")
        table.to_csv(folder / f"{name}.csv", index=False)
        print("\n".join(["", *close(table)]))
        print(f"{folder}: {name}.csv; {time.perf_counter() - started:.0f} s")
        return
    with ProcessPoolExecutor(2, initializer=threadpool_limits, initargs=(1,)) as pool:
        mutation, correct = examine(pool, quick=options.quick)
    scores = score_table(mutation, correct)
    folder = new_run(options.results.resolve(), "exam")
    for name, table in (("mutation", mutation), ("correct", correct), ("scores", scores)):
        table.to_csv(folder / f"{name}.csv", index=False)
    print("\n".join(["", *closing(mutation, correct, scores)]))
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    print(f"{shown}: mutation.csv, correct.csv, scores.csv; {time.perf_counter() - started:.0f} s")


def examine(pool: Executor, quick: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run all parts: the table of mutants and the table of right kernels."""
    n = 8 if quick else 45
    drawn = [ordinary(100 + seed) for seed in range(1 if quick else 12)]
    small, large = ([case for case in CASES if (case.network.n_parameters > LARGE) == is_large] for is_large in (False, True))
    judged = _run(pool, "planted bugs, each on every case that shows it", _mutants_at, _units((*small, *drawn), MUTANTS))
    caught = {row["mutant"] for row in judged if row["verdict"] == "fail" and row["case"] not in {case.name for case in drawn}}
    left = [mutant for mutant in MUTANTS if mutant.name not in caught]
    judged += _run(pool, f"on large cases, the {len(left)} that no small one caught", _mutants_at, _units(large, left))
    shown_by = {name: [case for case in CASES if any(_is(row, name, case) for row in judged)] for name in BY_NAME}
    ruled = _run(pool, "the same bugs by the rules of other tools", _ruled, [(name, cases) for name, cases in shown_by.items() if cases])
    right = [draw(seed) for seed in range(n) for draw in (ordinary, wild)] + [on_digits(seed) for seed in range(n // 4)]
    correct = _run(pool, "right kernels on random networks", _correct_at, right)
    return mutation_table(judged, ruled), pd.DataFrame(correct)


def closing(mutation: pd.DataFrame, correct: pd.DataFrame, scores: pd.DataFrame) -> list[str]:
    """The scores side by side, and whatever was not as it should be."""
    bugs, by_rules = len(mutation[mutation["status"] != "no bug"]), scores[1:]["correct_float64"].max()
    lines = scores.astype(object).where(scores.notna(), "").to_string(index=False).splitlines()
    lines += [
        f"{bugs} planted bugs. A checker catches one when it fails on a network that shows it and passes a right kernel there; the rules",
        f"see networks up to 200 parameters or the smallest that shows the bug. They were put to {by_rules} of the right kernels for each",
        "dtype (PyTorch's and SciPy's constants are meant for float64). named: by the diagnosis, of the bugs that have a name.",
    ]
    for row in mutation.to_dict("records"):
        if row["status"] != "caught":
            lines.append(f"not caught: {row['mutant']} ({row['status']}): {row['description']}")
        elif row["expected_names"] and not row["named"]:
            lines.append(f"not named: {row['mutant']} is {row['expected_names']}, called {row['diagnosis'] or 'nothing'}")
    doubted = correct[correct["verdict"] != "pass"]
    for (verdict, place), rows in doubted.groupby(["verdict", "point"], sort=False):
        lines.append(f"{verdict}, though right: {len(rows)} kernels at {place}, {rows['kernel'].iloc[0]}: {rows['message'].iloc[0]}")
    return lines


def conditional_closing(table: pd.DataFrame) -> list[str]:
    """How many of each half and family of the bugs that need a condition are caught, and what is not."""
    caught = table.assign(caught=table["by"] != "nothing").groupby(["half", "family"], sort=False)["caught"].agg(["sum", "size"])
    lines = [f"{row['half']}, {row['family']}: {row['sum']} of {row['size']} caught" for row in caught.reset_index().to_dict("records")]
    missed = table[table["by"] == "nothing"]
    return [*lines, *(f"not caught: {row['bug']} ({row['half']}): {row['description']}" for row in missed.to_dict("records"))]


def drawn_closing(table: pd.DataFrame) -> list[str]:
    """How many right kernels were judged at how many drawn configurations, and whatever was not passed."""
    counts = table[list(DRAWN_VERDICTS)].sum()
    n_judged = counts[["pass", "fail", "inconclusive"]].sum()
    others = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
    lines = [f"{n_judged} judgements of {table['kernel'].nunique()} right kernels; of all: {others}"]
    doubted = table[table["doubted"] != ""].to_dict("records")
    return [*lines, *(f"not passed, though right: {row['kernel']}, {row['dtype']}: {row['doubted']}" for row in doubted)]


def _drawn_at(kernel: str) -> list[Row]:
    """The verdicts at the configurations of a usual run, counted, and the first that is not a pass."""
    with np.errstate(all="ignore"):
        found = list(judged(CORRECT[kernel], [configuration for _, configuration in covering()]))
    rows = []
    for dtype in ("float64", "float32"):
        own = [one for one in found if one.configuration.dtype == dtype]
        doubted = [f"{one.verdict} at {one.configuration}: {one.message}" for one in own if one.verdict in ("fail", "inconclusive")]
        counts = {verdict: sum(one.verdict == verdict for one in own) for verdict in DRAWN_VERDICTS}
        rows.append({"kernel": kernel, "dtype": dtype, **counts, "doubted": doubted[0] if doubted else ""})
    return rows


def _conditional_at(name: str) -> list[Row]:
    bug = next(bug for bug in CONDITIONAL if bug.name == name)
    found = default_run(bug.kernel)
    half = "tuning" if bug in TUNING else "unseen"
    row = {"bug": name, "family": bug.family, "half": half, "description": bug.text}
    return [row | found._asdict()]


def _function_at(name: str) -> list[Row]:
    return [function_row(name)]


def _operator_at(name: str) -> list[Row]:
    return [operator_row(name)]


def _is(row: Row, name: str, case: Case) -> bool:
    return bool(row["mutant"] == name and row["case"] == case.name)


def _units(cases: Iterable[Case], mutants: Iterable[Mutant]) -> list[tuple[Case, str, list[str]]]:
    """A unit of work is a case and a dtype. Mutants go by name: a class made on the spot cannot be sent to another process."""
    names = [mutant.name for mutant in mutants]
    return [(case, dtype, names) for case in cases for dtype in ("float64", "float32")]


def _mutants_at(unit: tuple[Case, str, list[str]]) -> list[Row]:
    case, dtype, names = unit
    return mutant_rows(case, dtype, [BY_NAME[name] for name in names])


def _ruled(which: tuple[str, list[Case]]) -> list[Row]:
    name, cases = which
    return rule_rows(BY_NAME[name], cases)


def _correct_at(case: Case) -> list[Row]:
    return correct_rows(case, with_rules=True)


def _run(pool: Executor, what: str, unit: Callable[[Any], list[Row]], items: Iterable[Any]) -> list[Row]:
    """All units in their order, with a line of progress."""
    items, rows, started = list(items), [], time.perf_counter()
    for done, found in enumerate(pool.map(unit, items), start=1):
        rows += found
        if done == len(items) or done % -(-len(items) // 8) == 0:
            print(f"{what}: {done} of {len(items)}, {time.perf_counter() - started:.0f} s", flush=True)
    return rows


CONDITIONAL_PART = (
    "conditional",
    "bugs under a condition, by a usual run",
    _conditional_at,
    [bug.name for bug in CONDITIONAL],
    conditional_closing,
)
PLANTED_PART = ("planted", "planted bugs of functions", planted_rows, [bug.name for bug in BUGS], planted_closing)
SPEED_PART = ("speed", "functions timed, one after another", speed_rows, [tuple(FUNCTIONS)], speed_closing)
OPERATORS_PART = ("operators", "operators of PyTorch", _operator_at, operator_names, operator_closing)
FUNCTIONS_PART = ("functions", "functions with right and wrong gradients", _function_at, list(CASE_OF), function_closing)
DRAWN_PART = ("drawn", "right kernels at drawn configurations", _drawn_at, list(CORRECT), drawn_closing)


if __name__ == "__main__":
    main()

"""The shape of the cost: how time grows with size, and who overtakes whom: ``python -m deltacheck.bench.scaling results/bench/latest``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deltacheck.bench.tables.saved_run import read_summary
from deltacheck.bench.tables.scaling_table import write_both

ROOM, MOST = 4, 12  # kernels whose intervals fit on a line; crossovers that are told one by one


def report(exponents: pd.DataFrame, sizes: pd.DataFrame) -> list[str]:
    """The step (or the last phase there is) for people: exponents in a table, crossovers line by line."""
    phases = list(exponents["phase"])
    phase = "step" if "step" in phases else phases[-1]
    shown = exponents[exponents["phase"] == phase]
    kernels = list(dict.fromkeys(shown["kernel"]))
    table: dict[tuple[str, str], dict[str, str]] = {}
    for row in shown.to_dict("records"):
        text = "-" if row["exponent"] != row["exponent"] else f"{row['exponent']:.2f}"
        if text != "-" and len(kernels) <= ROOM:
            text += f" [{row['exponent_ci_low']:.2f}, {row['exponent_ci_high']:.2f}]"
        table.setdefault((row["along"], where(row)), {})[row["kernel"]] = text
    lines = [["along", "at", *kernels]]
    lines += [
        [along, at, *(texts.get(kernel, "") for kernel in kernels)] for (along, at), texts in table.items() if set(texts.values()) != {"-"}
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    interval = " [its 95 % interval]" * (len(kernels) <= ROOM)
    told = [f"{phase}: exponent of the median time{interval}; - where it is refused", ""]
    told += ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    reasons = shown["reason"].dropna().str.partition(":")[0].value_counts(sort=False)
    told += [
        "",
        f"{len(shown)} series, {len(shown) - int(reasons.sum())} with an exponent; " + ", ".join(f"{k}: {n}" for k, n in reasons.items()),
    ]
    both = sizes[sizes["phase"] == phase]
    clear = both.dropna(subset=["crossover_low", "crossover_high"])
    told += ["", f"{phase}: who overtakes whom [where it may be instead]", ""]
    for row in clear.head(MOST).to_dict("records"):
        size = f"{row['along']} {row['crossover']:.3g} [{row['crossover_low']:.3g}, {row['crossover_high']:.3g}]"
        told.append(f"{row['faster_above']} overtakes {row['faster_below']} at {size}, {where(row)}")
    told.append(f"{max(len(clear) - MOST, 0)} more; and {len(both) - len(clear)} that lie within the noise on one side or both")
    return told


def where(row: Mapping[Any, Any]) -> str:
    """What is fixed in a series, for people."""
    usual = ("sigmoid", "squared_error")
    words = [row["layers"] if row["along"] == "batch" else f"batch {row['batch']}"]
    words += [row[name] for name, common in zip(("activation", "cost"), usual, strict=True) if row[name] != common]
    return " ".join([*words, row["dtype"], *[f"{row['threads']} threads"] * (row["threads"] != 1)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both tables into a run's folder, or into ``--out``, and print a short summary; what is wrong in one line, exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m deltacheck.bench.scaling", description="Exponents and crossover sizes of a run.")
    parser.add_argument("run", type=Path, help="a run's folder, such as results/bench/latest")
    parser.add_argument("--out", type=Path, help="the folder for scaling.csv and crossovers.csv (default: the run's)")
    given = parser.parse_args(arguments)
    out = given.out or given.run
    try:
        tables = write_both(read_summary(given.run), out)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {' '.join(str(error).split())}\n")
    print("\n".join([*report(*tables), "", f"tables: {out}/ (scaling.csv, crossovers.csv)"]))


if __name__ == "__main__":
    main()

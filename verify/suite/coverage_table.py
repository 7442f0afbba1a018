"""``configurations.csv``: a row for each kernel and drawn configuration; and in words what was covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from deltacheck.verify.suite.configurations import Configuration
from deltacheck.verify.suite.covering import HIDDEN, OUTPUT
from deltacheck.verify.suite.drawn_judging import Judged

FIELDS = tuple(Configuration.__dataclass_fields__)
COLUMNS = ["kernel", "dimension", *FIELDS, "n_params", "verdict", "seconds", "message"]
N_PAIRS = len(HIDDEN) * len(OUTPUT)


def rows_of_drawn(kernel: str, dimension: str, found: Sequence[Judged]) -> list[dict[str, Any]]:
    """The rows of what was judged for one dimension."""
    return [
        {"kernel": kernel, "dimension": dimension}
        | asdict(one.configuration)
        | {"layers": "-".join(map(str, one.configuration.layers)), "activations": ",".join(one.configuration.activations)}
        | {"n_params": one.configuration.network.n_parameters}
        | {"verdict": one.verdict, "seconds": one.seconds, "message": one.message}
        for one in found
    ]


def write(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Append rows to the file."""
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, mode="a", header=not path.exists(), index=False)


def summary(rows: Sequence[dict[str, Any]], seed: int) -> list[str]:
    """What was covered, and how many configurations of each verdict there are for each kernel."""
    judged = [row for row in rows if row["verdict"] in ("pass", "fail", "inconclusive")]
    lines = []
    for kernel in dict.fromkeys(row["kernel"] for row in rows):
        counts = Counter(row["verdict"] for row in rows if row["kernel"] == kernel)
        lines.append(f"{kernel}: {', '.join(f'{verdict} {n}' for verdict, n in counts.items())} of drawn configurations (seed {seed})")
    return [*lines, *covered(judged)]


def covered(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The sizes and kinds that occur, as ``batch 1 to 1025``."""
    if not rows:
        return []
    layers = [tuple(map(int, row["layers"].split("-"))) for row in rows]
    pairs = {pair for row in rows for pair in zip(row["activations"].split(","), row["activations"].split(",")[1:], strict=False)}
    ranges = {
        "batch": [row["batch"] for row in rows],
        "input width": [widths[0] for widths in layers],
        "hidden width": [width for widths in layers for width in widths[1:-1]],
        "output width": [widths[-1] for widths in layers],
        "layers of weights": [len(widths) - 1 for widths in layers],
        "parameters": [row["n_params"] for row in rows],
    }
    sizes = ", ".join(f"{name} {min(values)} to {max(values)}" for name, values in ranges.items() if values)
    kinds = [f"{len({row[name] for row in rows})} {text}" for name, text in KINDS.items()]
    return [f"covered: {sizes};", f"{len(pairs)} of {N_PAIRS} pairs of activations, {', '.join(kinds)}: a pass is a pass within that"]


KINDS = {
    "inputs": "kinds of inputs",
    "targets": "of targets",
    "weights": "of weights",
    "biases": "of biases",
    "theta_layout": "layouts of theta",
    "x_layout": "of x",
    "y_layout": "of y",
    "earlier": "of earlier calls",
    "between": "of calls in between",
}

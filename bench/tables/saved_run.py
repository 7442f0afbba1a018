"""A run as its folder has it, and what keeps two of them from being compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.result import FLOOR
from deltacheck.bench.statistics.process_variance import Sampled
from deltacheck.kernels.error_text import one_line

MEMORY_TOLERANCE = 0.05  # virtual machines of one kind report a little more or less
NOT_TIMED = ("status", "n_samples", "median_s", "n_params", "message")  # of the summary, beside the keys


class Key(NamedTuple):
    """What a row is of, as the tables spell it."""

    kernel: str
    phase: str
    layers: str
    activation: str
    cost: str
    batch: str
    dtype: str
    threads: str

    @property
    def contest(self) -> tuple[str, ...]:
        """Cell and phase: rows that share them took turns at the clock."""
        return self[1:]

    @property
    def cell(self) -> Cell:
        """The cell. Raises ``ValueError`` where the tables name one that cannot be."""
        return Cell.of(self.layers, self.activation, self.cost, int(self.batch), self.dtype, int(self.threads))


@dataclass(frozen=True)
class SavedRun:
    """A run's files: ``about`` is run.json, ``rows`` the summary.

    Samples are those of rows that have a time, and the floor's beside them; not of a second entry, nor of what was not finished.
    """

    run_id: str
    about: Mapping[str, Any]
    rows: Mapping[Key, Mapping[str, Any]]
    samples: Mapping[Key, Sampled]

    def timed(self, key: Key) -> bool:
        """Whether the summary has a time for it."""
        return key in self.rows and bool(self.rows[key]["median_s"] > 0)

    def reached(self, key: Key) -> bool:
        """Whether the run has it, and came to it."""
        return key in self.rows and self.rows[key]["status"] != "not_run"


def read_run(argument: str, folder: Path) -> SavedRun:
    """The run in a folder. ``argument`` is its name in messages.

    Raises ``ValueError`` in one line where a file is missing, is not what a run writes, or lacks samples that the summary counts.
    """
    if not folder.is_dir():
        raise ValueError(f"{argument}: got {folder}, which is no folder; expected a run's, such as results/bench/latest")
    try:
        file = "run.json"
        about = json.loads((folder / file).read_text(encoding="utf-8"))
        if not isinstance(about, dict) or "schema_version" not in about:
            raise ValueError("no schema_version in it")
        file = "summary.csv"
        summary = table(folder / file, ("run_id", *Key._fields, *NOT_TIMED), numbers=("median_s", "n_samples"))
        file = "samples.csv"
        # A killed run may end in half a row, which has no time.
        numbers = ("round", "time_s")
        samples = table(folder / file, (*Key._fields, *numbers), (*numbers, "process")).dropna(subset=[*numbers, "process"])
        noted = floor_counts(about)
    except FileNotFoundError:
        raise ValueError(f"{argument}: {lacks(folder, file)}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{argument}: {folder / 'run.json'} is not what a run of this version writes: {one_line(error)}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{argument}: {folder / file} cannot be read: {one_line(error)}") from None
    rows = {Key(*map(str, (row[name] for name in Key._fields))): _texts(row) for row in summary.to_dict("records")}
    finished = {key.contest for key, row in rows.items() if row["status"] != "not_run"}
    groups = samples.sort_values("round", kind="stable").groupby(list(Key._fields), sort=False)
    counted = noted | {key: int(row["n_samples"]) for key, row in rows.items()}
    taken = {}
    for names, of in groups:
        key = Key(*map(str, names))
        first = of[: counted.get(key)]  # a killed run may have more, of what was in hand
        taken[key] = Sampled(first["time_s"].to_numpy(np.float64), first["process"].to_numpy(np.int64))
    floors = {key for key in taken if key.kernel == FLOOR and key.contest in finished}
    run = SavedRun(str(about.get("run_id", folder.name)), about, rows, {})
    run = replace(run, samples={key: times for key, times in taken.items() if run.timed(key) or key in floors})
    for key in filter(run.timed, rows):
        have = len(run.samples[key].seconds) if key in run.samples else 0
        if have != counted[key] or not (run.samples[key].seconds > 0).all():
            raise ValueError(
                f"{argument}: {folder / file} has {have} usable samples of {key.kernel} on {key.cell}, {key.phase}; expected {counted[key]}"
            )
    return run


def floor_counts(about: Mapping[str, Any]) -> dict[Key, int]:
    """How many samples of each floor the run took note of, by its records in run.json."""
    records = [told for told in about.get("outcomes") or [] if told["kernel"] == FLOOR]
    return {Key(*(str(told[name]) for name in Key._fields)): int(told["n_samples"]) for told in records}


def lacks(folder: Path, file: str) -> str:
    """What is said of a folder without a file that a run writes."""
    return f"{folder} has no {file}; expected a run's folder, such as results/bench/latest"


def read_summary(folder: Path) -> pd.DataFrame:
    """A run's summary.csv. Raises ``ValueError`` in one line where there is none that can be read."""
    if not folder.is_dir():
        raise ValueError(f"run: got {folder}, which is no folder; expected a run's, such as results/bench/latest")
    try:
        return pd.read_csv(folder / "summary.csv", keep_default_na=False, na_values=[""])  # a kernel may be called "null"
    except FileNotFoundError:
        raise ValueError(f"run: {lacks(folder, 'summary.csv')}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"run: {folder / 'summary.csv'} cannot be read: {one_line(error)}") from None


def table(path: Path, columns: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """A CSV file as text, but for ``numbers``: NaN where there is none, 0 without such a column.

    Raises ``ValueError`` where one of ``columns`` is missing.
    """
    read = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])  # a kernel may be called "null"
    missing = [name for name in columns if name not in read.columns]
    if missing:
        raise ValueError(f"no column {', '.join(missing)}")
    return read.assign(**{name: pd.to_numeric(read[name], errors="coerce") if name in read.columns else 0 for name in numbers})


def _texts(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row with "" where a text is missing."""
    return {str(name): value if isinstance(value, str) or name in ("median_s", "n_samples") else "" for name, value in row.items()}


def unlike(a: SavedRun, b: SavedRun) -> list[str]:
    """Why the times of two runs say nothing of each other: another machine, BLAS kernel set, number of threads, or schema."""
    found = []
    for name in ("schema_version", "cpu_model", "cpu_count_usable"):
        if a.about.get(name) != b.about.get(name):
            found.append(f"{name} is {a.about.get(name)!r} in A, {b.about.get(name)!r} in B")
    in_a, in_b = (run.about.get("memory_bytes") for run in (a, b))
    if in_a != in_b and not (in_a and in_b and abs(in_a - in_b) <= MEMORY_TOLERANCE * in_a):
        found.append(f"memory_bytes is {in_a} in A, {in_b} in B")
    sets = blas(a.about), blas(b.about)
    shared = sorted(sets[0].keys() & sets[1].keys())
    for library in shared:
        if sets[0][library] != sets[1][library]:
            found.append(f"the architecture of {library} is {sets[0][library]} in A, {sets[1][library]} in B")
    if not shared and sets[0] != sets[1]:
        found.append(f"the BLAS is {sets[0]} in A, {sets[1]} in B")
    threads = [np.unique(run.about.get("threads", [])).tolist() for run in (a, b)]  # schema 1 has a number
    if threads[0] != threads[1]:
        found.append(f"threads are {threads[0]} in A, {threads[1]} in B")
    return found


def blas(about: Mapping[str, Any]) -> dict[str, list[str]]:
    """The kernel sets of each BLAS that was loaded; a peer may bring one that the other run lacks."""
    sets: dict[str, set[str]] = {}
    for pool in about.get("thread_pools") or []:
        if pool.get("user_api") == "blas":
            sets.setdefault(str(pool.get("internal_api")), set()).add(str(pool.get("architecture")))
    return {library: sorted(names) for library, names in sets.items()}

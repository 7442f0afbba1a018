"""``python -m deltacheck.verify.calibration``: put right gradients of many families to the checker and write the scores."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path

from threadpoolctl import threadpool_limits

from deltacheck.suites.run_folder import new_run, results_folder
from deltacheck.verify.calibration.families.catalogue import FAMILIES
from deltacheck.verify.calibration.family import FINER, Family
from deltacheck.verify.calibration.score_table import closing, doubt_table, score_table
from deltacheck.verify.calibration.scoring import Scores, score

ENTRIES = 1_000_000
QUICK = 20_000
UNIT = 200  # entries of one family that a process judges before it reports
BY_NAME = {str(family): family for family in FAMILIES}
Unit = tuple[str, int, range, int]  # family, seed, numbers of draws, entries


def main() -> int:
    """The calibration as a command; 1 when a right gradient was said to be wrong or the checker raised."""
    parser = argparse.ArgumentParser(
        prog="python -m deltacheck.verify.calibration", description="Scores of the checker at right gradients."
    )
    parser.add_argument("--entries", type=_entries, default=ENTRIES, help=f"of gradients, over all families (default: {ENTRIES})")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} entries")
    parser.add_argument("--seed", type=int, default=0, help="of all draws (default: 0)")
    parser.add_argument("--family", action="append", metavar="TEXT", help="only families with TEXT in their names; may be repeated")
    parser.add_argument("--results", type=Path, default=results_folder(Path.cwd()), help="where the tables go (default: results/)")
    options = parser.parse_args()
    if FINER < 1000:
        parser.error("np.longdouble is no finer than float64 here: the true derivatives cannot be computed")
    if find_spec("mpmath") is None:
        parser.error("mpmath is missing, which the true derivatives of special functions need: pip install 'deltacheck[dev]'")
    chosen = [family for family in FAMILIES if not options.family or any(text in str(family) for text in options.family)]
    if not chosen:
        parser.error(f"--family: no family has {' or '.join(options.family)} in its name")
    started = time.perf_counter()
    found, interrupted = run(units(chosen, QUICK if options.quick else options.entries, options.seed))
    order = {str(family): place for place, family in enumerate(FAMILIES)}
    found.sort(key=lambda scores: order[f"{scores.family}, {scores.dtype}"])
    table, doubts = score_table(found), doubt_table(found)
    folder = new_run(options.results.resolve(), "calibration")
    table.to_csv(folder / "calibration.csv", index=False)
    doubts.to_csv(folder / "doubts.csv", index=False)
    print("\n".join(["", table.drop(columns=["kind"]).to_string(index=False, float_format="{:.3g}".format)]))
    print("\n".join(["", *closing(table, doubts, options.seed)]))
    if interrupted:
        print("interrupted: the table is of what was done by then")
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    print(f"{shown}: calibration.csv, doubts.csv; {time.perf_counter() - started:.0f} s")
    total = table.iloc[-1]
    return 130 if interrupted else int(total["false_fails"] > 0 or total["raised"] > 0)


def units(chosen: list[Family], entries: int, seed: int) -> list[Unit]:
    """The work in pieces, a piece of each family before the second of any: an early end leaves something of all."""
    share = -(-entries // len(chosen))
    pieces = -(-share // UNIT)
    size = -(-share // pieces)
    return [(str(family), seed, range(piece * size, (piece + 1) * size), size) for piece in range(pieces) for family in chosen]


def run(work: list[Unit]) -> tuple[list[Scores], bool]:
    """Score all units on two processes; what was found, and whether Ctrl-C ended it."""
    found: list[Scores] = []
    started = time.perf_counter()
    with ProcessPoolExecutor(2, initializer=_start_process) as pool:
        try:
            futures = [pool.submit(_scored, unit) for unit in work]
            for done, future in enumerate(as_completed(futures), start=1):
                found.append(future.result())
                if done == len(work) or done % -(-len(work) // 16) == 0:
                    entries, seconds = sum(scores.entries for scores in found), time.perf_counter() - started
                    print(f"{done} of {len(work)} units, {entries} entries, {seconds:.0f} s", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            return found, True
    return found, False


def _scored(unit: Unit) -> Scores:
    name, seed, numbers, entries = unit
    return score(BY_NAME[name], seed, numbers, entries)


def _start_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's to hear
    threadpool_limits(1)


def _entries(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

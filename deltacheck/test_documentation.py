"""The READMEs tell the truth: the kernel shown, the commands, the links, the columns. (Their snippets are doctests, or run here.)"""

import re
from pathlib import Path

import pytest

from deltacheck.bench.comparison.two_runs import COMPARISON
from deltacheck.bench.tables.crossovers import COLUMNS as CROSSOVERS
from deltacheck.bench.tables.scaling_table import SCALING
from deltacheck.bench.tables.summary import SUMMARY
from deltacheck.bench.timing.samples_file import SAMPLES

ROOT = Path(__file__).parent.parent
if not (ROOT / "README.md").exists():
    pytest.skip("the documentation is in the source checkout", allow_module_level=True)
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "results" / "README.md").read_text(encoding="utf-8")


def test_the_kernel_shown_is_the_kernel_in_the_file():
    assert f"```py\n{(ROOT / 'examples' / 'my_kernel.py').read_text()}```" in README


def test_each_command_is_one_line_that_does_all_the_set_up():
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert [line.rsplit(".venv/bin/", 1)[1] for line in lines] == ["pytest verify/", "pytest bench/ --benchmark-only"]
    assert all('pip install -q -e ".[dev]"' in line for line in lines)


def test_every_file_that_is_linked_is_there():
    targets = re.findall(r"\]\(([\w./]+[./]\w*)\)", README)
    assert len(targets) > 5
    assert all((ROOT / target).exists() for target in targets)


@pytest.mark.parametrize("text", [README, RESULTS], ids=["README.md", "results/README.md"])
def test_every_file_that_is_named_is_there(text):
    named = re.findall(r"`((?:kernels|verify|bench|deltacheck|examples|results)/[\w/]+\.(?:py|md))`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def undocumented(text, columns, part):
    """Columns that a part of a text does not have in backquotes at the start of a table row."""
    part = text.partition(f"## {part}")[2]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return set(columns) - {name.strip() for row in rows for name in row.replace("`", "").split(",")}


@pytest.mark.parametrize(
    ("part", "columns", "one"),
    [
        ("Benchmarks", [*SUMMARY, *SAMPLES], "gflops"),
        ("Benchmarks", [*SCALING, *CROSSOVERS], "reason"),
        ("Two runs compared", COMPARISON, "drift_from"),
    ],
)
def test_every_column_is_documented(part, columns, one):
    assert undocumented(RESULTS, columns, part) == set()
    assert undocumented(RESULTS.replace(f"`{one}`", "`planted`"), columns, part) == {one}

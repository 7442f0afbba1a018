"""The README tells the truth: its kernel is the file's, its commands are what CI runs. (Its snippets are doctests.)"""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


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

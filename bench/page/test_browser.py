"""The page in a browser: nothing goes wrong, nothing is fetched, tables sort and filter. Skipped where there is no Chromium."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deltacheck.bench.page import write_page
from deltacheck.bench.page.test_page import HOSTILE, NAN, rows, save

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not tried in a browser")
OFFLINE = ["--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--disable-component-update"]
WATCH = """<script>
const errors = [];
addEventListener("error", (event) => errors.push(event.message || `${event.target.tagName} did not load`), true);
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
console.error = (...words) => errors.push(words.join(" "));
alert = (word) => errors.push(`alert ${word}`);
</script>"""
TRY = """<script>
addEventListener("load", () => setTimeout(() => {
  const told = {};
  const table = document.querySelector("#speedups table");
  const bar = document.querySelector("#speedups .filters");
  const heads = [...table.tHead.rows[0].cells];
  const column = (name) => heads.findIndex((head) => head.textContent === name);
  const shown = (name) => [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[column(name)].textContent);
  const click = (name) => {
    heads[column(name)].querySelector("button").click();
    return [shown(name), heads.map((head) => head.getAttribute("aria-sort")).filter(Boolean)];
  };
  const choose = (name, value) => {
    const label = [...bar.querySelectorAll("label")].find((one) => one.firstChild.textContent === name);
    const control = label.querySelector("select, input");
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  told.atFirst = shown("phase");
  told.medians = [click("median"), click("median")];
  told.kernels = click("kernel");
  choose("phase", "all");
  told.all = [shown("phase").length, bar.querySelector("output").textContent];
  choose("kernel", `=${shown("kernel")[0]}`);
  told.oneKernel = shown("kernel");
  choose("text", "FORWARD 64-30-10");
  told.searched = [shown("phase"), shown("network")];
  told.fits = document.documentElement.scrollWidth <= innerWidth;
  told.width = innerWidth;
  told.fetched = performance.getEntriesByType("resource").map((entry) => entry.name);
  told.errors = errors;
  parent.postMessage(JSON.stringify(told), "*");
}, 300));
</script>"""
FRAME = """<iframe src="page.html" width="390" height="800"></iframe>
<script>onmessage = (event) => { document.body.dataset.told = event.data; };</script>"""


def tried(tmp_path: Path, table: list[dict[str, Any]], planted: str = "", **about: Any) -> dict[str, Any]:
    """What came of trying the page of a run, on a phone's width, with something planted in it."""
    page = write_page(save(tmp_path, table, **about)).read_text(encoding="utf-8")
    page = page.replace("<head>", "<head>" + WATCH, 1).replace("</body>", planted + TRY + "</body>")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000"]
    command = [str(CHROMIUM), *flags, *OFFLINE, "--dump-dom", (tmp_path / "frame.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'data-told="([^"]*)"', dom)
    assert found, dom
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


def test_tables_sort_and_filter(tmp_path: Path) -> None:
    table = rows(["numpy", "numba", "jax"], batches=(1, 256))
    table[-1] |= {"median_s": NAN, "speedup": NAN, "status": "too_slow", "verdict": ""}
    told = tried(tmp_path, table)
    assert told["errors"] == told["fetched"] == []
    assert told["atFirst"] == ["step"] * 12
    (up, ascending), (down, descending) = told["medians"]
    assert (ascending, descending) == (["ascending"], ["descending"])
    assert up[-1] == down[-1] == "–"  # what has no time is last, whichever way
    assert up[:-1] == down[-2::-1]
    units = {"s": 1, "ms": 1e-3, "µs": 1e-6}
    seconds = [float(number) * units[unit] for number, unit in map(str.split, up[:-1])]
    assert seconds == sorted(seconds)
    assert up[:-1] != sorted(up[:-1])  # as text it would be another order
    assert told["kernels"] == [sorted(["numpy", "numba", "jax"] * 4), ["ascending"]]
    assert told["all"] == [36, "36 of 36 rows"]
    assert told["oneKernel"] == ["jax"] * 12
    assert told["searched"] == [["forward"] * 2, ["64-30-10"] * 2]


def test_it_fits_a_phone_with_any_names(tmp_path: Path) -> None:
    table = rows(HOSTILE, ["64-30-10", "-".join(["16"] * 30)], (1, 32))
    table[0] |= {"status": "error", "median_s": NAN, "message": "word" * 100}
    pools = [{f"threading_layer_{n}": "openblas" * 3 for n in range(12)}] * 3
    about = {"thread_pools": pools, "command": "x" * 300, "environment": {"X" * 60: {"y" * 60: "z" * 200}}, "cpu_simd": ["avx"] * 30}
    told = tried(tmp_path, table, **about)
    assert told["errors"] == told["fetched"] == []
    assert (told["fits"], told["width"]) == (True, 390)


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ('<img src="https://example.invalid/x.png" alt="">', "fetched"),
        ('<link rel="stylesheet" href="https://example.invalid/x.css">', "fetched"),
        ("<script>missing.word;</script>", "errors"),
        ("<script>console.error(1);</script>", "errors"),
    ],
)
def test_a_planted_fault_is_seen(tmp_path: Path, planted: str, what: str) -> None:
    assert tried(tmp_path, rows(batches=(1,)), planted)[what] != []


def test_a_page_too_wide_is_seen(tmp_path: Path) -> None:
    assert not tried(tmp_path, rows(batches=(1,)), '<div style="width:900px">wide</div>')["fits"]

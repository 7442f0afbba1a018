"""The page stands alone, says what the tables say, and shows any name as the text it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.page import write_page
from deltacheck.bench.page.page_data import NUMBERS, TEXTS
from deltacheck.bench.tables.scaling_table import write_both
from deltacheck.bench.tables.summary import SUMMARY

NAN = float("nan")
HOSTILE = ('<script>alert("1")</script>', "a&b's $x_$ </title>", "long-" * 30, "--> ]]>", '" onload="alert(2)')
Rows = list[dict[str, Any]]
Change = Callable[[dict[str, Any]], dict[str, Any]]


def behind(ratio: float) -> dict[str, float]:
    """A time so many times that of the fastest, within 1 %."""
    return {"over_fastest": ratio, "over_fastest_ci_low": 0.99 * ratio, "over_fastest_ci_high": 1.01 * ratio}


def rows(
    kernels: Iterable[str] = ("numpy", "numba"),
    layers: Iterable[str] = ("64-30-10", "256-256-256"),
    batches: Iterable[int] = (1, 32, 256),
    dtypes: Iterable[str] = ("float64",),
    threads: Iterable[int] = (1,),
    phases: Iterable[str] = ("forward", "backward", "step"),
    activation: str = "sigmoid",
    cost: str = "squared_error",
) -> Rows:
    """A summary: the second kernel is twice as fast as the first, the baseline, the third four times, all within 1 %; the fifth ties."""
    kernels = list(kernels)
    found = []
    places = [(network, batch, dtype, n) for network in layers for batch in batches for dtype in dtypes for n in threads]
    for network, batch, dtype, n in places:
        cell = Cell.of(network, activation, cost, batch, dtype, n)
        for phase in phases:
            base = 1e-5 + cell.flops(phase) / 2e10
            for k, kernel in enumerate(kernels):
                time, speedup = base / 2**k, float(2**k)
                backward = {"backward_over_forward": 2.1, "backward_over_forward_model": 1.8} if phase == "backward" else {}
                jit = (
                    {"cold_first_call_s": 8.0, "cached_first_call_s": 0.2, "break_even_calls": 9e5, "break_even_calls_cached": 2e4}
                    if k
                    else {}
                )
                found.append(
                    dict.fromkeys(NUMBERS, NAN)
                    | dict.fromkeys(TEXTS, "")
                    | {"run_id": "run", "kernel": kernel, "phase": phase, "layers": network, "activation": activation, "cost": cost}
                    | {
                        "n_params": cell.network.n_parameters,
                        "batch": batch,
                        "dtype": dtype,
                        "threads": n,
                        "status": "ok",
                        "verdict": "pass",
                    }
                    | {"max_rel_error": 2e-15, "n_samples": 40, "median_s": time, "ci_low_s": time * 0.995, "ci_high_s": time * 1.005}
                    | {"baseline": kernels[0], "speedup": speedup, "speedup_ci_low": speedup * 0.99, "speedup_ci_high": speedup * 1.01}
                    | behind(2.0 ** (len(kernels) - 1 - k))
                    | {"tie": "" if k == 0 else "False", "aa_ratio": 1.001, "aa_ci_low": 0.99, "aa_ci_high": 1.01, "aa_band": 0.02}
                    | {
                        "gflops": 1.0,
                        "share_of_peak": 0.1 * 2**-k,
                        "floor_s": base / 40,
                        "share_of_gemm": 0.5,
                        "share_of_gemm_ci_low": 0.49,
                    }
                    | {"share_of_gemm_ci_high": 0.51, "first_call_s": 1e-3, "dispatch_s": 1e-6 * (k + 1), "peak_bytes": 4096}
                    | backward
                    | jit
                )
    return found


def save(folder: Path, table: Rows, **about: Any) -> Path:
    """A run's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table, columns=["run_id", *TEXTS, *NUMBERS]).to_csv(folder / "summary.csv", index=False)
    if table:
        write_both(pd.DataFrame(table), folder)
    known = {"schema_version": 3, "run_id": "run", "complete": True, "command": "pytest bench/ --benchmark-only", "warnings": []}
    (folder / "run.json").write_text(json.dumps(known | about), encoding="utf-8")
    return folder


def page(folder: Path, table: Rows, **about: Any) -> str:
    return write_page(save(folder, table, **about)).read_text(encoding="utf-8")


class Parsed(HTMLParser):
    """The page's elements, addresses, ids and words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append(name)
            self.addresses += [value or ""] * (name in ("href", "src", "xlink:href", "action", "data", "srcset"))
            self.ids += [value or ""] * (name == "id")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def leaving(text: str) -> list[str]:
    """What a page would fetch, or lead to, beyond its own folder."""
    found = [a for a in Parsed(text).addresses if not re.fullmatch(r"#[\w.-]+|data:,|[\w.-]+\.(csv|json)|(\.\./)+verify/[\w./-]+\.csv", a)]
    return found + re.findall(r"""url\((?!#)[^)]*\)|@import|(?:fetch|import)\(|XMLHttpRequest|(?:src|href)\s*=\s*["']?\w+:(?!,)""", text)


def test_it_stands_alone(tmp_path: Path) -> None:
    text = page(tmp_path, rows())
    assert leaving(text) == []
    for planted in (
        '<img src="https://example.org/x.png">',
        '<link rel="stylesheet" href="//example.org">',
        "<style>a{background:url(x.png)}",
    ):
        assert leaving(text.replace("</main>", planted + "</main>")) != []
    assert "http" not in re.sub(r"http-equiv", "", text)


def test_every_section_is_there_with_what_the_tables_say(tmp_path: Path) -> None:
    text = page(tmp_path, rows())
    parsed = Parsed(text)
    sections = [
        "warnings",
        "wins",
        "times",
        "floors",
        "speedups",
        "why",
        "startup",
        "scaling",
        "verification",
        "machine",
        "files",
        "reading",
    ]
    assert [name for name in parsed.ids if name in sections] == sections
    assert "numba is the fastest in all 6 cells (one step, forward and backward): 2.0 times as fast as numpy." in text
    for told in (
        "2.00× [1.98, 2.02]",
        "Differences of up to 2 % are ties",
        "50.0 % [49.0, 51.0]",
        "pytest bench/ --benchmark-only",
        "4.00 KiB",
        "backward ÷ forward, by flops",
    ):
        assert told in parsed.text
    assert parsed.addresses.count("summary.csv") == 1
    assert len(parsed.ids) == len(set(parsed.ids))
    pointed_at = re.findall(r'(?:url\(|href=")#([^)"]*)', text)
    assert len(pointed_at) > 100
    assert set(pointed_at) <= set(parsed.ids)
    assert parsed.tags.count("svg") == 9  # three maps, all cells by work, two networks by batch, floor and peak, start-up


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    assert page(tmp_path / "a", rows()) == page(tmp_path / "b", rows())
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "crossovers.csv",
        "report.html",
        "run.json",
        "scaling.csv",
        "summary.csv",
    ]


def test_names_are_text(tmp_path: Path) -> None:
    plain = Parsed(page(tmp_path / "plain", rows([f"k{n}" for n in range(len(HOSTILE))], batches=(1, 32))))
    table = rows(HOSTILE, batches=(1, 32))
    table[2] |= {"status": "error", "median_s": NAN, "message": HOSTILE[0]}
    text = page(tmp_path / "hostile", table, warnings=[HOSTILE[0]], cpu_model=HOSTILE[0], **{HOSTILE[3]: {HOSTILE[4]: [HOSTILE[0]]}})
    parsed = Parsed(text)
    assert set(parsed.tags) == set(plain.tags)
    assert set(parsed.attributes) == set(plain.attributes)
    assert parsed.tags.count("script") == 1
    assert leaving(text) == []
    for name in HOSTILE:
        assert name in parsed.text
    assert any("a&amp;b's $x_$ &lt;/title&gt;" in picture for picture in re.findall(r"<svg.*?</svg>", text, re.DOTALL))  # no formula


def test_an_empty_run_says_so(tmp_path: Path) -> None:
    table = [row | {name: NAN for name in NUMBERS if name not in ("batch", "threads", "n_params")} for row in rows()]
    table = [row | {"status": "not_run", "verdict": "", "baseline": "", "tie": ""} for row in table]
    parsed = Parsed(page(tmp_path, table, complete=False))
    assert "No kernel has a time in this run." in parsed.text
    assert "This run is incomplete: 36 of 36 rows were not measured." in parsed.text
    assert "svg" not in parsed.tags
    assert "No kernel has a time" in page(tmp_path / "none", [])


def test_failures_come_first(tmp_path: Path) -> None:
    statuses = {"mine": ("failed_verification", "fail"), "naive": ("too_slow", ""), "other": ("error", "pass")}
    table = rows(["naive", "numpy", "numba", "mine", "other"])
    for row in table:
        if row["kernel"] in statuses:
            row |= dict(zip(("status", "verdict"), statuses[row["kernel"]], strict=True)) | {
                "median_s": NAN,
                "speedup": NAN,
                "message": "why not",
            }
    parsed = Parsed(page(tmp_path, table, complete=False))
    assert "incomplete run" in parsed.text
    assert "mine: failed verification in 18 rows" in parsed.text
    verification = parsed.text[parsed.text.index("Verdicts by kernel and dtype") :]
    assert verification.index("mine") < verification.index("numpy")
    assert "too slow naive 6 forward, backward and step; the first 64-30-10 x 1 float64 – why not" in verification


def test_what_the_run_warned_of_stands_before_its_findings(tmp_path: Path) -> None:
    text = page(tmp_path, rows(["numpy", "numba"]), warnings=["planted doubt"], processes=5)
    assert "planted doubt" in text[text.index('<section id="warnings"') : text.index('<section id="wins"')]
    assert "All cells are gone through 5 times, each time in another process" in text
    assert "gone through" not in page(tmp_path / "one", rows(["numpy"]), processes=1)


def test_who_hung_is_named_and_a_wide_band_has_no_exponent(tmp_path: Path) -> None:
    table = [row | {"aa_band": 1.34} for row in rows(["numpy", "numba", "mine"])]
    for row in table:
        row |= {"status": "timeout", "median_s": NAN, "speedup": NAN} if row["kernel"] == "mine" else {}
    text = page(tmp_path, table)
    assert "mine: timeout in 18 rows, no time there" in Parsed(text).text
    assert "Differences of up to 130 % are ties" in Parsed(text).text
    assert {name for legend in re.findall(r'<ul class="legend".*?</ul>', text) for name in re.findall(r"</span> (.*?)</li>", legend)} == {
        *("numpy", "numba", "the floor")
    }


def test_without_first_calls_there_is_no_chart_of_them_and_no_column(tmp_path: Path) -> None:
    of_start = ("cold_first_call_s", "cached_first_call_s", "break_even_calls", "break_even_calls_cached")
    whole, quick = (
        page(tmp_path / name, [row | dict.fromkeys(empty, NAN) for row in rows()])
        .partition('<section id="startup"')[2]
        .partition("</section>")[0]
        for name, empty in (("whole", ()), ("quick", of_start))
    )
    heads = re.findall(r'<th scope="col">(.*?)</th>', quick)
    assert heads == ["kernel", "dtype", "threads", "dispatch", "steady: fastest cell", "slowest cell"]
    assert "<svg" not in quick
    assert "--quick leaves them out" in quick
    assert "<svg" in whole
    assert "--quick" not in whole
    assert "breaks even after, steps" in whole


def test_the_page_reads_what_a_run_writes() -> None:
    assert {"run_id", *TEXTS, *NUMBERS} == {*SUMMARY} - {"speedup_vs_numpy"}


@pytest.mark.parametrize(
    "table",
    [
        rows(["numpy"], ["2-3-1"], [1], phases=["step"]),
        rows(phases=["forward"]),
        rows([f"kernel-{n}" for n in range(12)], threads=(1, 2, 4), dtypes=("float32", "float64"), phases=["step"]),
        rows(activation="tanh,relu", cost="squared_error", layers=["64-30-10"]),
        rows(activation="relu", cost="cross_entropy"),
    ],
    ids=["one", "forward", "twelve", "activations", "cross-entropy"],
)
def test_any_run_has_a_page(tmp_path: Path, table: Rows) -> None:
    text = page(tmp_path, table)
    assert leaving(text) == []
    assert not re.search(r"\bnan\b(?!\")", Parsed(text).text, re.IGNORECASE)

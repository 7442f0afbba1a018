"""Numbers read as they should."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deltacheck.bench.page import text
from deltacheck.bench.page.text import Estimate
from deltacheck.suites import formatting

NAN = float("nan")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (text.number, 0.0, "0"),
        (text.number, 0.012345, "0.0123"),
        (text.number, 9.996, "10.0"),
        (text.number, 123456.0, "123,000"),
        (text.number, 2e-15, "2.00e-15"),
        (text.number, NAN, "–"),
        (text.seconds, 999.6e-6, "1.00 ms"),
        (text.seconds, 131.4e-6, "131 µs"),
        (text.seconds, 3e-10, "0.300 ns"),
        (text.seconds, 75.0, "75.0 s"),
        (text.size, 1000, "1000 B"),
        (text.size, 1536, "1.50 KiB"),
        (text.size, 2**20, "1.00 MiB"),
        (text.count, 99_999, "99,999"),
        (text.count, 774_321, "774 k"),
        (text.percent, 0.00001, "< 0.01 %"),
        (text.percent, 0.823, "82.3 %"),
        (text.times, 2.919, "2.9 times"),
        (text.ratio_interval, Estimate.of(3.1, 3.04, 3.3), "3.10× [3.04, 3.30]"),
        (text.ratio_interval, Estimate.of(3.1, NAN, NAN), "3.10×"),
        (text.ratio_interval, Estimate.of(NAN, 1.0, 2.0), "–"),
        (text.percent_interval, Estimate.of(0.5, 0.49, 0.51), "50.0 % [49.0, 51.0]"),
        (text.count_interval, Estimate.of(98.4, 1.31, 112.2), "98 [1.3, 112]"),
        (text.count_interval, Estimate.of(98_671, 18_021, 106_000), "98.7 k [18.0 k, 106 k]"),
        (text.count_interval, Estimate.of(98_671, 18_021, 99_000), "98,671 [18,021, 99,000]"),
        (formatting.percent_text, 0.047, "4.7 %"),
        (formatting.percent_text, 0.02, "2 %"),
        (formatting.percent_text, 0.144, "14 %"),
        (formatting.percent_text, 0.996, "100 %"),
        (formatting.percent_text, 1.29, "130 %"),
        (formatting.percent_text, 56.3, "5600 %"),
        (formatting.percent_text, 1e-7, "0.00001 %"),
        (formatting.percent_text, 0.0, "0 %"),
        (text.exponent, Estimate.of(0.984, 0.951, 1.012), "0.98 [0.95, 1.01]"),
    ],
)
def test_numbers(read: Callable[[float], str], value: float, expected: str) -> None:
    assert read(value) == expected

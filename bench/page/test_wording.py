"""Numbers read as they should."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deltacheck.bench.page import wording
from deltacheck.bench.page.wording import Estimate
from deltacheck.suites import formatting

NAN = float("nan")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (wording.number, 0.0, "0"),
        (wording.number, 0.012345, "0.0123"),
        (wording.number, 9.996, "10.0"),
        (wording.number, 123456.0, "123,000"),
        (wording.number, 2e-15, "2.00e-15"),
        (wording.number, NAN, "–"),
        (wording.seconds, 999.6e-6, "1.00 ms"),
        (wording.seconds, 131.4e-6, "131 µs"),
        (wording.seconds, 3e-10, "0.300 ns"),
        (wording.seconds, 75.0, "75.0 s"),
        (wording.size, 1000, "1000 B"),
        (wording.size, 1536, "1.50 KiB"),
        (wording.size, 2**20, "1.00 MiB"),
        (wording.count, 99_999, "99,999"),
        (wording.count, 774_321, "774 k"),
        (wording.percent, 0.00001, "< 0.01 %"),
        (wording.percent, 0.823, "82.3 %"),
        (wording.times, 2.919, "2.9 times"),
        (wording.ratio_interval, Estimate.of(3.1, 3.04, 3.3), "3.10× [3.04, 3.30]"),
        (wording.ratio_interval, Estimate.of(3.1, NAN, NAN), "3.10×"),
        (wording.ratio_interval, Estimate.of(NAN, 1.0, 2.0), "–"),
        (wording.percent_interval, Estimate.of(0.5, 0.49, 0.51), "50.0 % [49.0, 51.0]"),
        (wording.count_interval, Estimate.of(98.4, 1.31, 112.2), "98 [1.3, 112]"),
        (wording.count_interval, Estimate.of(98_671, 18_021, 106_000), "98.7 k [18.0 k, 106 k]"),
        (wording.count_interval, Estimate.of(98_671, 18_021, 99_000), "98,671 [18,021, 99,000]"),
        (formatting.percent_text, 0.047, "4.7 %"),
        (formatting.percent_text, 0.02, "2 %"),
        (formatting.percent_text, 0.144, "14 %"),
        (formatting.percent_text, 0.996, "100 %"),
        (formatting.percent_text, 1.29, "130 %"),
        (formatting.percent_text, 56.3, "5600 %"),
        (formatting.percent_text, 1e-7, "0.00001 %"),
        (formatting.percent_text, 0.0, "0 %"),
        (wording.exponent, Estimate.of(0.984, 0.951, 1.012), "0.98 [0.95, 1.01]"),
    ],
)
def test_numbers(read: Callable[[float], str], value: float, expected: str) -> None:
    assert read(value) == expected

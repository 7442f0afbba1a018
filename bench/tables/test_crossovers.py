"""Crossovers are found where they were put, and as uncertain as the intervals make them."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.bench.tables.test_scaling_table import NAN, crossed, over_networks, rows


def test_a_crossover_and_its_uncertainty() -> None:
    found = crossed(rows("a", lambda b: 1e-5 * b, spread=0.1), rows("b", lambda b: 1e-4 * b**0.5, spread=0.1))
    (row,) = found.to_dict("records")
    assert (row["faster_below"], row["faster_above"], row["size_below"], row["size_above"]) == ("a", "b", 64, 256)
    assert row["crossover"] == pytest.approx(100)
    # The log-ratio is ln(b / 100) / 2, its interval ln(1.1) √2 to either side
    bounds = [100 * np.exp(sign * 2 * np.sqrt(2) * np.log(1.1)) for sign in (-1, 1)]
    assert [row["crossover_low"], row["crossover_high"]] == pytest.approx(bounds)


def test_the_uncertainty_spreads_over_neighbours_and_may_have_no_end() -> None:
    (row,) = crossed(rows("a", lambda b: b**0.05, spread=0.2), rows("b", lambda b: 10**0.05, spread=0.2)).to_dict("records")
    assert row["crossover"] == pytest.approx(10)
    assert np.isnan([row["crossover_low"], row["crossover_high"]]).all()
    wide = [one | {"ci_low_s": NAN, "ci_high_s": NAN} if one["batch"] == 256 else one for one in rows("a", lambda b: 1.0 * b)]
    (row,) = crossed(wide, rows("b", lambda b: 100.0, spread=0.1)).to_dict("records")
    assert row["crossover"] == pytest.approx(100)
    assert np.isnan([row["crossover_low"], row["crossover_high"]]).all()  # a neighbour without an interval
    (row,) = crossed(rows("a", lambda b: b**0.5, spread=0.5), rows("b", lambda b: 4.0, spread=0.5)).to_dict("records")
    assert [row["crossover_low"], row["crossover_high"]] == pytest.approx([16 * 1.5 ** (-2 * 2**0.5), 16 * 1.5 ** (2 * 2**0.5)])


def test_along_the_work_too_and_once_for_networks_of_the_same_work() -> None:
    same = ("16-16-16", "64-64-64", "64-32-96", "128-32-32", "256-256-256")  # the third and fourth have the same work
    laws = over_networks("a", lambda w: 1e-9 * w, same), over_networks("b", lambda w: 1e-9 * (65536 * w) ** 0.5, same)
    (row,) = crossed(*laws, along="work").to_dict("records")
    assert row["crossover"] == pytest.approx(65536)
    assert (row["batch"], row["faster_above"]) == (8, "b")
    twins = over_networks("a", lambda w: 2.0, ("8-8-8", "8-4-12-8")), over_networks("b", lambda w: 1.0, ("8-8-8", "8-4-12-8"))
    assert crossed(*twins, along="work").empty


def test_none_several_and_exact_ties() -> None:
    flat = rows("b", lambda b: 1.0)
    assert crossed(rows("a", lambda b: 2.0), flat).empty
    assert crossed(rows("a", lambda b: 1e-5 * b)).empty  # a single kernel
    assert crossed(rows("a", lambda b: 1.0), flat).empty  # a tie throughout
    assert crossed(rows("a", lambda b: {16: 1.0}.get(b, 2.0)), flat).empty  # touches, and does not cross
    several = crossed(rows("a", lambda b: {1: 2.0, 4: 0.5, 16: 2.0, 64: 2.0, 256: 0.5}[b]), flat)
    assert several["crossover"].tolist() == pytest.approx([2.0, 8.0, 128.0])
    assert several["faster_above"].tolist() == ["a", "b", "a"]
    (row,) = crossed(rows("a", lambda b: b / 16), flat).to_dict("records")  # equal at a measured size
    assert (row["crossover"], row["size_below"], row["size_above"]) == (pytest.approx(16), 4, 64)
    assert row["crossover_low"] < 16 < row["crossover_high"]

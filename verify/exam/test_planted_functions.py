"""The planted bugs of functions are bugs, and their right gradients are right: without the checker."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deltacheck.verify.exam.planted_functions.catalogue import BUGS
from deltacheck.verify.exam.planted_functions.planted_bug import BY_BEHAVIOUR
from deltacheck.verify.exam.planted_scores import planted_closing, planted_rows

# Its errors are of the size by which it changes itself between neighbours of theta: rounding, to whoever looks from outside.
UNTOLD = {"forward difference, step too small"}
WRONG_BY = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-3}  # relative, in the entry that is most wrong


def test_there_are_enough_and_each_has_its_name():
    assert len(BUGS) >= 80
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert len({bug.kind for bug in BUGS}) >= 10


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_right_gradients_are_right_by_differences(bug):
    """To four digits: by the best of central differences at several steps. One-sided ones bound it at a kink."""
    cost, right, _, theta = bug.make()
    got = np.asarray(right(theta.copy()), float).ravel()
    assert got.shape == (theta.size,)
    noise = {"noise": 2e-2, "precision": 1e-2}.get(bug.kind, 1e-4 if theta.dtype == np.float64 else 1e-2)
    for entry in np.random.default_rng(0).permutation(theta.size)[:12]:
        nearest = np.inf
        for step in 10.0 ** -np.arange(1, 13 if theta.dtype == np.float64 else 4):
            values = []
            h = step * (abs(float(theta.ravel()[entry])) or 1.0) * (10 if bug.kind == "noise" else 1)
            for sign in (1, 0, -1):
                at = theta.copy()
                at.ravel()[entry] += at.dtype.type(sign * h)
                with np.errstate(all="ignore"):
                    values.append(float(cost(at)))
            slopes = np.array([values[0] - values[1], values[1] - values[2]]) / h
            if not np.isfinite(slopes).all():
                continue
            central = slopes.mean()
            outside = max(got[entry] - slopes.max(), slopes.min() - got[entry], 0.0) if bug.kind in ("kinks", "ties") else np.inf
            nearest = min(nearest, abs(central - got[entry]), outside)
        assert nearest <= noise * max(abs(got[entry]), 1e-3 * abs(got).max()), f"entry {entry}"


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_wrong_one_is_caught_and_the_right_one_is_not(bug):
    row = planted_rows(bug.name)[0]
    assert row["right"] == "pass"
    assert (row["wrong"] == "fail") != (bug.name in UNTOLD)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.kind not in BY_BEHAVIOUR], ids=str)
def test_wrong_numbers_are_wrong_beyond_rounding(bug):
    cost, right, wrong, theta = bug.make()
    good, bad = (np.asarray(one(theta.copy()), float) for one in (right, wrong))
    assert good.shape == bad.shape == theta.shape
    off = abs(bad - good)
    relative = off / np.where(good == 0, abs(good).max() or 1.0, abs(good))
    assert relative.max() >= WRONG_BY[theta.dtype]
    size = np.maximum(abs(theta), np.median(abs(theta)))
    u = float(np.finfo(theta.dtype).eps)
    noise = {"noise": 1e-6}.get(bug.kind, u) * abs(float(cost(theta.copy())))
    assert (off * np.where(size > 0, size, 1.0) > 100 * noise).any(), "it could not be seen in the cost"


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.kind in BY_BEHAVIOUR], ids=str)
def test_wrong_behaviour_shows_in_a_few_calls(bug):
    cost, right, wrong, theta = bug.make()
    assert not misbehaves(right, right, cost, theta)
    assert misbehaves(wrong, right, cost, theta)


def misbehaves(gradient, right, cost, theta):
    """Whether a call changes its input, or its result is not the right one, now or after later calls."""
    shared = theta.copy()
    kept = []
    for point in (theta, theta, 0.5 * theta, theta + theta.dtype.type(1e-4), theta):
        shared[...] = point  # one array for all calls, as an optimiser may have it
        result = gradient(shared)
        if shared.tobytes() != point.tobytes():
            return True
        if type(result) is not np.ndarray or result.shape != theta.shape or result.dtype != theta.dtype:
            return True
        kept.append((result, result.copy(), right(point)))
        cost(0.25 * theta)
    return any(not np.array_equal(now, then) or not np.allclose(then, expected, rtol=1e-5) for now, then, expected in kept)


def test_each_bug_has_a_row_and_the_closing_lines_name_what_is_not_as_it_should_be():
    table = pd.DataFrame([*planted_rows("one NaN among forty"), *planted_rows("returns a column")])
    assert table["wrong"].tolist() == ["fail", "fail"]
    assert (table["evaluations"] >= 1).all()
    table.loc[0, ["wrong", "message"]] = ["pass", "nothing found"]
    table.loc[1, ["right", "message"]] = ["fail", "too strict"]
    lines = planted_closing(table)
    assert lines[0].startswith("not finite: 0 of 1 caught")
    assert "not caught: one NaN among forty (not finite): pass nothing found" in lines
    assert "not passed, though right: returns a column (contract): fail too strict" in lines

"""What cost and gradient return: Python numbers, arrays of one entry, lists, other dtypes, other shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from deltacheck.verify.exam.gradient_cases.case import FAIL, NOT_PASS, PASS, UNSURE, Array, Case, Make

TASTE = ("pass", "fail")  # the numbers are right, their type is a matter of taste


def _square(cost_as: Callable[[Any], Any] = lambda v: v, gradient_as: Callable[[Array], Any] = lambda g: g, dtype: Any = float) -> Make:
    """The sum of squares at (1, 2): its cost and gradient as they are returned."""
    return lambda: (lambda t: cost_as(t @ t), lambda t: gradient_as(2 * t), np.array([1.0, 2.0], dtype))


def _matrix(gradient_as: Callable[[Array], Any]) -> Make:
    a = np.array([[1.0, 2.0], [0.5, -1.0]])
    return lambda: (lambda t: np.sum(a * t**2), lambda t: gradient_as(2 * a * t), np.array([[0.3, 1.1], [-0.7, 0.2]]))


def _whole(value: Any, gradient: Any) -> Make:
    return lambda: (lambda t: value, lambda t: gradient, np.array([1.0, 2.0]))


def _read_only(g: Array) -> Array:
    g.flags.writeable = False
    return g


CASES = [
    Case("cost of shape (1,)", "scipy/scipy#10169", PASS, _square(lambda v: v.reshape(1))),
    Case("cost of shape (1,), twice the gradient", "scipy/scipy#10169", FAIL, _square(lambda v: v.reshape(1), lambda g: 2 * g)),
    Case("cost of shape (1, 1)", "scipy/scipy#10673", UNSURE, _square(lambda v: v.reshape(1, 1))),
    Case("cost of shape ()", "scipy/scipy#10673", PASS, _square(np.asarray)),
    Case("cost a Python float", "", PASS, _square(float)),
    Case("cost a Python float, half the gradient", "", FAIL, _square(float, lambda g: g / 2)),
    Case("cost a constant Python int", "", PASS, _whole(7, np.zeros(2))),
    Case("cost a constant Python int, slope 1", "", FAIL, _whole(7, np.ones(2))),
    Case("cost a bool", "", UNSURE, _whole(True, np.zeros(2))),
    Case("cost of np.float32 under a float32 theta", "", PASS, _square(np.float32, dtype=np.float32)),
    Case("cost of np.longdouble", "", PASS, _square(np.longdouble)),
    Case("cost complex, its imaginary part 0", "", TASTE, _square(complex)),
    Case("gradient a list", "", PASS, _square(gradient_as=lambda g: g.tolist())),
    Case("gradient a list, in another order", "", FAIL, _square(gradient_as=lambda g: g.tolist()[::-1])),
    Case("gradient a tuple", "", PASS, _square(gradient_as=tuple)),
    Case("gradient nested lists of a matrix", "", PASS, _matrix(lambda g: g.tolist())),
    Case("gradient of a matrix, transposed", "", FAIL, _matrix(lambda g: g.T)),
    Case("gradient of a matrix, one row for both", "", FAIL, _matrix(lambda g: g[:1])),
    Case("gradient a pandas series", "", PASS, _square(gradient_as=pd.Series)),
    Case("gradient of ints", "", TASTE, _square(gradient_as=lambda g: g.astype(int))),
    Case("gradient cut to ints", "", FAIL, _square(gradient_as=lambda g: (g / 1.5).astype(int))),
    Case("gradient in float32 under a float64 theta, exact", "", UNSURE, _square(gradient_as=lambda g: g.astype("f"))),
    Case("gradient complex, its imaginary part 0", "", TASTE, _square(gradient_as=lambda g: g + 0j)),
    Case("gradient complex, its imaginary part 1", "", FAIL, _square(gradient_as=lambda g: g + 1j)),
    Case("gradient of shape (2, 1)", "facebookresearch/shumai#74", NOT_PASS, _square(gradient_as=lambda g: g[:, None])),
    Case("gradient one entry short", "", FAIL, _square(gradient_as=lambda g: g[:1])),
    Case("gradient one entry long", "facebookresearch/shumai#74", FAIL, _square(gradient_as=lambda g: np.r_[g, 0])),
    Case("gradient summed to a number", "probcomp/Gen.jl#432", FAIL, _square(gradient_as=np.sum)),
    Case("gradient not summed over the batch", "deeplearning4j/nd4j#2424", FAIL, _square(gradient_as=lambda g: np.stack([g / 3] * 3))),
    Case("gradient None", "", FAIL, _square(gradient_as=lambda g: None)),
    Case("gradient infinite", "", FAIL, _square(gradient_as=lambda g: g * [1, np.inf])),
    Case("gradient with an entry under a mask", "", FAIL, _square(gradient_as=lambda g: np.ma.masked_array(g, [True, False]))),
    Case("gradient read-only", "", PASS, _square(gradient_as=_read_only)),
    Case("gradient is theta itself", "", PASS, lambda: (lambda t: t @ t / 2, lambda t: t, np.array([1.0, 2.0]))),
    Case("gradient is theta itself, of twice the cost", "", FAIL, lambda: (lambda t: t @ t, lambda t: t, np.array([1.0, 2.0]))),
    Case("gradient a view that runs backwards", "", PASS, _square(gradient_as=lambda g: g[::-1].copy()[::-1])),
]

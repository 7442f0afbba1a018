"""Maxima, ranks and quantiles: with ties, where the gradient may be shared out, and without."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed


def _max(*weights: float) -> Make:
    return lambda: (
        lambda t: np.max(t[:3]) + np.sum(t[3:] ** 2),
        lambda t: np.r_[np.array(weights), 2 * t[3:]],
        np.array([2.0, 2.0, 1.0, 0.5, 0.7]),
    )


def _min(*weights: float) -> Make:
    return lambda: (lambda t: np.min(t), lambda t: np.array(weights), np.array([0.5, 0.5, 0.5, 2.0]))


def _top_two(weights: tuple[float, ...]) -> Make:
    return lambda: (lambda t: np.sum(np.sort(t)[-2:]), lambda t: np.array(weights), np.array([1.0, 2.0, 6.0, 4.0, 5.0]))


def _top_two_tied(weights: tuple[float, ...]) -> Make:
    return lambda: (lambda t: np.sum(np.sort(t)[-2:]), lambda t: np.array(weights), np.array([3.0, 3.0, 6.0, 1.0]))


def _median(weights: tuple[float, ...]) -> Make:
    return lambda: (lambda t: np.median(t) ** 2, lambda t: 2 * np.median(t) * np.array(weights), np.array([3.0, 0.4, 2.0, 2.6, -1.0, 7.0]))


def _quantile() -> Triple:
    def gradient(t: Array) -> Array:
        order, g = np.argsort(t), np.zeros(5)
        g[order[1]], g[order[2]] = 0.8, 0.2
        return g

    return lambda t: np.quantile(t, 0.3), gradient, np.array([0.7, -1.2, 3.3, 1.9, 0.1])


def _ranked_weights() -> Triple:
    w = np.array([0.1, 0.5, -0.3, 2.0])

    def gradient(t: Array) -> Array:
        return w[np.argsort(np.argsort(t))]

    return lambda t: w @ np.sort(t), gradient, np.array([0.4, -0.8, 2.2, 1.1])


def _pooled(accumulate: bool) -> Make:
    def windows(t: Array) -> Any:
        return [(i, j, t[i : i + 2, j : j + 2]) for i in range(4) for j in range(4)]

    def gradient(t: Array) -> Array:
        g = np.zeros_like(t)
        for i, j, w in windows(t):
            a, b = np.unravel_index(np.argmax(w), (2, 2))
            g[i + a, j + b] = accumulate * g[i + a, j + b] + 1
        return g

    return lambda: (lambda t: sum(np.max(w) for _, _, w in windows(t)), gradient, np.random.default_rng(7).random((5, 5)))


def _log_sum_exp() -> Triple:
    def gradient(t: Array) -> Any:
        e = np.exp(t - np.max(t))
        return e / np.sum(e)

    return lambda t: np.max(t) + np.log(np.sum(np.exp(t - np.max(t)))), gradient, np.array([2.0, 2.0, 2.0, 1.0])


def _range() -> Triple:
    def gradient(t: Array) -> Array:
        g = np.zeros(4)
        g[np.argmax(t)] += 1
        g[np.argmin(t)] -= 1
        return g

    return lambda t: np.ptp(t), gradient, np.array([0.3, 1.7, -0.2, 1.2])


CASES = [
    Case("a tie of max, shared out", "tensorflow/tensorflow#4886", PASS, _max(0.5, 0.5, 0)),
    Case("a tie of max, to one", "tensorflow/tensorflow#4886", PASS, _max(1, 0, 0)),
    Case("a tie of max, 1 to both", "tensorflow/tensorflow#4886", FAIL, _max(1, 1, 0)),
    Case("a tie of max, 0 to all", "tensorflow/tensorflow#4886", FAIL, _max(0, 0, 0)),
    Case("a tie of three for min, shared out", "pytorch/pytorch#43519", PASS, _min(1 / 3, 1 / 3, 1 / 3, 0)),
    Case("a tie of three for min, to the first", "pytorch/pytorch#43519", PASS, _min(1, 0, 0, 0)),
    Case("a tie of three for min, a half to each", "", FAIL, _min(0.5, 0.5, 0.5, 0)),
    Case("the two largest", "", PASS, _top_two((0, 0, 1, 0, 1))),
    Case("the two largest, to the wrong places", "ml-explore/mlx#1428", FAIL, _top_two((0, 0, 1, 1, 0))),
    Case("the two largest with a tie for the second, to one", "", PASS, _top_two_tied((0, 1, 1, 0))),
    Case("the two largest with a tie for the second, to both", "", FAIL, _top_two_tied((1, 1, 1, 0))),
    Case("median of six", "", PASS, _median((0, 0, 0.5, 0.5, 0, 0))),
    Case("median of six, the lower of the two only", "", FAIL, _median((0, 0, 1, 0, 0, 0))),
    Case("quantile between two entries", "pytorch/pytorch#185543", PASS, _quantile),
    Case("quantile between two entries, weights exchanged", "", FAIL, changed(_quantile, lambda g, t: np.where(g > 0, 1 - g, 0))),
    Case("weights by rank", "", PASS, _ranked_weights),
    Case("weights by rank, sorted in place of ranked", "", FAIL, changed(_ranked_weights, lambda g, t: g[np.argsort(t)])),
    Case("max pooling, windows that overlap", "FluxML/NNlib.jl#205", PASS, _pooled(True)),
    Case("max pooling, windows that overlap, written over", "FluxML/NNlib.jl#205", FAIL, _pooled(False)),
    Case("a smooth maximum with a tie", "", PASS, _log_sum_exp),
    Case("a smooth maximum with a tie, to one", "", FAIL, changed(_log_sum_exp, lambda g, t: np.eye(4)[0])),
    Case("largest minus smallest", "", PASS, _range),
    Case("largest minus smallest, the smallest left out", "", FAIL, changed(_range, lambda g, t: np.maximum(g, 0))),
]

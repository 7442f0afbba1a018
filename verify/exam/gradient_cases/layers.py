"""Layers of networks: normalisation, losses, regularisation, embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, log_softmax, softmax

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed, times

WEIGHTS = np.random.default_rng(20).normal(size=(6, 4))


def _normalisation(axis: int, kept: tuple[bool, bool] = (True, True)) -> Make:
    """Layer norm over axis 1, batch norm over axis 0; ``kept`` says whether mean and deviation are differentiated."""

    def normal(t: Array) -> Any:
        centred = t - np.mean(t, axis, keepdims=True)
        return centred / np.sqrt(np.mean(centred**2, axis, keepdims=True) + 1e-5)

    def gradient(t: Array) -> Any:
        z, g = normal(t), WEIGHTS.copy()
        deviation = np.sqrt(np.var(t, axis, keepdims=True) + 1e-5)
        g = g - kept[1] * z * np.mean(WEIGHTS * z, axis, keepdims=True)
        return (g - kept[0] * np.mean(g, axis, keepdims=True)) / deviation

    return lambda: (lambda t: np.sum(WEIGHTS * normal(t)), gradient, np.random.default_rng(21).normal(size=(6, 4)))


def _cross_entropy(targets: Array) -> Make:
    return lambda: (
        lambda t: -np.sum(targets * log_softmax(t, axis=1)),
        lambda t: softmax(t, axis=1) * np.sum(targets, axis=1, keepdims=True) - targets,
        np.random.default_rng(22).normal(size=(3, 4)),
    )


SMOOTHED = 0.9 * np.eye(4)[[1, 3, 0]] + 0.025
COUNTED = np.array([[2.0, 0.0, 1.0, 0.0], [0.0, 3.0, 0.5, 0.0], [1.0, 1.0, 0.0, 1.0]])


def _smooth_l1(beta: float) -> Make:
    y = np.array([0.2, -1.0, 3.0])

    def cost(t: Array) -> Any:
        d = abs(t - y)
        return np.sum(np.where(d < beta, d**2 / (2 * beta), d - beta / 2))

    return lambda: (cost, lambda t: np.clip((t - y) / beta, -1, 1), np.array([0.3, 1.0, 2.9]))


def _clipped() -> Triple:
    return lambda t: np.sum(np.clip(t, -1, 1) ** 3), lambda t: 3 * t**2 * (abs(t) < 1), np.array([0.4, -2.0, 0.9, 1.3])


def _embedding(add: bool) -> Make:
    tokens, w = np.array([2, 0, 2, 1, 2]), np.random.default_rng(23).normal(size=(5, 3))

    def gradient(t: Array) -> Array:
        g, rows = np.zeros_like(t), w / np.cosh(t[tokens]) ** 2
        if add:
            np.add.at(g, tokens, rows)
        else:
            g[tokens] = rows
        return g

    return lambda: (lambda t: np.sum(w * np.tanh(t[tokens])), gradient, np.random.default_rng(24).normal(size=(4, 3)))


def _regularised() -> Triple:
    x, y = np.random.default_rng(25).normal(size=(20, 3)), np.random.default_rng(26).random(20) < 0.5
    return (
        lambda t: np.mean(np.logaddexp(0, x @ t) - y * (x @ t)) + 1e-4 * np.sum(t**2),
        lambda t: x.T @ (expit(x @ t) - y) / 20 + 2e-4 * t,
        np.array([0.5, -1.0, 2.0]),
    )


def _gelu() -> Triple:
    k = np.sqrt(2 / np.pi)

    def slope(t: Array) -> Any:
        h = np.tanh(k * (t + 0.044715 * t**3))
        return 0.5 * (1 + h) + 0.5 * t * (1 - h**2) * k * (1 + 3 * 0.044715 * t**2)

    return lambda t: np.sum(0.5 * t * (1 + np.tanh(k * (t + 0.044715 * t**3)))), slope, np.array([0.4, -1.5, 2.0])


def _swish() -> Triple:
    return lambda t: np.sum(t * expit(t)), lambda t: expit(t) * (1 + t * expit(-t)), np.array([0.4, -1.5, 2.0])


def _cosine_similarity() -> Triple:
    y = np.array([1.0, -0.5, 0.3])

    def gradient(t: Array) -> Any:
        n = np.linalg.norm(t)
        return y / (n * np.linalg.norm(y)) - (t @ y) * t / (n**3 * np.linalg.norm(y))

    return lambda t: t @ y / np.linalg.norm(t) / np.linalg.norm(y), gradient, np.array([0.4, -1.5, 2.0])


def _label_left_out(g: Array, t: Array) -> Any:
    return softmax(t, axis=1) - COUNTED


def _first_term(t: Array) -> Any:
    y = np.array([1.0, -0.5, 0.3])
    return y / (np.linalg.norm(t) * np.linalg.norm(y))


CASES = [
    Case("layer norm", "", PASS, _normalisation(1)),
    Case("layer norm, the deviation held fixed", "abhiskk/ladder#2", FAIL, _normalisation(1, (True, False))),
    Case("layer norm, the mean held fixed", "", FAIL, _normalisation(1, (False, True))),
    Case("batch norm", "BVLC/caffe#4110", PASS, _normalisation(0)),
    Case("batch norm, mean and deviation held fixed", "", FAIL, _normalisation(0, (False, False))),
    Case(
        "batch norm, the deviation's term summed for averaged",
        "apache/mxnet#1053",
        FAIL,
        changed(_normalisation(0), lambda g, t: g - 0.1 * (t - np.mean(t, 0))),
    ),
    Case("cross entropy of smoothed labels", "", PASS, _cross_entropy(SMOOTHED)),
    Case(
        "cross entropy of smoothed labels, as if not smoothed",
        "",
        FAIL,
        changed(_cross_entropy(SMOOTHED), lambda g, t: softmax(t, axis=1) - np.eye(4)[[1, 3, 0]]),
    ),
    Case("cross entropy of counts", "kvark/meganeura#102", PASS, _cross_entropy(COUNTED)),
    Case(
        "cross entropy of counts, as if they added up to 1", "kvark/meganeura#102", FAIL, changed(_cross_entropy(COUNTED), _label_left_out)
    ),
    Case("smooth L1 of width 0.25", "pytorch/pytorch#17447", PASS, _smooth_l1(0.25)),
    Case("smooth L1 of width 0.25, not divided by it", "pytorch/pytorch#17447", FAIL, changed(_smooth_l1(0.25), times(0.25))),
    Case("cube of a clipped value", "PaddlePaddle/Paddle#12597", PASS, _clipped),
    Case("cube of a clipped value, not clipped", "", FAIL, changed(_clipped, lambda g, t: 3 * t**2)),
    Case("embedding with repeated tokens", "pytorch/pytorch#1631", PASS, _embedding(True)),
    Case("embedding with repeated tokens, written over", "pytorch/pytorch#1631", FAIL, _embedding(False)),
    Case("weight decay", "", PASS, _regularised),
    Case("weight decay, left out", "", FAIL, changed(_regularised, lambda g, t: g - 2e-4 * t)),
    Case("gelu by tanh", "", PASS, _gelu),
    Case("gelu by tanh, the cube left out", "", FAIL, changed(_gelu, lambda g, t: g - 0.5 * t * 0.1 * t**2)),
    Case("swish", "", PASS, _swish),
    Case("swish, the product rule left out", "", FAIL, changed(_swish, lambda g, t: expit(t))),
    Case("cosine similarity", "", PASS, _cosine_similarity),
    Case("cosine similarity, the norm held fixed", "", FAIL, changed(_cosine_similarity, lambda g, t: _first_term(t))),
]

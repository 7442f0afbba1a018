"""All in float32: parameters, data and cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, UNSURE, Array, Case, Make, Triple, changed, entry_times, times


def _layer(seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(40, 10)).astype("f"), (rng.normal(size=(10, 20)) * 0.1).astype("f")
    return x, w, rng.normal(size=(40, 20)).astype("f")


def _relu(seed: int) -> Make:
    x, w, y = _layer(seed)
    return lambda: (
        lambda t: 0.5 * np.sum((np.maximum(x @ t, 0) - y) ** 2),
        lambda t: (x.T @ ((np.maximum(x @ t, 0) - y) * (x @ t > 0))).astype(t.dtype),
        w.copy(),
    )


def _softplus() -> Triple:
    x, w, y = _layer(5)
    return (
        lambda t: 0.5 * np.sum((np.logaddexp(0, x @ t) - y) ** 2),
        lambda t: (x.T @ ((np.logaddexp(0, x @ t) - y) / (1 + np.exp(-(x @ t))))).astype(t.dtype),
        w,
    )


def _linear() -> Triple:
    x = np.array([[0.3, 0.8]], "f")
    return lambda t: np.sum((x @ t.reshape(2, 1)) ** 2), lambda t: (2 * x.T @ (x @ t.reshape(2, 1))).ravel(), np.array([-0.36, 0.27], "f")


def _convolution() -> Triple:
    x = np.random.default_rng(3).random(60).astype("f")

    def windows() -> Any:
        return np.lib.stride_tricks.sliding_window_view(x, 5)

    return (
        lambda t: np.sum(np.tanh(windows() @ t) ** 2),
        lambda t: (windows().T @ (2 * np.tanh(windows() @ t) / np.cosh(windows() @ t) ** 2)).astype("f"),
        np.array([0.3, -0.5, 0.2, 0.1, -0.4], "f"),
    )


def _sine_at_1e4() -> Triple:
    return lambda t: np.sum(np.sin(t)), np.cos, np.array([1e4, 1.2e4], "f")


def _matrix_product() -> Triple:
    rng = np.random.default_rng(4)
    y = rng.random((84, 1)).astype("f")
    return lambda t: np.sum(t @ y), lambda t: y.T.copy(), rng.random((1, 84)).astype("f")


def _wide_cost() -> Triple:
    return lambda t: float(np.sum(np.exp(t.astype(float)))), np.exp, np.array([0.4, -1.0, 2.0], "f")


def _exponential() -> Triple:
    return lambda t: np.sum(np.exp(t)), np.exp, np.array([80.0, 79.0], "f")


def _softmax() -> Triple:
    def softmax(t: Array) -> Any:
        e = np.exp(t - np.max(t))
        return e / np.sum(e)

    return lambda t: -np.log(softmax(t)[1]), lambda t: softmax(t) - np.eye(4, dtype="f")[1], np.array([0.5, -1.0, 2.0, 0.1], "f")


CASES = [
    *(Case(f"relu layer in float32, seed {seed}", "", PASS if seed == 0 else UNSURE, _relu(seed)) for seed in range(6)),
    Case("relu layer in float32, 20 % off", "", FAIL, changed(_relu(0), times(1.2))),
    Case("softplus layer in float32", "", PASS, _softplus),
    Case(
        "softplus layer in float32, one entry's sign turned",
        "",
        FAIL,
        changed(_softplus, lambda g, t: g * np.where(abs(g) == np.max(abs(g)), -1, 1)),
    ),
    Case("two weights in float32", "pytorch/pytorch#5351", PASS, _linear),
    Case("two weights in float32, off by 5 %", "", FAIL, changed(_linear, times(1.05))),
    Case("convolution in float32", "intel/ipex-llm#833", PASS, _convolution),
    Case("convolution in float32, the kernel flipped", "", FAIL, changed(_convolution, lambda g, t: g[::-1])),
    Case("sine at 1e4 in float32", "", UNSURE, _sine_at_1e4),
    Case("sine at 1e4 in float32, sign turned", "", FAIL, changed(_sine_at_1e4, times(-1.0))),
    Case("matrix product in float32", "PaddlePaddle/Paddle#4283", PASS, _matrix_product),
    Case("matrix product in float32, one entry doubled", "PaddlePaddle/Paddle#4283", FAIL, changed(_matrix_product, entry_times(17, 2.0))),
    Case("float64 cost of a float32 theta", "", PASS, _wide_cost),
    Case("float64 cost of a float32 theta, off by 2 %", "", FAIL, changed(_wide_cost, times(1.02))),
    Case("exponential at 80 in float32", "", PASS, _exponential),
    Case("exponential at 80 in float32, infinite", "", FAIL, changed(_exponential, times(np.inf))),
    Case("cross entropy in float32", "", PASS, _softmax),
    Case("cross entropy in float32, the label left out", "", FAIL, changed(_softmax, lambda g, t: g + np.eye(4, dtype="f")[1])),
]

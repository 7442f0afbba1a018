"""Convolution, attention and recurrent steps, written by loops or by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, softmax

from deltacheck.verify.exam.gradient_cases.case import FAIL, PASS, Array, Case, Make, Triple, changed, times


def _convolution() -> Triple:
    """A 3 by 3 kernel over a 6 by 5 image."""
    rng = np.random.default_rng(30)
    image, w = rng.normal(size=(6, 5)), rng.normal(size=(4, 3))

    def output(t: Array) -> Array:
        return np.array([[np.sum(image[i : i + 3, j : j + 3] * t) for j in range(3)] for i in range(4)])

    def gradient(t: Array) -> Array:
        slope, g = w / np.cosh(output(t)) ** 2, np.zeros((3, 3))
        for i in range(4):
            for j in range(3):
                g += slope[i, j] * image[i : i + 3, j : j + 3]
        return g

    return lambda t: np.sum(w * np.tanh(output(t))), gradient, rng.normal(size=(3, 3))


def _convolution_input(flipped: bool) -> Make:
    """The same, by its image: each pixel gets the kernel's entries back, not those of the kernel turned round."""
    rng = np.random.default_rng(31)
    kernel, w = rng.normal(size=(2, 2)), rng.normal(size=(3, 3))

    def gradient(t: Array) -> Any:
        g, k = np.zeros((4, 4)), kernel[::-1, ::-1] if flipped else kernel
        for i in range(3):
            for j in range(3):
                g[i : i + 2, j : j + 2] += w[i, j] * k
        return g + 2 * t

    def cost(t: Array) -> Any:
        linear = sum(w[i, j] * np.sum(t[i : i + 2, j : j + 2] * kernel) for i in range(3) for j in range(3))
        return linear + np.sum(t**2)

    theta = rng.normal(size=(4, 4))
    return lambda: (cost, gradient, theta.copy())


def _attention(root: float = 2.0) -> Make:
    """Queries against fixed keys and values of width 4; the scores are divided by ``root`` in the gradient."""
    rng = np.random.default_rng(32)
    keys, values, w = rng.normal(size=(5, 4)), rng.normal(size=(5, 3)), rng.normal(size=(2, 3))

    def gradient(t: Array) -> Any:
        p = softmax(t @ keys.T / 2, axis=1)
        back = w @ values.T
        return (p * (back - np.sum(p * back, axis=1, keepdims=True))) @ keys / root

    theta = rng.normal(size=(2, 4))
    return lambda: (lambda t: np.sum(w * (softmax(t @ keys.T / 2, axis=1) @ values)), gradient, theta.copy())


def _attention_of_itself() -> Triple:
    """Queries and keys are the same matrix, so it is differentiated in both places."""
    w = np.random.default_rng(33).normal(size=(3, 3))

    def gradient(t: Array) -> Any:
        p = softmax(t @ t.T, axis=1)
        s = p * (w - np.sum(p * w, axis=1, keepdims=True))
        return (s + s.T) @ t

    return lambda t: np.sum(w * softmax(t @ t.T, axis=1)), gradient, np.random.default_rng(34).normal(size=(3, 2)) * 0.7


def _gru(reset_term: bool = True, update_term: bool = True) -> Make:
    """One step of a gated recurrent unit of width 2, by its former state."""
    rng = np.random.default_rng(35)
    u_r, u_z, u_h = rng.normal(size=(3, 2, 2))
    b_r, b_z, b_h, w = rng.normal(size=(4, 2))

    def step(h: Array) -> Any:
        r, z = expit(u_r @ h + b_r), expit(u_z @ h + b_z)
        return r, z, np.tanh(u_h @ (r * h) + b_h)

    def cost(h: Array) -> Any:
        _, z, n = step(h)
        return w @ ((1 - z) * h + z * n)

    def gradient(h: Array) -> Any:
        r, z, n = step(h)
        inner = u_h.T @ (w * z * (1 - n**2))
        g = w * (1 - z) + inner * r
        g = g + reset_term * u_r.T @ (inner * h * r * (1 - r))
        return g + update_term * u_z.T @ (w * (n - h) * z * (1 - z))

    return lambda: (cost, gradient, np.array([0.4, -0.9]))


def _recurrent(through_time: bool = True) -> Make:
    """Six steps of a tanh unit, by its recurrent weights."""
    rng = np.random.default_rng(36)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=2)

    def states(t: Array) -> list[Array]:
        h = [np.zeros(2)]
        for k in range(6):
            h.append(np.tanh(t @ h[-1] + x[k]))
        return h

    def gradient(t: Array) -> Array:
        h, g = states(t), np.zeros((2, 2))
        back = h[-1] - y
        for k in reversed(range(6)):
            delta = back * (1 - h[k + 1] ** 2)
            g += np.outer(delta, h[k])
            back = t.T @ delta * through_time
        return g

    return lambda: (lambda t: 0.5 * np.sum((states(t)[-1] - y) ** 2), gradient, np.array([[0.5, -0.3], [0.2, 0.8]]))


def _gate_biases() -> Triple:
    """Biases of the input, forget and output gates of a long short-term memory cell."""
    c, a = 0.7, np.tanh(0.4)

    def cell(t: Array) -> Any:
        i, f, o = expit(t)
        return i, f, o, f * c + i * a

    def gradient(t: Array) -> Array:
        i, f, o, m = cell(t)
        inner = o * (1 - np.tanh(m) ** 2)
        return np.array([inner * a * i * (1 - i), inner * c * f * (1 - f), np.tanh(m) * o * (1 - o)])

    def cost(t: Array) -> Any:
        _, _, o, m = cell(t)
        return o * np.tanh(m)

    return cost, gradient, np.array([0.3, 1.0, -0.2])


def _average_pooling() -> Triple:
    w = np.arange(1.0, 5.0).reshape(2, 2)

    def pooled(t: Array) -> Any:
        return t.reshape(2, 2, 2, 2).mean(axis=(1, 3))

    return (
        lambda t: np.sum(w * pooled(t) ** 2),
        lambda t: np.kron(2 * w * pooled(t), np.full((2, 2), 0.25)),
        np.random.default_rng(37).normal(size=(4, 4)),
    )


def _queries_only(t: Array) -> Any:
    w = np.random.default_rng(33).normal(size=(3, 3))
    p = softmax(t @ t.T, axis=1)
    return p * (w - np.sum(p * w, axis=1, keepdims=True)) @ t


CASES = [
    Case("convolution by its kernel", "", PASS, _convolution),
    Case("convolution by its kernel, turned round", "", FAIL, changed(_convolution, lambda g, t: g[::-1, ::-1])),
    Case("convolution by its image", "", PASS, _convolution_input(False)),
    Case("convolution by its image, the kernel turned round", "", FAIL, _convolution_input(True)),
    Case("attention by its queries", "", PASS, _attention()),
    Case("attention by its queries, not divided by the root of the width", "", FAIL, _attention(1.0)),
    Case("attention of a matrix to itself", "", PASS, _attention_of_itself),
    Case("attention of a matrix to itself, once only", "", FAIL, changed(_attention_of_itself, lambda g, t: _queries_only(t))),
    Case("step of a gated recurrent unit", "", PASS, _gru()),
    Case("step of a gated recurrent unit, the reset gate held fixed", "", FAIL, _gru(reset_term=False)),
    Case("step of a gated recurrent unit, the update gate held fixed", "", FAIL, _gru(update_term=False)),
    Case("recurrent unit through time", "Element-Research/rnn#31", PASS, _recurrent()),
    Case("recurrent unit, the last step only", "Element-Research/rnn#31", FAIL, _recurrent(False)),
    Case("biases of the gates of a memory cell", "hanbt/learn_dl#53", PASS, _gate_biases),
    Case(
        "biases of the gates of a memory cell, all the forget gate's",
        "hanbt/learn_dl#53",
        FAIL,
        changed(_gate_biases, lambda g, t: g[[1, 1, 1]]),
    ),
    Case("average pooling", "", PASS, _average_pooling),
    Case("average pooling, not divided", "", FAIL, changed(_average_pooling, times(4.0))),
]

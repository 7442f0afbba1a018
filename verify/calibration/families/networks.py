"""Small networks and the layers they are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltacheck.verify.calibration.family import Array, Draw, Rng, count, drawn, families, normal, powers

ROWS = 6


def _perceptron(rng: Rng, dtype: Any) -> Draw:
    """Tanh, then squared error; w_0, b_0, w_1 in one vector."""
    inputs, hidden = 3, int(rng.integers(3, 9))
    x, y = normal(rng, (ROWS, inputs), dtype), normal(rng, ROWS, dtype)
    first, second = inputs * hidden, inputs * hidden + hidden

    def forward(t: Array) -> tuple[Any, Any]:
        a = np.tanh(x @ t[:first].reshape(inputs, hidden) + t[first:second])
        return a, a @ t[second:] - y

    def cost(t: Array) -> Any:
        _, r = forward(t)
        return r @ r * 0.5

    def gradient(t: Array) -> Any:
        a, r = forward(t)
        delta = r[:, None] * t[second:] * (1 - a * a)
        return np.concatenate([(x.T @ delta).ravel(), np.sum(delta, axis=0), a.T @ r])

    return drawn(cost, gradient, normal(rng, second + hidden, dtype, 10.0 ** rng.uniform(-1, 0.7)))


def _classifier(rng: Rng, dtype: Any) -> Draw:
    """Softplus, then softmax and cross entropy."""
    inputs, hidden, classes = 3, int(rng.integers(3, 7)), 4
    x = normal(rng, (ROWS, inputs), dtype)
    one_hot = np.eye(classes, dtype=dtype)[rng.integers(classes, size=ROWS)]
    first = inputs * hidden

    def forward(t: Array) -> tuple[Any, Any, Any]:
        z = x @ t[:first].reshape(inputs, hidden)
        a = np.log1p(np.exp(-abs(z))) + np.maximum(z, 0)
        return z, a, a @ t[first:].reshape(hidden, classes)

    def cost(t: Array) -> Any:
        s = forward(t)[2]
        top = np.max(s, axis=1)
        return np.sum(top + np.log(np.sum(np.exp(s - top[:, None]), axis=1))) - np.sum(one_hot * s)

    def gradient(t: Array) -> Any:
        z, a, s = forward(t)
        e = np.exp(s - np.max(s, axis=1)[:, None])
        r = e / np.sum(e, axis=1)[:, None] - one_hot
        delta = (r @ t[first:].reshape(hidden, classes).T) * (0.5 + 0.5 * np.tanh(0.5 * z))
        return np.concatenate([(x.T @ delta).ravel(), (a.T @ r).ravel()])

    return drawn(cost, gradient, normal(rng, first + hidden * classes, dtype, 10.0 ** rng.uniform(-1, 0.7)))


def _layer_norm(rng: Rng, dtype: Any) -> Draw:
    rows, n = 3, count(rng, 4, 12)
    w = normal(rng, (rows, n), dtype)
    epsilon = dtype(10.0 ** rng.uniform(-8, -3))
    theta = (rng.uniform(-3, 3) + 10.0 ** rng.uniform(-2, 1) * rng.standard_normal((rows, n))).astype(dtype)

    def parts(t: Array) -> tuple[Any, Any]:
        centred = t - np.sum(t, axis=1)[:, None] / n
        deviation = np.sqrt(np.sum(centred * centred, axis=1) / n + epsilon)[:, None]
        return centred / deviation, deviation

    def gradient(t: Array) -> Any:
        z, deviation = parts(t)
        mean = np.sum(w + 0 * t, axis=1)[:, None] / n  # in the precision of t
        return (w - mean - z * np.sum(w * z, axis=1)[:, None] / n) / deviation

    return drawn(lambda t: np.sum(w * parts(t)[0]), gradient, theta)


def _rms_norm(rng: Rng, dtype: Any) -> Draw:
    n = count(rng)
    w = normal(rng, n, dtype)
    theta = normal(rng, n, dtype, 10.0 ** rng.uniform(-4, 4))

    def gradient(t: Array) -> Any:
        size = np.sqrt(t @ t / n)
        z = t / size
        return (w - z * (w @ z) / n) / size

    return drawn(lambda t: w @ t / np.sqrt(t @ t / n), gradient, theta)


def _batch_norm(rng: Rng, dtype: Any) -> Draw:
    """Weights before a normalisation over the batch: their length does not matter."""
    inputs, rows = count(rng, 4, 10), 12
    x, w = normal(rng, (rows, inputs), dtype), normal(rng, rows, dtype)
    centred = x - np.sum(x, axis=0) / rows

    def gradient(t: Array) -> Any:
        z = centred @ t
        size = np.sqrt(z @ z / rows)
        z = z / size
        return centred.T @ ((w - z * (w @ z) / rows) / size)

    def cost(t: Array) -> Any:
        z = centred @ t
        return w @ z / np.sqrt(z @ z / rows)

    return drawn(cost, gradient, normal(rng, inputs, dtype))


def _attention(rng: Rng, dtype: Any) -> Draw:
    """One query over a few keys, with values and a target."""
    keys, n = count(rng, 4, 10), count(rng, 4, 12)
    k, v = normal(rng, (keys, n), dtype), normal(rng, keys, dtype)
    sharp = dtype(10.0 ** rng.uniform(-1, 1))

    def shares(t: Array) -> Any:
        s = sharp * (k @ t)
        e = np.exp(s - np.max(s))
        return e / np.sum(e)

    def gradient(t: Array) -> Any:
        p = shares(t)
        return sharp * (k.T @ (p * (v - p @ v)))

    return drawn(lambda t: shares(t) @ v, gradient, normal(rng, n, dtype))


def _recurrence(rng: Rng, dtype: Any) -> Draw:
    """h ← tanh(W h + x), five steps; the gradient by W."""
    n, steps = count(rng, 3, 5), 5
    x, w = normal(rng, (steps, n), dtype), normal(rng, n, dtype)

    def states(t: Array) -> list[Any]:
        h = [0 * t[0]]
        for step in range(steps):
            h.append(np.tanh(t @ h[-1] + x[step]))
        return h

    def gradient(t: Array) -> Any:
        h = states(t)
        g, back = 0 * t, w
        for step in reversed(range(steps)):
            back = back * (1 - h[step + 1] ** 2)
            g = g + np.outer(back, h[step])
            back = t.T @ back
        return g

    return drawn(lambda t: w @ states(t)[-1], gradient, normal(rng, (n, n), dtype, 0.8))


def _embedding(rng: Rng, dtype: Any) -> Draw:
    """Rows looked up more than once, some never."""
    words, n = 8, count(rng, 2, 5)
    at = rng.integers(0, words - 1, 12)
    y = normal(rng, (12, n), dtype)

    def gradient(t: Array) -> Any:
        g = 0 * t
        np.add.at(g, at, np.sin(t[at] - y))
        return g

    return drawn(lambda t: np.sum(1 - np.cos(t[at] - y)), gradient, normal(rng, (words, n), dtype))


def _gated(rng: Rng, dtype: Any) -> Draw:
    """SwiGLU: two products, one through x σ(x)."""
    n = count(rng, 4, 16)
    x = normal(rng, n, dtype)
    scale = powers(rng, -1, 1, 1, dtype)[0]

    def parts(t: Array) -> tuple[Any, Any, Any]:
        z = scale * t[0] * x
        s = 0.5 + 0.5 * np.tanh(0.5 * z)
        return z, s, t[1] * x

    def cost(t: Array) -> Any:
        z, s, u = parts(t)
        return np.sum(z * s * u)

    def gradient(t: Array) -> Any:
        z, s, u = parts(t)
        return np.stack([u * (s + z * s * (1 - s)) * scale * x, z * s * x])

    return drawn(cost, gradient, normal(rng, (2, n), dtype))


FAMILIES = families(
    "networks",
    {
        "tanh perceptron": _perceptron,
        "softplus classifier": _classifier,
        "layer norm": _layer_norm,
        "RMS norm": _rms_norm,
        "batch norm": _batch_norm,
        "attention": _attention,
        "recurrence": _recurrence,
        "embedding": _embedding,
        "gated unit": _gated,
    },
)

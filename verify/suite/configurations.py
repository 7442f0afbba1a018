"""A configuration: a network, a batch, the kinds of values in it, and how they lie in memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import Network
from deltacheck.verify.judging.earlier_calls import NONE
from deltacheck.verify.judging.layouts import COLUMN, NUMBER, ROW, WINDOWS, LaidOut, laid_out, windows
from deltacheck.verify.references.network_model import Model

Array = NDArray[Any]

USUAL = "usual"
INPUTS = {
    USUAL: "standard normal",
    "sparse": "half of them exactly 0",
    "very sparse": "nineteen of twenty exactly 0",
    "one-hot": "one 1 in each row, 0 else",
    "0 and 1": "0 or 1",
    "bytes": "whole numbers from 0 to 255",
    "pixels": "whole numbers from 0 to 255, divided by 255",
    "counts": "whole numbers, from 1 to 2³¹",
    "signs": "1 or -1, as many of each in every column",
    "whole": "whole numbers from -9 to 9",
    "zero row": "one row exactly 0",
    "zero column": "one input exactly 0 in all rows",
    "column of ones": "one input exactly 1 in all rows",
    "positive": "above 0",
    "negative": "below 0",
    "tiny": "of size 1e-3",
    "faint": "of size 1e-20",
    "huge": "of size 1e5",
    "one large row": "one row 300 times as large",
    "unlike columns": "inputs of sizes from 1e-4 to 1e4",
    "equal rows": "all rows alike",
    "nearly equal rows": "all rows alike but for a millionth",
    "single": "standard normal, rounded to single precision",
}
TARGETS = {
    USUAL: "uniform in 0 … 1; with the cross entropy one-hot",
    "soft": "rows that sum to 1, without a 0",
    "smoothed": "one 0.998 in each row, the others a little above 0",
    "signed": "standard normal",
    "1 and its like": "one 1 in each row, the others of either sign, and 0 in sum",
    "0 and 1": "0 or 1, several in a row",
    "-1, 0 and 1": "of either sign, or 0",
    "whole": "whole numbers up to 100,000",
    "zero row": "one row exactly 0",
    "unequal sums": "rows of unlike sizes",
    "large": "up to 1e4; with the cross entropy rows that sum to 30",
    "huge": "up to 1e25, in float32 1e12",
    "fitted": "the output itself but for 1e-10 of it, in float32 4e-3",
}
WEIGHTS = {
    USUAL: "as a network starts",
    "x 4": "four times as large",
    "small": "a hundredth",
    "faint layer": "1e-24 times as large in one layer",
    "one large": "one weight of each layer is 50",
    "zeros": "a third of them exactly 0",
    "very sparse": "nineteen of twenty exactly 0",
    "all zero": "exactly 0",
    "zero unit": "all weights into one unit exactly 0",
    "equal units": "all units of a layer alike",
    "one sign": "all positive",
    "identity": "1 from each unit to its like, 0 else, and no biases",
    "nearly symmetric": "alike both ways between as many units, but for a millionth",
    "single": "rounded to single precision",
    "permutation": "1 from each unit to the next but one, 0 else",
}
BIASES = {
    USUAL: "as a network starts",
    "zero": "exactly 0",
    "far": "some 30 above or below: saturated units, relu beyond 6, logits apart",
    "very far": "some 2000 above or below in one layer",
}


@dataclass(frozen=True, order=True)
class Configuration:
    """Everything that makes a point to judge at; the same fields and seed give the same numbers."""

    layers: tuple[int, ...]
    batch: int
    activations: tuple[str, ...]  # one for each layer after the input; softmax at the output goes with the cross entropy
    dtype: str = "float64"
    inputs: str = USUAL
    targets: str = USUAL
    weights: str = USUAL
    biases: str = USUAL
    theta_layout: str = "contiguous"
    x_layout: str = "contiguous"
    y_layout: str = "contiguous"
    earlier: str = NONE
    between: str = NONE
    seed: int = 0

    @property
    def cost(self) -> str:
        """The cost that the output's activation goes with."""
        return "cross_entropy" if self.activations[-1] == "softmax" else "squared_error"

    @property
    def network(self) -> Network:
        """The network."""
        return Network(self.layers, self.activations, self.cost)

    @property
    def contiguous(self) -> Configuration:
        """The same in contiguous arrays."""
        return replace(self, **dict.fromkeys(LAYOUTS, "contiguous"))  # type: ignore[arg-type]

    @property
    def multiply_adds(self) -> int:
        """Those of a forward pass."""
        return self.batch * sum(n_in * n_out for n_in, n_out in zip(self.layers, self.layers[1:], strict=False))

    def point(self) -> tuple[Array, Array, Array]:
        """``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), contiguous."""
        text = f"{self.layers} {self.batch} {self.activations} {self.inputs} {self.targets} {self.weights} {self.biases} {self.seed}"
        rng = np.random.default_rng(zlib.crc32(text.encode()))
        theta = self._theta(rng)
        if self.theta_layout == NUMBER:
            theta[:] = theta[0]
        x, y = self._x(rng), self._y(rng)
        if self.targets == "fitted":
            output = Model(self.network, theta.astype(self.dtype), x.astype(self.dtype), y).a[-1]
            y = output + (1e-10 if self.dtype == "float64" else 4e-3) * abs(output).max() * rng.standard_normal(y.shape)
        for array, layout in ((x, self.x_layout), (y, self.y_layout)):
            if layout == ROW:
                array[:] = array[:1]
            elif layout == COLUMN:
                array[:] = array[:, :1]
            elif layout == NUMBER:
                array[:] = array[0, 0]
            elif layout == WINDOWS:
                array[:] = windows(array)
        return theta.astype(self.dtype), x.astype(self.dtype), y.astype(self.dtype)

    def laid_out(self) -> tuple[LaidOut, LaidOut, LaidOut]:
        """The same numbers, as they lie in memory."""
        layouts = (self.theta_layout, self.x_layout, self.y_layout)
        one, two, three = (laid_out(array, layout) for array, layout in zip(self.point(), layouts, strict=True))
        return one, two, three

    def _theta(self, rng: np.random.Generator) -> Array:
        network = self.network
        theta = network.initial(rng)
        w, b = network.unpack(theta)
        if self.weights == "one sign":
            theta[:] = abs(theta)
        for w_i, b_i in zip(w, b, strict=True):
            if self.weights == "x 4":
                w_i *= 4
            elif self.weights == "small":
                w_i *= 0.01
            elif self.weights == "one large":
                w_i.flat[rng.integers(w_i.size)] = 50
            elif self.weights == "identity":
                w_i[:], b_i[:] = np.eye(*w_i.shape), 0
            elif self.weights == "nearly symmetric":
                n = min(w_i.shape)
                w_i[:n, :n] = (w_i[:n, :n] + w_i[:n, :n].T) / 2 * (1 + 1e-6 * rng.standard_normal((n, n)))
            elif self.weights == "single":
                w_i[:] = w_i.astype(np.float32)
            elif self.weights == "permutation":
                w_i[:] = np.roll(np.eye(*w_i.shape), 2, axis=1)
            elif self.weights == "very sparse":
                w_i *= rng.random(w_i.shape) < 0.05
            elif self.weights == "all zero":
                w_i[:] = 0
            elif self.weights == "equal units":
                w_i[:], b_i[:] = w_i[:, :1], b_i[:1]
            elif self.weights == "zeros":
                w_i *= rng.random(w_i.shape) > 1 / 3
            elif self.weights == "zero unit":
                w_i[:, rng.integers(w_i.shape[1])] = 0
            if self.biases == "zero":
                b_i[:] = 0
            elif self.biases == "far":
                b_i += np.resize([0.0, 30.0, -30.0], b_i.shape)
        if self.weights == "faint layer":
            w[int(rng.integers(1, len(w))) if len(w) > 1 else 0][:] *= 1e-24
        if self.biases == "very far":
            b[-1][:] += np.resize([-2000.0, 2000.0, 0.0] if len(b[-1]) > 2 else [-2000.0], b[-1].shape)
        return theta

    def _x(self, rng: np.random.Generator) -> Array:
        x = rng.standard_normal((self.batch, self.layers[0]))
        if self.inputs == "sparse":
            x *= rng.random(x.shape) < 0.5
        elif self.inputs == "very sparse":
            x *= rng.random(x.shape) < 0.05
        elif self.inputs == "bytes":
            x = rng.integers(0, 256, x.shape).astype(float)
        elif self.inputs == "signs":
            x = rng.permuted(np.broadcast_to(np.resize([[1.0], [-1.0]], (len(x), 1)), x.shape), axis=0)
        elif self.inputs == "whole":
            x = rng.integers(-9, 10, x.shape).astype(float)
        elif self.inputs == "one-hot":
            x[:] = 0
            x[np.arange(len(x)), rng.integers(x.shape[1], size=len(x))] = 1
        elif self.inputs == "0 and 1":
            x = (x > 0).astype(float)
        elif self.inputs == "pixels":
            x = rng.integers(0, 256, x.shape) / 255
        elif self.inputs == "counts":
            x = np.floor(np.exp(rng.uniform(0, 21, x.shape)))
        elif self.inputs == "zero row":
            x[rng.integers(len(x))] = 0
        elif self.inputs == "zero column":
            x[:, rng.integers(x.shape[1])] = 0
        elif self.inputs == "column of ones":
            x[:, rng.integers(x.shape[1])] = 1
        elif self.inputs == "positive":
            x = abs(x)
        elif self.inputs == "negative":
            x = -abs(x)
        elif self.inputs == "tiny":
            x *= 1e-3
        elif self.inputs == "faint":
            x *= 1e-20
        elif self.inputs == "huge":
            x *= 1e5
        elif self.inputs == "one large row":
            x[rng.integers(len(x))] *= 300
        elif self.inputs == "unlike columns":
            x *= 10.0 ** rng.uniform(-4, 4, x.shape[1])
        elif self.inputs == "equal rows":
            x[:] = x[0]
        elif self.inputs == "nearly equal rows":
            x = x[0] + 1e-6 * x
        elif self.inputs == "single":
            x = x.astype(np.float32).astype(float)
        return x

    def _y(self, rng: np.random.Generator) -> Array:
        shape = (self.batch, self.layers[-1])
        one_hot = np.zeros(shape)
        one_hot[np.arange(len(one_hot)), rng.integers(shape[1], size=shape[0])] = 1
        uniform = rng.random(shape)
        soft = uniform / uniform.sum(axis=1, keepdims=True)
        cross_entropy = self.cost == "cross_entropy"
        y = one_hot if cross_entropy else uniform
        if self.targets == "soft":
            y = soft
        elif self.targets == "smoothed":
            y = 0.998 * one_hot + 0.002 / shape[1]
        elif self.targets == "signed":
            y = rng.standard_normal(shape)
        elif self.targets == "1 and its like":
            others = (uniform - 0.5) * (1 - one_hot)
            y = one_hot + others - (1 - one_hot) * others.sum(axis=1, keepdims=True) / max(shape[1] - 1, 1)
        elif self.targets == "-1, 0 and 1":
            y = rng.integers(-1, 2, shape).astype(float)
        elif self.targets == "whole":
            y = rng.integers(0, 100_001, shape).astype(float)
        elif self.targets == "huge":
            y = uniform * (1e25 if self.dtype == "float64" else 1e12)
        elif self.targets == "0 and 1":
            y = (uniform < 0.5).astype(float)
        elif self.targets == "zero row":
            y[rng.integers(len(y))] = 0
        elif self.targets == "unequal sums":
            y = y * rng.uniform(0.1, 3.0, (len(y), 1))
        elif self.targets == "large":
            y = 30 * soft if cross_entropy else 1e4 * uniform
        return y

    def __str__(self) -> str:
        """What is not usual, after the network and the batch."""
        activations = self.activations if len(set(self.activations)) > 1 else self.activations[:1]
        words = [f"{'-'.join(map(str, self.layers))} {','.join(activations)}, batch {self.batch}, {self.dtype}"]
        words += [f"{name} {getattr(self, name)}" for name in VALUES if getattr(self, name) != USUAL]
        words += [
            f"{name[0] if name[0] != 't' else 'theta'} {getattr(self, name)}" for name in LAYOUTS if getattr(self, name) != "contiguous"
        ]
        words += [f"{when} {getattr(self, name)}" for name, when in CALLS.items() if getattr(self, name) != NONE]
        return ", ".join(words)


VALUES = ("inputs", "targets", "weights", "biases")
CALLS = {"earlier": "after a call with", "between": "before the backward pass"}
LAYOUTS = ("theta_layout", "x_layout", "y_layout")

"""A multi-layer perceptron as data: layer sizes, activations, cost; its flat parameters and their per-layer views."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity")
COSTS = ("squared_error", "cross_entropy")
REAL = (np.dtype(np.float32), np.dtype(np.float64))
REAL_AND_COMPLEX = (*REAL, np.dtype(np.complex128))


@dataclass(frozen=True, init=False)
class Network:
    """Layer sizes, activations and cost of a multi-layer perceptron; immutable and hashable.

    ``layer_sizes``: units of each layer, input first, at least two. ``activation``: one name for all layers, or one for
    each layer after the input. ``cost``: ``"squared_error"`` (5) or ``"cross_entropy"``; with the latter the output
    layer's activation is the softmax, in place of whatever ``activation`` says of that layer.

    Layers count from 0, the input, so that an index in the derivation is the Python index: ``a[0]`` is x, ``w[0]`` maps
    layer 0 to layer 1, ``a[-1]`` is the output.

    Raises ``TypeError`` and ``ValueError`` that name the argument, what came and what was expected.
    """

    layer_sizes: tuple[int, ...]
    activations: tuple[str, ...]
    cost: str

    def __init__(self, layer_sizes: Sequence[int], activation: str | Sequence[str] = "sigmoid", cost: str = "squared_error") -> None:
        sizes = _checked_sizes(layer_sizes)
        if cost not in COSTS:
            raise ValueError(f"cost: got {cost!r}; expected one of {', '.join(COSTS)}")
        object.__setattr__(self, "layer_sizes", sizes)
        object.__setattr__(self, "activations", _checked_activations(activation, len(sizes) - 1, cost))
        object.__setattr__(self, "cost", cost)

    @cached_property
    def n_parameters(self) -> int:
        """P, the length of theta."""
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(self.layer_sizes))

    @cached_property
    def _blocks(self) -> tuple[tuple[int, int, int, tuple[int, int]], ...]:
        """For each layer: where w_i starts, where b_i starts, where b_i ends, and the shape of w_i."""
        shapes = tuple(pairwise(self.layer_sizes))
        ends = tuple(accumulate((n_in + 1) * n_out for n_in, n_out in shapes))
        return tuple((end - (n_in + 1) * n_out, end - n_out, end, (n_in, n_out)) for end, (n_in, n_out) in zip(ends, shapes, strict=True))

    def __str__(self) -> str:
        """The name in tables: sizes, activations (once, if all hidden and output layers share it), cost."""
        names = self.activations if len(set(self.activations)) > 1 else self.activations[:1]
        return f"{'-'.join(map(str, self.layer_sizes))} {','.join(names)} {self.cost}"

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
        """Random parameters (P,): weights and biases of a layer normal with variance 1 / n_in (LeCun et al. 1998, section 4.6).

        The draw is the same for every ``dtype`` (float32, float64, complex128), rounded to it. Biases are not zero:
        a kernel that forgets them must not get away with it.
        """
        if np.dtype(dtype) not in REAL_AND_COMPLEX:
            raise TypeError(f"dtype: got {np.dtype(dtype)}; expected float32, float64 or complex128")
        theta = rng.standard_normal(self.n_parameters)
        for n_in, w, b in zip(self.layer_sizes, *self.unpack(theta), strict=False):
            w /= np.sqrt(n_in)
            b /= np.sqrt(n_in)
        return theta.astype(dtype)

    def unpack(self, theta: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Views ``(w, b)`` into the flat ``theta`` (P,): ``w[i]`` (n_i, n_{i+1}), ``b[i]`` (n_{i+1},); nothing is copied.

        Raises ``TypeError`` for what is no array, ``ValueError`` for a wrong shape.
        """
        if not isinstance(theta, np.ndarray):
            raise TypeError(f"theta: got {type(theta).__name__}; expected a NumPy array of shape ({self.n_parameters},)")
        if theta.shape != (self.n_parameters,):
            raise ValueError(f"theta: got shape {theta.shape}; expected ({self.n_parameters},) for layers {self.layer_sizes}")
        w = [theta[start:middle].reshape(shape) for start, middle, _, shape in self._blocks]
        b = [theta[middle:stop] for _, middle, stop, _ in self._blocks]
        return tuple(w), tuple(b)

    def cost_of(self, output: Array, y: Array) -> Any:
        """The cost of a batch, a float (complex for complex input): the sum over rows and outputs of (5), or −Σ y log p.

        ``output``: a[-1], (B, n_l); ``y``: the targets, of the same shape. Cross entropy takes ``output`` as probabilities;
        one that has underflowed to 0 costs nothing where y is 0 and infinity elsewhere (``value_and_grad`` of the
        built-in kernels works from z_l and stays finite). Sums run in double precision.
        """
        for name, array in (("output", output), ("y", y)):
            _check_matrix(name, array, self.layer_sizes[-1], REAL_AND_COMPLEX)
        if output.shape != y.shape:
            raise ValueError(f"y: got {y.shape[0]} rows; expected {output.shape[0]}, as many as output has")
        if self.cost == "squared_error":
            error = y - output
            return 0.5 * np.sum(error * error, dtype=np.result_type(error, np.float64)).item()  # (5)
        with np.errstate(divide="ignore"):
            log_p = np.log(output)
        terms = np.where(y == 0, 0, y * np.where(y == 0, 0, log_p))
        return -np.sum(terms, dtype=np.result_type(terms, np.float64)).item()

    def checked(self, theta: Array, x: Array, y: Array | None = None, dtypes: tuple[np.dtype[Any], ...] = REAL) -> None:
        """Check what a kernel's ``forward`` (without ``y``) or ``value_and_grad`` is given.

        ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), all of one dtype out of ``dtypes``, B ≥ 1, any strides.
        Raises ``TypeError`` (no plain array, wrong or mixed dtype) or ``ValueError`` (shape, empty batch).
        """
        _check_theta(theta, self.n_parameters, dtypes)
        _check_matrix("x", x, self.layer_sizes[0], dtypes)
        _check_alike("x", x, theta)
        if y is not None:
            self._check_targets(theta, x, y, dtypes)

    def checked_backward(self, theta: Array, a: Sequence[Array], y: Array, dtypes: tuple[np.dtype[Any], ...] = REAL) -> None:
        """Check what a kernel's ``backward`` is given: ``a``, a sequence of l + 1 arrays (B, n_i), beside ``theta`` and ``y``.

        Raises as ``checked`` does.
        """
        _check_theta(theta, self.n_parameters, dtypes)
        if not isinstance(a, tuple | list) or len(a) != len(self.layer_sizes):
            came = f"{len(a)} arrays" if isinstance(a, tuple | list) else type(a).__name__
            raise ValueError(f"a: got {came}; expected a tuple of {len(self.layer_sizes)} arrays, one for each layer")
        for i, (a_i, n_i) in enumerate(zip(a, self.layer_sizes, strict=True)):
            _check_matrix(f"a[{i}]", a_i, n_i, dtypes)
            _check_alike(f"a[{i}]", a_i, theta)
            if len(a_i) != len(a[0]):
                raise ValueError(f"a[{i}]: got {len(a_i)} rows; expected {len(a[0])}, as many as a[0] has")
        self._check_targets(theta, a[0], y, dtypes)

    def _check_targets(self, theta: Array, x: Array, y: Array, dtypes: tuple[np.dtype[Any], ...]) -> None:
        _check_matrix("y", y, self.layer_sizes[-1], dtypes)
        _check_alike("y", y, theta)
        if len(y) != len(x):
            raise ValueError(f"y: got {len(y)} rows; expected {len(x)}, as many as x has")


def _checked_sizes(layer_sizes: Sequence[int]) -> tuple[int, ...]:
    expected = "expected a sequence of at least two whole numbers, each 1 or more"
    try:
        sizes = tuple(operator.index(n) for n in layer_sizes)
    except TypeError:
        raise TypeError(f"layer_sizes: got {layer_sizes!r}; {expected}") from None
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"layer_sizes: got {layer_sizes!r}; {expected}")
    return sizes


def _checked_activations(activation: str | Sequence[str], n_layers: int, cost: str) -> tuple[str, ...]:
    try:
        names = (activation,) * n_layers if isinstance(activation, str) else tuple(activation)
    except TypeError:
        raise TypeError(f"activation: got {activation!r}; expected a name or a sequence of names") from None
    if len(names) != n_layers:
        raise ValueError(f"activation: got {len(names)} names; expected one, or {n_layers} (one for each layer after the input)")
    if cost == "cross_entropy" and names[-1] in (*ACTIVATIONS, "softmax"):
        hidden, names = names[:-1], (*names[:-1], "softmax")
    else:
        hidden = names
    for name in hidden:
        if name not in ACTIVATIONS:
            hint = ' (softmax is the output of cost="cross_entropy")' if name == "softmax" else ""
            raise ValueError(f"activation: got {name!r}; expected one of {', '.join(ACTIVATIONS)}{hint}")
    return names


def _check_theta(theta: Array, n_parameters: int, dtypes: tuple[np.dtype[Any], ...]) -> None:
    _check_array("theta", theta, dtypes)
    if theta.shape != (n_parameters,):
        raise ValueError(f"theta: got shape {theta.shape}; expected ({n_parameters},)")


def _check_matrix(name: str, array: Array, columns: int, dtypes: tuple[np.dtype[Any], ...]) -> None:
    _check_array(name, array, dtypes)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{name}: got shape {array.shape}; expected (batch, {columns})")
    if not array.shape[0]:
        raise ValueError(f"{name}: got an empty batch, shape {array.shape}; expected at least one row")


def _check_array(name: str, array: Array, dtypes: tuple[np.dtype[Any], ...]) -> None:
    # np.matrix multiplies otherwise than an array and a masked array means more than its numbers, so neither is taken.
    if type(array) is not np.ndarray and not isinstance(array, np.memmap):
        raise TypeError(f"{name}: got {type(array).__name__}; expected a plain NumPy array")
    if array.dtype not in dtypes:
        raise TypeError(f"{name}: got dtype {array.dtype}; expected {' or '.join(map(str, dtypes))}")


def _check_alike(name: str, array: Array, theta: Array) -> None:
    if array.dtype != theta.dtype:
        raise TypeError(f"{name}: got dtype {array.dtype}; expected {theta.dtype}, as theta has")

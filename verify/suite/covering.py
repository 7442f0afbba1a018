"""Which configurations a kernel is judged at: drawn so that every size and every pair of kinds occurs, in as few as do it.

In each, one dimension is at a size that kernels' code may treat apart, a power of two or beside one, and all others are small, so
that thousands of entries are not paid for. Kinds (activations, values, layouts) are combined by a covering array of strength two
(Cohen et al. 1997, The AETG system: an approach to testing based on combinatorial design).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations, count, pairwise, product
from typing import Any

import numpy as np
from allpairspy import AllPairs

from deltacheck.verify.judging.earlier_calls import BETWEEN, EARLIER, NONE
from deltacheck.verify.judging.layouts import MATRIX_KINDS, VECTOR_KINDS
from deltacheck.verify.suite.configurations import BIASES, INPUTS, TARGETS, USUAL, WEIGHTS, Configuration

POWERS = {2**power + beside for power in range(2, 11) for beside in (-1, 0, 1)}
ROUND = {10, 20, 50, 100, 200, 250, 500, 750, 1000}  # in tens, as people choose them
SIZES = tuple(sorted({1, 2, 3} | POWERS | {3 * 2**power for power in range(1, 9)} | ROUND))
DEPTHS = (*range(1, 13), 16, 17, 20, 24, 33)  # layers of weights
DEEP = 12  # more layers occur once only
DIMENSIONS = ("batch", "inputs", "hidden", "outputs", "depth", "mixed", "large")
HIDDEN = ("sigmoid", "tanh", "relu", "identity")
OUTPUT = (*HIDDEN, "softmax")
SMALL = 6  # the most of any dimension that is not the one looked at
CLASSES: dict[str, Sequence[tuple[int, int]]] = {  # of sizes, from and to, combined with each other where ``mixed`` is looked at
    "batch": ((1, 1), (2, 6), (7, 16), (17, 40), (41, 130), (131, 300)),
    "inputs": ((1, 1), (2, 6), (7, 40), (41, 130)),
    "hidden": ((1, 1), (2, 6), (7, 16), (17, 40), (41, 90), (91, 160)),
    "outputs": ((1, 1), (2, 6), (7, 40), (41, 130)),
    "depth": ((1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, 12)),
    "alike": ((0, 0), (1, 1)),  # whether all hidden layers are of one width
}
ROUNDS = 3  # how often each size of each dimension occurs, each time among other kinds
RANDOM_SIZES = 8  # of each dimension, beside the powers of two
LONG = (1536, 2048, 2049, 4096, 4097)  # sizes that occur once in each dimension
SQUARE = (4, 8, 16, 24, 32, 64, 128)  # sizes of a square matrix of weights
STEPS = (2, 4, 8, 10, 16, 25, 32)  # what all sizes of a configuration are multiples of
MOST_ALIGNED = 100
MOST_PRODUCTS = 2_000_000  # of a forward pass through several layers
TWO_LARGE = (330, 640)  # from, and to, two sizes among the batch, inputs, hidden units and outputs
LARGE = 10  # configurations with three large dimensions
# Layers and batch: more than 65,536 weights in one layer or numbers in one activation, 2²⁴ products in one matrix product; parameters in
# thousands, and a power of two of them.
MANY = (
    ((280, 241), 3),
    ((3, 259, 270), 4),
    ((3, 270, 259, 2), 3),
    ((4, 251, 3), 270),
    ((250, 5), 280),
    ((5, 250), 280),
    ((2, 520), 270),
    ((258, 261), 257),
    ((199, 100), 3),
    ((127, 128), 3),
)
# The same of 2²⁰ weights in one layer, the first or the last, of numbers in x, in an activation and in y.
VAST = (((1027, 1031), 2), ((2, 1031, 1027), 2), ((1027, 2), 1031), ((1, 1031, 2), 1027), ((1, 1027), 1031))
CORNER = (128, 144)  # from, and to: sizes of three and more out of the batch, inputs, two hidden layers and outputs at once
KINDS: dict[str, Sequence[str]] = {
    "output": OUTPUT,
    "before": HIDDEN,
    "dtype": ("float64", "float32"),
    "inputs": tuple(INPUTS),
    "targets": tuple(TARGETS),
    "weights": tuple(WEIGHTS),
    "biases": tuple(BIASES),
    "theta_layout": VECTOR_KINDS,
    "x_layout": MATRIX_KINDS,
    "y_layout": MATRIX_KINDS,
    "earlier": tuple(EARLIER),
    "between": tuple(BETWEEN),
}
PLAIN = dict.fromkeys(("weights", "biases", "targets"), USUAL) | {"theta_layout": "contiguous", "earlier": NONE, "between": NONE}
FIRST_IS_USUAL = {name for name in KINDS if name not in ("output", "before", "dtype")}


@cache
def pairs_of_kinds() -> tuple[dict[str, str], ...]:
    """Combinations of kinds in which every two kinds of different names occur together.

    An orthogonal array: for a prime p, i + k j modulo p takes every two values together in every two columns k.
    """
    p = next(n for n in count(max(len(KINDS), *map(len, KINDS.values()))) if all(n % divisor for divisor in range(2, n)))
    numbers = ([(i + k * j) % p for k in range(len(KINDS))] for i, j in product(range(p), repeat=2))
    return tuple({name: values[n % len(values)] for (name, values), n in zip(KINDS.items(), row, strict=True)} for row in numbers)


def covering(seed: int = 0, rounds: int = ROUNDS) -> Iterator[tuple[str, Configuration]]:
    """The configurations of a run, each with the dimension that it is for, of ``DIMENSIONS``."""
    rng = np.random.default_rng(seed)
    looked_at = [(name, size) for name in DIMENSIONS[:4] for size in (*SIZES, *_random_sizes(rng, RANDOM_SIZES, 1024))]
    looked_at += [("depth", depth) for depth in DEPTHS]
    kinds = _combined(rng)
    for n_round in range(rounds):
        for n in rng.permutation(len(looked_at)):
            dimension, size = looked_at[n]
            if n_round and dimension == "depth" and size > DEEP:
                continue
            yield dimension, _drawn(rng, next(kinds), dimension, size)
    for dimension, size in ((name, size) for name in DIMENSIONS[:4] for size in LONG):
        yield dimension, _drawn(rng, next(kinds), dimension, size)
    for size in SQUARE:
        yield "hidden", _made(rng, next(kinds), [int(rng.integers(1, SMALL)), size, size, 3], int(rng.integers(2, SMALL)))
        yield "hidden", _made(rng, next(kinds), [size, size, size], size)
    for row in _mixed_classes():
        yield "mixed", _mixed(rng, next(kinds), dict(zip(CLASSES, row, strict=True)))
    for step in STEPS:
        for depth in (2, 3):
            widths = (step * rng.integers(1, max(2, MOST_ALIGNED // step) + 1, depth + 1)).tolist()
            yield "mixed", _made(rng, next(kinds), widths, step * int(rng.integers(1, 4)))
    for one, other in combinations(range(4), 2):
        sizes = rng.integers(2, SMALL + 1, 4)
        sizes[[one, other]] = rng.integers(*TWO_LARGE, 2)
        yield "large", _made(rng, next(kinds), sizes[1:].tolist(), int(sizes[0]))
    for layers, batch in MANY:
        yield "large", _made(rng, next(kinds), list(layers), batch)
    for _ in range(LARGE):
        yield "large", _large(rng, next(kinds), 64, 160)
    for layers, batch in VAST:
        yield "large", _made(rng, next(kinds) | PLAIN, list(layers), batch)
    for n_large in (3, 4, 5):
        for large in combinations(range(5), n_large):
            sizes = rng.integers(2, SMALL + 1, 5)
            sizes[list(large)] = rng.integers(*CORNER, n_large)
            yield "large", _made(rng, next(kinds) | {"biases": USUAL}, sizes[1:].tolist(), int(sizes[0]))


def thorough(seed: int = 0, draws: int = 3000) -> Iterator[tuple[str, Configuration]]:
    """Those of a usual run, and random ones: sizes to 4,096, three large dimensions at once."""
    yield from covering(seed)
    rng = np.random.default_rng([seed, 1])
    kinds = _combined(rng)
    for n in range(draws):
        if n % 50 == 0:
            yield "large", _large(rng, next(kinds), 64, 512)
        else:
            dimension = DIMENSIONS[n % 5]  # not mixed, nor large
            most = 24 if dimension == "depth" else 4096
            yield dimension, _drawn(rng, next(kinds), dimension, int(_random_sizes(rng, 1, most)[0]))


def _combined(rng: np.random.Generator) -> Iterator[dict[str, str]]:
    """Every two kinds together first, then kinds at random, a third of the values and layouts being usual: one may hide another."""
    rows = pairs_of_kinds()
    for n in rng.permutation(len(rows)):
        yield rows[n]
    while True:
        row = {
            name: str(values[0] if name in FIRST_IS_USUAL and rng.random() < 1 / 3 else rng.choice(values))
            for name, values in KINDS.items()
        }
        yield row | ({"y_layout": row["x_layout"]} if rng.random() < 1 / 3 else {})  # as two tables of one origin have it


@cache
def _mixed_classes() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Combinations in which every two classes of sizes of different dimensions occur together."""
    return tuple(tuple(row) for row in AllPairs([list(classes) for classes in CLASSES.values()]))


def _mixed(rng: np.random.Generator, kinds: dict[str, Any], classes: dict[str, tuple[int, int]]) -> Configuration:
    """Several dimensions beyond the small at once."""
    size = {name: int(rng.integers(low, high + 1)) for name, (low, high) in classes.items()}
    low, high = classes["hidden"]
    hidden = [size["hidden"]] * (size["depth"] - 1) if size["alike"] else rng.integers(low, high + 1, size["depth"] - 1).tolist()
    outputs = max(size["outputs"], 2) if kinds["output"] == "softmax" else size["outputs"]
    widths = [size["inputs"], *hidden, outputs]
    affordable = MOST_PRODUCTS // sum(n_in * n_out for n_in, n_out in pairwise(widths))
    return _made(rng, kinds, widths, max(1, min(size["batch"], affordable)))


def _random_sizes(rng: np.random.Generator, how_many: int, most: int) -> list[int]:
    """Sizes up to ``most``, as many below 32 as above."""
    return [int(size) for size in np.exp(rng.uniform(0, np.log(most + 1), how_many))]


def _drawn(rng: np.random.Generator, kinds: dict[str, Any], dimension: str, size: int) -> Configuration:
    """Small in all dimensions but one."""
    depth = size if dimension == "depth" else int(rng.choice([2, 2, 2, 3, 3, 4])) if dimension == "hidden" else int(rng.integers(1, 5))
    widths = [int(n) for n in rng.integers(1, SMALL + 1, depth + 1)]
    widths[-1] = max(widths[-1], 2) if kinds["output"] == "softmax" else widths[-1]
    if dimension == "hidden":
        widths[int(rng.integers(1, depth))] = size
    elif dimension in ("inputs", "outputs"):
        widths[0 if dimension == "inputs" else -1] = size
    batch = size if dimension == "batch" else int(rng.integers(1, SMALL + 3))
    return _made(rng, kinds, widths, batch)


def _large(rng: np.random.Generator, kinds: dict[str, Any], least: int, most: int) -> Configuration:
    """Batch and all widths large; one width beyond what 16 bits count, in parameters."""
    widths = [int(n) for n in rng.integers(least, most, int(rng.choice([3, 4])))]
    widths[int(rng.integers(len(widths)))] = int(rng.integers(most, 3 * most))
    return _made(rng, kinds | {"biases": USUAL}, widths, int(rng.integers(least, most)))


def _made(rng: np.random.Generator, kinds: dict[str, Any], widths: list[int], batch: int) -> Configuration:
    depth = len(widths) - 1
    hidden = [str(name) for name in (rng.choice(HIDDEN, depth) if rng.random() < 0.7 else [kinds["before"]] * depth)]
    if depth > 1:
        hidden[-2] = kinds["before"]
    activations = (*hidden[:-1], kinds["output"])
    settings = {name: value for name, value in kinds.items() if name not in ("output", "before")}
    return _tamed(Configuration(tuple(widths), batch, activations, **settings, seed=int(rng.integers(2**31))))


def _tamed(configuration: Configuration) -> Configuration:
    """Without what would leave nothing to judge: numbers that grow from layer to layer, gradients that vanish altogether."""
    depth = len(configuration.layers) - 1
    growing = sum(name in ("relu", "identity") for name in configuration.activations[:-1])
    if configuration.weights == "x 4" and growing > 2:
        configuration = replace(configuration, weights="usual")
    if configuration.weights == "small" and depth > 4:
        configuration = replace(configuration, weights="usual")
    if configuration.weights == "one sign" and depth > 2 and growing:
        configuration = replace(configuration, weights="usual")
    return configuration


def pairs_of_activations(configurations: Sequence[Configuration]) -> set[tuple[str, str]]:
    """Which activations follow one another in any of them."""
    return {pair for configuration in configurations for pair in pairwise(configuration.activations)}

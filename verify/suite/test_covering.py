"""Drawn configurations cover what they are meant to; what is wrong at some size, pair, value or layout is found, and said in a sentence."""

from __future__ import annotations

import time
from itertools import combinations, pairwise

import numpy as np
import pytest

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.suite.configurations import Configuration
from deltacheck.verify.suite.covering import DEPTHS, HIDDEN, KINDS, OUTPUT, SIZES, covering, pairs_of_activations, pairs_of_kinds, thorough
from deltacheck.verify.suite.drawn_judging import RECENT, explained, judge_at, judged
from deltacheck.verify.suite.drawn_points import point_of, telling, tells

DRAWN = list(covering(0))
ALL = [configuration for _, configuration in DRAWN]


def sizes(dimension):
    of = {
        "batch": lambda c: [c.batch],
        "inputs": lambda c: c.layers[:1],
        "hidden": lambda c: c.layers[1:-1],
        "outputs": lambda c: c.layers[-1:],
    }
    return {size for name, c in DRAWN if name == dimension for size in of[dimension](c)}


@pytest.mark.parametrize("dimension", ["batch", "inputs", "hidden", "outputs"])
def test_every_size_occurs_in_every_dimension(dimension):
    missing = set(SIZES) - sizes(dimension)
    assert missing <= ({1} if dimension == "outputs" else set())  # a softmax has two outputs
    assert {2**k + d for k in range(2, 11) for d in (-1, 0, 1)} <= set(SIZES)


def test_every_depth_and_pair_of_activations_occurs():
    assert {len(c.layers) - 1 for c in ALL} >= set(DEPTHS)
    assert pairs_of_activations(ALL) == {(a, b) for a in HIDDEN for b in OUTPUT}


def test_every_two_kinds_occur_together():
    for one, other in combinations(KINDS, 2):
        found = {(row[one], row[other]) for row in pairs_of_kinds()}
        assert len(found) == len(KINDS[one]) * len(KINDS[other]), (one, other)


@pytest.mark.parametrize("large", [set(some) for count in (3, 4, 5) for some in combinations(range(5), count)], ids=str)
def test_three_and_more_sizes_are_large_at_once(large):
    """Out of the batch, the inputs, two hidden layers and the outputs: these alone, from 128 on."""
    corners = [(c.batch, *c.layers) for c in ALL if len(c.layers) == 4]
    assert any({n for n, size in enumerate(sizes) if size >= 128} == large for sizes in corners)


@pytest.mark.parametrize(
    "numbers",
    [
        lambda c: c.layers[0] * c.layers[1] if len(c.layers) == 2 else 0,
        lambda c: c.layers[-2] * c.layers[-1] if len(c.layers) > 2 else 0,
        lambda c: c.batch * c.layers[0],
        lambda c: c.batch * max(c.layers[1:-1], default=0),
        lambda c: c.batch * c.layers[-1],
    ],
    ids=["weights of the first layer", "of the last", "x", "activations", "y"],
)
def test_every_array_has_more_than_a_million_numbers_once(numbers):
    assert max(map(numbers, ALL)) > 2**20


def test_the_same_seed_draws_the_same_and_another_others():
    assert list(covering(0)) == DRAWN
    assert list(covering(1)) != DRAWN
    more = list(thorough(0, draws=120))
    assert more[: len(DRAWN)] == DRAWN
    assert max(max(c.layers) for _, c in more) > 1025


def test_all_points_tell_and_have_a_reference_that_agrees_with_itself():
    for configuration in ALL[::7]:
        point = point_of(telling(configuration))
        assert tells(point), configuration
        assert not point.reference.disagreement.any()
        assert np.isfinite(point.reference.error).all()


def wrong_where(condition):
    """A kernel whose last entry is off by a hundredth where the condition holds for (kernel, theta, a, y)."""

    class Wrong(Plain):
        def backward(self, theta, a, y):
            dtheta = super().backward(theta, a, y)
            if condition(self, theta, a, y):
                dtheta[-1] *= dtheta.dtype.type(1.01)
            return dtheta

    return Wrong


def is_view_of_columns(x):
    return x.shape[0] > 1 and x.strides[1] == x.itemsize and x.strides[0] > x.shape[1] * x.itemsize


def widest_hidden(kernel):
    return max(kernel.network.layer_sizes[1:-1], default=0)


PLANTED = {  # what is said: the dimension, and where the kernel is wrong
    "fails from batch 513 on; 512 passes": ("batch", lambda k, theta, a, y: len(y) > 512),
    "fails at batch 4; 3, 5 and 8 pass": ("batch", lambda k, theta, a, y: len(y) == 4),
    "fails where output width is a multiple of 8; 7 and 9 pass": ("outputs", lambda k, theta, a, y: y.shape[1] % 8 == 0),
    "fails at input width 24; 23, 25 and 48 pass": ("inputs", lambda k, theta, a, y: a[0].shape[1] == 24),
    "fails from width of layer 1 65 on; 64 passes": ("hidden", lambda k, theta, a, y: widest_hidden(k) > 64),
    "not with fewer than 7 layers of weights": ("depth", lambda k, theta, a, y: len(a) > 7),
    "only with inputs 'bytes': usual ones pass": ("inputs", lambda k, theta, a, y: a[0].max() == 255),
    "only with x laid out otherwise than contiguous: columns of a wider array": ("batch", lambda k, t, a, y: is_view_of_columns(a[0])),
    "tanh,relu": ("depth", lambda k, theta, a, y: ("tanh", "relu") in pairwise(k.network.activations)),
    "parameters": ("large", lambda k, theta, a, y: len(theta) > 32_767),
}


@pytest.mark.parametrize("sentence", PLANTED)
def test_what_is_wrong_somewhere_is_found_and_said(sentence):
    dimension, condition = PLANTED[sentence]
    kernel = wrong_where(condition)
    found = []
    for one in judged(kernel, [c for name, c in DRAWN if name == dimension]):
        found.append(one)
        if one.verdict == "fail":
            break
    assert found[-1].verdict == "fail"
    assert sentence in "\n".join(explained(kernel, found))


SELDOM = {  # where a kernel is wrong, of which one configuration is to tell
    "more than 2²⁰ weights in one layer": lambda k, theta, a, y: max(n * m for n, m in pairwise(k.network.layer_sizes)) > 2**20,
    "a large batch and two large hidden layers": lambda k, theta, a, y: len(y) > 127 and sorted(k.network.layer_sizes[1:-1])[-2:-1] > [127],
    "theta without a stride": lambda k, theta, a, y: theta.strides == (0,),
}


@pytest.mark.parametrize("where", SELDOM)
def test_what_is_wrong_seldom_is_found(where):
    kernel = wrong_where(SELDOM[where])
    found = (c for _, c in reversed(DRAWN) if judge_at(kernel, telling(c)).verdict == "fail")
    assert next(found, None) is not None


def test_what_is_right_passes():
    assert {one.verdict for one in judged(Plain, ALL[::11])} == {"pass"}


class Writing(Plain):
    def forward(self, theta, x):
        if x.base is not None and x.base.ndim == 1:
            x.base[0] = 0  # before the first element
        return super().forward(theta, x)


class Refusing(Plain):
    def forward(self, theta, x):
        if not x.flags.c_contiguous:
            raise NotImplementedError("no strides")
        return super().forward(theta, x)


@pytest.mark.parametrize(("kernel", "name"), [(Writing, "writes-input"), (Refusing, "refuses-layout")])
def test_memory_and_layouts_are_looked_after(kernel, name):
    report = judge_at(kernel, Configuration((3, 4, 2), 5, ("tanh", "sigmoid"), x_layout="fortran"))
    assert report.verdict == "fail"
    assert [violation.name for violation in report.violations] == [name]


def test_a_kernel_that_would_take_too_long_is_left_out_and_listed():
    class Slow(Plain):
        def forward(self, theta, x):
            time.sleep(2e-5 * x.size)
            return super().forward(theta, x)

    large = [c for name, c in DRAWN if name == "large"][-1:]
    small = [Configuration((1, 1), 1, ("tanh",)), *(Configuration((30, 30, 30), 10, ("tanh", "tanh"), seed=seed) for seed in range(RECENT))]
    found = list(judged(Slow, [*small, *large]))
    assert [one.verdict for one in found] == ["pass"] * (1 + RECENT) + ["too_slow"]

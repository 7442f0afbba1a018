"""The compiled kernel by several threads: the same bits for any number of them, and kernels side by side."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numba
import numpy as np
import pytest

from deltacheck.kernels import Network
from deltacheck.kernels.jit.cpu_target import JIT_DISABLED
from deltacheck.kernels.jit.kernel import KEPT, NumbaKernel
from deltacheck.kernels.jit.plan import BOTH, Plan
from deltacheck.kernels.jit.test_kernel import DTYPES, case
from deltacheck.kernels.jit.threads.team import available
from deltacheck.kernels.network import Array

# Shared by rows (narrow), by columns (wide); in chunks, the last a small one (deep); with fewer rows or columns than threads.
LARGE = [
    ((784, 30, 10), 65),
    ((40, 300, 280, 3), 9),
    ((60, 60, 60, 60, 2), 401),
    ((700, 2, 700), 160),
    ((1024, 400), 1),
    ((3000, 150, 1), 2),
]
COUNTS = (2, 3, 5, 33)
if JIT_DISABLED:
    LARGE, COUNTS = LARGE[:3], (3,)


def results(kernel: NumbaKernel, theta: Array, x: Array, y: Array) -> tuple[float, list[Array]]:
    """The cost, and every array that the kernel makes."""
    a = kernel.forward(theta, x)
    cost, dtheta = kernel.value_and_grad(theta, x, y)
    return cost, [*a[1:], kernel.backward(theta, a, y), dtheta]


def same(got: list[Array], expected: list[Array]) -> None:
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def threads_of(kernel: NumbaKernel) -> set[int]:
    """As how many threads its last calls were planned for."""
    return {workspace.threads for kept in kernel._workspaces.values() for workspace in kept.values()}


@pytest.fixture(autouse=True)
def _threads_pay_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltacheck.kernels.jit.kernel.THREADS_PAY", 50_000)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize(("layers", "batch"), LARGE, ids=["-".join(map(str, [*layers, "x", batch])) for layers, batch in LARGE])
def test_the_same_bits_for_any_number_of_threads(layers: tuple[int, ...], batch: int, cost: str, dtype: str) -> None:
    network, theta, x, y = case(layers, batch, dtype, "sigmoid", cost)
    alone = NumbaKernel(network, threads=1)
    expected_cost, expected = results(alone, theta, x, y)
    assert threads_of(alone) == {1}
    for threads in (*COUNTS, None):
        kernel = NumbaKernel(network, threads=threads)
        got_cost, got = results(kernel, theta, x, y)
        assert threads_of(kernel) == {available(threads)}, "nothing is shared out"
        if JIT_DISABLED:  # NumPy's products add in an order of their own for each shape
            for one, other in zip(got, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1000 * np.finfo(dtype).eps * max(1, np.abs(other).max()))
        else:
            same(got, expected)
        assert got_cost == pytest.approx(expected_cost, rel=100 * float(np.finfo(dtype).eps))
        again_cost, again = results(NumbaKernel(network, threads=threads), theta, x, y)
        assert again_cost == got_cost
        same(again, got)


def test_a_small_batch_is_for_one_thread_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)
    network, theta, x, y = case((6, 5, 4), 8, "float64")
    for asked, taken in ((None, 1), (1, 1), (2, 2)):
        kernel = NumbaKernel(network, threads=asked)
        results(kernel, theta, x, y)
        assert threads_of(kernel) == {taken}


@pytest.mark.parametrize(
    ("threads", "error", "message"),
    [
        (0, ValueError, "threads: got 0; expected None or a whole number of 1 or more"),
        (-1, ValueError, "threads: got -1; expected None or a whole number of 1 or more"),
        (1.5, TypeError, "threads: got 1.5; expected None or a whole number of 1 or more"),
        ("2", TypeError, "threads: got '2'; expected None or a whole number of 1 or more"),
    ],
)
def test_refuses_a_number_of_threads_that_is_none(threads: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        NumbaKernel(Network((2, 1)), threads=threads)


def test_numbas_number_of_threads_counts_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    network, theta, x, y = case((784, 60, 10), 40, "float64")
    kernel, fixed = NumbaKernel(network), NumbaKernel(network, threads=2)
    seen = []
    for threads in (1, 3, 2, 1):
        monkeypatch.setattr(numba, "get_num_threads", lambda threads=threads: threads)
        seen.append(results(kernel, theta, x, y)[1])
        results(fixed, theta, x, y)
        assert threads_of(kernel) == {threads}
        assert threads_of(fixed) == {2}
    for got in seen[1:-1] if not JIT_DISABLED else []:
        same(got, seen[0])
    same(seen[-1], seen[0])


@pytest.mark.parametrize("threads", [1, 2, None])
def test_kernels_take_turns(threads: int | None) -> None:
    """Batches large and small, of more sizes than workspaces are kept for, in several kernels one after the other."""
    cases = [case(layers, 130, "float32", "tanh") for layers in ((784, 30, 10), (100, 100, 100), (3, 2))]
    kernels = [NumbaKernel(network, threads=threads) for network, *_ in cases]
    batches = [1, 130, 2, 129, 1, 130, 64, *range(100, 100 + KEPT), 5, 130]
    expected: dict[tuple[int, int], list[Array]] = {}
    for _ in range(2):
        for batch in batches[:: 3 if JIT_DISABLED else 1]:
            for place, (kernel, (network, theta, x, y)) in enumerate(zip(kernels, cases, strict=True)):
                if (place, batch) not in expected:
                    expected[place, batch] = results(NumbaKernel(network, threads=threads), theta, x[:batch], y[:batch])[1]
                same(results(kernel, theta, x[:batch], y[:batch])[1], expected[place, batch])


@pytest.mark.parametrize("threads", [1, 2])
def test_python_threads_with_a_kernel_each(threads: int) -> None:
    cases = [case((784, 30, 10), 65, "float64", seed=0), case((100, 200, 3), 90, "float64", "relu", seed=1)]
    expected = [results(NumbaKernel(network, threads=threads), *rest)[1] for network, *rest in cases]
    begin, differing = threading.Barrier(2), [True, True]

    def work(place: int) -> None:
        network, *rest = cases[place]
        kernel = NumbaKernel(network, threads=threads)
        begin.wait(60)
        for _ in range(2 if JIT_DISABLED else 50):
            same(results(kernel, *rest)[1], expected[place])
        differing[place] = False

    started = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(120)
    assert not any(thread.is_alive() for thread in started)
    assert differing == [False, False]


def test_another_thread_may_change_the_dtype_while_a_workspace_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    network, *single = case((6, 5, 4), 8, "float32")
    double = [array.astype("float64") for array in single]
    kernel, made, other = NumbaKernel(network), Plan.of, []

    def of(*arguments: Any) -> Plan:
        plan = made(*arguments)
        if not other:
            other.append(True)
            kernel.value_and_grad(*double)
        return plan

    monkeypatch.setattr(Plan, "of", of)
    for arrays in (single, double, single, double):
        same([kernel.value_and_grad(*arrays)[1]], [NumbaKernel(network).value_and_grad(*arrays)[1]])


@pytest.mark.skipif(not JIT_DISABLED, reason="compiled passes that share a workspace wait for each other")
def test_without_a_compiler_two_calls_at_once_have_a_workspace_each(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, dtype = NumbaKernel(Network((6, 5, 4)), threads=2), np.dtype(np.float32)
    other: list[Any] = []

    def as_many(asked: int) -> int:
        if not other:
            other.append(None)
            other[0] = kernel._workspace(BOTH, 8, dtype)
        return asked

    monkeypatch.setattr("deltacheck.kernels.jit.threads.team.available", as_many)
    assert kernel._workspace(BOTH, 8, dtype) is not other[0]


# A child of fork: a process of its own, for pytest's has threads of which a child of its would have none.
FORK = """
import multiprocessing, sys
import numpy as np
from deltacheck.kernels import Network
from deltacheck.kernels.jit.kernel import NumbaKernel

network = Network((784, 60, 10))
theta = network.initial(np.random.default_rng(0))
x, y = np.ones((40, 784)), np.zeros((40, 10))
kernel = NumbaKernel(network, threads=2)

def work(expected):
    sys.exit(0 if np.array_equal(kernel.value_and_grad(theta, x, y)[1], expected) else 3)

expected = kernel.value_and_grad(theta, x, y)[1]
child = multiprocessing.get_context("fork").Process(target=work, args=(expected,))
child.start()
child.join(60)
if child.exitcode is None:
    child.kill()
    sys.exit(4)
sys.exit(child.exitcode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_computes_a_large_batch() -> None:
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=300, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr

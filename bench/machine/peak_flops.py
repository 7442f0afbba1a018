"""The machine's measured peak: fused multiply-adds in registers, as many in flight as hide their latency."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import repeat
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

# Two units that take 4 cycles have 8 in flight, such as take 5 cycles 10; ARM's wide CPUs have four that take 4. Two registers hold
# the factors: 12 sums fit beside them where there are 16 registers, 24 where there are 32.
ARM = platform.machine() in ("aarch64", "arm64")
IN_FLIGHT = (8, 12, 16, 24) if ARM else (8, 12)
TURN_S = 0.01  # so that threads' starting and the clock do not count
REPEATS = 8  # the best of them: what disturbs only slows down


@cache
def peak_gflops(dtype: str, threads: int) -> float | None:
    """GFLOP/s of ``threads`` threads together, a multiply-add being two; None without a JIT compiler. Takes about 0.5 s."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return None
    lanes = vector_bits() // (8 * np.dtype(dtype).itemsize)
    return max(rate(multiply_adds(dtype, lanes, n), threads) * lanes * n for n in IN_FLIGHT) / 1e9


def rate(loop: Callable[[int], float], threads: int) -> float:
    """Flops per second, for each multiply-add in a turn of the loop."""
    turns = 1000
    while (seconds := timed(loop, turns, 1, map)) < TURN_S:
        turns = int(turns * min(10.0, 1.2 * TURN_S / seconds)) + 1
    with ThreadPoolExecutor(threads) as pool:
        best = min(timed(loop, turns, threads, pool.map) for _ in range(REPEATS))
    return 2 * turns * threads / best


def timed(loop: Callable[[int], float], turns: int, threads: int, spread: Callable[..., Iterator[float]]) -> float:
    """Seconds until all threads are through."""
    start = time.perf_counter()
    list(spread(loop, repeat(turns, threads)))
    return time.perf_counter() - start


def vector_bits() -> int:
    """The width of the CPU's vector registers."""
    features: dict[str, bool] = dict(llvm.get_host_cpu_features())
    return 512 if features.get("avx512f") else 256 if features.get("avx") else 128


@cache
def multiply_adds(dtype: str, lanes: int, n_sums: int) -> Callable[[int], float]:
    """A compiled loop: in each turn every sum is multiplied and added to once. It gives up Python's lock.

    ARM's instruction writes over what is added to the product, which has to be the sum, or a copy is measured too. Elsewhere the sum is
    multiplied: without the fused instruction, a product of two factors would be taken once, ahead of the loop.
    """
    number = ir.DoubleType() if dtype == "float64" else ir.FloatType()
    vector = ir.VectorType(number, lanes)
    counter = ir.IntType(64)
    # Fused where the CPU can; where it cannot, the product and the sum apart, never a call of a library.
    name = f"llvm.fmuladd.v{lanes}f{8 * np.dtype(dtype).itemsize}"

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fma = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
        a_turn = builder.fdiv(number(1.0), builder.sitofp(arguments[0], number))  # nothing that a compiler knows
        a_turn = builder.insert_element(vector(ir.Undefined), a_turn, ir.IntType(32)(0))
        a_turn = builder.shuffle_vector(a_turn, vector(ir.Undefined), ir.VectorType(ir.IntType(32), lanes)(None))
        before, body, after = builder.block, builder.append_basic_block("body"), builder.append_basic_block("after")
        builder.branch(body)
        builder.position_at_end(body)
        done = builder.phi(counter)
        done.add_incoming(counter(0), before)
        factor, summand = vector([0.999] * lanes), vector([0.001] * lanes)  # the sums stay near 1: no overflow, nothing subnormal
        sums = [builder.phi(vector) for _ in range(n_sums)]
        results = [builder.call(fma, [a_turn, summand, s] if ARM else [s, factor, summand]) for s in sums]
        for n, (s, result) in enumerate(zip(sums, results, strict=True)):
            s.add_incoming(vector([2.0 + n] * lanes), before)  # each another, or one would do for all; 1 would stay 1, and be left out
            s.add_incoming(result, body)
        one_more = builder.add(done, counter(1))
        done.add_incoming(one_more, body)
        builder.cbranch(builder.icmp_signed("<", one_more, arguments[0]), body, after)
        builder.position_at_end(after)
        total = results[0]
        for result in results[1:]:  # all are needed, or those that are not would be left out
            total = builder.fadd(total, result)
        first = builder.extract_element(total, ir.IntType(32)(0))
        return first if dtype == "float64" else builder.fpext(first, ir.DoubleType())

    @intrinsic
    def loop(typing_context: Any, turns: Any) -> Any:
        return types.float64(types.int64), generate

    @njit("float64(int64)", nogil=True)
    def run(turns: int) -> float:
        return loop(turns)  # type: ignore[call-arg]

    return run

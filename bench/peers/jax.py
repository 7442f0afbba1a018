"""JAX: the usual idiom, ``jax.jit(jax.value_and_grad(cost))`` on a list of parameters."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.backend import clear_backends

from deltacheck.bench.peers.peer import Peer
from deltacheck.kernels import Network
from deltacheck.kernels.network import Array

jax.config.update("jax_enable_x64", True)
# The thread that calls does the work: handing it over and waiting takes 2-3-1 x 32 from 15 to 70 us, and makes no network faster.
jax.config.update("jax_cpu_enable_async_dispatch", False)

SIGMA: dict[str, Callable[[Any], Any]] = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, "identity": lambda z: z}


class Jax(Peer):
    """Parameters are a list, w_0, b_0, w_1, …: cutting a flat vector up inside saves 2 us in the smallest networks, and costs large ones
    up to three times as much.
    """

    @classmethod
    def prepare(cls, threads: int) -> None:
        """Have XLA's thread pool in this size."""
        size_pool(threads)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        *hidden, last = network.activations

        def z_of_output(parameters: Sequence[Any], x: Any) -> Any:
            a = x
            for i, sigma in enumerate(hidden):
                a = SIGMA[sigma](a @ parameters[2 * i] + parameters[2 * i + 1])
            return a @ parameters[-2] + parameters[-1]

        def output(parameters: Sequence[Any], x: Any) -> Any:
            z = z_of_output(parameters, x)
            return jax.nn.softmax(z) if last == "softmax" else SIGMA[last](z)

        def cost(parameters: Sequence[Any], x: Any, y: Any) -> Any:
            if last == "softmax":
                return -jnp.sum(y * jax.nn.log_softmax(z_of_output(parameters, x)))
            return 0.5 * jnp.sum((y - output(parameters, x)) ** 2)

        self._forward = jax.jit(output)
        self._step = jax.jit(jax.value_and_grad(cost))

    def native_calls(self, theta: Array, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
        """Forward and step; each waits for its results.

        What one execution gives is ready together, so it waits for the cost alone: ``jax.block_until_ready`` goes through all of it in
        Python, which is 2 us.
        """
        parameters = [jnp.array(array) for pair in zip(*self.network.unpack(theta), strict=True) for array in pair]
        data, targets = jnp.array(x), jnp.array(y)

        def forward() -> Any:
            return self._forward(parameters, data).block_until_ready()

        def step() -> Any:
            results = self._step(parameters, data, targets)
            results[0].block_until_ready()
            return results

        return {"forward": forward, "step": step}


_size: int | None = None  # of the pool, since this module had it made


def size_pool(threads: int) -> None:
    """Make XLA's thread pool anew where it has another size. Raises ``NotImplementedError`` where XLA makes it otherwise.

    The pool gets its size when JAX makes its CPU client, from NPROC or PJRT_NPROC, and keeps it; no option of a compilation
    changes it. So the client is let go, with all that was compiled by it, and made again. Its threads can be counted on Linux.
    """
    global _size
    if _size == threads:
        return
    gc.collect()  # results that still hold the old client keep its threads alive
    clear_backends()
    gc.collect()
    before = pool_threads()
    names = ("NPROC", "PJRT_NPROC")  # which of them is read depends on the version
    kept = {name: os.environ.get(name) for name in names}
    os.environ |= dict.fromkeys(names, str(threads))
    try:
        jax.block_until_ready(jax.jit(lambda t: t @ t)(jnp.ones((256, 256), np.float32)))
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    after = pool_threads()
    if before is not None and after is not None and after - before != threads:
        raise NotImplementedError(f"XLA's pool has {after - before} threads, not {threads}, and cannot be changed")
    _size = threads


def pool_threads() -> int | None:
    """How many threads XLA's pools have, None where the system does not tell."""
    try:
        return sum(task.read_text().startswith("tf_XLAEigen") for task in Path("/proc/self/task").glob("*/comm"))
    except OSError:
        return None


PEERS: dict[str, type[Peer]] = {"jax": Jax}

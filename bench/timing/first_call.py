"""What a user waits for at first: a kernel's first step in a fresh process, ``python -m deltacheck.bench.timing.first_call KERNEL DTYPE``.

Prints the seconds of the call; the start of the process and the imports are not in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from deltacheck.kernels import Network, load, value_and_grad_of

NETWORK = Network((2, 3, 1))


def first_call(name: str, dtype: str) -> float:
    """Seconds of the first ``value_and_grad`` of the kernel ``name`` in this process, on a small network and one sample."""
    rng = np.random.default_rng(0)
    theta, x, y = NETWORK.initial(rng, dtype), np.ones((1, 2), dtype), np.ones((1, 1), dtype)
    kernel = load(name)(NETWORK)
    step = value_and_grad_of(kernel, NETWORK)
    start = time.perf_counter()
    step(theta, x, y)
    return time.perf_counter() - start


def cold_and_cached(name: str, dtype: str, limit_s: float) -> tuple[float, float]:
    """The first call with an empty cache of compiled code, and that of another process with what the first one left there.

    NaN where the kernel raises, or takes longer than ``limit_s`` seconds; where the first one fails, there is no second.
    """
    with tempfile.TemporaryDirectory() as cache:
        cold = in_new_process(name, dtype, cache, limit_s)
        return cold, in_new_process(name, dtype, cache, limit_s) if cold == cold else cold


def in_new_process(name: str, dtype: str, cache: str, limit_s: float) -> float:
    """``first_call`` there; NaN where it fails."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "deltacheck.bench.timing.first_call", name, dtype]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit_s, check=True)
        return float(done.stdout.split()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return float("nan")


if __name__ == "__main__":
    print(first_call(*sys.argv[1:]))

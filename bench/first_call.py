"""What a user waits for at first: a kernel's first step in a fresh process, ``python -m bench.first_call KERNEL DTYPE``.

Prints the seconds of the call; the start of the process and the imports are not in it.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import tempfile
import time
from importlib.machinery import PathFinder

import numpy as np

from kernels import Network, load, value_and_grad_of
from kernels.protocol import BUILT_IN

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
    command = [sys.executable, "-m", "bench.first_call", name, dtype]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit_s, check=True)
        return float(done.stdout.split()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return float("nan")


def name_of(label: str, kernel_class: object) -> str | None:
    """What ``kernels.load`` finds the class by in another process, None where there is nothing."""
    if label in BUILT_IN:
        return label
    try:
        module, qualified = kernel_class.__module__, kernel_class.__qualname__  # type: ignore[attr-defined]
        on_path = PathFinder.find_spec(module.partition(".")[0])  # not so what was loaded from a file by its path
        where = module if on_path else inspect.getfile(kernel_class)  # type: ignore[arg-type]
    except (AttributeError, ImportError, OSError, TypeError, ValueError):
        return None
    return f"{where}:{qualified}" if qualified.isidentifier() else None


if __name__ == "__main__":
    print(first_call(*sys.argv[1:]))

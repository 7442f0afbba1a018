"""Waiting for the process to be quiet: idle threads of a library's pool go on looking for work, on a CPU that the next contender needs."""

from __future__ import annotations

import time

WINDOW_S = 0.01  # two ticks of most systems' clocks: only at a tick does a thread's time on another CPU count
IDLE = 0.1  # of a CPU, or less
LIMIT_S = 0.5  # a process whose threads never rest is timed as it is


def wait_until_idle() -> float:
    """Sleep until the other threads of this process sleep too, but for 0.5 s at most; the CPUs' share in use of late, of one CPU.

    OpenBLAS's threads look for work for 50 ms after a product and more, GNU OpenMP's for some 4 ms (measured; their sources:
    THREAD_TIMEOUT in OpenBLAS's common.h, GOMP_SPINCOUNT in libgomp's manual).
    """
    end = time.perf_counter() + LIMIT_S
    while True:
        started, used = time.perf_counter(), time.process_time()
        time.sleep(WINDOW_S)
        now = time.perf_counter()
        busy = (time.process_time() - used) / (now - started)
        if busy <= IDLE or now >= end:
            return busy

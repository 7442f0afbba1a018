"""The wait before a turn on several threads."""

from __future__ import annotations

import threading

import pytest
from numba import njit

from deltacheck.bench.timing.idle_threads import IDLE, wait_until_idle


@njit("float64(int64)", nogil=True)
def busy(turns):
    x = 0.0
    for i in range(turns):
        x = 0.5 * x + i
    return x


def test_it_waits_for_threads_that_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def spin() -> None:  # as an idle thread of a library's pool does
        while not stop.is_set():
            busy(1_000_000)

    assert wait_until_idle() <= IDLE
    spinner = threading.Thread(target=spin)
    spinner.start()
    try:
        monkeypatch.setattr("deltacheck.bench.timing.idle_threads.LIMIT_S", 0.05)
        assert wait_until_idle() > IDLE  # it gives up
        monkeypatch.setattr("deltacheck.bench.timing.idle_threads.LIMIT_S", 60)
        threading.Timer(0.1, stop.set).start()
        assert wait_until_idle() <= IDLE
        assert stop.is_set()
    finally:
        stop.set()
        spinner.join()

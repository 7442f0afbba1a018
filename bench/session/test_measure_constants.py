"""The machine's peak and the first calls, measured before the cells."""

from __future__ import annotations

import json
from pathlib import Path

import numba
import numpy as np
import pytest

from deltacheck.bench.cells.cell import Cell
from deltacheck.bench.cells.contenders import Contenders
from deltacheck.bench.cells.result import NAN
from deltacheck.bench.cells.run_constants import RunConstants
from deltacheck.bench.cells.time_budget import Budget
from deltacheck.bench.machine.peak_flops import peak_gflops
from deltacheck.bench.processes.process_sequence import Processes
from deltacheck.bench.session.measure_constants import dispatch, measured_constants
from deltacheck.bench.timing.first_call import cold_and_cached, first_call

CELLS = [Cell.of("2-3-1", "sigmoid", "squared_error", 1, dtype, threads) for dtype in ("float32", "float64") for threads in (1, 2)]
COMPILED = """
from numba import njit
from deltacheck.kernels.vectorised import NumpyKernel
@njit(cache=True)
def compiled(x):
    return x + 1
class Compiled(NumpyKernel):
    def value_and_grad(self, theta, x, y):
        compiled(1.0)
        return super().value_and_grad(theta, x, y)
"""
HANGING = """
from pathlib import Path
from deltacheck.kernels.vectorised import NumpyKernel
class Hanging(NumpyKernel):
    def value_and_grad(self, theta, x, y):
        with (Path(__file__).parent / "asked").open("a") as file:
            file.write("once")
        while True: pass
"""
RAISING = """
class Raising:
    def __init__(self, network):
        raise ValueError("planted")
    def forward(self, theta, x): ...
    def backward(self, theta, a, y): ...
"""

jit_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="without its compiler Numba compiles nothing")


@jit_only
def test_the_peak_is_more_than_plain_python_and_less_than_any_core() -> None:
    for dtype in ("float32", "float64"):
        for threads in (1, 2):
            peak = peak_gflops(dtype, threads)
            assert peak is not None
            assert 0.1 < peak < 1000 * threads  # two 512-bit units of 32 flops at 5 GHz make 320 in float32


@jit_only
def test_no_peak_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    peak_gflops.cache_clear()
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    assert peak_gflops("float64", 1) is None
    peak_gflops.cache_clear()


def test_a_first_call_of_compiled_code_and_one_of_its_cache(tmp_path: Path) -> None:
    (tmp_path / "compiled.py").write_text(COMPILED)
    cold, cached = cold_and_cached(str(tmp_path / "compiled.py"), "float64", 300.0)
    assert cold > 0
    assert cached > 0
    assert not list(tmp_path.rglob("*.nbi"))  # a cache of its own


def test_what_fails_has_no_first_call(tmp_path: Path) -> None:
    (tmp_path / "raising.py").write_text(RAISING)
    assert np.isnan(cold_and_cached(str(tmp_path / "raising.py"), "float64", 300.0)).all()
    with pytest.raises(ValueError, match="planted"):
        first_call(str(tmp_path / "raising.py"), "float64")


def test_what_hangs_has_no_first_call_and_is_not_asked_twice(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    assert np.isnan(cold_and_cached(str(tmp_path / "hanging.py"), "float64", 5.0)).all()
    assert (tmp_path / "asked").read_text() == "once"


@pytest.mark.parametrize("quick", [False, True])
def test_yardsticks_of_a_run(monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    said: list[str] = []
    monkeypatch.setattr("deltacheck.bench.session.measure_constants.peak_gflops", lambda dtype, threads: 10.0 * threads)
    monkeypatch.setattr("deltacheck.bench.session.measure_constants.cold_and_cached", lambda name, dtype, limit_s: (len(name), NAN))
    monkeypatch.setattr(
        "deltacheck.bench.session.measure_constants.dispatch",
        lambda kernels, dtype, threads, budget, processes: dict.fromkeys(kernels, NAN if threads > 1 else 1e-6),
    )
    kernels = [("numpy", "float32"), ("peer", "float32"), ("mine", "float32")]
    names = {} if quick else {"numpy": "numpy", "mine": "my_kernel.py"}
    found = measured_constants(CELLS, kernels, names, Processes(Contenders(("numpy",))), Budget(), said.append)
    assert found.told()["peak_gflops"] == {"float32": {"1": 10.0, "2": 20.0}, "float64": {"1": 10.0, "2": 20.0}}
    assert found.first_calls("peer", "float32")[0] != 5
    assert (found.first_calls("numpy", "float32")[0] == 5) != quick
    assert found.dispatch_s["peer", "float32", 1] == 1e-6
    assert len(found.dispatch_s) == 2 * 3
    assert (found.first_calls("mine", "float32")[0] == 12) != quick
    assert len(said) == 2 * 4 + len(names)
    told = json.loads(json.dumps(found.told(), allow_nan=False))
    again = RunConstants.of(told)
    assert again.told() == told
    assert again.peak_gflops == found.peak_gflops
    assert np.isnan(again.dispatch_s["peer", "float32", 2])


def test_what_a_step_of_no_size_costs() -> None:
    processes = Processes(Contenders(("numpy", "deltacheck.bench.timing.test_contest:WrongKernel")))
    try:
        processes.start()
        found = dispatch(["numpy", "deltacheck.bench.timing.test_contest:WrongKernel"], "float64", 1, Budget(total_s=0.02), processes)
    finally:
        processes.close()
    assert found["numpy"] > 0
    assert np.isnan(found["deltacheck.bench.timing.test_contest:WrongKernel"])
    assert list(found) == ["numpy", "deltacheck.bench.timing.test_contest:WrongKernel"]

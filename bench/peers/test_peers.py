"""Peers: verified like kernels, timed on their own tensors, optional. The machinery is tested with one that needs no package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltacheck.bench.cells.cell import PHASES, Cell
from deltacheck.bench.cells.result import Result
from deltacheck.bench.peers.peer import NO_BACKWARD, Peer, peers
from deltacheck.bench.timing.test_contest import Held
from deltacheck.kernels import Network, load
from deltacheck.kernels.network import Array
from deltacheck.kernels.vectorised import NumpyKernel
from deltacheck.verify import judge

CELL = Cell.of("3-4-2", "sigmoid", "squared_error", 5, "float64")


class Tensor:
    """Not an array: what is timed must not be what is verified by accident."""

    def __init__(self, array: Array) -> None:
        self.of = array


class FakePeer(Peer):
    """NumPy behind tensors of its own, without a backward pass."""

    factor = 1.0
    made = 0
    prepared = 0

    @classmethod
    def prepare(cls, threads: int) -> None:
        cls.prepared = threads

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        type(self).made += 1

    def array(self, tensor: Tensor) -> Array:
        return tensor.of

    def native_calls(self, theta: Array, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
        kernel = NumpyKernel(self.network)

        def step() -> tuple[float, list[Tensor]]:
            cost, dtheta = kernel.value_and_grad(theta, x, y)
            w, b = self.network.unpack(dtheta * self.factor)
            return cost, [Tensor(block) for pair in zip(w, b, strict=True) for block in pair]

        return {"forward": lambda: Tensor(kernel.forward(theta, x)[-1]), "step": step}


class WrongPeer(FakePeer):
    factor = 1.001


class RefusingPeer(FakePeer):
    def native_calls(self, theta: Array, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
        raise NotImplementedError("the compiler gave up")


def contest(peer: type[Peer], cell: Cell = CELL) -> dict[str, dict[str, Result]]:
    held = Held({"peer": peer, "numpy": load("numpy")}, cell)
    assert held.contest.warnings == []
    return {phase: held.run(phase) for phase in PHASES}


def test_a_peer_is_verified_and_timed_but_for_the_phase_it_has_not() -> None:
    FakePeer.made = 0
    results = contest(FakePeer)
    for phase in ("forward", "step"):
        assert (results[phase]["peer"].status, results[phase]["peer"].verdict) == ("ok", "pass")
        assert len(results[phase]["peer"].turns) >= 7
    backward = results["backward"]["peer"]
    assert (backward.status, backward.message, backward.turns) == ("unsupported", NO_BACKWARD, ())
    assert results["backward"]["numpy"].status == "ok"
    assert FakePeer.made == 2  # what is timed is what was verified, and its second entry
    assert FakePeer.prepared == CELL.threads


def test_a_wrong_peer_gets_no_time() -> None:
    for results in contest(WrongPeer).values():
        assert (results["peer"].status, results["peer"].verdict, results["peer"].turns) == ("failed_verification", "fail", ())
        assert "1.001 × what it should be" in results["peer"].message
        assert results["numpy"].turns


def test_a_peer_that_refuses_is_unsupported() -> None:
    for results in contest(RefusingPeer).values():
        assert results["peer"].status == "unsupported"
        assert "the compiler gave up" in results["peer"].message
        assert results["numpy"].turns


def test_an_unknown_or_missing_package_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="--peer: got 'tensorflow'; expected torch or jax"):
        peers(["tensorflow"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="--peer: jax is not installed; pip install jax, or deltacheck with its peers extra"):
        peers(["jax"])


NETWORKS = [
    Network((3, 4, 2), "sigmoid"),
    Network((3, 4, 4, 2), ("tanh", "relu", "identity")),
    Network((3, 4, 2), ("relu", "tanh")),
    Network((3, 4, 2), ("identity", "relu")),
    Network((3, 4, 4, 2), ("sigmoid", "tanh", "sigmoid"), "cross_entropy"),
    Network((2, 3), "tanh", "cross_entropy"),
]
LABELS = {"torch": ("torch-autograd", "torch-by-hand", "torch-compile"), "jax": ("jax",)}


@pytest.mark.filterwarnings("ignore")  # the libraries' own
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("package", LABELS)
def test_the_real_ones_are_right(package: str, dtype: str) -> None:
    pytest.importorskip(package, reason=f"{package} is an optional peer")
    found = peers([package])
    assert tuple(found) == LABELS[package]
    rng = np.random.default_rng(0)
    for network in NETWORKS:
        theta, x = network.initial(rng, dtype), rng.standard_normal((5, network.layer_sizes[0])).astype(dtype)
        y = rng.random((5, network.layer_sizes[-1])).astype(dtype)  # rows that do not add up to 1, with the cross entropy too
        for label, peer in found.items():
            peer.prepare(1)
            instance = peer(network)
            report = judge(lambda network, made=instance: made, network, theta, x, y, contract=False)
            assert report.verdict == "pass", (label, network, report)
            calls = instance.native_calls(theta, x, y)
            assert set(calls) == set(PHASES) - ({"backward"} if label != "torch-by-hand" else set())
            assert not any(isinstance(part, np.ndarray) for part in calls["step"]()[1])


def test_a_compiler_that_fails_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="torch is an optional peer")
    from deltacheck.bench.peers import torch as torch_peer

    def fails(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no C++ compiler,\n  over two lines")

    monkeypatch.setattr(torch_peer.torch, "compile", lambda *arguments, **options: fails)
    for results in contest(torch_peer.TorchCompile).values():
        assert results["peer"].status == "unsupported"
        assert results["peer"].message.endswith("torch.compile: RuntimeError: no C++ compiler, over two lines")
        assert results["numpy"].turns


def test_xla_s_pool_has_the_size_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax", reason="jax is an optional peer")
    from deltacheck.bench.peers import jax as jax_peer

    for threads in (1, 2, 1):
        jax_peer.Jax.prepare(threads)
        results = contest(jax_peer.Jax, Cell.of("3-4-2", "sigmoid", "squared_error", 5, "float64", threads))
        assert results["step"]["peer"].status == "ok"
    if jax_peer.pool_threads() is not None:
        counts = iter([1, 4])  # the planted fault: three new threads, whatever was asked for
        monkeypatch.setattr(jax_peer, "pool_threads", lambda: next(counts))
        results = contest(jax_peer.Jax, Cell.of("3-4-2", "sigmoid", "squared_error", 5, "float64", 2))
        assert results["step"]["peer"].status == "unsupported"
        assert "XLA's pool has 3 threads, not 2" in results["step"]["peer"].message

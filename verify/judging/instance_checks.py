"""Checks of instances: they are independent of each other, of networks, of threads, and so are their copies."""

from __future__ import annotations

import copy
import pickle
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from deltacheck.kernels import KernelLike, Network
from deltacheck.verify.judging.calls import RESULTS, Array, ContractError, Results, near, same, went_backward, went_forward
from deltacheck.verify.judging.memory_checks import plain_activations
from deltacheck.verify.judging.state_checks import CHANGES
from deltacheck.verify.judging.trial import Check, Inputs, Trial, Unsupported, fresh, half, must_equal
from deltacheck.verify.references.complex_step import complex_step
from deltacheck.verify.references.network_model import Model, log_softmax, sigma
from deltacheck.verify.references.rounding_bound import allowed

SEEN = 1e-3  # relative: what is left of an old result is off by more, and rounding by less, in float32 too
SHARE = "instances share state"
INSTANCES = 130
MANY_ROWS = 300  # enough for one thread to be let on while the other is in the middle of a call
TURNS = 20
THREADS = 9
SECONDS = 0.2
COPYING = ("__deepcopy__", "__copy__", "__reduce__", "__reduce_ex__", "__getstate__")


def _new_again(trial: Trial) -> None:
    kept = trial.used().kept
    must_equal(trial.run(trial.made(), *trial.inputs), kept, f"a second instance gives another result: {SHARE}")


def _values(trial: Trial) -> None:
    """New instances for changed data, held against the right values: the bits of another new instance cannot show what fools both.

    A kernel that is wrong at the point of the trial already is others' business.
    """
    if _wrong(trial, *trial.inputs):
        return
    before = [trial.new(*trial.inputs)]
    for what, _, change in CHANGES.values():
        inputs = change(trial)
        wrong = _wrong(trial, *inputs)
        if any(same(trial.new(*inputs)[n], results[n]) for n in wrong for results in before):
            raise ContractError(f"{what}: a new instance gives the result of other data: {SHARE}", "carries-state")
        if wrong:
            text = f"{what}: a new instance gives a wrong {RESULTS[wrong[0]]}, and a right one at the point itself"
            raise ContractError(f"{text}: {SHARE}, or a formula does not always hold", "wrong-elsewhere")
        before.append(trial.new(*inputs))


def _wrong(trial: Trial, theta: Array, x: Array, y: Array) -> list[int]:
    """Which of a new instance's results are wrong by far more than rounding; a gradient, along one direction of signs."""
    signs = np.where(np.random.default_rng(0).random(theta.size) < 0.5, -1.0, 1.0)
    output, dtheta, cost, dtheta_too = (np.asarray(part, np.float64) for part in trial.new(theta, x, y))
    model = Model(trial.network, theta, x, y)
    right = float(complex_step(lambda t: _cost_along(model, t * signs)))
    off_cost = abs(cost - model.cost) if np.isfinite(cost) else 0.0  # the logarithm of a probability that rounds to 0
    off = (abs(output - model.a[-1]).max(), abs(dtheta @ signs - right), off_cost, abs(dtheta_too @ signs - right))
    sizes = (abs(model.a[-1]).max(), np.linalg.norm(dtheta), abs(model.cost), np.linalg.norm(dtheta_too))
    if not any(one > SEEN * size for one, size in zip(off, sizes, strict=True)):
        return []
    bounds = allowed(model, theta.dtype)  # which take longer, and are asked for only where it may be rounding
    sums = (bounds.activations[-1].max(), bounds.gradient.sum(), bounds.cost, bounds.gradient.sum())
    return [n for n in range(len(off)) if off[n] > SEEN * sizes[n] + sums[n]]


def _cost_along(model: Model, change: Array) -> Array:
    w, b = model.network.unpack(model.theta + change)
    a = model.x + 0j
    for i, activation in enumerate(model.network.activations):
        z = a @ w[i] + b[i]
        a = sigma(activation, z)
    return np.asarray(model.cost_from(log_softmax(z) if model.network.cost == "cross_entropy" else a, model.y))


def _by_turns(trial: Trial) -> None:
    """A forward pass of each of many instances, then a backward pass of each, each with other data."""
    inputs = []
    for n in range(INSTANCES):
        smaller = trial.theta.dtype.type(1 - n / 512)
        inputs.append((fresh(trial.theta * smaller), fresh(trial.x * smaller), trial.y))
    expected = []
    for theta, x, y in inputs:
        kernel = trial.made()
        expected.append(went_backward(kernel, theta, went_forward(kernel, trial.network, theta, x), y).copy())
    kernels = [trial.made() for _ in inputs]
    a = [went_forward(kernel, trial.network, theta, x) for kernel, (theta, x, _) in zip(kernels, inputs, strict=True)]
    for n, (theta, _, y) in enumerate(inputs):
        if not same(went_backward(kernels[n], theta, a[n], y), expected[n]):
            text = f"other instances' forward passes change the result of backward: {SHARE}"
            raise ContractError(text, "carries-state")


def _twin(network: Network, wider: int = 0) -> Network:
    """The network with other hidden activations (or another output activation), hidden layers ``wider`` by so many units.

    Raises ``Unsupported`` where nothing can be other.
    """
    first, *hidden, last = network.layer_sizes
    activations = tuple("sigmoid" if name == "tanh" else "tanh" for name in network.activations)
    if hidden:
        activations = activations[:-1] + network.activations[-1:]
    twin = Network((first, *(n + wider for n in hidden), last), activations, network.cost)
    if twin.activations == network.activations:
        raise Unsupported
    return twin


def _another_network_between(trial: Trial) -> None:
    used, twin = trial.used(), _twin(trial.network)
    try:
        kernel = trial.made(twin)
        trial.run(kernel, *trial.inputs, network=twin)
    except (ContractError, NotImplementedError):
        raise Unsupported from None
    text = f"an instance for other activations changes the result: {SHARE}"
    must_equal(trial.run(used.kernel, *trial.inputs), used.kept, text)


def _another_network_before(trial: Trial) -> None:
    """Layer sizes that are new to the kernel, with other activations first: does the network's own come out as the other's?"""
    twin = _twin(trial.network, wider=1)
    own = Network(twin.layer_sizes, trial.network.activations, trial.network.cost)
    if len(own.layer_sizes) == 2:
        raise Unsupported  # sizes cannot be new without another x
    theta = own.initial(np.random.default_rng(0), trial.theta.dtype)
    trial.new(theta, trial.x, trial.y, network=twin)
    output = trial.new(theta, trial.x, trial.y, network=own)[0]
    right, others = (Model(network, theta, trial.x, trial.y).a[-1] for network in (own, twin))
    if not near([output], [right], output.dtype) and near([output], [others], output.dtype):
        text = f"of two networks of the same sizes, the second gets the first one's activations: {SHARE}"
        raise ContractError(text, "carries-state")


def _copies(how: Callable[[KernelLike], KernelLike]) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        used = trial.used()
        if _frees(used.kernel):
            raise Unsupported
        try:
            twin = how(used.kernel)
        except Exception:  # many a thing cannot be copied, and need not
            raise Unsupported from None
        theta, x, y = trial.other()
        a = went_forward(twin, trial.network, *trial.inputs[:2])
        went_forward(used.kernel, trial.network, theta, x)
        dtheta = went_backward(twin, trial.theta, a, trial.y)
        if not same(dtheta, used.kept[1]):
            raise ContractError("the copy and its original change each other's results, or the copy is none", "carries-state")
        trial.same_as_new(twin, theta, x, y)
        must_equal(trial.run(used.kernel, *trial.inputs), used.kept, "calls of the copy change the original's result: state is shared")

    return run


def _frees(thing: Any, depth: int = 3) -> bool:
    """Whether it, or what it holds, frees something by itself (``__del__``) and has nothing to say about copies.

    A copy of such a thing would free the same memory again, and take the process down.
    """
    if isinstance(thing, dict):
        parts = [*thing.values()]
    elif isinstance(thing, tuple | list):
        parts = [*thing]
    else:
        kind = type(thing)
        if isinstance(thing, type | ModuleType | FunctionType) or any(
            getattr(kind, n, None) is not getattr(object, n, None) for n in COPYING
        ):
            return False
        if hasattr(kind, "__del__"):
            return True
        parts = [*getattr(thing, "__dict__", {}).values()]
    return depth > 0 and any(_frees(part, depth - 1) for part in parts[:1000])


def _other_threads(trial: Trial) -> None:
    """One thread after the other, all of them alive to the end; and the first again."""
    used, start, one = trial.used(), Barrier(THREADS), Lock()

    def run(_: int) -> Results:
        start.wait()
        with one:
            return _in_quiet(trial, used.kernel, trial.inputs)

    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for got in pool.map(run, range(THREADS)):
                must_equal(got, used.kept, "another result: something is kept by thread", "bound-to-thread")
        except ContractError as error:
            text = f"{error}; an instance may be used by one thread after the other"
            raise ContractError(text, "bound-to-thread") from error
    text = "back in the first thread, another result: something is kept by thread"
    must_equal(trial.run(used.kernel, *trial.inputs), used.kept, text, "bound-to-thread")


def _backward_of_another(trial: Trial) -> None:
    """``backward`` of an instance that never went forward, by another one's activations, in a list of their own."""
    used, _, a = plain_activations(trial)
    try:
        dtheta = went_backward(trial.made(), trial.theta, a, trial.y)
    except ContractError as error:
        raise ContractError(f"backward needs its own instance's forward pass: {error}", "carries-state") from error
    if not same(dtheta, used.kept[1]) or len(a) != len(trial.network.layer_sizes):
        raise ContractError("backward of another instance, by the same activations, gives another result", "carries-state")


def _in_quiet(trial: Trial, kernel: KernelLike, inputs: Inputs) -> Results:
    with np.errstate(all="ignore"):  # which is each thread's own; warnings are the process's, and silent by now
        return trial.run(kernel, *inputs)


def _two_threads(trial: Trial) -> None:
    """Two instances in two threads at once, on other data each: what they share, one of them finds overwritten."""
    theta, x, y = trial.rows(MANY_ROWS)
    both = [(theta, x, y), (half(theta[::-1]), half(x[::-1]), fresh(y))]
    expected = [trial.new(*inputs) for inputs in both]
    start = Barrier(len(both))

    def turns(n: int) -> ContractError | None:
        kernel = trial.made()
        start.wait()
        until = time.monotonic() + SECONDS
        for _ in range(TURNS):
            if not trial.near(_in_quiet(trial, kernel, both[n]), expected[n], both[n]):
                return ContractError("another result than alone: instances share memory that both write into", "race")
            if time.monotonic() > until:  # a call as slow as that is interrupted often enough
                break
        return None

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that each is interrupted often
    try:
        with ThreadPoolExecutor(len(both)) as pool:
            found = [*pool.map(turns, range(len(both)))]
    except ContractError as error:
        raise ContractError(f"{error}", "race") from error
    finally:
        sys.setswitchinterval(interval)
    for broken in filter(None, found):
        raise broken


INSTANCES_AND_THREADS = (
    Check("new-again", "", "a count of instances", _new_again, first=True),
    Check("class-wide", "", "a cache of the class, whose key leaves something out: new instances are fooled as well", _values),
    Check("by-turns", f"{INSTANCES} instances by turns", "a pool of workspaces for all instances", _by_turns),
    Check("another-network-between", "", "activations kept by the class, the last network's", _another_network_between),
    Check("another-network-before", "", "code kept by layer sizes alone, the first network's", _another_network_before),
    Check("deepcopy", "copied by copy.deepcopy", "a copy that shares buffers or loses something", _copies(copy.deepcopy)),
    Check("pickle", "copied by pickle", "a copy that loses something", _copies(lambda kernel: pickle.loads(pickle.dumps(kernel)))),
    Check("backward-of-another", "", "a backward pass that needs its instance's forward pass", _backward_of_another),
    Check(
        "other-threads", f"in {THREADS} other threads", "buffers of the thread that made the instance; a table of threads", _other_threads
    ),
    Check("two-threads", "two instances in two threads at once", "scratch space of the module, which both write into", _two_threads),
)

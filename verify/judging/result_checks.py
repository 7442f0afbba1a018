"""Checks of results and of the order of calls: results belong to the caller, and ``backward`` goes by what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from deltacheck.verify.judging.calls import KEEPS, Array, ContractError, all_same, copied, same, valued, went_backward, went_forward
from deltacheck.verify.judging.trial import Check, Inputs, Trial, half, must_equal

IGNORES = "backward does not go by the activations that it is given"
WRITTEN = "what the caller writes into a result comes back with the next call: results must be new memory"
CALLS = 300
BACKWARD = 1200  # further calls of backward alone
LARGE = 40
FORWARD, BOTH = "a forward pass of other data", "value_and_grad of other data"


def _alone(trial: Trial) -> None:
    """``value_and_grad`` with no forward pass of the same data before."""
    used = trial.used()
    theta, x, y = trial.other()
    expected = trial.new(theta, x, y)[2:]
    got = valued(used.kernel, trial.network, theta, x, y)
    if not all_same(got, expected):
        raise ContractError("value_and_grad goes by the last forward pass, not by its arguments: state is carried over", "carries-state")


def _between(what: str, other: Callable[[Trial], Inputs], by: str) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        _goes_by_activations(trial, what, trial.inputs, other(trial), by)

    return run


def _between_large(trial: Trial) -> None:
    """The same with larger batches, for which a kernel may have another way."""
    theta, x, y = trial.rows(LARGE)
    _goes_by_activations(trial, f"{FORWARD}, {LARGE} rows each,", (theta, x, y), (half(theta[::-1]), half(x[::-1]), y), "forward")


def _goes_by_activations(trial: Trial, what: str, inputs: Inputs, others: Inputs, by: str) -> None:
    kernel, expected = trial.used().kernel, trial.new(*inputs)[1]
    (theta, x, y), (other_theta, other_x, other_y) = inputs, others
    a = went_forward(kernel, trial.network, theta, x)
    if by == "forward":
        went_forward(kernel, trial.network, other_theta, other_x)
    else:
        valued(kernel, trial.network, other_theta, other_x, other_y)
    if not same(went_backward(kernel, theta, a, y), expected):
        raise ContractError(f"{IGNORES}: {what} in between changes its result", "carries-state")


def _backward_twice(trial: Trial) -> None:
    """Two backward passes from one forward pass, with other targets."""
    used = trial.used()
    theta, x, y = trial.theta, trial.x, half(trial.y)
    expected = trial.new(theta, x, y)[1]
    a = went_forward(used.kernel, trial.network, theta, x)
    first = went_backward(used.kernel, theta, a, trial.y)
    if not same(went_backward(used.kernel, theta, a, y), expected):
        raise ContractError("a second backward pass from the same activations gives another result: state", "carries-state")
    if not same(first, used.kept[1]):
        raise ContractError("a second backward pass from the same activations changes the gradient of the first", "keeps-results")


def _many_calls(trial: Trial) -> None:
    """300 calls of each method with two data sets: every result the right bits, and all of them still there at the end.

    The two come in a random order: one that is periodic would come round with a ring of buffers.
    """
    kernel, network = trial.used().kernel, trial.network
    sets = [(inputs, [part.tobytes() for part in trial.new(*inputs)]) for inputs in (trial.inputs, trial.other())]
    kept: list[tuple[int, Array, bytes]] = []
    for n, which in enumerate(np.random.default_rng(0).integers(len(sets), size=CALLS)):
        (theta, x, y), expected = sets[which]
        a = went_forward(kernel, network, theta, x)
        hidden = [(n, a_i, a_i.tobytes()) for a_i in a[:-1] if isinstance(a_i, np.ndarray)]
        output = a[-1]
        now = [output.tobytes()]
        dtheta = went_backward(kernel, theta, a, y)
        now.append(dtheta.tobytes())
        cost, dtheta_too = valued(kernel, network, theta, x, y)
        now += [np.float64(cost).tobytes(), dtheta_too.tobytes()]
        if now != expected:
            raise ContractError(
                f"call {n + 2} gives another result than the first, with the same inputs: state is carried over", "carries-state"
            )
        kept += [*hidden, (n, output, now[0]), (n, dtheta, now[1]), (n, dtheta_too, now[3])]
    (theta, x, y), expected = sets[0]
    a = went_forward(kernel, network, theta, x)
    for n in range(CALLS, CALLS + BACKWARD):  # of a gradient for each sample, say, all may be kept
        dtheta = went_backward(kernel, theta, a, y)
        kept.append((n, dtheta, expected[1]))
    lost = next((n for n, array, before in kept if array.tobytes() != before), None)
    if lost is not None:
        raise ContractError(
            f"of {CALLS + BACKWARD} calls, a later one changes what call {lost + 2} returned: it must belong to the caller", "keeps-results"
        )


def _kept_results(trial: Trial) -> None:
    used = trial.used()
    trial.run(used.kernel, *trial.other())
    if not all_same(used.first, used.kept):
        raise ContractError(KEEPS, "keeps-results")


def _written_gradient(trial: Trial) -> None:
    """The gradients filled with other numbers by their owner, as an optimiser does that scales them in place."""
    used = trial.used()
    for value in (np.nan, 0.0):
        _, dtheta, _, dtheta_too = trial.run(used.kernel, *trial.inputs)
        for gradient in (dtheta, dtheta_too):
            if gradient.flags.writeable:
                gradient.fill(value)
        must_equal(trial.run(used.kernel, *trial.inputs), used.kept, WRITTEN, "keeps-results")


def _written_activations(trial: Trial) -> None:
    """All that ``forward`` returned but for the inputs themselves, filled with other numbers once ``backward`` is done."""
    used, (theta, x, y) = trial.used(), trial.inputs
    for value in (np.nan, 0.0):
        a = went_forward(used.kernel, trial.network, theta, x)
        went_backward(used.kernel, theta, a, y)
        for array in arrays_of(a):
            if array.dtype == theta.dtype and array.flags.writeable and not any(np.may_share_memory(array, own) for own in (theta, x)):
                array.fill(value)
        again = went_forward(used.kernel, trial.network, theta, x)
        got = copied((again[-1], went_backward(used.kernel, theta, again, y)))
        if not all_same(got, used.kept[:2]):
            raise ContractError(WRITTEN, "keeps-results")


def _writable(trial: Trial) -> None:
    output, dtheta, _, dtheta_too = trial.used().first
    for what, array in (("the output", output), ("the gradient of backward", dtheta), ("the gradient of value_and_grad", dtheta_too)):
        if not array.flags.writeable:
            raise ContractError(f"{what} is read-only: a result belongs to the caller, who may write into it", "read-only-results")
        if any(np.may_share_memory(array, own) for own in trial.inputs):
            raise ContractError(f"{what} lies in the memory of an input: a result must be new memory", "keeps-results")


def _outlives(trial: Trial) -> None:
    """Results of an instance that is gone, after another one has been at work."""
    used = trial.used()
    first, kept = used.first, used.kept
    del used
    trial.run(trial.made(), *trial.other())
    if not all_same(first, kept):
        raise ContractError("results of an instance that is gone change: they must belong to the caller", "keeps-results")


def _views(trial: Trial) -> None:
    """Parts of results, held when the arrays that they are parts of are held by nobody else."""
    used = trial.used()
    output, dtheta, _, dtheta_too = trial.run(used.kernel, *trial.inputs)
    parts = [output[:, :1], dtheta[: len(dtheta) // 2], dtheta_too[len(dtheta) // 2 :]]
    parts += [a_i[:1] for a_i in arrays_of(went_forward(used.kernel, trial.network, *trial.inputs[:2])) if a_i.ndim]
    del output, dtheta, dtheta_too
    kept = copied(parts)
    for _ in range(3):
        trial.run(used.kernel, *trial.other())
    if not all_same(parts, kept):
        raise ContractError("a later call changes parts of results that are still held: they must belong to the caller", "keeps-results")


def arrays_of(a: Any) -> Iterator[Array]:
    """All arrays in tuples and lists."""
    if isinstance(a, np.ndarray):
        yield a
    elif isinstance(a, tuple | list):
        for part in a:
            yield from arrays_of(part)


def _other_theta(trial: Trial) -> Inputs:
    return trial.other()[0], trial.x, trial.y


def _other_x(trial: Trial) -> Inputs:
    return trial.theta, trial.other()[1], trial.y


RESULTS_AND_ORDER = (
    Check("kept-results", "", "one buffer for every call's result", _kept_results, quick=True),
    Check("many-calls", "", "a switch after hundreds of calls; a ring of buffers", _many_calls),
    Check("written-gradient", "", "a gradient handed out and kept", _written_gradient),
    Check("written-activations", "", "activations handed out and kept", _written_activations),
    Check("new-memory", "", "results that cannot be written into, or lie in an input", _writable),
    Check("outlives-instance", "", "memory that goes back to a pool with the instance", _outlives),
    Check("views-of-results", "", "memory that goes back to a pool with the array, of which parts are held", _views),
    Check("forward-between", "", "a backward pass of the last forward pass", _between(FORWARD, Trial.other, "forward"), quick=True),
    Check("forward-other-theta", "", "the same, if x is the same object", _between(FORWARD, _other_theta, "forward")),
    Check("forward-other-x", "", "the same, if theta is the same object", _between(FORWARD, _other_x, "forward")),
    Check("forward-between-large", "", "the same, for large batches", _between_large),
    Check("value-and-grad-between", "", "a workspace that both ways share", _between(BOTH, Trial.other, "value_and_grad")),
    Check("value-and-grad-alone", "", "value_and_grad going by the last forward pass", _alone),
    Check("backward-twice", "", "a gradient made in the activations' memory", _backward_twice),
)

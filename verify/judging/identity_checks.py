"""Checks of identity: results go by the numbers in the arrays, not by which array it is, where it lies or whom its memory belongs to."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable

import numpy as np

from deltacheck.kernels import Network
from deltacheck.verify.judging.calls import Array, ContractError, near
from deltacheck.verify.judging.state_checks import negated
from deltacheck.verify.judging.trial import CARRIED, Check, Trial, Unsupported, fresh, half, must_equal


def _equal_ends(trial: Trial) -> tuple[Network, Array]:
    """The network of the trial with as many outputs as inputs, and parameters for it; ``Unsupported`` for a softmax of one output."""
    first, *hidden, _ = trial.network.layer_sizes
    if first == 1 and trial.network.cost == "cross_entropy":
        raise Unsupported
    network = Network((first, *hidden, first), trial.network.activations, trial.network.cost)
    return network, fresh(network.initial(np.random.default_rng(0), trial.theta.dtype))


def _refilled(which: int) -> Callable[[Trial], None]:
    """The same array object with other numbers in it, as descent changes theta and a loop over batches refills x and y.

    Once as it is, once as a read-only view of what changes, and once as a file mapped into memory.
    """

    def run(trial: Trial) -> None:
        kernel = trial.used().kernel
        with tempfile.TemporaryDirectory() as folder:
            for how in ("as it is", "read-only", "in a file"):
                arrays: list[Array] = [fresh(array) for array in trial.inputs]
                if how == "in a file":
                    arrays[which] = _mapped(arrays[which], f"{folder}/numbers")
                given = list(arrays)
                given[which] = arrays[which].view()
                given[which].flags.writeable = how != "read-only"
                trial.run(kernel, *given)
                arrays[which][...] = arrays[which][::-1] * arrays[which].dtype.type(0.75)
                text = "numbers changed in place are not seen: something is kept by identity"
                must_equal(trial.run(kernel, *given), trial.new(*arrays), text)

    return run


def _minibatches(trial: Trial) -> None:
    """Batches that are parts of one array of data, in memory and in a file."""
    theta, x, y = trial.inputs
    parts = [(x, y), (half(x[::-1]), half(y[::-1]))]
    with tempfile.TemporaryDirectory() as folder:
        in_memory = tuple(np.concatenate(both) for both in zip(*parts, strict=True))
        in_file = tuple(_mapped(array, f"{folder}/{name}") for name, array in zip("xy", in_memory, strict=True))
        for all_x, all_y in (in_memory, in_file):
            kernel = trial.used().kernel
            for rows in (slice(len(x)), slice(len(x), None), slice(len(x)), slice(None, None, 2)):
                plain = fresh(in_memory[0][rows]), fresh(in_memory[1][rows])
                if rows.step and not _takes(trial, theta, all_x[rows], all_y[rows]):  # others say so
                    continue
                got = trial.run(kernel, theta, all_x[rows], all_y[rows])
                if not trial.near(got, trial.new(theta, *plain), (theta, *plain)):
                    raise ContractError("another part of the same array is taken for the first: state is carried over", "carries-state")


def _takes(trial: Trial, theta: Array, x: Array, y: Array, network: Network | None = None) -> bool:
    """Whether a new instance gives for these arrays what another gives for contiguous copies."""
    expected = trial.new(theta, fresh(x), fresh(y), network=network)
    with contextlib.suppress(ContractError, NotImplementedError):
        return near(trial.run(trial.made(network), theta, x, y, network=network), expected, theta.dtype)
    return False


def _mapped(array: Array, path: str) -> Array:
    mapped: Array = np.memmap(path, array.dtype, "w+", shape=array.shape)
    mapped[...] = array
    return mapped


def _one_table(trial: Trial) -> None:
    """x and y as columns of one table, where their memory is interleaved; and the same with both of one shape."""
    theta, x, y = trial.inputs
    _in_one_table(trial, trial.network, theta, x, y)
    network, theta = _equal_ends(trial)
    _in_one_table(trial, network, theta, x, half(x[::-1]))


def _in_one_table(trial: Trial, network: Network, theta: Array, x: Array, y: Array) -> None:
    expected, n = trial.new(theta, x, y, network=network), x.shape[1]
    one, two, three = (np.hstack([x, y]) for _ in range(3))
    if _takes(trial, theta, two[:, :n], three[:, n:], network):  # if columns of two tables are not taken, others say so
        got = trial.run(trial.made(network), theta, one[:, :n], one[:, n:], network=network)
        if not near(got, expected, theta.dtype):
            raise ContractError("x and y as columns of one table give another result than of two", "rearranged")


def _equal_objects(trial: Trial) -> None:
    used = trial.used()
    must_equal(trial.run(used.kernel, *(fresh(array) for array in trial.inputs)), used.kept, "equal numbers give another result: state")


def _freed_objects(trial: Trial) -> None:
    """Arrays of x that are gone when the next one comes, which may then have their address."""
    kernel = trial.used().kernel
    several = [negated(trial.x, n % max(len(trial.x) - 1, 1)) for n in range(8)]
    expected = [trial.new(trial.theta, x, trial.y) for x in several]
    for n, values in enumerate(several):
        x = fresh(values)
        got = trial.run(kernel, trial.theta, x, trial.y)
        del x
        must_equal(got, expected[n], CARRIED)


def _autoencoder(trial: Trial) -> None:
    """One array as x and as y."""
    network, theta = _equal_ends(trial)
    expected = trial.new(theta, trial.x, fresh(trial.x), network=network)
    for _ in range(2):
        got = trial.run(trial.made(network), theta, trial.x, trial.x, network=network)
        must_equal(got, expected, "another result than with an equal array as y")


IDENTITY = (
    Check("theta-in-place", "theta changed in place", "weights kept while theta is the same object", _refilled(0), quick=True),
    Check("x-in-place", "x refilled", "inputs kept while x is the same object", _refilled(1)),
    Check("y-in-place", "y refilled", "targets kept while y is the same object", _refilled(2)),
    Check("minibatches", "", "data kept by the array that a batch is part of", _minibatches),
    Check("one-table", "", "arrays told apart by whether their memory overlaps", _one_table, strided=True),
    Check("equal-objects", "the same numbers in other arrays", "anything that starts anew with each array object", _equal_objects),
    Check("freed-objects", "arrays freed and made again", "a key of addresses, which come again", _freed_objects),
    Check("autoencoder", "x as the targets too", "inputs that are told apart by where they lie", _autoencoder),
)

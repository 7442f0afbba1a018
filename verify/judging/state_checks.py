"""Checks of state: whatever an instance was called with before, it gives the bits that a new one gives.

One argument changes at a time, the others stay the same objects: a cache shows whose key leaves out what changed. What a cache goes
by that looks at objects and addresses is in ``identity_checks``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.kernels import value_and_grad_of
from deltacheck.verify.judging.calls import RESULTS, Array, ContractError, all_same, copied, other_dtype, same
from deltacheck.verify.judging.trial import CARRIED, Check, Inputs, Trial, Unsupported, fresh, half, must_equal

BATCHES = (3, 40, 5, 1, 40)
MANY_ROWS = 600
ENTRIES = 6
REPEATED = 64
MANY_BATCHES = (*range(1, 19), *np.random.default_rng(0).permutation(np.arange(1, 150)).tolist(), 1)


def negated(array: Array, at: Any) -> Array:
    """A fresh copy with other signs at ``at``, and 1 for 0."""
    changed = fresh(array)
    changed[at] = np.where(changed[at] == 0, 1, -changed[at])
    return changed


def _slightly(array: Array) -> Array:
    """A fresh copy in which every number is a little larger: by some eight units of rounding in float32, by more in float64."""
    return fresh(array * array.dtype.type(1 + (1e-6 if array.dtype == np.float32 else 1e-12)))


def _entry_of_y(y: Array, row: int) -> Array:
    """A fresh copy with another target for one output of a row, now its largest."""
    changed = fresh(y)
    changed[row, np.argmin(y[row])] = y[row].max() + np.abs(y).max() / 2 + 0.5
    return changed


# What changes beside the point of the trial; signs, order, ends or largest entries stay where a cache might go by them.
CHANGES: dict[str, tuple[str, str, Callable[[Trial], Inputs]]] = {
    "theta-halved": ("another theta of the same signs", "weights kept by their signs", lambda t: (half(t.theta), t.x, t.y)),
    "theta-slightly": ("theta changed slightly", "a key by np.allclose", lambda t: (_slightly(t.theta), t.x, t.y)),
    "theta-reversed": ("theta in another order", "weights kept by a sum or norm", lambda t: (fresh(t.theta[::-1]), t.x, t.y)),
    "theta-first": ("theta[0] changed", "a key without the first entry", lambda t: (negated(t.theta, slice(1)), t.x, t.y)),
    "theta-last": ("theta[-1] changed", "a key without the last entry", lambda t: (negated(t.theta, slice(-1, None)), t.x, t.y)),
    "theta-middle": ("theta changed but at its ends", "a key of both ends", lambda t: (negated(t.theta, slice(1, -1)), t.x, t.y)),
    "x-halved": ("another x of the same signs", "inputs kept by which are positive, or 0", lambda t: (t.theta, half(t.x), t.y)),
    "x-slightly": ("x changed slightly", "a key by np.allclose", lambda t: (t.theta, _slightly(t.x), t.y)),
    "x-first": ("x[0, 0] changed", "a key without the first entry", lambda t: (t.theta, negated(t.x, (slice(1), slice(1))), t.y)),
    "x-last-row": ("the last row of x changed", "a key of the first rows", lambda t: (t.theta, negated(t.x, slice(-1, None)), t.y)),
    "x-reversed": ("the rows of x in another order", "a key of sums over rows", lambda t: (t.theta, fresh(t.x[::-1]), t.y)),
    "y-halved": ("y halved", "targets kept by which is the largest", lambda t: (t.theta, t.x, half(t.y))),
    "y-slightly": ("y changed slightly", "a key by np.allclose", lambda t: (t.theta, t.x, _slightly(t.y))),
    "y-entry": ("one entry of y changed", "a key without the first row", lambda t: (t.theta, t.x, _entry_of_y(t.y, 0))),
    "y-last-row": ("the last row of y changed", "a key of the first rows", lambda t: (t.theta, t.x, _entry_of_y(t.y, -1))),
    "y-reversed": ("the rows of y in another order", "a key of sums over rows", lambda t: (t.theta, t.x, fresh(t.y[::-1]))),
}


def _changed(change: Callable[[Trial], Inputs]) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        theta, x, y = change(trial)
        trial.same_as_new(trial.used().kernel, theta, x, y if y is trial.y else fresh(y))

    return run


def _first_call(trial: Trial) -> None:
    trial.used()


def _second_call(trial: Trial) -> None:
    used = trial.used()
    again = trial.run(used.kernel, *trial.inputs)
    if not all_same(used.kept, again):
        second = copied(again)
        raise _differs(used.kept, second, trial.run(used.kernel, *trial.inputs))


def _every_call(trial: Trial) -> None:
    """The same call many times over."""
    used = trial.used()
    for n in range(REPEATED):
        text = f"call {n + 2} with the same inputs gives another result than the first: state is carried over"
        must_equal(trial.run(used.kernel, *trial.inputs), used.kept, text)


def _other_data(trial: Trial) -> None:
    trial.same_as_new(trial.used().kernel, *trial.other())


def _other_x(trial: Trial) -> None:
    trial.same_as_new(trial.used().kernel, trial.theta, trial.other()[1], trial.y)


def _twice_the_rows(trial: Trial) -> None:
    theta, _, y = trial.other()
    trial.same_as_new(trial.used().kernel, theta, fresh(np.vstack([trial.x, trial.x])), fresh(np.vstack([y, y])))


def _back_again(trial: Trial) -> None:
    used = trial.used()
    trial.run(used.kernel, *trial.other())
    must_equal(trial.run(used.kernel, *trial.inputs), used.kept, "calls with other data change the next result: state is carried over")


def _batches(sizes: Sequence[int]) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        kernel = trial.used().kernel
        for n in sizes:
            with contextlib.suppress(Unsupported):  # one size that is not supported says nothing of the next
                trial.same_as_new(kernel, *trial.rows(n))

    return run


def _dtypes(trial: Trial) -> None:
    """One dtype after the other on one instance, and on one that begins with the other."""
    other = other_dtype(trial.theta.dtype)
    theirs, changed = (tuple(fresh(array.astype(other)) for array in inputs) for inputs in (trial.inputs, trial.other()))
    used, beginning = trial.used(), trial.made()
    for inputs in (theirs, changed, trial.inputs):
        trial.same_as_new(used.kernel, *inputs)
    for inputs in (theirs, trial.inputs):
        trial.same_as_new(beginning, *inputs)


def _entries(which: int) -> Callable[[Trial], None]:
    """Single entries somewhere in the middle, one after the other: an array that is looked at in some places only."""

    def run(trial: Trial) -> None:
        kernel, inputs = trial.used().kernel, list(trial.inputs)
        array = trial.inputs[which]
        for at in np.random.default_rng(0).integers(array.size, size=ENTRIES):
            inputs[which] = negated(array, np.unravel_index(at, array.shape))
            trial.same_as_new(kernel, *inputs)
            trial.same_as_new(kernel, *trial.inputs)

    return run


def _minus_two(which: int) -> Callable[[Trial], None]:
    """-1 somewhere, and then -2 in its place: Python's hash of the two is one."""

    def run(trial: Trial) -> None:
        kernel, inputs = trial.used().kernel, list(trial.inputs)
        for number in (-1, -2):
            inputs[which] = fresh(trial.inputs[which])
            inputs[which].flat[inputs[which].size // 2] = number
            trial.same_as_new(kernel, *inputs)

    return run


def _fitted(trial: Trial) -> None:
    """Targets that are the output itself: the gradient is 0 or rounding, and still new memory."""
    y, kernel = fresh(trial.new(*trial.inputs)[0]), trial.used().kernel
    expected = trial.new(trial.theta, trial.x, y)
    for _ in range(2):
        got = trial.run(kernel, trial.theta, trial.x, y)
        must_equal(got, expected, "what the caller writes into a gradient comes back, or another state", "keeps-results")
        for gradient in (got[1], got[3]):
            if gradient.flags.writeable:
                gradient += gradient.dtype.type(1)


def _after_an_error(trial: Trial) -> None:
    """Calls that raise, each with other data than the last good call; then a good one."""
    used, (theta, x, y) = trial.used(), trial.other()
    expected = trial.new(theta, x, y)
    other = other_dtype(theta.dtype)
    both = value_and_grad_of(used.kernel, trial.network)
    wide_theta, wide_x, wide_y = (fresh(np.concatenate([array, array[..., :1]], axis=-1)) for array in (theta, x, y))

    def overflowing() -> None:
        with np.errstate(over="raise"):
            both(theta, x * x.dtype.type(np.sqrt(np.finfo(x.dtype).max)), y * y.dtype.type(np.sqrt(np.finfo(y.dtype).max)) * 8)

    mistaken_calls: tuple[Callable[[], Any], ...] = (  # larger arrays, never smaller ones: not every kernel looks at shapes
        overflowing,
        lambda: used.kernel.forward(theta, wide_x),
        lambda: used.kernel.forward(wide_theta, x),
        lambda: used.kernel.backward(theta, used.kernel.forward(theta, x), wide_y),
        lambda: both(theta, wide_x, y),
        lambda: both(theta, x, wide_y),
        lambda: used.kernel.forward(theta, x.astype(other)),
        lambda: used.kernel.forward(theta.astype(other), x),
        lambda: both(theta, x, y.astype(other)),
        lambda: used.kernel.forward(theta, None),  # type: ignore[arg-type]
        lambda: used.kernel.backward(theta, used.kernel.forward(theta, x), None),  # type: ignore[arg-type]
        lambda: both(theta, x, None),  # type: ignore[arg-type]
    )
    for mistaken in mistaken_calls:
        must_equal(trial.run(used.kernel, *trial.inputs), used.kept, CARRIED)
        with contextlib.suppress(Exception):
            mistaken()
        text = "what is left of a call that raised changes the next result: state is carried over"
        must_equal(trial.run(used.kernel, theta, x, y), expected, text)


def _not_a_number(trial: Trial) -> None:
    """NaN in a larger batch, whatever becomes of it; then the point again."""
    used = trial.used()
    theta, x, y = trial.rows(40)
    with contextlib.suppress(ContractError, NotImplementedError):  # NaN may be refused
        trial.run(used.kernel, theta, fresh(np.full_like(x, np.nan)), y)
    must_equal(trial.run(used.kernel, *trial.inputs), used.kept, "what is left of a batch of NaN changes the result: state")


def _propagates(trial: Trial) -> None:
    """NaN in a row of x: that row's output is NaN, and so are the cost and the gradient; nothing else is."""
    theta, x, y = trial.inputs
    x = fresh(x)
    x[-1, 0] = np.nan
    output, dtheta, cost, dtheta_too = trial.run(trial.made(), theta, x, y)
    if not np.isnan(output[-1]).all() or np.isnan(output[:-1]).any():
        raise ContractError("NaN in a row of x must come out in that row of the output, and in no other", "hides-nan")
    if not np.isnan(cost) or not np.isnan(dtheta).any() or not np.isnan(dtheta_too).any():
        raise ContractError("NaN in x must come out in the cost and in the gradient", "hides-nan")


def _many_rows(trial: Trial) -> None:
    """The point's rows again and again, 600 in all: the output is theirs again, and the gradient adds up."""
    n, rest = divmod(MANY_ROWS, len(trial.x))
    at = np.arange(MANY_ROWS) % len(trial.x)
    many = trial.theta, fresh(trial.x[at]), fresh(trial.y[at])
    kernel = trial.used().kernel
    for _ in range(2):
        trial.same_as_new(kernel, *many)
    expected = [n * np.asarray(part, np.float64) for part in trial.new(*trial.inputs)[1:]]
    if rest:
        some = trial.new(trial.theta, trial.x[:rest], trial.y[:rest])[1:]
        expected = [part + one for part, one in zip(expected, some, strict=True)]
    if not trial.near(trial.new(*many), [trial.new(*trial.inputs)[0][at], *expected], many):
        raise ContractError("not what the same rows give in smaller batches", "rearranged")


def _differs(*calls: Sequence[Array]) -> ContractError:
    """What it means that three calls with the same inputs give other numbers each time, or give others after the first."""
    at, what = next((i, name) for i, name in enumerate(RESULTS) if not same(calls[0][i], calls[1][i]))
    one, two, three = (np.asarray(results[at], np.float64) for results in calls)
    return ContractError(*_unequal(what, one, two, three))


def _unequal(what: str, one: Array, two: Array, three: Array) -> tuple[str, str]:
    text = "a second call with the same inputs gives"
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        return f"{text} another {what}, NaN or infinity among it: memory that was never written?", "carries-state"
    off, size = float(np.linalg.norm(two - one)), float(np.linalg.norm(one))
    times = float(np.vdot(one, two)) / size**2 if size else 0.0
    if round(times) > 1 and np.linalg.norm(two - round(times) * one) <= 1e-5 * size * times:
        return f"{text} {round(times)} × the {what} of the first: it accumulates over calls", "accumulates"
    if off > 1e-2 * size and np.linalg.norm(two - times * one) <= 1e-5 * np.linalg.norm(two):
        return f"{text} {times:.3g} × the {what} of the first: something of the last call is added", "carries-state"
    if off <= 1e-2 * size or not (same(three, two) or same(three, one)):
        return f"each call with the same inputs gives another {what}: noise of {off / (size or 1):.1g}, relative", "noise"
    return f"{text} another {what}: state is carried from call to call", "carries-state"


STATE = (
    Check("first-call", "", "a kernel that breaks the interface, or writes into its inputs", _first_call, quick=True, first=True),
    Check("second-call", "", "noise; sums over calls; a first call unlike the others", _second_call, quick=True, first=True),
    Check("every-call", "", "a switch after 50 calls", _every_call, first=True),
    Check("other-data", "", "anything kept from the last call", _other_data, quick=True),
    Check("other-x", "", "a forward pass kept for a theta", _other_x, quick=True),
    Check("twice-the-rows", "", "anything kept by batch size", _twice_the_rows, quick=True),
    *(Check(name, what, reason, _changed(change)) for name, (what, reason, change) in CHANGES.items()),
    Check("theta-entries", "single entries of theta changed", "a key of every second entry", _entries(0)),
    Check("x-entries", "single entries of x changed", "a key of every second entry", _entries(1)),
    Check("theta-minus-two", "-2 for -1 in theta", "a key by Python's hash", _minus_two(0)),
    Check("x-minus-two", "-2 for -1 in x", "a key by Python's hash", _minus_two(1)),
    Check("y-minus-two", "-2 for -1 in y", "a key by Python's hash", _minus_two(2)),
    Check("dtypes", "the other dtype in between", "a workspace of the first call's dtype", _dtypes),
    Check("batches", "batches of 3, 40, 5, 1 and 40 rows", "rows left over from a larger batch", _batches(BATCHES)),
    Check(
        "many-batches", "batches of 1 to 149 rows", "a table of workspaces that runs over, or goes by a remainder", _batches(MANY_BATCHES)
    ),
    Check("many-rows", f"{MANY_ROWS} rows", "a buffer of 256 rows, or of 512", _many_rows),
    Check("fitted", "targets that are the output", "a way out where nothing is wrong", _fitted),
    Check("after-an-error", "", "a key that is set before the work is done", _after_an_error),
    Check("propagates-nan", "", "NaN that is lost on the way", _propagates),
    Check("after-nan", "", "rows left over and multiplied by 0", _not_a_number),
    Check("back-again", "", "a state that other data change", _back_again, quick=True),
)

"""Checks of memory: read-only inputs, what lies around and between their numbers, and strides of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from deltacheck.kernels import KernelLike
from deltacheck.verify.judging.calls import Array, ContractError, same, went_backward, went_forward
from deltacheck.verify.judging.layouts import MATRIX, MATRIX_KINDS, OFF, VECTOR_KINDS, LaidOut, laid_out
from deltacheck.verify.judging.trial import NAMES, Check, Trial, Unsupported, fresh, must_equal

GRADIENT = slice(1, 2)  # of backward, among the four results
BY_NUMBERS = "backward does not go by the numbers in the activations"


def _read_only(trial: Trial) -> None:
    used = trial.used()
    inputs = tuple(fresh(array) for array in trial.inputs)
    for array in inputs:
        array.flags.writeable = False
    try:
        got = trial.run(used.kernel, *inputs)
    except ContractError as error:
        if error.name == "writes-input":
            raise
        raise ContractError(f"read-only inputs are not taken: {error}", "read-only") from error
    must_equal(got, used.kept, "read-only inputs give another result", "read-only")


def _read_only_activations(trial: Trial) -> None:
    """Activations are inputs of ``backward``: not even to be written into and put right again."""
    used = trial.used()
    a = went_forward(used.kernel, trial.network, *trial.inputs[:2])
    own = [array for array in a if isinstance(array, np.ndarray) and array.flags.writeable]
    for array in own:
        array.flags.writeable = False
    try:
        dtheta = went_backward(used.kernel, trial.theta, a, trial.y)
    except ContractError as error:
        if error.name == "writes-input":
            raise
        raise ContractError(f"read-only activations are not taken: {error}", "read-only") from error
    finally:
        for array in own:
            array.flags.writeable = True
    if not same(dtheta, used.kept[1]):
        raise ContractError("read-only activations give another gradient", "read-only")


def _beside(trial: Trial, kernel: KernelLike, arrays: Sequence[Array], parts: Iterable[LaidOut]) -> tuple[Any, ...]:
    """Everything for ``arrays``; raises ``ContractError`` if the memory that ``parts`` of them lie in is not as it was."""
    got = trial.run(kernel, *arrays)
    if not all(part.intact for part in parts):
        raise ContractError("writes beside its inputs, into memory that is not theirs", "writes-beyond")
    return got


def _borders(trial: Trial) -> None:
    """Contiguous inputs with NaN before and behind."""
    parts = [laid_out(array, "contiguous") for array in trial.inputs]
    got = _beside(trial, trial.used().kernel, [part.array for part in parts], parts)
    text = "what lies before or behind the inputs in memory changes the result: it is read"
    must_equal(got, trial.new(*trial.inputs), text, "reads-beyond")


def _off_alignment(trial: Trial) -> None:
    """Contiguous inputs that begin one element off a multiple of 64 bytes, as parts of arrays do."""
    inputs = (fresh(np.concatenate([array.ravel()[:1], array.ravel()]))[1:].reshape(array.shape) for array in trial.inputs)
    try:
        got = trial.run(trial.used().kernel, *inputs)
    except ContractError as error:
        raise error if error.name == "writes-input" else ContractError(f"needs aligned arrays: {error}", "aligned-only") from error
    if not trial.near(got, trial.new(*trial.inputs), trial.inputs):
        raise ContractError("needs aligned arrays: another result", "aligned-only")


def _laid_out(which: int) -> Callable[[Trial], None]:
    """One of the inputs in every layout that is not contiguous, the others contiguous."""
    layouts = [name for name in (VECTOR_KINDS if which == 0 else MATRIX_KINDS) if name not in ("contiguous", OFF)]

    def run(trial: Trial) -> None:
        kernel = trial.used().kernel
        points = [(layout, trial.inputs) for layout in layouts]
        if which:  # as many rows as columns: strides alone tell the two apart
            points.append(("fortran", trial.rows(trial.inputs[which].shape[1])))
        for layout, inputs in points:
            part = laid_out(inputs[which], layout)
            arrays = [part.array if n == which else array for n, array in enumerate(inputs)]
            try:
                expected = trial.new(*arrays)
            except Unsupported:
                continue

            def right(results: Any, arrays: list[Array] = arrays, expected: Any = expected) -> bool:
                return trial.near(results, expected, arrays)

            strided = partial(_beside, trial, kernel, arrays, [part])
            plain = [fresh(array) for array in arrays]
            plain[which].flags.writeable = part.array.flags.writeable  # what is broadcast is read-only
            contiguous = partial(trial.run, kernel, *plain)
            _needs_contiguous(f"{NAMES[which]}, {layout}", strided, contiguous, right)

    return run


def _needs_contiguous(what: str, strided: Callable[[], Any], contiguous: Callable[[], Any], right: Callable[[Any], bool]) -> None:
    """Say that contiguous arrays are needed where others raise or give another result, and the same call with contiguous ones is right."""
    try:
        got = strided()
        if right(got):
            return
        beyond = "" if all(np.isfinite(part).all() for part in got) else ", NaN from between the numbers"
        found = ContractError(f"needs contiguous arrays: {what}: another result{beyond}", "contiguous-only")
    except ContractError as error:
        if error.name == "writes-beyond" or str(error).startswith("writes into"):
            raise ContractError(f"{what}: {error}", error.name) from error
        found = ContractError(f"needs contiguous arrays: {what}: {error}", "contiguous-only")
    except NotImplementedError as error:
        text = f"refuses how its arguments lie in memory, which it must take: {what}: {error}"
        found = ContractError(text, "refuses-layout")
    try:
        known = right(contiguous())
    except (ContractError, NotImplementedError):
        known = False
    if known:  # else the layout is not to blame, and other checks are there for what is
        raise found


def plain_activations(trial: Trial) -> tuple[Any, Any, list[Array]]:
    """A used kernel and what its ``forward`` returned, if that is plain: a tuple or list of one array (B, n_i) for each layer."""
    used = trial.used()
    a = went_forward(used.kernel, trial.network, *trial.inputs[:2])
    shapes = [(len(trial.x), n) for n in trial.network.layer_sizes]
    if type(a) not in (tuple, list) or [getattr(a_i, "shape", None) for a_i in a] != shapes:
        raise Unsupported
    if any(type(a_i) is not np.ndarray or a_i.dtype != trial.theta.dtype for a_i in a):
        raise Unsupported
    return used, type(a), list(a)


def _activations_copied(trial: Trial) -> None:
    """Equal activations in other arrays."""
    used, kind, a = plain_activations(trial)
    try:
        dtheta = went_backward(used.kernel, trial.theta, kind(fresh(a_i) for a_i in a), trial.y)
    except ContractError as error:
        raise ContractError(
            f"backward does not go by the numbers in the activations: given copies of them, {error}", "carries-state"
        ) from error
    if not trial.near([dtheta], [used.kept[1]], trial.inputs, GRADIENT):
        raise ContractError(f"{BY_NUMBERS}: copies of them give another result", "carries-state")


def _activations_laid_out(trial: Trial) -> None:
    used, kind, a = plain_activations(trial)
    for layout in (name for name in MATRIX if name not in ("contiguous", OFF)):
        parts = [laid_out(a_i, layout) for a_i in a]

        def run(parts: list[LaidOut] = parts) -> list[Array]:
            dtheta = went_backward(used.kernel, trial.theta, kind(part.array for part in parts), trial.y)
            if not all(part.intact for part in parts):
                raise ContractError("writes into the activations or beside them", "writes-beyond")
            return [dtheta]

        def right(results: Any) -> bool:
            return trial.near(results, [used.kept[1]], trial.inputs, GRADIENT)

        copies = kind(fresh(a_i) for a_i in a)
        contiguous = partial(lambda copies: [went_backward(used.kernel, trial.theta, copies, trial.y)], copies)
        _needs_contiguous(f"activations handed back, {layout}", run, contiguous, right)


def _rows_of_activations(trial: Trial) -> None:
    """``backward`` of some rows, by those rows of the activations: the gradient of these rows alone."""
    used, kind, a = plain_activations(trial)
    for rows in (slice(0, 1), slice(len(trial.x) // 2, None), slice(None, None, 2)):
        inputs = trial.theta, fresh(trial.x[rows]), fresh(trial.y[rows])
        try:
            expected = trial.new(*inputs)[1:2]
        except Unsupported:
            continue
        some, y = kind(a_i[rows] for a_i in a), trial.y[rows]
        if rows.step and not _right_in_a_new_instance(trial, some, y, expected, inputs):  # strides are others' business
            continue
        dtheta = went_backward(used.kernel, trial.theta, some, y)
        if not trial.near([dtheta], expected, inputs, GRADIENT):
            raise ContractError(f"{BY_NUMBERS}: some of their rows do not give the gradient of these rows", "carries-state")


def _right_in_a_new_instance(trial: Trial, a: Any, y: Array, expected: Sequence[Any], inputs: Sequence[Array]) -> bool:
    with suppress(ContractError, NotImplementedError):
        return trial.near([went_backward(trial.made(), trial.theta, a, y)], expected, inputs, GRADIENT)
    return False


MEMORY = (
    Check("read-only", "", "inputs as scratch space, put right in the end", _read_only, quick=True),
    Check("read-only-activations", "", "activations as scratch space, put right in the end", _read_only_activations),
    Check("borders", "", "loops that run beyond the end", _borders),
    Check("off-alignment", "inputs one element off a multiple of 64 bytes", "vector loads that need alignment", _off_alignment),
    Check("theta-layout", "", "theta read as if it had no gaps", _laid_out(0), strided=True),
    Check("x-layout", "", "x read as if it lay in C order", _laid_out(1), strided=True),
    Check("y-layout", "", "y read as if it lay in C order", _laid_out(2), strided=True),
    Check("activations-copied", "", "what was kept for the very tuple that forward returned", _activations_copied),
    Check("rows-of-activations", "", "what was kept for arrays that the rows are parts of", _rows_of_activations),
    Check("activations-layout", "", "activations read as if they lay in C order", _activations_laid_out, strided=True),
)

"""What is asked of a kernel beside right numbers: shapes, intact inputs, equal bits, nothing carried over.

Each check calls the kernel and returns what it found broken, one line each; an exception of the kernel's own is one of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import KernelLike, Network, value_and_grad_of
from deltacheck.kernels.error_text import one_line_and_place
from deltacheck.verify.verdict.array_verdict import Diagnosis

Array = NDArray[Any]


RESULTS = ("output", "gradient (backward)", "cost", "gradient (value_and_grad)")  # in the order of ``passes``


class ContractError(Exception):
    """A kernel broke the interface; the message says how, in one line, and ``name`` is the diagnosis."""

    def __init__(self, message: str, name: str = "interface") -> None:
        super().__init__(message)
        self.name = name

    @property
    def diagnosis(self) -> Diagnosis:
        """The same as a diagnosis."""
        return Diagnosis(self.name, str(self))


def call(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the kernel; what it raises becomes a ``ContractError`` that says where.

    ``NotImplementedError`` is let through: it says that the kernel does not support the network.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # a kernel is judged by what it returns, not by its warnings
            warnings.simplefilter("ignore")
            return function(*arguments)
    except NotImplementedError:
        raise
    except (Exception, SystemExit) as error:
        name = "writes-input" if "read-only" in str(error) else "interface"
        raise ContractError(f"{what} raised {one_line_and_place(error)}", name) from error


def made(kernel_class: Callable[[Network], KernelLike], network: Network) -> KernelLike:
    """A new instance; what the constructor raises becomes a ``ContractError`` too."""
    kernel: KernelLike = call("the constructor", kernel_class, network)
    return kernel


def checked_array(what: str, result: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """``result`` if it is an array of the shape and dtype that the interface asks for."""
    if not isinstance(result, np.ndarray):
        raise ContractError(f"{what} is a {type(result).__name__}; expected a NumPy array of shape {shape}")
    if result.shape != shape:
        raise ContractError(f"{what} has shape {result.shape}; expected {shape}")
    if result.dtype != dtype:
        raise ContractError(f"{what} has dtype {result.dtype}; expected {np.dtype(dtype)}, as theta has")
    return result


def passes(kernel: KernelLike, network: Network, theta: Array, x: Array, y: Array) -> tuple[Array, Array, Any, Array]:
    """One call of everything: output (B, n_l), gradient by ``backward`` (P,), cost and gradient by ``value_and_grad``."""
    a = call("forward", kernel.forward, theta, x)
    if not isinstance(a, tuple | list) or not a:
        raise ContractError(f"forward returned {type(a).__name__}; expected a tuple of arrays, the last of them the output")
    output = checked_array("the output, the last that forward returns,", a[-1], (len(x), network.layer_sizes[-1]), theta.dtype)
    kept = [(a_i, a_i.copy()) for a_i in a if isinstance(a_i, np.ndarray)]  # beside the output, a kernel may return what it likes
    n_kept = len(a)
    dtheta = checked_array("what backward returns", call("backward", kernel.backward, theta, a, y), theta.shape, theta.dtype)
    if len(a) != n_kept or not all(_same(now, before) for now, before in kept):
        raise ContractError("backward writes into the activations; inputs must stay as they are", "writes-input")
    both = call("value_and_grad", value_and_grad_of(kernel, network), theta, x, y)
    if not isinstance(both, tuple | list) or len(both) != 2:
        raise ContractError("value_and_grad must return two things, the cost and the gradient")
    cost, dtheta_too = both
    return output, dtheta, _number(cost), checked_array("the gradient of value_and_grad", dtheta_too, theta.shape, theta.dtype)


def _number(cost: Any) -> float:
    """The cost as a float."""
    try:
        if not np.iscomplexobj(cost) and np.shape(cost) == ():
            return float(cost)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ContractError(f"the cost is a {type(cost).__name__}; expected a real number")


def violations(kernel_class: Callable[[Network], KernelLike], network: Network, theta: Array, x: Array, y: Array) -> list[Diagnosis]:
    """Whatever of the contract the kernel breaks at this point; empty for a good kernel. It calls the kernel some ten times.

    A call that has others behind it must give the bits that a new instance gives: whatever is kept from before shows so.
    """
    inputs = {"theta": theta.copy(), "x": x.copy(), "y": y.copy()}
    try:
        kernel = made(kernel_class, network)
        first = passes(kernel, network, *inputs.values())
        written = [name for (name, now), before in zip(inputs.items(), (theta, x, y), strict=True) if not _same(now, before)]
        if written:  # the rest would blame the kernel for what follows from this
            return [Diagnosis("writes-input", f"writes into {' and '.join(written)}; inputs must stay as they are")]
        kept = [np.array(part, copy=True) for part in first]
        again = passes(kernel, network, theta, x, y)
        if not _all_same(kept, again):
            second = [np.array(part, copy=True) for part in again]
            return [_unequal(kept, second, list(passes(kernel, network, theta, x, y)))]
        found = _carried_over(kernel, kernel_class, network, theta, x, y)
        if not _all_same(kept, first):
            found.append(Diagnosis("keeps-results", "a later call changes results already returned: they must belong to the caller"))
        if not found and not _all_same(kept, passes(kernel, network, theta, x, y)):
            found.append(Diagnosis("carries-state", "calls with other data change the next result: state is carried over"))
        for array in inputs.values():
            array.flags.writeable = False
        if not found and not _all_same(kept, passes(kernel, network, *inputs.values())):
            found.append(Diagnosis("read-only", "read-only inputs give another result"))
        return found
    except ContractError as error:
        return [error.diagnosis]
    except NotImplementedError:  # of other data than the point's own: then there is no more to be asked
        return []


def _carried_over(
    kernel: KernelLike, kernel_class: Callable[[Network], KernelLike], network: Network, theta: Array, x: Array, y: Array
) -> list[Diagnosis]:
    """Call an instance that has a past with other data, and a new one with the same."""
    half = theta.dtype.type(0.5)
    other, other_x = theta[::-1] * half, x[::-1] * half
    ways = {
        "what was called before changes the result for other data of the same batch size": (other, other_x, y),
        "what was called before changes the result for another batch size": (other, np.vstack([x, x]), np.vstack([y, y])),
        "what was called before changes the result for the same theta and other data": (theta, other_x, y),
    }
    for text, arrays in ways.items():
        try:
            same = _all_same(passes(kernel, network, *arrays), passes(made(kernel_class, network), network, *arrays))
        except NotImplementedError:  # a batch size that the kernel does not support
            continue
        if not same:
            return [Diagnosis("carries-state", f"{text}: state is carried over")]
    a = call("forward", kernel.forward, theta, x)
    expected = np.array(call("backward", kernel.backward, theta, a, y), copy=True)
    call("forward", kernel.forward, other, other_x)
    if not _same(call("backward", kernel.backward, theta, a, y), expected):
        text = "backward does not go by the activations that it is given: a forward pass of other data in between changes its result"
        return [Diagnosis("carries-state", text)]
    moving = theta.copy()
    passes(kernel, network, moving, x, y)
    moving *= half
    if not _all_same(passes(kernel, network, moving, x, y), passes(made(kernel_class, network), network, moving, x, y)):
        return [Diagnosis("carries-state", "theta changed in place, as descent does it, is not seen: something is kept by identity")]
    return []


def _unequal(*calls: list[Array]) -> Diagnosis:
    """What it means that three calls with the same inputs give other numbers each time, or give others after the first."""
    at, what = next((i, name) for i, name in enumerate(RESULTS) if not _same(calls[0][i], calls[1][i]))
    one, two, three = (np.float64(call[at]) for call in calls)
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        text = f"a second call with the same inputs gives another {what}, NaN or infinity among it: memory that was never written?"
        return Diagnosis("carries-state", text)
    off, size = float(np.linalg.norm(two - one)), float(np.linalg.norm(one))
    times = float(np.vdot(one, two)) / size**2 if size else 0.0
    if round(times) > 1 and np.linalg.norm(two - round(times) * one) <= 1e-5 * size * times:
        text = f"a second call with the same inputs gives {round(times)} × the {what} of the first: it accumulates over calls"
        return Diagnosis("accumulates", text)
    if off > 1e-2 * size and np.linalg.norm(two - times * one) <= 1e-5 * np.linalg.norm(two):
        text = f"a second call with the same inputs gives {times:.3g} × the {what} of the first: something of the last call is added"
        return Diagnosis("carries-state", text)
    if off <= 1e-2 * size or not (_same(three, two) or _same(three, one)):
        return Diagnosis("noise", f"each call with the same inputs gives another {what}: noise of {off / (size or 1):.1g}, relative")
    return Diagnosis("carries-state", f"a second call with the same inputs gives another {what}: state is carried from call to call")


def strided(theta: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """The same numbers laid out otherwise: theta with gaps, x in Fortran order, y as every other column of a wider array."""
    wide_theta, wide_y = np.zeros(2 * len(theta), theta.dtype), np.zeros((len(y), 2 * y.shape[1]), y.dtype)
    wide_theta[::2], wide_y[:, ::2] = theta, y
    return wide_theta[::2], np.asfortranarray(x), wide_y[:, ::2]


def _same(one: Any, other: Any) -> bool:
    """Equal bits, NaN included."""
    one, other = np.asarray(one), np.asarray(other)
    return bool(one.shape == other.shape and one.tobytes() == other.tobytes())


def _all_same(one: Any, other: Any) -> bool:
    return all(_same(a, b) for a, b in zip(one, other, strict=True))

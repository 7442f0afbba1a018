"""How a kernel is called, and what is asked of the shape and dtype of each result; what it raises becomes one line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.kernels import KernelLike, Network, value_and_grad_of
from deltacheck.kernels.error_text import one_line_and_place
from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.verdict.array_verdict import Diagnosis

Array = NDArray[Any]
Results = tuple[Array, Array, Any, Array]

RESULTS = ("output", "gradient (backward)", "cost", "gradient (value_and_grad)")  # in the order of ``passes``


KEEPS = "a later call changes results already returned: they must belong to the caller"


class ContractError(Exception):
    """A kernel broke the interface; the message says how, in one line, and ``name`` is the diagnosis."""

    def __init__(self, message: str, name: str = "interface") -> None:
        super().__init__(message)
        self.name = name

    @property
    def diagnosis(self) -> Diagnosis:
        """The same as a diagnosis."""
        return Diagnosis(self.name, str(self))


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, Python's or NumPy's: a kernel is judged by what it returns."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def call(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the kernel; what it raises becomes a ``ContractError`` that says where.

    ``NotImplementedError`` is let through: it says that the kernel does not support the network.
    """
    try:
        return function(*arguments)
    except NotImplementedError:
        raise
    except (Exception, SystemExit) as error:
        name = "writes-input" if "read-only" in str(error) else "interface"
        raise ContractError(f"{what} raised {one_line_and_place(error)}", name) from error


def made(kernel_class: KernelClass, network: Network) -> KernelLike:
    """A new instance; what the constructor raises becomes a ``ContractError`` too."""
    with quiet():
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


def went_forward(kernel: KernelLike, network: Network, theta: Array, x: Array) -> Any:
    """What ``forward`` returns: a tuple or list whose last is the output (B, n_l)."""
    a = call("forward", kernel.forward, theta, x)
    if not isinstance(a, tuple | list) or not a:
        raise ContractError(f"forward returned {type(a).__name__}; expected a tuple of arrays, the last of them the output")
    checked_array("the output, the last that forward returns,", a[-1], (len(x), network.layer_sizes[-1]), theta.dtype)
    return a


def went_backward(kernel: KernelLike, theta: Array, a: Any, y: Array) -> Array:
    """The gradient (P,) of ``backward``."""
    return checked_array("what backward returns", call("backward", kernel.backward, theta, a, y), theta.shape, theta.dtype)


def valued(kernel: KernelLike, network: Network, theta: Array, x: Array, y: Array) -> tuple[Any, Array]:
    """The cost, a real number, and the gradient (P,) of ``value_and_grad``."""
    both = call("value_and_grad", value_and_grad_of(kernel, network), theta, x, y)
    if not isinstance(both, tuple | list) or len(both) != 2:
        raise ContractError("value_and_grad must return two things, the cost and the gradient")
    cost, dtheta = both
    return _number(cost), checked_array("the gradient of value_and_grad", dtheta, theta.shape, theta.dtype)


def passes_in_quiet(
    kernel: KernelLike, network: Network, theta: Array, x: Array, y: Array, between: Callable[[], None] | None = None
) -> Results:
    """``passes`` for those who call it often and have said ``quiet`` once."""
    a = went_forward(kernel, network, theta, x)
    output = a[-1]
    kept = [(a_i, a_i.copy()) for a_i in a if isinstance(a_i, np.ndarray)]  # beside the output, a kernel may return what it likes
    n_kept = len(a)
    if between is not None:
        between()
        if not all(same(now, before) for now, before in kept):
            raise ContractError(KEEPS, "keeps-results")
    refused: NotImplementedError | None = None
    try:
        dtheta = went_backward(kernel, theta, a, y)
    except NotImplementedError as error:
        refused = error
    if len(a) != n_kept or not all(same(now, before) for now, before in kept):
        raise ContractError("backward writes into the activations; inputs must stay as they are", "writes-input")
    try:
        cost, dtheta_too = valued(kernel, network, theta, x, y)
    except NotImplementedError as error:
        if refused is None:
            raise ContractError(f"value_and_grad refuses what backward takes: {error}", "refuses-in-part") from error
        raise
    if refused is not None:
        raise ContractError(f"backward refuses what value_and_grad takes: {refused}", "refuses-in-part")
    for what, array in zip(("output", "gradient", "gradient of value_and_grad"), (output, dtheta, dtheta_too), strict=True):
        if any(np.may_share_memory(array, own) for own in (theta, x, y)):
            raise ContractError(f"the {what} lies in the memory of an input: a result must be new memory", "keeps-results")
        if any(stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape, strict=True)):
            raise ContractError(f"numbers of the {what} share memory: a result is written into by its owner", "keeps-results")
    return output, dtheta, cost, dtheta_too


def passes(kernel: KernelLike, network: Network, theta: Array, x: Array, y: Array, between: Callable[[], None] | None = None) -> Results:
    """One call of everything: output (B, n_l), gradient by ``backward`` (P,), cost and gradient by ``value_and_grad``.

    ``between``: called after the forward pass and before the backward pass.

    Raises ``ContractError`` for whatever breaks the interface; ``NotImplementedError`` is let through.
    """
    with quiet():
        return passes_in_quiet(kernel, network, theta, x, y, between)


def _number(cost: Any) -> float:
    """The cost as a float."""
    try:
        if not np.iscomplexobj(cost) and np.shape(cost) == ():
            return float(cost)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ContractError(f"the cost is a {type(cost).__name__}; expected a real number")


def other_dtype(dtype: Any) -> Any:
    """Float32 for float64, and the other way round."""
    return np.float32 if dtype == np.float64 else np.float64


def same(one: Any, other: Any) -> bool:
    """Equal bits, NaN included."""
    one, other = np.asarray(one), np.asarray(other)
    return bool(one.shape == other.shape and one.tobytes() == other.tobytes())


def all_same(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Equal bits of all results."""
    return all(same(a, b) for a, b in zip(one, other, strict=True))


def copied(results: Iterable[Any]) -> tuple[Any, ...]:
    """The results as they are now, whatever becomes of their memory."""
    return tuple(np.array(part, copy=True) for part in results)


def near(got: Iterable[Any], expected: Iterable[Any], dtype: Any) -> bool:
    """Equal but for rounding: within the root of the dtype's epsilon, of the largest number of each result.

    For what may take another way through BLAS: another layout, another batch. What it is to find is larger by far.
    """
    tolerance = float(np.sqrt(np.finfo(dtype).eps))
    for one, other in zip(got, expected, strict=True):
        size = float(np.max(np.abs(other)))
        if not (np.array_equal(one, other, equal_nan=True) or np.max(np.abs(np.subtract(one, other))) <= tolerance * size):
            return False
    return True

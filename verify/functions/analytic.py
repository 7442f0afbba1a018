"""Whether a cost is analytic as it is written, and its derivatives by the complex step where it is.

The complex step needs a cost that treats complex numbers as the analytic function does. ``abs``, ``conj``, ``real``, a cast or
a comparison inside break that, some by so little that no difference shows it. So the cost is run once on an array that lets
pass only what is known to be analytic: anything else raises ``NotAnalyticError``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.references.complex_step import COMPLEX_STEP

Array = NDArray[Any]

# What is analytic in each of its arguments, or only moves numbers about.
UFUNC_NAMES = """
    add subtract multiply divide true_divide negative positive power float_power square sqrt exp exp2 expm1 log log2 log10 log1p
    sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh reciprocal matmul
"""
FUNCTION_NAMES = """
    sum prod mean dot inner outer tensordot einsum trace transpose reshape ravel concatenate stack vstack hstack column_stack dstack
    block append insert delete pad atleast_1d atleast_2d expand_dims squeeze swapaxes moveaxis flip fliplr flipud rot90 roll tile repeat
    broadcast_to split array_split take diag diagonal tril triu cumsum cumprod diff ediff1d gradient kron cross average convolve polyval
    zeros_like ones_like full_like copy solve inv det matrix_power shape ndim size
"""
METHOD_NAMES = "sum prod mean dot reshape ravel flatten transpose trace copy cumsum cumprod diagonal squeeze swapaxes take repeat"
UFUNCS, FUNCTIONS, METHODS = (frozenset(names.split()) for names in (UFUNC_NAMES, FUNCTION_NAMES, METHOD_NAMES))
SMALLEST = 1e-290
AGREES = 1e-9  # relative, between the value for complex and for real numbers


class NotAnalyticError(TypeError):
    """The cost does something with a complex number that is not analytic, or not known to be."""


_running = [False]  # whether a cost is being traced


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of complex numbers that nothing but analytic operations get into.

    A cost may keep one: once the tracing is over it is the real array at theta, for whatever is done with it.
    """

    __array_priority__ = 1000

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        if not _running[0]:
            return np.array(self.array.real, *arguments, **options)
        raise NotAnalyticError("a conversion to a plain array")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if not _running[0]:
            return getattr(ufunc, method)(*_bare(inputs), **_bare(options))
        if ufunc.__name__ not in UFUNCS or method not in ("__call__", "reduce", "accumulate", "outer"):
            raise NotAnalyticError(ufunc.__name__)
        if ufunc.__name__ in ("power", "float_power") and isinstance(inputs[1], Traced):
            raise NotAnalyticError("a variable exponent")  # its branch depends on the sign of the base
        into = options.pop("out", None) or ()
        if not all(isinstance(array, Traced) for array in into):
            raise NotAnalyticError("complex numbers written into a plain array")
        result = getattr(ufunc, method)(*map(_bare, inputs), **_bare(options), **({"out": _bare(into)} if into else {}))
        return into[0] if into else _wrapped(result)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        name = getattr(function, "__name__", "")
        if not _running[0]:
            return function(*_bare(inputs), **_bare(options))
        if name not in FUNCTIONS or options.get("out") is not None:
            raise NotAnalyticError(name)
        return _wrapped(function(*_bare(inputs), **_bare(options)))

    def __getattr__(self, name: str) -> Any:
        if not _running[0] and name != "array":
            return getattr(self.array.real, name)
        if name in METHODS:
            return lambda *inputs, **options: _wrapped(getattr(self.array, name)(*_bare(inputs), **_bare(options)))
        if name in ("shape", "ndim", "size", "dtype", "nbytes", "itemsize"):
            return getattr(self.array, name)
        if name == "T":
            return Traced(self.array.T)
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotAnalyticError(name)

    def __getitem__(self, at: Any) -> Any:
        return _wrapped(self.array[at]) if _running[0] else self.array.real[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        self.array[at] = _bare(value)

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Any:
        return (_wrapped(item) for item in self.array) if _running[0] else iter(self.array.real)

    def _refused(self, *_: Any) -> Any:
        raise NotAnalyticError("a comparison or a cast")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __abs__ = _refused
    __bool__ = __float__ = __int__ = __complex__ = __index__ = _refused
    __hash__ = None  # type: ignore[assignment]


def _real(traced: Traced) -> Any:
    if _running[0]:
        raise NotAnalyticError("a cast or a branch")
    return traced.array.real


def _wrapped(result: Any) -> Any:
    if isinstance(result, list | tuple):
        return type(result)(map(_wrapped, result))
    return Traced(np.asarray(result)) if np.iscomplexobj(result) else result


def _bare(value: Any) -> Any:
    if isinstance(value, Traced):
        return value.array if _running[0] else value.array.real
    if isinstance(value, list | tuple):
        return type(value)(map(_bare, value))
    return {key: _bare(item) for key, item in value.items()} if isinstance(value, dict) else value


def is_analytic(function: Callable[[Array], Any], theta: Array, value: float) -> bool:
    """Whether ``function`` at ``theta`` (float64) is a chain of analytic operations that gives ``value`` for complex numbers too."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            _running[0] = True
            traced = function(Traced(theta.astype(np.complex128)))  # type: ignore[arg-type]
            _running[0] = False
            plain = complex(np.asarray(function(theta.astype(np.complex128))).item())
    except Exception:
        return False
    finally:
        _running[0] = False
    return isinstance(traced, Traced) and traced.array.size == 1 and abs(plain - value) <= AGREES * abs(value) and plain.imag == 0


def step_of(x: float, typical: float) -> float:
    """The imaginary step for an entry x, small beside it: the square of its ratio is far below one unit in the last place."""
    return COMPLEX_STEP * (abs(x) or min(typical, 1.0))


def complex_derivative(function: Callable[[Array], Any], moved: Array, step: float) -> float:
    """The derivative by the entry of ``moved`` that has the imaginary part ``step``; NaN where there is none."""
    try:
        part = float(np.asarray(function(moved)).item().imag)
    except Exception:
        return np.nan
    lost = step < SMALLEST or (part != 0 and abs(part) < SMALLEST)  # underflow: no digits are left
    return np.nan if lost else part / step

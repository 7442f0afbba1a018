"""Special functions and linear algebra in every precision that the families use.

float32, float64 and complex numbers go to SciPy and NumPy, as a user's own code would; ``np.longdouble`` and objects of
``mpmath`` go to ``mpmath`` and to elimination in the array's own arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[Any]

DIGITS = 40  # that mpmath computes with for a number of long double


def is_fine(t: Array) -> bool:
    """Whether an array is of a type that SciPy and LAPACK do not compute with."""
    return t.dtype == object or t.dtype == np.longdouble != np.float64


def special_function(name: str, in_mpmath: Callable[[Any, Any], Any]) -> Callable[[Array], Any]:
    """``scipy.special.<name>``, and for finer types ``in_mpmath(mpmath, number)``."""
    ordinary = getattr(special, name)

    def function(t: Array) -> Any:
        return _by_mpmath(in_mpmath, t) if is_fine(np.asarray(t)) else ordinary(t)

    return function


def _by_mpmath(function: Callable[[Any, Any], Any], t: Any) -> Any:
    """Elementwise by mpmath; the result in the type of ``t``."""
    import mpmath  # of the dev extra

    t = np.asarray(t)
    if t.dtype == object:
        return np.frompyfunc(lambda v: function(mpmath, v), 1, 1)(t)
    with mpmath.workdps(DIGITS):
        exact = (mpmath.mpf(top) / bottom for top, bottom in (v.as_integer_ratio() for v in t.ravel()))
        values = [np.longdouble(mpmath.nstr(function(mpmath, v), 25)) for v in exact]
    return np.array(values, np.longdouble).reshape(t.shape)


def _log_ndtr(mp: Any, v: Any) -> Any:
    with mp.extradps(15):
        return mp.log(mp.erfc(-v / mp.sqrt(2)) / 2) if v < 0 else mp.log1p(-mp.erfc(v / mp.sqrt(2)) / 2)


gammaln = special_function("gammaln", lambda mp, v: mp.loggamma(v))
digamma = special_function("digamma", lambda mp, v: mp.digamma(v))
erf = special_function("erf", lambda mp, v: mp.erf(v))
erfc = special_function("erfc", lambda mp, v: mp.erfc(v))
j0 = special_function("j0", lambda mp, v: mp.besselj(0, v))
j1 = special_function("j1", lambda mp, v: mp.besselj(1, v))
i0e = special_function("i0e", lambda mp, v: mp.besseli(0, v) * mp.exp(-abs(v)))
i1e = special_function("i1e", lambda mp, v: mp.besseli(1, v) * mp.exp(-abs(v)))
ndtr = special_function("ndtr", lambda mp, v: mp.ncdf(v))
log_ndtr = special_function("log_ndtr", _log_ndtr)
exp1 = special_function("exp1", lambda mp, v: mp.e1(v))


def inverse(a: Array) -> Any:
    """The inverse of a matrix."""
    return _eliminated(a, np.eye(len(a)))[0] if is_fine(a) else np.linalg.inv(a)


def solve(a: Array, b: Array) -> Any:
    """The solution of a x = b for a vector b."""
    return _eliminated(a, b[:, None])[0][:, 0] if is_fine(a) else np.linalg.solve(a, b)


def log_determinant(a: Array) -> Any:
    """log |det a|."""
    if not is_fine(a):
        return np.linalg.slogdet(a)[1]
    return np.sum(np.log(abs(_eliminated(a, np.eye(len(a)))[1])))


def _eliminated(a: Array, b: Array) -> tuple[Array, Array]:
    """x with a x = b, and the pivots: Gauss and Jordan with row exchanges."""
    n = len(a)
    work = np.concatenate([a, b.astype(a.dtype)], axis=1)
    pivots = a[0].copy()
    for i in range(n):
        top = i + int(np.argmax(abs(work[i:, i])))
        work[[i, top]] = work[[top, i]]
        pivots[i] = work[i, i]
        work[i] = work[i] / pivots[i]
        for j in range(n):
            if j != i:
                work[j] = work[j] - work[j, i] * work[i]
    return work[:, n:], pivots

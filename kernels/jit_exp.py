"""e^z and tanh z for compiled loops: polynomials that LLVM turns into vector code, where a call of libm would stop it.

e^z = 2^n e^r with n the whole number nearest to z / ln 2, so |r| ≤ ln 2 / 2; e^r − 1 is its Taylor polynomial, and 2^n is
made by adding n to the exponent bits. Both functions are good to 2 units in the last place (tanh: 4) wherever the result is
a normal number; e^z below that is 0. The Python bodies serve when Numba is switched off (``NUMBA_DISABLE_JIT=1``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import overload

from kernels.jit_options import ELEMENT_WISE, element_wise, instructions

FRACTION_BITS = {32: 23, 64: 52}


def exp(z: float) -> float:
    """e^z: infinity above the largest float, 0 below the smallest normal one, NaN for NaN."""
    return math.inf if z > 709.782712893384 else math.exp(z)


def tanh(z: float) -> float:
    """Tanh z, with full relative accuracy near 0."""
    return math.tanh(z)


def like(z: float, constant: float) -> float:
    """``constant`` in the type of z. To Numba a bare 1.0 is float64, and one of them makes a float32 loop float64."""
    return constant


@instructions
def _times_power_of_two(typing: Any, number: Any, shifted: Any) -> Any:
    """``number`` 2^n, with n in the low bits of ``shifted`` = n + SHIFT: n is added to the exponent bits of ``number``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        integer = ir.IntType(number.bitwidth)
        n = builder.shl(builder.bitcast(args[1], integer), ir.Constant(integer, FRACTION_BITS[number.bitwidth]))
        return builder.bitcast(builder.add(builder.bitcast(args[0], integer), n), args[0].type)

    return number(number, shifted), codegen


def _compiled(real: Any, degree: int, ln2_high: float, ln2_low: float, tanh_is_1: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Exp and tanh for one dtype, with constants of that dtype.

    ``degree`` of the Taylor polynomial: the first term left out, (ln 2 / 2)^(degree + 1) / (degree + 1)!, is below a tenth of a unit in
    the last place. ``ln2_high + ln2_low`` = ln 2 with n ``ln2_high`` exact (fdlibm e_exp.c, Cephes expf.c).
    ``tanh_is_1``: from there on tanh z rounds to 1.
    """
    info = np.finfo(real)
    bits = info.bits
    shift = real(1.5 * 2.0 ** FRACTION_BITS[bits])  # z + shift has no room for a fraction: it rounds z to a whole number
    log2_e, high, low = real(1 / math.log(2)), real(ln2_high), real(ln2_low)
    taylor = tuple(real(1 / math.factorial(k)) for k in range(degree, 1, -1))
    largest, smallest = info.max, info.tiny
    exp_overflows = real(math.log(largest))
    if float(exp_overflows) > math.log(largest):
        exp_overflows = np.nextafter(exp_overflows, real(0))
    exp_is_0 = real(math.log(smallest))
    zero, one, two = real(0), real(1), real(2)
    cap = real(2 * tanh_is_1)

    @element_wise
    def expm1_and_n(z: Any) -> Any:
        """e^r − 1 and n + shift."""
        shifted = z * log2_e + shift
        n = shifted - shift
        r = z - n * high - n * low
        series = zero
        for c in taylor:
            series = series * r + c
        return r + r * r * series, shifted

    def exp(z: Any) -> Any:
        rest, shifted = expm1_and_n(z)
        e = _times_power_of_two(one + rest, shifted)
        e = e if z <= exp_overflows else z * largest  # infinity, and NaN for NaN
        return zero if z < exp_is_0 else e

    def tanh(z: Any) -> Any:
        """(e^{2|z|} − 1) / (e^{2|z|} + 1) with the sign of z; the numerator, as 2^n (e^r − 1) + (2^n − 1), cancels nothing near 0."""
        double = two * abs(z)
        double = cap if double > cap else double  # this way round NaN stays NaN
        rest, shifted = expm1_and_n(double)
        power = _times_power_of_two(one, shifted)
        expm1 = power * rest + (power - one)
        return math.copysign(expm1 / (expm1 + two), z)

    return exp, tanh


_exp32, _tanh32 = _compiled(np.float32, 7, 0.693359375, -2.12194440e-4, 9.1)
_exp64, _tanh64 = _compiled(np.float64, 13, 6.93147180369123816490e-01, 1.90821492927058770002e-10, 19.1)


@overload(exp, jit_options=ELEMENT_WISE)
def _exp(z: Any) -> Any:
    return _exp32 if z == types.float32 else _exp64


@overload(tanh, jit_options=ELEMENT_WISE)
def _tanh(z: Any) -> Any:
    return _tanh32 if z == types.float32 else _tanh64


@overload(like, jit_options=ELEMENT_WISE)
def _like(z: Any, constant: Any) -> Any:
    real = np.float32 if z == types.float32 else np.float64

    def compiled(z: Any, constant: Any) -> Any:
        return real(constant)

    return compiled

"""e^z, tanh z and the sigmoid for compiled loops: polynomials that LLVM turns into vector code, where a call of libm would stop it.

e^z = 2^n e^r with n the whole number nearest to z / ln 2, so |r| ≤ ln 2 / 2; e^r − 1 − r is r² times a polynomial, and 2^n is
made of its exponent bits. All three are good to 2 units in the last place wherever the result is a normal number; below that
e^z is 0. The Python bodies serve when Numba is switched off (``NUMBA_DISABLE_JIT=1``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import overload

from deltacheck.kernels.jit.compile_options import ELEMENT_WISE, element_wise, instructions

FRACTION_BITS = {32: 23, 64: 52}


def exp(z: float) -> float:
    """e^z: infinity above the largest float, 0 below the smallest normal one, NaN for NaN."""
    return math.inf if z > 709.782712893384 else math.exp(z)


def tanh(z: float) -> float:
    """Tanh z, with full relative accuracy near 0."""
    return math.tanh(z)


def sigmoid(z: float) -> float:
    """(4), for z of any size."""
    e = exp(-abs(z))
    return (1.0 if z >= 0 else e) / (1.0 + e)  # (4)


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


def economized(degree: int) -> list[float]:
    """The coefficients, highest power first, of a polynomial for (e^r − 1 − r) / r² on |r| ≤ ln 2 / 2.

    Its Taylor series, each power beyond ``degree`` replaced by lower ones: as many times the monic Chebyshev polynomial as takes
    it away is subtracted, the least change on the interval (Lanczos 1938). In fractions, for the coefficients want every digit.
    """
    reach = Fraction(math.log(2) / 2)
    series = [Fraction(1, math.factorial(k + 2)) for k in range(degree + 9)]
    while len(series) > degree + 1:
        n = len(series) - 1
        chebyshev = np.polynomial.chebyshev.cheb2poly([0] * n + [1])  # whole numbers, exact in float64
        top = series[n] * reach**n / int(chebyshev[n])
        series = [c - top * int(t) / reach**k for k, (c, t) in enumerate(zip(series, chebyshev, strict=True))][:n]
    return [float(c) for c in reversed(series)]


def _compiled(real: Any, degree: int, ln2_high: float, ln2_low: float, tanh_is_1: float) -> tuple[Callable[..., Any], ...]:
    """Exp, tanh and the sigmoid for one dtype, with constants of that dtype.

    ``degree`` of ``economized``: what it leaves out is below a tenth of a unit in the last place. ``ln2_high + ln2_low`` = ln 2 with
    n ``ln2_high`` exact (fdlibm e_exp.c, Cephes expf.c). ``tanh_is_1``: from there on tanh z rounds to 1.
    """
    info = np.finfo(real)
    bits = info.bits
    shift = real(1.5 * 2.0 ** FRACTION_BITS[bits])  # z + shift has no room for a fraction: it rounds z to a whole number
    log2_e, high, low = real(1 / math.log(2)), real(ln2_high), real(ln2_low)
    first, *others = economized(degree)
    first, coefficients = real(first), tuple(real(c) for c in others)
    largest, smallest = info.max, info.tiny
    exp_overflows = real(math.log(largest))
    if float(exp_overflows) > math.log(largest):
        exp_overflows = np.nextafter(exp_overflows, real(0))
    exp_is_0 = real(math.log(smallest))
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    cap = real(2 * tanh_is_1)

    @element_wise
    def reduced(z: Any) -> Any:
        """r, what it lacks, e^r − 1 − r, and n + shift."""
        shifted = z * log2_e + shift
        n = shifted - shift
        nearly = z - n * high
        r = nearly - n * low
        series = first
        for c in coefficients:
            series = series * r + c
        return r, (nearly - r) - n * low, r * r * series, shifted

    def exp(z: Any) -> Any:
        r, lacking, rest, shifted = reduced(z)
        top = one + r
        e = _times_power_of_two(top + ((one - top) + r + lacking + rest), shifted)  # the sum's own rounding is put back in
        e = e if z <= exp_overflows else z * largest  # infinity, and NaN for NaN
        return zero if z < exp_is_0 else e

    def sigmoid(z: Any) -> Any:
        """1 / (1 + e^{−z}) from 0 upwards, e^z / (1 + e^z) below: e is at most 1, and what its sum with 1 loses is known."""
        away = -abs(z)
        r, _, rest, shifted = reduced(away)
        e = (one + (r + rest)) * _times_power_of_two(one, shifted)  # a product: the sum of NaN and whole numbers may be no NaN
        e = zero if away < exp_is_0 else e
        total = one + e
        a = (one if z >= zero else e) / total  # (4)
        other = one - a
        return a - a * ((one - total) + e) * (a if a > other else other)

    def tanh(z: Any) -> Any:
        """(e^{2|z|} − 1) / (e^{2|z|} + 1) with the sign of z; the numerator, as 2^n (e^r − 1) + (2^n − 1), cancels nothing near 0."""
        double = two * abs(z)
        double = cap if double > cap else double  # this way round NaN stays NaN
        r, lacking, rest, shifted = reduced(double)
        power = _times_power_of_two(one, shifted)
        top = power * r + (power - one)
        rest = (power - one) - top + power * r + power * (lacking + rest)
        expm1 = top + rest
        larger, smaller = (two, expm1) if expm1 <= two else (expm1, two)
        total = larger + smaller
        a = expm1 / total
        # What the two sums lost, times how much the quotient changes with each: a' = (1 − a)² / 2 and −a (1 − a) / 2.
        above, below = (top - expm1) + rest, (larger - total) + smaller
        other = one - a
        return math.copysign(a + half * other * (other * above - a * below), z)

    return exp, tanh, sigmoid


_exp32, _tanh32, _sigmoid32 = _compiled(np.float32, 4, 0.693359375, -2.12194440e-4, 9.1)
_exp64, _tanh64, _sigmoid64 = _compiled(np.float64, 9, 6.93147180369123816490e-01, 1.90821492927058770002e-10, 19.1)


@overload(exp, jit_options=ELEMENT_WISE)
def _exp(z: Any) -> Any:
    return _exp32 if z == types.float32 else _exp64


@overload(tanh, jit_options=ELEMENT_WISE)
def _tanh(z: Any) -> Any:
    return _tanh32 if z == types.float32 else _tanh64


@overload(sigmoid, jit_options=ELEMENT_WISE)
def _sigmoid(z: Any) -> Any:
    return _sigmoid32 if z == types.float32 else _sigmoid64


@overload(like, jit_options=ELEMENT_WISE)
def _like(z: Any, constant: Any) -> Any:
    real = np.float32 if z == types.float32 else np.float64

    def compiled(z: Any, constant: Any) -> Any:
        return real(constant)

    return compiled

"""LLVM's vector instructions, for functions that are written in LLVM's terms."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

INDEX, NARROW, BIT = ir.IntType(64), ir.IntType(32), ir.IntType(1)


def tuple_of(*kinds: Any) -> Any:
    """Numba's type of a tuple."""
    return types.Tuple(kinds)  # type: ignore[no-untyped-call]


def number(value: int) -> Any:
    """A whole number as LLVM has it."""
    return ir.Constant(INDEX, value)


def new_function(module: Any, name: str, arguments: list[Any]) -> tuple[Any, bool]:
    """A function of the module without a result, and whether it was there before, body and all."""
    full = f"deltacheck_{name}"
    if full in module.globals:
        return module.globals[full], True
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), full)
    function.linkage = "linkonce_odr"  # modules that are linked together may bring it each
    function.attributes.add("noinline")  # a copy in each caller would be compiled anew
    return function, False


class Vectors:
    """Instructions on vectors of ``lanes`` numbers of one type, at a builder's place. Addresses are those of a number."""

    def __init__(self, builder: Any, real: Any, lanes: int) -> None:
        self.builder = builder
        self.lanes = lanes
        self.type = ir.VectorType(real, lanes)
        self._is_double = isinstance(real, ir.DoubleType)
        self._alignment = 8 if self._is_double else 4  # an element's: rows start anywhere
        self._mask_type = ir.VectorType(BIT, lanes)

    def zeros(self) -> Any:
        """0 in every lane."""
        return ir.Constant(self.type, None)

    def first_lanes(self, count: Any) -> Any:
        """A mask: true in the first ``count`` lanes."""
        places = ir.Constant(ir.VectorType(NARROW, self.lanes), [ir.Constant(NARROW, lane) for lane in range(self.lanes)])
        return self.builder.icmp_signed("<", places, self.spread(self.builder.trunc(count, NARROW)))

    def spread(self, value: Any) -> Any:
        """One number in every lane."""
        kind = ir.VectorType(value.type, self.lanes)
        undefined = ir.Constant(kind, ir.Undefined)
        return self._shuffled(self.builder.insert_element(undefined, value, ir.Constant(NARROW, 0)), undefined, [0] * self.lanes)

    def load(self, place: Any, mask: Any = None) -> Any:
        """A vector; where the mask is false, 0, and nothing is read."""
        pointer = self.builder.bitcast(place, self.type.as_pointer())
        if mask is None:
            loaded = self.builder.load(pointer)
            loaded.align = self._alignment
            return loaded
        load = self._declared("llvm.masked.load", self.type, [pointer.type, NARROW, self._mask_type, self.type], ".p0")
        return self.builder.call(load, [pointer, ir.Constant(NARROW, self._alignment), mask, self.zeros()])

    def store(self, value: Any, place: Any, mask: Any = None) -> None:
        """A vector; where the mask is false, nothing is written."""
        pointer = self.builder.bitcast(place, self.type.as_pointer())
        if mask is None:
            self.builder.store(value, pointer).align = self._alignment
            return
        store = self._declared("llvm.masked.store", ir.VoidType(), [self.type, pointer.type, NARROW, self._mask_type], ".p0")
        self.builder.call(store, [value, pointer, ir.Constant(NARROW, self._alignment), mask])

    def multiply_add(self, one: Any, other: Any, added: Any) -> Any:
        """``one other + added``, rounded once where the CPU has the instruction (``llvm.fma`` would call libm where it has not)."""
        return self.builder.call(self._declared("llvm.fmuladd", self.type, [self.type] * 3), [one, other, added])

    def transposed(self, rows: list[Any]) -> list[Any]:
        """The columns of a square of ``lanes`` vectors.

        A perfect shuffle of all the numbers, log2 ``lanes`` times: that of row i with row i + half gives rows 2i and 2i + 1.
        """
        half = self.lanes // 2
        low = [lane // 2 + (lane % 2) * self.lanes for lane in range(self.lanes)]
        high = [place + half for place in low]
        for _ in range(self.lanes.bit_length() - 1):
            rows = [self._shuffled(rows[i], rows[i + half], places) for i in range(half) for places in (low, high)]
        return rows

    def _shuffled(self, one: Any, other: Any, places: list[int]) -> Any:
        """The numbers at these places of two vectors laid end to end."""
        return self.builder.shuffle_vector(
            one, other, ir.Constant(ir.VectorType(NARROW, self.lanes), [ir.Constant(NARROW, place) for place in places])
        )

    def _declared(self, name: str, result: Any, arguments: list[Any], ending: str = "") -> Any:
        """An intrinsic of LLVM by its full name, for which llvmlite has no vector form."""
        full, module = f"{name}.v{self.lanes}f{64 if self._is_double else 32}{ending}", self.builder.module
        return module.globals.get(full) or ir.Function(module, ir.FunctionType(result, arguments), full)

"""Views into flat arrays, for compiled code: a slice and a reshape cost it 20 ns and much compilation, these next to nothing."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import overload

from deltacheck.kernels.jit.compile_options import element_wise, instructions
from deltacheck.kernels.network import Array


def matrix(flat: Array, start: int, rows: int, columns: int) -> Array:
    """The view (rows, columns) into ``flat`` from ``start`` on."""
    return flat.reshape(-1)[start : start + rows * columns].reshape(rows, columns)


@overload(matrix)
def _matrix(flat: Any, start: Any, rows: Any, columns: Any) -> Any:
    def compiled(flat: Any, start: Any, rows: Any, columns: Any) -> Any:
        return _view(flat, start, rows, columns)

    return compiled


@instructions
def _view(typing: Any, flat: Any, start: Any, rows: Any, columns: Any) -> Any:
    """A view without owner: it counts no references, which makes a slice and a reshape cost 20 ns.

    So it must not outlive ``flat``; every function here gets its arrays from a caller that holds on to them.
    """
    view_type = types.Array(flat.dtype, 2, "C")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = context.make_array(signature.args[0])(context, builder, args[0])
        view = context.make_array(view_type)(context, builder)
        itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(flat.dtype)))
        shape = args[2:4]
        context.populate_array(
            view,
            data=builder.gep(source.data, [args[1]]),
            shape=shape,
            strides=[builder.mul(args[3], itemsize), itemsize],
            itemsize=itemsize,
            meminfo=None,
        )
        return view._getvalue()

    return view_type(flat, types.intp, types.intp, types.intp), codegen


@element_wise
def row(flat: Array, start: int, columns: int) -> Array:
    """The view (columns,) into ``flat`` from ``start`` on."""
    view: Array = matrix(flat, start, 1, columns)[0]
    return view

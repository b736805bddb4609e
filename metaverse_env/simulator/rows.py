"""Rows of numbers on the stack: what lets the compiler work on eight zones at once.

The records of zones lie hundreds of bytes apart, so arithmetic on them is done one by one. Where many operations follow
each other, as in a draw, it pays to copy their arguments into rows first: loops over rows become vector instructions,
and as rows are on the stack, the compiler knows that they are not part of any other array.
"""

from typing import Any, Final

from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

cgutils: Any = _cgutils  # without types

ZONES: Final = 32
"""Zones whose numbers fit into a row, up to nine for each; more of them are done in turns [choice]."""
_LENGTH: Final = 9 * ZONES


def _row_of(scalar: Any) -> Any:
    """Make a function that returns an uninitialised row in compiled code; it lives as long as its caller runs."""

    @intrinsic
    def make(_context: Any) -> Any:
        array = types.Array(scalar, 1, "C")

        def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            element = context.get_data_type(scalar)
            size = context.get_constant(types.intp, context.get_abi_sizeof(element))
            count = context.get_constant(types.intp, _LENGTH)
            row = context.make_array(array)(context, builder)
            row.data = cgutils.alloca_once(builder, element, size=_LENGTH, name="row")
            row.itemsize, row.nitems = size, count
            row.shape, row.strides = cgutils.pack_array(builder, [count]), cgutils.pack_array(builder, [size])
            row.meminfo, row.parent = (cgutils.get_null_value(field.type) for field in (row.meminfo, row.parent))
            return row._getvalue()

        return array(), generate

    return make


floats: Final = _row_of(types.float64)
counts: Final = _row_of(types.int64)
keys: Final = _row_of(types.uint64)

"""Ask for memory before it is needed: the state of the next world while this one is computed.

A batch of worlds does not fit into a core's own caches, and records of a few hundred bytes, read field by field, are no
pattern that the processor would foresee in time.
"""

from typing import Any, Final

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from metaverse_env.compiling import stage

_LINE_BYTES: Final = 64
_FOR_WRITING, _KEEP, _DATA = 1, 3, 1


def _type_and_code(_context: Any, array: Any, offset: Any) -> Any:
    """Return the signature of :func:`_prefetch_line`, and what generates its code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", (pointer,), ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        )
        first = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(builder.bitcast(first, pointer), [arguments[1]])
        builder.call(function, [place, word(_FOR_WRITING), word(_KEEP), word(_DATA)])
        return context.get_dummy_value()

    return types.none(array, offset), generate


_prefetch_line: Final[Any] = intrinsic(_type_and_code)
"""Asks for the line of the cache that lies some bytes into an array."""


@stage
def prefetch(array: Any) -> None:
    """Ask for all of a contiguous array."""
    for offset in range(0, array.size * array.itemsize, _LINE_BYTES):
        _prefetch_line(array, offset)

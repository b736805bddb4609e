"""Pieces of compiled code that only compiled code calls: translated to LLVM's language, and no further.

Numba optimises every function it compiles, and makes machine code of it, with all that it calls inside. Of two hundred
pieces that end up in a handful of functions, this is work done again at each level of calls, a quarter of the time that
the first step of all waits. So a piece is only translated; what Python calls is optimised with its pieces in it.
"""

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, Final

from numba import njit, types
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering
from numba.extending import models, register_model, typeof_impl

OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
"""Divisions follow IEEE 754; arrays are borrowed, nothing is allocated, so nothing needs reference counts; and there is
no wrapper for C callers, which would cost a sixth of the time to compile."""

_SMALL: Final = 150
"""Instructions of a piece that is optimised by itself. [M] With 300 or all a tick takes 4 % less, which is as long as
in Numba's own way; but the first step waits 0.3 s longer, with all 1.2 s, in Numba's own way 4 s."""


class _WithoutEnvironments:
    """Numba's code generator, except that it gives no piece an environment: that needs machine code."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        """Leave it out: it holds Python objects, and the physics has none."""


def _instructions(module: Any) -> int:
    return sum(1 for function in module.functions for block in function.blocks for _ in block.instructions)


class _Translation(CPUCodeLibrary):
    """The code of one piece, to be linked into others."""

    @property
    def codegen(self) -> Any:
        return _WithoutEnvironments(self._codegen)

    def get_pointer_to_function(self, name: str) -> int:
        """Return no address, for there is no machine code."""
        self._ensure_finalized()
        return 0

    def _optimize_final_module(self) -> None:
        """Optimise what is small, for it is linked in many places; leave the rest to the function that Python calls."""
        if _instructions(self._final_module) <= _SMALL:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _Translate(NativeLowering):
    """Numba's last pass, into a library of our kind."""

    _name = "translate_piece"

    def run_pass(self, state: Any) -> bool:
        state.library = _Translation(state.targetctx.codegen(), state.func_id.func_qualname)
        return bool(super().run_pass(state))


class _Translator(CompilerBase):
    """Numba's compiler with its last pass exchanged."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(_Translate if one is NativeLowering else one, why) for one, why in passes.passes]
        passes.finalize()
        return [passes]


class _PieceType(types.Dispatcher):
    """The type of a piece in compiled code, which a constant argument does not ask to be compiled once more."""

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        """Return the signature of a call with arguments of these types."""
        return super().get_call_type(context, tuple(map(types.unliteral, args)), kws)


register_model(_PieceType)(models.OpaqueModel)


class Piece:
    """A piece: one function for compiled code and, for who calls it from Python, another.

    Args:
        function: What to compile.
        **options: More of Numba's.
    """

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        update_wrapper(self, function)
        translated = {**OPTIONS, "no_cpython_wrapper": True, "pipeline_class": _Translator}
        self._for_compiled_code = njit(**translated, **options)(function)
        self.type = _PieceType(self._for_compiled_code)

    @cached_property
    def _from_python(self) -> Any:
        return njit(**OPTIONS)(self._for_compiled_code.py_func)

    def __call__(self, *args: Any) -> Any:  # noqa: D102  the function has its own docstring
        return self._from_python(*args)


@typeof_impl.register(Piece)
def _type_of_piece(piece: Piece, _context: Any) -> _PieceType:
    return piece.type

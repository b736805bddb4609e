"""How the physics is compiled: one set of options, and one cache that any change of any formula invalidates.

Numba notices a change of the file that a cached function stands in, but not of the files whose functions were inlined
into it. So only the functions that Python calls are cached, in a folder named after a digest of the whole physics.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from numba import njit
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE: Final = Path(__file__).parent
_CONSTANTS_OF_PHYSICS: Final = ("units.py", "records.py", "streams.py", "constants.py")
"""Files without compiled functions whose numbers and layouts are compiled in."""
_OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
"""Divisions follow IEEE 754; arrays are borrowed, nothing is allocated, so nothing needs reference counts; and there is
no wrapper for C callers, which would cost a sixth of the time to compile."""


def compiled(function: Function) -> Function:
    """Compile a piece of the physics into whatever calls it."""
    return cast(Function, njit(**_OPTIONS)(function))


def stage(function: Function) -> Function:
    """Merge a long piece of the physics into its caller before either is compiled: it is then optimised only once."""
    return cast(Function, njit(**_OPTIONS, inline="always")(function))


def entry_point(function: Function) -> Function:
    """Compile a function that Python calls, when first called; kept on disk, and it releases the interpreter lock."""
    before = getattr(config, "CACHE_DIR")  # noqa: B009  Numba sets its configuration at run time, unseen by checkers
    setattr(config, "CACHE_DIR", str(_cache_folder()))  # noqa: B010
    try:
        return cast(Function, njit(**_OPTIONS, cache=True, nogil=True)(function))
    finally:
        setattr(config, "CACHE_DIR", before)  # noqa: B010


@cache
def _cache_folder() -> Path:
    """Return a folder for this version of the physics, beside the package where that can be written."""
    digest = hashlib.sha256()
    for source in sorted(_PACKAGE.rglob("*.py")):
        text = source.read_bytes()
        if b"metaverse_env.compiling" in text or source.name in _CONSTANTS_OF_PHYSICS:
            digest.update(text)
    beside = _PACKAGE / "__pycache__"
    home = beside if _is_writable(beside) else Path.home() / ".cache" / "metaverse_env"
    return home / f"compiled-{digest.hexdigest()[:16]}"


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
        (folder / ".writable").touch()
    except OSError:
        return False
    return True

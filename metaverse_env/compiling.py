"""How the physics is compiled: one set of options, and one cache that any change of any formula invalidates.

Numba notices a change of the file that a cached function stands in, but not of the files whose functions were inlined
into it. So only the functions that Python calls are cached, in a folder named after a digest of the whole physics.

The first step of all waits for the compiler. So whatever it would do in vain is left out: machine code of pieces that
only compiled code calls, a version of them for every constant they are given (both in :mod:`.pieces`), the search for
garbage.
"""

import gc
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from numba import njit
from numba.core import config, event

from metaverse_env.pieces import OPTIONS, Piece

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE: Final = Path(__file__).parent
_CONSTANTS_OF_PHYSICS: Final = ("units.py", "records.py", "streams.py", "constants.py")
"""Files without compiled functions whose numbers and layouts are compiled in."""


def compiled(function: Function) -> Function:
    """Compile a piece of the physics into whatever calls it."""
    return cast(Function, Piece(function))


def stage(function: Function) -> Function:
    """Compile a piece of the physics that is merged into its caller, for the compiler would not do so by itself."""
    return cast(Function, Piece(function, forceinline=True))


def entry_point(function: Function) -> Function:
    """Compile a function that Python calls, when first called; kept on disk, and it releases the interpreter lock."""
    before = getattr(config, "CACHE_DIR")  # noqa: B009  Numba sets its configuration at run time, unseen by checkers
    setattr(config, "CACHE_DIR", str(_cache_folder()))  # noqa: B010
    try:
        dispatcher = njit(**OPTIONS, cache=True, nogil=True)(function)
    finally:
        setattr(config, "CACHE_DIR", before)  # noqa: B010
    _without_collection.of.add(dispatcher)
    return cast(Function, dispatcher)


class _WithoutCollection(event.Listener):
    """Stops looking for garbage while an entry point is compiled: there is little, and it takes a tenth of the time."""

    def __init__(self) -> None:
        self.of: set[Any] = set()
        self._now: Any = None

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"] in self.of and gc.isenabled():
            self._now = event.data["dispatcher"]
            gc.disable()

    def on_end(self, event: Any) -> None:
        if event.data["dispatcher"] is self._now:
            self._now = None
            gc.enable()


_without_collection: Final = _WithoutCollection()
event.register("numba:compile", _without_collection)  # type: ignore[no-untyped-call]


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

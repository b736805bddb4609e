"""Checkpoints in transformers' form, from a folder or from the model hub: read without pickle, and never half.

transformers fills weights that a checkpoint lacks with random numbers and a log line. Here that is an error, as is a
checkpoint of another architecture, a damaged file, and a pickle, which could run code when it is read. Every error
says what would do instead and how to get the real weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from huggingface_hub.constants import HF_HUB_OFFLINE
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import PretrainedConfig
from transformers.utils import logging as transformers_logging

from metaverse_env.errors import CheckpointError
from predictors.encoders.hashing import weights_hash
from predictors.encoders.training.layout import weights_inside

__all__ = ["Source", "load_model", "place_of", "reading", "save_checkpoint", "weights_hash"]

_PICKLES: Final = ("pytorch_model*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_FOREIGN: Final = (
    OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError, StrictDataclassError,
)  # fmt: skip
"""What transformers raises about files that are missing, damaged or another model's [M]."""
_OFFLINE: Final = (
    "it is not on this machine, neither as a folder nor downloaded before, and no hub is asked, as --offline, "
    "local_files_only or HF_HUB_OFFLINE says"
)
_SHOWN: Final = 160
"""Characters of a foreign message that are quoted."""


@dataclass(frozen=True)
class Source:
    """What a backend loads.

    Attributes:
        backend: Its name in the table of encoders.
        model_type: transformers' name of the architecture, as in ``config.json``.
        hub: Name of the real checkpoint on the model hub; ``None`` where it comes with a package.
        instead: What needs no hub, in words.
        may_lack: Patterns of weights that a complete checkpoint may leave out, since inference does not use them.
    """

    backend: str
    model_type: str
    hub: str | None
    instead: str
    may_lack: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """How to go on without these weights, or with the real ones."""
        if self.hub is None:
            return self.instead
        return (
            f"{self.instead}. For the real weights, on a connected machine: "
            f"hf download {self.hub} --local-dir FOLDER; then {self.backend}=FOLDER"
        )


def load_model(
    model_class: Any, source: Source, where: str | Path | None = None, *, local_files_only: bool = False
) -> Any:
    """Read a model's weights, all of them.

    Args:
        model_class: A transformers model class.
        source: What is expected.
        where: A folder, or a name on the hub; by default the source's own.
        local_files_only: Whether to look on this machine only: in folders, and among what was downloaded before.

    Returns:
        The model, on the CPU, in evaluation mode, float32.

    Raises:
        CheckpointError: It cannot be had, is damaged, incomplete, a pickle, or another architecture's.
    """
    place = place_of(source, where)
    with reading(source, place, local_files_only=local_files_only):
        config, _ = PretrainedConfig.get_config_dict(place, local_files_only=local_files_only)
    _same_architecture(source, place, config.get("model_type"))
    _no_pickle(source, place)
    with reading(source, place, local_files_only=local_files_only):
        model, told = model_class.from_pretrained(
            place, local_files_only=local_files_only, use_safetensors=True, output_loading_info=True, dtype="float32"
        )
    _complete(source, place, told)
    return model.eval()


def place_of(source: Source, where: str | Path | None) -> str:
    """Return the folder or hub name to read, with ``~`` spelt out.

    Raises:
        CheckpointError: It can only be a folder, and is none.
    """
    place = (
        str(Path(where).expanduser()) if where is not None and str(where).startswith("~") else str(where or source.hub)
    )
    if not Path(place).is_dir() and (place.startswith((".", "/")) or place.count("/") > 1 or Path(place).exists()):
        raise _error(source, place, "there is no such folder")
    return place


@contextmanager
def reading(source: Source, place: str, *, local_files_only: bool = False) -> Iterator[None]:
    """Turn what transformers and the hub's client raise into ours."""
    asks_no_hub = (local_files_only or HF_HUB_OFFLINE) and not Path(place).is_dir()
    try:
        with _no_progress_bars():
            yield
    except _FOREIGN as error:
        if asks_no_hub:
            raise _error(source, place, _OFFLINE) from error
        said = " ".join(str(error).split())
        raise _error(source, place, f"{_reason(place)} ({said[:_SHOWN]}{'…' if len(said) > _SHOWN else ''})") from error


def save_checkpoint(folder: Path, *parts: Any) -> None:
    """Write a model and its processor or tokenizer into a folder, as transformers does, weights as safetensors."""
    with _no_progress_bars():
        for one in parts:
            one.save_pretrained(folder)


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep transformers' own bars off the terminal, where ours may be."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _reason(place: str) -> str:
    folder = Path(place)
    if not folder.is_dir():
        return "it cannot be had from the model hub"
    if inside := weights_inside(folder, "config.json"):
        return f"it is no checkpoint{inside}"
    if not (folder / "config.json").is_file():
        return "the folder holds no config.json, so it is no checkpoint"
    return "it is damaged or incomplete"


def _same_architecture(source: Source, place: str, found: object) -> None:
    if found is None:
        raise _error(source, place, _reason(place))
    if found != source.model_type:
        raise _error(source, place, f"it is a checkpoint of {found!r}, not of {source.model_type!r}")


def _no_pickle(source: Source, place: str) -> None:
    """Refuse a folder that has its weights only in a form that can run code."""
    folder = Path(place)
    if not folder.is_dir() or any(folder.glob("*.safetensors")):
        return
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if pickles:
        raise _error(
            source,
            place,
            f"{pickles[0]} is a pickle, which can run code when it is read; only .safetensors is read. Convert it "
            f"without running it: python -m predictors.encoders.convert {place}",
        )


def _complete(source: Source, place: str, told: dict[str, Any]) -> None:
    """Refuse weights that transformers would have made up."""
    lacking = [name for name in sorted(told["missing_keys"]) if not any(fnmatch(name, p) for p in source.may_lack)]
    if lacking:
        raise _error(source, place, f"{len(lacking)} of its weights are missing, such as {lacking[0]}")


def _error(source: Source, place: str, reason: str) -> CheckpointError:
    return CheckpointError(f"{source.backend} from {place!r}: {reason}. {source.remedy}")

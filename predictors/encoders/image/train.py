"""The work of ``metaverse train image-encoder``."""

from pathlib import Path
from typing import Any, Final

from metaverse_env.errors import ConfigurationError
from predictors.encoders.hashing import weights_hash
from predictors.encoders.image.blip import TINY, load_blip
from predictors.encoders.image.captions import CaptionSet, load_captions, single_set
from predictors.encoders.image.learner import CaptionLearner
from predictors.encoders.image.tiny import new_blip
from predictors.encoders.training.command import check_free, train_encoder
from predictors.encoders.training.loop import Settings

NEW: Final = "new"
"""In place of a checkpoint: start from a small network of random weights."""
RATES: Final = {NEW: 1e-3, TINY: 1e-3}
"""Learning rates for small networks [M]; for others :data:`RATE`."""
RATE: Final = 1e-5
"""For fine-tuning on captions [V: Li et al., 2022, appendix]."""


def train(
    data: Path,
    split: str,
    validation: Path | None,
    validation_split: str,
    judged: int,
    start: str,
    rate: float | None,
    settings: dict[str, Any],
    out: Path,
    *,
    resume: bool,
    overwrite: bool,
    local_files_only: bool,
    as_json: bool,
    command: str,
) -> None:
    """Fine-tune BLIP on images with captions; see :func:`predictors.encoders.image.commands.train_image_encoder`.

    Args:
        data: As in :mod:`.captions`.
        split: To learn from.
        validation: Where held-out images are; by default in ``data``.
        validation_split: To judge by.
        judged: Held-out images at most.
        start: Folder, hub name, ``"tiny"`` or ``"new"``.
        rate: Learning rate; ``None`` takes that of the start.
        settings: Further fields of :class:`Settings`.
        out: Folder of the run.
        resume: Go on with the run in it.
        overwrite: Start anew in a folder that holds a run.
        local_files_only: Whether to ask no hub.
        as_json: Print JSON.
        command: What was asked for.

    Raises:
        ConfigurationError: The data, a setting or the folder is wrong.
        CheckpointError: The start or the run to go on with cannot be read.
    """
    chosen = Settings(rate=rate if rate is not None else RATES.get(start, RATE), **settings)
    check_free(out, chosen, resume=resume, overwrite=overwrite)
    training = load_captions(data, split)
    held_out = _held_out(data, split, validation, validation_split).spread(judged)
    model, processor = (
        new_blip((caption for image in training.images for caption in image.captions), chosen.seed)
        if start == NEW
        else load_blip(start, local_files_only=local_files_only)
    )
    learner = CaptionLearner(model, processor, training, held_out, f"{start} ({weights_hash(model)})")
    about = {"command": command, "data_path": str(data), "start": start}
    train_encoder(learner, chosen, out, resume=resume, as_json=as_json, about=about)


def _held_out(data: Path, split: str, validation: Path | None, validation_split: str) -> CaptionSet:
    """Return the held-out images; that they are the same as those to learn from must have been said."""
    if validation is None and single_set(data) is not None:
        raise ConfigurationError(
            f"{data} is one set of captions; name the one to judge by with --validation (the same, to learn by heart)"
        )
    if validation is None and validation_split == split:
        raise ConfigurationError(
            f"--split and --validation-split are both {split!r}; judge by another than learnt from"
        )
    return load_captions(validation or data, validation_split)

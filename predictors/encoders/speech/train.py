"""The work of ``metaverse train speech-encoder``."""

from pathlib import Path
from typing import Any, Final

from predictors.encoders.speech.learner import SpeechLearner
from predictors.encoders.speech.librispeech import held_out_speakers, read_utterances, spread
from predictors.encoders.speech.tiny import new_wav2vec2
from predictors.encoders.speech.wav2vec2 import TINY, load_wav2vec2
from predictors.encoders.training.command import check_free, train_encoder
from predictors.encoders.training.loop import Settings

NEW: Final = "new"
"""In place of a checkpoint: start from a small network of random weights."""
RATES: Final = {NEW: 2e-3, TINY: 2e-3}
"""Learning rates for small networks [M]; for others :data:`RATE`."""
RATE: Final = 3e-5
"""For fine-tuning on 100 hours [V: fairseq, wav2vec 2.0's base_100h]."""


def train(
    data: Path,
    validation: Path | None,
    judged: int,
    start: str,
    rate: float | None,
    watched: str,
    train_features: bool,
    settings: dict[str, Any],
    out: Path,
    *,
    resume: bool,
    overwrite: bool,
    local_files_only: bool,
    as_json: bool,
    command: str,
) -> None:
    """Fine-tune Wav2Vec2 on speech; see :func:`predictors.encoders.speech.commands.train_speech_encoder`.

    Args:
        data: As in :mod:`.librispeech`.
        validation: Where held-out speech is; by default a tenth of the speakers in ``data``.
        judged: Held-out utterances at most.
        start: Folder, hub name, ``"tiny"`` or ``"new"``.
        rate: Learning rate; ``None`` takes that of the start.
        watched: ``"wer"`` or ``"loss"``.
        train_features: Whether the convolutions learn too.
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
    utterances = read_utterances(data)
    training, held_out = (
        held_out_speakers(utterances) if validation is None else (utterances, read_utterances(validation))
    )
    model, processor = (
        new_wav2vec2(chosen.seed) if start == NEW else load_wav2vec2(start, local_files_only=local_files_only)
    )
    learner = SpeechLearner(
        model, processor, training, spread(held_out, judged), watched, train_features or start == NEW
    )
    about = {"command": command, "data_path": str(data), "start": start}
    train_encoder(learner, chosen, out, resume=resume, as_json=as_json, about=about)

"""Wav2Vec2 learns to write down speech: connectionist temporal classification [1] on transcribed utterances.

[1] Graves et al., "Connectionist temporal classification: Labelling unsegmented sequence data with recurrent neural
networks", ICML 2006.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import torch
from torch import Tensor, nn
from torch.nn.functional import ctc_loss

from metaverse_env.errors import ConfigurationError, SampleError
from predictors.encoders.checkpoints import save_checkpoint
from predictors.encoders.hashing import weights_hash
from predictors.encoders.speech.evaluation import judge
from predictors.encoders.speech.librispeech import Utterance
from predictors.encoders.speech.reading import RATE_HZ, read_recording

LONGEST_S: Final = 40.0
"""What is learnt from at once, s [choice]; LibriSpeech's longest utterance lasts 35 s [V]."""


class SpeechLearner:
    """A ``Wav2Vec2ForCTC`` and the utterances that it learns from.

    Args:
        model: Trained in place.
        processor: Its ``Wav2Vec2Processor``.
        training: To learn from.
        validation: To judge by.
        watched: ``"wer"`` or ``"loss"``: which figure of ``validation`` decides what is kept.
        train_features: Whether the convolutions learn too; fine-tuning usually leaves them as they are [1].

    Raises:
        ConfigurationError: A recording cannot be opened or is too long, or a transcript does not fit into its recording
            or has characters that the model cannot write.

    [1] Baevski et al., "wav2vec 2.0", 2020, section 4.3.
    """

    kind = "speech-encoder"
    words: Mapping[str, str] = {"wer": "word error rate, %", "cer": "character error rate, %"}

    def __init__(
        self,
        model: Any,
        processor: Any,
        training: Sequence[Utterance],
        validation: Sequence[Utterance],
        watched: str = "wer",
        train_features: bool = False,
    ) -> None:
        self.net: nn.Module = model
        self._processor, self.watched = processor, watched
        self._training, self._validation = list(training), list(validation)
        self._labels = {each.name: self._checked(each) for each in (*self._training, *self._validation)}
        if not train_features:
            model.freeze_feature_encoder()
        self.size = len(self._training)
        start = weights_hash(model, sorted(processor.tokenizer.get_vocab().items()))
        self.data = f"{_told(self._training)}; held out: {_told(self._validation)}; start {start}"
        self._masks = processor.feature_extractor.return_attention_mask and model.config.feat_extract_norm == "layer"

    def loss(self, places: Sequence[int], random: np.random.Generator) -> Tensor:
        """Return the mean over utterances of the CTC loss a character."""
        chosen = [self._training[place] for place in places]
        return torch.stack([loss for loss, _ in map(self._judged, self._batches(chosen))]).mean()

    def validate(self) -> Mapping[str, float]:
        """Return ``loss``, ``wer`` and ``cer`` (percent) on what is held out."""
        losses, texts = [], []
        for each in self._validation:
            loss, tokens = self._judged([each])
            losses.append(float(loss.detach()))
            texts.append(self._processor.tokenizer.decode(tokens[0].tolist()))
        judged = judge([each.text for each in self._validation], texts, [each.name for each in self._validation])
        return {"loss": float(np.mean(losses)), "wer": 100.0 * judged.wer.value, "cer": 100.0 * judged.cer.value}

    def save(self, folder: Path) -> None:
        """Write model and processor as transformers does."""
        save_checkpoint(folder, self.net, self._processor)

    def _batches(self, utterances: Sequence[Utterance]) -> Iterable[Sequence[Utterance]]:
        """Split into what runs together: without a mask, models see each utterance alone, as when they encode."""
        return [utterances] if self._masks else [[each] for each in utterances]

    def _judged(self, utterances: Sequence[Utterance]) -> tuple[Tensor, Tensor]:
        """Return the mean loss of utterances, and the most likely tokens ``[utterances, frames]``."""
        device = next(self.net.parameters()).device
        values, mask = self._heard(utterances)
        logits = self.net(values.to(device), attention_mask=mask.to(device) if self._masks else None).logits.float()
        frames = self.net._get_feat_extract_output_lengths(mask.sum(dim=1))  # type: ignore[operator]
        labels = [self._labels[each.name] for each in utterances]
        loss = ctc_loss(
            logits.log_softmax(dim=-1).transpose(0, 1),
            torch.tensor([token for each in labels for token in each], device=device),
            frames,
            torch.tensor([len(each) for each in labels]),
            blank=int(self.net.config.pad_token_id),  # type: ignore[union-attr, arg-type]
        )
        best = logits.argmax(dim=-1)
        return loss, best

    def _heard(self, utterances: Sequence[Utterance]) -> tuple[Tensor, Tensor]:
        """Return samples ``[utterances, n]``, scaled and padded with zeros, and which are no padding."""
        sounds = [self._sound(each) for each in utterances]
        lengths = torch.tensor([len(sound) for sound in sounds])
        values = torch.nn.utils.rnn.pad_sequence(sounds, batch_first=True)
        return values, torch.arange(values.shape[1]) < lengths[:, None]

    def _sound(self, utterance: Utterance) -> Tensor:
        try:
            recording = read_recording(utterance.audio)
            samples = np.concatenate(list(recording.blocks()))
        except SampleError as error:
            raise ConfigurationError(f"utterance {utterance.name}: {error}") from error
        return torch.from_numpy(recording.scaled(samples) if self._normalises else samples)

    @property
    def _normalises(self) -> bool:
        return bool(self._processor.feature_extractor.do_normalize)

    def _checked(self, utterance: Utterance) -> list[int]:
        """Return the tokens of a transcript, after making sure that its recording has room for them."""
        labels = self._written(utterance)
        try:
            seconds = soundfile.info(str(utterance.audio)).duration
        except soundfile.LibsndfileError as error:
            raise ConfigurationError(
                f"utterance {utterance.name}: {utterance.audio} cannot be read: {error}"
            ) from error
        if seconds > LONGEST_S:
            raise ConfigurationError(
                f"utterance {utterance.name} lasts {seconds:.1f} s, of at most {LONGEST_S:g} s; cut it, or leave it out"
            )
        frames = int(self.net._get_feat_extract_output_lengths(int(seconds * RATE_HZ)))  # type: ignore[operator]
        repeated = sum(one == other for one, other in pairwise(labels))
        if len(labels) + repeated > frames:
            raise ConfigurationError(
                f"utterance {utterance.name}: its {len(labels)} characters do not fit into {seconds:.2f} s; "
                "is its transcript that of another recording?"
            )
        return labels

    def _written(self, utterance: Utterance) -> list[int]:
        """Return a transcript in the model's letters, which are capitals or not."""
        tokenizer = self._processor.tokenizer
        known = set(tokenizer.get_vocab())
        text = utterance.text if any(letter in known for letter in "abcdefghij") else utterance.text.upper()
        foreign = sorted(set(text) - known - {" "})
        if foreign:
            raise ConfigurationError(
                f"utterance {utterance.name}: the model cannot write {' '.join(foreign)!r} in {text[:40]!r}; "
                "transcripts are words without punctuation, and numbers spelt out, as in LibriSpeech"
            )
        tokens: list[int] = tokenizer(text).input_ids
        return tokens


def _told(utterances: Sequence[Utterance]) -> str:
    """Say which utterances these are, in words and a hash."""
    digest = hashlib.sha256("\n".join(f"{each.name} {each.text}" for each in utterances).encode()).hexdigest()[:12]
    speakers = len({each.speaker for each in utterances})
    return f"{len(utterances)} utterances of {speakers} {'speaker' if speakers == 1 else 'speakers'} ({digest})"

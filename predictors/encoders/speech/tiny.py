"""A Wav2Vec2 small enough to train on a laptop and to ship: the real classes, under half a million weights."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)

from predictors.encoders.speech.reading import RATE_HZ

LETTERS: Final = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")
"""Those of facebook/wav2vec2-base-960h, in its order [V]."""
_SHAPE: Final[dict[str, Any]] = {
    "hidden_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "conv_dim": (32,) * 7,
    "num_conv_pos_embeddings": 32,
    "num_conv_pos_embedding_groups": 4,
}
"""0.3 million weights [choice]."""
_CALM: Final[dict[str, Any]] = {
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "final_dropout": 0.0,
    "activation_dropout": 0.0,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
}
"""Nothing that hinders learning by heart."""
_MAKE_TOKENIZER: Final[Any] = Wav2Vec2CTCTokenizer
_MAKE_EXTRACTOR: Final[Any] = Wav2Vec2FeatureExtractor
_MAKE_PROCESSOR: Final[Any] = Wav2Vec2Processor
"""Whose constructors carry no types."""


def new_wav2vec2(seed: int) -> tuple[Any, Any]:
    """Return a new small ``Wav2Vec2ForCTC`` and its processor, for English in capitals.

    Args:
        seed: Of the weights; the global generator is left as it was.
    """
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / "vocab.json"
        vocabulary.write_text(json.dumps({letter: place for place, letter in enumerate(LETTERS)}), encoding="utf-8")
        tokenizer = _MAKE_TOKENIZER(str(vocabulary))
    extractor = _MAKE_EXTRACTOR(
        feature_size=1, sampling_rate=RATE_HZ, padding_value=0.0, do_normalize=True, return_attention_mask=False
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Wav2Vec2ForCTC(Wav2Vec2Config(vocab_size=len(LETTERS), pad_token_id=0, **_SHAPE, **_CALM))
    return model, _MAKE_PROCESSOR(feature_extractor=extractor, tokenizer=tokenizer)

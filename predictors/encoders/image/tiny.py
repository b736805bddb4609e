"""A BLIP small enough to train on a laptop and to ship: the real classes, half a million weights, a few dozen words.

``vision_config.initializer_range`` is 1e-10 unless it is set: with that, a new BLIP gives every image one embedding.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import torch
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    BlipProcessor,
)

from metaverse_env.errors import ConfigurationError

SIDE: Final = 64
"""Pixels of an image's side [choice]."""
LONGEST: Final = 32
"""Tokens of a caption, the first and the last included [choice]."""
_SIZES: Final = {"hidden_size": 96, "intermediate_size": 192, "num_hidden_layers": 2, "num_attention_heads": 4}
_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_SPREAD: Final = 0.02
"""Deviation of new weights, of vision and text [choice: BERT's]."""


def new_blip(captions: Iterable[str], seed: int) -> tuple[Any, Any]:
    """Return a new small BLIP and its processor, with the words of some captions for a vocabulary.

    Args:
        captions: At least one with a word.
        seed: Of the weights; the global generator is left as it was.

    Raises:
        ConfigurationError: There is no word.
    """
    words = sorted({word for caption in captions for word in re.findall(r"\w+|[^\w\s]", caption.lower())})
    if not words:
        raise ConfigurationError("the captions hold no word to learn")
    tokenizer = BertTokenizer(vocab={token: place for place, token in enumerate((*_SPECIAL, *words))})
    # special, so that decoding hides it: the real checkpoint's first token
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    make_processor: Any = BlipProcessor
    processor = make_processor(BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}), tokenizer)
    config = BlipConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "encoder_hidden_size": _SIZES["hidden_size"],
            "max_position_embeddings": LONGEST,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            **_SIZES,
        },
        vision_config={"image_size": SIDE, "patch_size": 16, "initializer_range": _SPREAD, **_SIZES},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BlipForConditionalGeneration(config), processor

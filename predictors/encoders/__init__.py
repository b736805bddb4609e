"""Encoders: from images, speech and motion to the text and the embeddings that worlds call intents.

``load_encoders("blip+wav2vec2+kan")`` gives one encoder a modality; :mod:`.table` lists them. Each is a
:class:`metaverse_env.contracts.Encoder`: a batch of raw samples in, :class:`metaverse_env.contracts.Encoded` out.
"""

from predictors.encoders.cache import EncodingCache
from predictors.encoders.table import ENCODERS, load_encoder, load_encoders

__all__ = ["ENCODERS", "EncodingCache", "load_encoder", "load_encoders"]

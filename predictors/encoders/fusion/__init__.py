"""Late fusion: embeddings of images, speech and motions become one intent of 32 numbers a zone.

:class:`~.runtime.Fusion` runs with NumPy alone; :mod:`.net` and :mod:`.learner` train it, :mod:`.worlds` is what it
learns from: simulated zones whose users show the samples, with what they do, and what they will do and need.
"""

from predictors.encoders.fusion.runtime import Fusion, ZoneSummary

__all__ = ["Fusion", "ZoneSummary"]

"""The project's own sentences, spoken by espeak-ng: a synthesiser by rules, whose voices are no one's.

espeak-ng is a program of its own (Debian: ``apt-get install espeak-ng``) and needed to make samples only. The sentences
of the split ``"test"`` are those of the text bank, the others stand in ``sentences.toml``; voices, speeds and pitches
of the two splits differ as well.
"""

import io
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from metaverse_env.errors import ConfigurationError, MissingDependencyError, UnknownNameError
from predictors.encoders.activity_texts import MODALITIES, load_texts
from predictors.encoders.scenes import ACTIVITIES, Split

RATE_HZ: Final = 16_000
PROGRAM: Final = "espeak-ng"
VOICES: Final[dict[Split, tuple[str, ...]]] = {
    "train": ("en-us", "en-gb+f2", "en-us+m3", "en-gb-x-rp+f4"),
    "test": ("en-gb", "en-us+f3", "en-gb-x-rp+m7", "en-us-nyc+f1"),
}
WORDS_PER_MINUTE: Final[dict[Split, tuple[int, int]]] = {"train": (135, 175), "test": (125, 165)}
_PITCH: Final = (35, 65)
_WAIT_S: Final = 30.0
_PEAK: Final = (0.3, 0.9)
_NOISE_DB: Final = (-60.0, -38.0)
"""Level of white noise below the peak of speech, as of microphones in a room [choice]."""


@cache
def sentences(split: Split) -> dict[str, tuple[str, ...]]:
    """Return the sentences of each activity; the two splits have none in common."""
    if split == "train":
        document = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))
        return {activity: tuple(document[activity]) for activity in ACTIVITIES}
    texts = load_texts()
    first, count = MODALITIES.index("speech") * len(texts.activities) * texts.samples, texts.samples
    starts = [first + count * place for place in range(len(texts.activities))]
    return {name: texts.sentences[at : at + count] for name, at in zip(texts.activities, starts, strict=True)}


def speak(activity: str, number: int, split: Split, random: np.random.Generator) -> tuple[str, np.ndarray]:
    """Return a sentence about an activity and how it sounds, ``float32 [samples]`` at 16 kHz.

    Args:
        activity: What it is about.
        number: Which sentence; they come round again after the last.
        split: Whose sentences and voices.
        random: Decides voice, speed, pitch, loudness and noise.

    Raises:
        UnknownNameError: There are no sentences about this activity.
        MissingDependencyError: espeak-ng is not installed.
        ConfigurationError: espeak-ng fails.
    """
    known = sentences(split)
    if activity not in known:
        raise UnknownNameError("activity with sentences", activity, known)
    sentence = known[activity][number % len(known[activity])]
    voice = VOICES[split][int(random.integers(len(VOICES[split])))]
    speed, pitch = int(random.integers(*WORDS_PER_MINUTE[split])), int(random.integers(*_PITCH))
    clean = _synthesised(sentence, voice, speed, pitch)
    peak = random.uniform(*_PEAK)
    noise = random.normal(size=clean.shape) * peak * 10.0 ** (random.uniform(*_NOISE_DB) / 20.0)
    heard = clean * (peak / max(float(np.abs(clean).max()), 1e-6)) + noise
    return sentence, np.clip(heard, -1.0, 1.0).astype(np.float32)


def _synthesised(sentence: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    """Return what the program says, ``[samples]`` at 16 kHz."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise SpeakerMissingError
    command = [program, "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", "--", sentence]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WAIT_S, check=True)  # noqa: S603  # no shell
        wave, rate_hz = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except (subprocess.SubprocessError, soundfile.SoundFileError) as error:
        raise ConfigurationError(
            f"{PROGRAM} -v {voice} failed on {sentence!r}: {error}. Its voices may not be installed: install "
            "espeak-ng-data of the same version"
        ) from error
    resampled: np.ndarray = soxr.resample(wave, rate_hz, RATE_HZ)
    return resampled


class SpeakerMissingError(MissingDependencyError):
    """There is no espeak-ng, which is a program and in no extra of this project."""

    def __init__(self) -> None:
        super().__init__("speaking sentences", PROGRAM, "encoders")
        self.msg = (
            f"speaking sentences needs the program {PROGRAM}, which is not installed. On Debian and Ubuntu run: "
            f"apt-get install {PROGRAM}. Or leave speech out with --modalities image,motion"
        )

    def __reduce__(self) -> tuple[type["SpeakerMissingError"], tuple[()]]:  # type: ignore[override]
        return type(self), ()

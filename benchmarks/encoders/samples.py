"""Files to measure encoders with: of ordinary size, and made here; speech by espeak-ng, as encoders refuse noise."""

import io
import json
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from PIL import Image

from metaverse_env.errors import ConfigurationError

WIDTH, HEIGHT = 640, 480
"""Pixels of an image: about those of PASCAL VOC and COCO."""
SPEECH_S: Final = 10.0
"""Of a recording: about an utterance of LibriSpeech."""
RATE_HZ: Final = 16_000
MOTION_S: Final = 5.0
FRAMES_HZ: Final = 30
SIZES: Final = {
    "image": f"JPEG, {WIDTH} x {HEIGHT}",
    "speech": f"WAV, {SPEECH_S:g} s at {RATE_HZ // 1000} kHz",
    "motion": f"DeepMimic, {MOTION_S:g} s at {FRAMES_HZ} Hz",
}
"""What a sample of each modality is."""
SPEAKER: Final = "espeak-ng"
_SENTENCES: Final = (
    "The concert in the arena starts in ten minutes, and the doors are open.",
    "Meet me at the market when you have sold the old lamps.",
    "Nobody knows how many people will come to the plaza tonight.",
    "Please bring the blue boat back to the harbour before the race.",
)
"""Longer than :data:`SPEECH_S` together."""
_STILL: Final = [1.0, 0.0, 0.0, 0.0]


def write_samples(modality: str, count: int, folder: Path) -> list[Path]:
    """Write so many different files of a modality; the same ones every time."""
    suffix, content = _WRITERS[modality]
    paths = [folder / f"{number:03d}{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(content(np.random.default_rng(number)))
    return paths


def _image(random: np.random.Generator) -> bytes:
    """Return blurred noise, which compresses about as a photograph does."""
    coarse = Image.fromarray(random.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), np.uint8))
    smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.int16)
    grainy = np.clip(smooth + random.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grainy).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _speech(random: np.random.Generator) -> bytes:
    """Return sentences that espeak-ng speaks, in some voice and pitch, cut to length."""
    program = shutil.which(SPEAKER)
    if program is None:
        raise ConfigurationError(
            f"speech to measure with comes from the program {SPEAKER}, which is missing: apt-get install {SPEAKER}"
        )
    voice, pitch = f"en-us+m{random.integers(1, 8)}", str(random.integers(30, 70))
    command = [program, "-v", voice, "-p", pitch, "--stdout", " ".join(random.permutation(_SENTENCES))]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603  # no shell
    samples, rate_hz = soundfile.read(io.BytesIO(spoken), dtype="float32")
    heard = soxr.resample(samples, rate_hz, RATE_HZ)[: int(SPEECH_S * RATE_HZ)]
    stream = io.BytesIO()
    soundfile.write(stream, heard, RATE_HZ, format="WAV")
    return stream.getvalue()


def _motion(random: np.random.Generator) -> bytes:
    """Return somebody who stands and swings knees and elbows."""
    swing_hz, reach = random.uniform(0.5, 2.0), random.uniform(0.3, 1.2)
    frames = []
    for number in range(int(MOTION_S * FRAMES_HZ)):
        angle = reach * math.sin(2.0 * math.pi * swing_hz * number / FRAMES_HZ)
        bent, other = [-abs(angle)], [-abs(reach - angle)]
        frames.append([
            1.0 / FRAMES_HZ, 0.0, 0.85, 0.0, *_STILL, *_STILL, *_STILL,
            *_STILL, *bent, *_STILL, *_STILL, abs(angle), *_STILL, *other, *_STILL, *_STILL, abs(reach - angle),
        ])  # fmt: skip
    return json.dumps({"Loop": "none", "Frames": frames}).encode()


_WRITERS: Final[Mapping[str, tuple[str, Callable[[np.random.Generator], bytes]]]] = {
    "image": (".jpg", _image),
    "speech": (".wav", _speech),
    "motion": (".txt", _motion),
}

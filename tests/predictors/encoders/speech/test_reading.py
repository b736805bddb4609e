"""Recordings: whatever libsndfile reads comes out at 16 kHz, mono; what is none is refused with its reason."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import SampleError
from predictors.encoders.speech import Waveform
from predictors.encoders.speech.reading import RATE_HZ, Recording, read_recording
from tests.predictors.encoders.speech.conftest import Said, encoded, noise

Array = np.ndarray


def sound(recording: Recording) -> Array:
    return np.concatenate(list(recording.blocks()))


def test_a_recording_at_16_khz_is_read_as_it_is(utterances: list[Said]) -> None:
    for said in utterances:
        recording = read_recording(said.path)
        expected, rate_hz = soundfile.read(said.path, dtype="float32")
        assert rate_hz == RATE_HZ
        np.testing.assert_array_equal(sound(recording), expected)
        assert recording.mean == pytest.approx(float(expected.mean(dtype=np.float64)))
        assert recording.deviation == pytest.approx(float(expected.std(dtype=np.float64)))


def test_equal_sound_has_one_digest_in_whatever_format_and_place(librispeech_utts: list[Said], tmp_path: Path) -> None:
    path = next(said.path for said in librispeech_utts if said.path.suffix == ".flac")
    samples, rate_hz = soundfile.read(path, dtype="float32")
    misnamed = tmp_path / "sound.raw"  # what its content is counts, not its name
    misnamed.write_bytes(path.read_bytes())
    same = [str(path), path.read_bytes(), encoded(samples, rate_hz), Waveform(samples, rate_hz), misnamed]
    assert len({read_recording(each).digest for each in same}) == 1
    assert read_recording(Waveform(samples[:-1], rate_hz)).digest != read_recording(path).digest


@pytest.mark.parametrize(
    ("kind", "subtype", "rate_hz", "channels"),
    [
        ("WAV", "PCM_U8", 16_000, 1),
        ("WAV", "PCM_24", 96_000, 7),
        ("WAV", "ULAW", 8_000, 2),
        ("FLAC", None, 44_100, 2),
        ("OGG", "VORBIS", 22_050, 1),
        ("OGG", "OPUS", 48_000, 1),
        ("AIFF", None, 11_025, 2),
    ],
)
def test_formats_rates_and_channels(kind: str, subtype: str | None, rate_hz: int, channels: int) -> None:
    beat = np.sin(2 * np.pi * 440 * np.arange(2 * rate_hz) / rate_hz) * 0.3
    recording = read_recording(encoded(np.stack([beat] * channels, axis=1), rate_hz, kind, subtype))
    assert recording.seconds == pytest.approx(2.0, abs=0.02)
    spectrum = np.abs(np.fft.rfft(sound(recording)[: 2 * RATE_HZ]))
    assert np.argmax(spectrum) / 2.0 == pytest.approx(440, abs=1)
    assert recording.deviation == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@given(
    rate_hz=st.sampled_from([4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 384_000]),
    milliseconds=st.integers(150, 3_000),
    channels=st.integers(1, 7),
)
def test_the_duration_stays_and_equal_channels_are_the_channel(rate_hz: int, milliseconds: int, channels: int) -> None:
    one = noise(milliseconds / 1000, rate_hz).astype(np.float32)
    alone = read_recording(Waveform(one, rate_hz))
    many = read_recording(Waveform(np.stack([one] * channels, axis=1), rate_hz))
    assert abs(alone.samples - len(one) * RATE_HZ / rate_hz) <= 1
    assert many.digest == alone.digest


def test_blocks_change_nothing() -> None:
    samples = noise(40.0, 44_100).astype(np.float32)
    recording = read_recording(Waveform(samples, 44_100))
    blocks = list(recording.blocks())
    assert len(blocks) > 3
    np.testing.assert_array_equal(np.concatenate(blocks), soxr.resample(samples, 44_100, RATE_HZ))


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.uint8, np.float64])
def test_numbers_of_any_type_mean_the_same(kind: type[np.generic]) -> None:
    samples = noise(0.5)
    scale = {np.int16: 2.0**15, np.int32: 2.0**31, np.uint8: 2.0**7, np.float64: 1.0}[kind]
    given_as = (samples * scale + (128.0 if kind is np.uint8 else 0.0)).astype(kind)
    np.testing.assert_allclose(
        sound(read_recording(Waveform(given_as, RATE_HZ))), samples, atol=1.01 / min(scale, 2.0**20)
    )


def test_a_recording_is_scaled_by_the_whole() -> None:
    recording = read_recording(Waveform(noise(1.0) + 0.25, RATE_HZ))
    scaled = recording.scaled(sound(recording))
    assert scaled.dtype == np.float32
    assert float(scaled.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(scaled.std()) == pytest.approx(1.0, abs=1e-4)


def test_programs_that_stream_leave_the_length_open(tmp_path: Path) -> None:
    words = "Meet me at the market."
    streamed = subprocess.run(["espeak-ng", "--stdout", words], check=True, capture_output=True).stdout
    subprocess.run(["espeak-ng", "-w", str(tmp_path / "said.wav"), words], check=True)
    assert streamed[40:44] == b"\x00\xf0\xff\x7f"  # 2 GiB, of which nothing came true
    assert read_recording(streamed).digest == read_recording(tmp_path / "said.wav").digest


NOISE = noise(1.0)
BEYOND_HEARING = np.hanning(96_000) * np.sin(2 * np.pi * 30_000 * np.arange(96_000) / 96_000)
REFUSED = {
    "none": (None, "a NoneType is no recording; give the path"),
    "array": (NOISE, "an array without its rate"),
    "no file": ("/nowhere/a.wav", r"/nowhere/a.wav: there is no such file"),
    "folder": ("/", "it is no file"),
    "device": ("/dev/zero", "it is no file"),
    "no bytes": (b"", "it is empty"),
    "text": (b"once upon a time " * 50, "cannot be decoded .*ffmpeg -i IN OUT.flac"),
    "no header": (encoded(NOISE, kind="RAW", subtype="PCM_16"), "cannot be decoded"),
    "truncated WAV": (encoded(NOISE)[:20_000], r"truncated \(19956 bytes of sound of 32000\)"),
    "truncated OGG": (encoded(noise(10.0), kind="OGG")[:20_000], "truncated .*its last page is missing"),
    "truncated MP3": (encoded(noise(10.0), kind="MP3")[:9_000], r"truncated \(2\.\d+ s of 10.00 s\)"),
    "no samples": (encoded(NOISE[:0]), "it has no samples"),
    "short": (Waveform(NOISE[:100], 16_000), r"lasts 0.0063 s, of at least 0.1 s"),
    "NaN": (Waveform(np.where(np.arange(16_000) == 9_000, np.nan, NOISE), 16_000), "NaN or infinite"),
    "infinite": (encoded(np.array([0.1, np.inf] * 8_000), subtype="FLOAT"), "NaN or infinite"),
    "too large": (Waveform(np.full(16_000, 1e300), 16_000), "NaN or infinite"),
    "integers as floats": (Waveform(NOISE * 32_768, 16_000), r"of at most 8 where full scale is 1"),
    "zeros": (Waveform(np.zeros(16_000), 16_000), r"silent; it reaches 0 of full scale, of at least 0.001 \(-60 dB\)"),
    "offset": (Waveform(np.full(48_000, 0.5), 48_000), "silent"),
    "channels that cancel": (Waveform(np.stack([NOISE, -NOISE], axis=1), 16_000), "silent"),
    "beyond hearing": (Waveform(BEYOND_HEARING, 96_000), "silent"),
    "8-bit silence": (encoded(np.zeros(16_000), subtype="PCM_U8"), "silent"),
    "1 Hz": (Waveform(NOISE, 1), "its rate is 1 Hz; it must be whole, 4000 to 384000 Hz"),
    "1 Hz file": (encoded(NOISE, 1), "its rate is 1 Hz"),
    "4 MHz": (Waveform(NOISE, 4e6), "its rate is 4000000.0 Hz"),
    "NaN Hz": (Waveform(NOISE, float("nan")), "its rate is nan Hz"),
    "rate in words": (Waveform(NOISE, "16k"), "its rate is '16k' Hz"),  # type: ignore[arg-type]
    "transposed": (Waveform(np.zeros((2, 16_000)), 16_000), "16000 channels, of at most 1024.*transpose"),
    "list": (Waveform([0.0, 0.1], 16_000), "no array"),  # type: ignore[arg-type]
    "complex": (Waveform(NOISE + 1j, 16_000), "no array"),
    "three axes": (Waveform(np.zeros((5, 5, 5)), 16_000), "no array"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("error")
def test_what_is_no_recording_says_so(name: str) -> None:
    sample, message = REFUSED[name]
    with pytest.raises(SampleError, match=message):
        read_recording(sample)


@pytest.mark.parametrize("share", [0.0002, 0.5, 0.99])
def test_a_truncated_flac_is_refused(librispeech_utts: list[Said], tmp_path: Path, share: float) -> None:
    path = next(said.path for said in librispeech_utts if said.path.suffix == ".flac")
    cut = tmp_path / "cut.flac"
    cut.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(SampleError, match=r"cut.flac: it cannot be decoded \(.*damaged, truncated or no sound"):
        read_recording(cut)


def test_a_file_that_changes_between_two_readings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    path.write_bytes(encoded(noise(1.0)))
    recording = read_recording(path)
    path.write_bytes(encoded(noise(1.0, seed=1)))
    with pytest.raises(SampleError, match="changed while it was being encoded"):
        list(recording.blocks())


_HOUR = """
import resource, sys
import numpy as np, soundfile
from predictors.encoders.speech.chunking import chunks
from predictors.encoders.speech.reading import read_recording

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder = sys.argv[1]
second = (np.random.default_rng(0).normal(0.0, 0.1, (8000, 2)) * 32767).astype(np.int16)
for name, seconds in (("minute", 60), ("hour", 3600)):
    with soundfile.SoundFile(f"{folder}/{name}.wav", "w", 8000, 2) as file:
        for _ in range(seconds):
            file.write(second)
peaks = []
for name in ("minute", "hour"):
    recording = read_recording(f"{folder}/{name}.wav")
    longest = max(len(chunk.samples) for chunk in chunks(recording, 30.0, 1.0))
    assert longest <= 32 * 16000, longest
    peaks.append(peak_mb())
print(recording.seconds, *peaks)
"""


def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", _HOUR, str(tmp_path)], check=True, capture_output=True, text=True)
    seconds, minute_mb, hour_mb = map(float, ran.stdout.split())
    assert seconds == 3600.0
    assert hour_mb - minute_mb < 8.0, f"a minute: {minute_mb} MB, an hour (230 MB at 16 kHz): {hour_mb} MB"

"""LibriSpeech's layout, made of real utterances; and what can be wrong with it."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import soundfile

from metaverse_env.errors import ConfigurationError
from predictors.encoders.speech.librispeech import held_out_speakers, read_librispeech, read_utterances
from tests.predictors.encoders.speech.conftest import Said


def make_librispeech(folder: Path, said: Iterable[Said], speakers: int = 2, part: str = "train-clean-100") -> Path:
    """Write utterances in LibriSpeech's layout, dealt to speakers 100, 101, …, of one chapter each; return the part."""
    for place, (path, text) in enumerate(said):
        speaker = 100 + place % speakers
        chapter = folder / "LibriSpeech" / part / str(speaker) / "7"
        chapter.mkdir(parents=True, exist_ok=True)
        name = f"{speaker}-7-{place // speakers:04d}"
        soundfile.write(chapter / f"{name}.flac", *soundfile.read(path))
        with (chapter / f"{speaker}-7.trans.txt").open("a", encoding="utf-8") as lines:
            lines.write(f"{name} {text.upper()}\n")
    return folder / "LibriSpeech" / part


@pytest.fixture
def part(tmp_path: Path, librivox: list[Said]) -> Path:
    return make_librispeech(tmp_path, librivox)


def transcripts(part: Path) -> Path:
    return part / "100" / "7" / "100-7.trans.txt"


def test_all_utterances_are_found_by_name(part: Path, librivox: list[Said]) -> None:
    found = read_librispeech(part)
    assert [each.name for each in found] == ["100-7-0000", "100-7-0001", "100-7-0002", "101-7-0000", "101-7-0001"]
    assert found[1].text == librivox[2].text.upper()
    assert found[1].speaker == "100"
    assert all(each.audio.is_file() for each in found)


def test_speakers_are_held_out_whole(part: Path) -> None:
    kept, held = held_out_speakers(read_librispeech(part))
    assert {each.speaker for each in kept} == {"100"}
    assert {each.speaker for each in held} == {"101"}


def test_of_one_speaker_none_can_be_held_out(part: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"all 3 utterances are of speaker 100; .*--validation"):
        held_out_speakers([each for each in read_librispeech(part) if each.speaker == "100"])


def test_small_sets_of_sphinx_are_read_too(assets: Path, librivox: list[Said]) -> None:
    found = read_utterances(assets / "samples" / "librivox_5")
    assert [(each.audio, each.text) for each in found] == [tuple(said) for said in librivox]


def test_the_root_is_answered_with_its_parts(part: Path) -> None:
    with pytest.raises(ConfigurationError, match="it holds the parts train-clean-100: name one of them"):
        read_utterances(part.parent)


def test_a_transcript_without_a_recording(part: Path) -> None:
    (part / "100" / "7" / "100-7-0001.flac").unlink()
    with pytest.raises(ConfigurationError, match=r"100-7.trans.txt: 100-7-0001 have a transcript and no recording"):
        read_librispeech(part)


def test_recordings_without_a_transcript(part: Path) -> None:
    kept = [line for line in transcripts(part).read_text().splitlines() if "0002" not in line]
    transcripts(part).write_text("\n".join(kept))
    with pytest.raises(ConfigurationError, match=r"100-7-0002 are in no .trans.txt"):
        read_librispeech(part)


def test_a_name_that_comes_twice(part: Path) -> None:
    with transcripts(part).open("a", encoding="utf-8") as lines:
        lines.write("100-7-0000 AGAIN\n")
    with pytest.raises(ConfigurationError, match="100-7-0000 come twice in transcripts"):
        read_librispeech(part)


@pytest.mark.parametrize("line", ["100-7-0003", "100-7-0003 ", "HE SAID", "101-7-0000 OF ANOTHER CHAPTER"])
def test_a_line_that_is_no_transcript(part: Path, line: str) -> None:
    with transcripts(part).open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")
    with pytest.raises(
        ConfigurationError, match=r"100-7.trans.txt, line 4: .* is no transcript; expected 100-7-NUMBER"
    ):
        read_librispeech(part)


def test_transcripts_that_are_no_text(part: Path) -> None:
    transcripts(part).write_bytes(b"100-7-0000 \xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read as UTF-8 text"):
        read_librispeech(part)


@pytest.mark.parametrize(("name", "message"), [("nowhere", "no such folder"), ("", "no SPEAKER/CHAPTER")])
def test_a_folder_without_any(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_utterances(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("he said so", "line 1: 'he said so' is not"),
        ("<s> he said so </s> (nowhere)", r"nowhere have a transcript and no recording \(.wav\)"),
    ],
)
def test_what_sphinx_would_not_write(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "transcription").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_utterances(tmp_path)

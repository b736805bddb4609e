"""What all encoders share: batches, the cache, and refusing a sample without harming its mates."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from metaverse_env.contracts import Encoded
from metaverse_env.errors import ConfigurationError, SampleError
from metaverse_env.testing import check_encoder
from predictors.encoders.batched import BatchedEncoder
from predictors.encoders.cache import FILE_NAME, EncodingCache

Array = np.ndarray


class Spelling(BatchedEncoder[str]):
    """Encodes a word by its letters, and remembers the batches that it ran."""

    modality, backend = "speech", "spelling"

    def __init__(self, version: str = "1", batch_size: int = 2, cache: EncodingCache | None = None) -> None:
        super().__init__(version, 3, batch_size, cache)
        self.ran: list[list[str]] = []

    def read(self, sample: object) -> str:
        if not isinstance(sample, str):
            raise SampleError(f"a word is needed, not {sample!r}")
        return sample

    def digest(self, prepared: str) -> str:
        return hashlib.sha256(prepared.encode()).hexdigest()

    def run(self, batch: Sequence[str]) -> tuple[Sequence[str | SampleError], Array]:
        self.ran.append(list(batch))
        texts = [SampleError(f"{word} says nothing") if word == "mute" else word.upper() for word in batch]
        return texts, np.array([[len(w), ord(w[0]), ord(w[-1])] for w in batch], np.float32)


def test_it_keeps_the_contract() -> None:
    check_encoder(Spelling(), ["tree", "house", "sun"])


def test_samples_run_in_batches_in_order() -> None:
    encoder = Spelling(batch_size=2)
    encoded = encoder.encode(["tree", "house", "sun"])
    assert encoder.ran == [["tree", "house"], ["sun"]]
    assert encoded.texts == ("TREE", "HOUSE", "SUN")
    assert encoded.embeddings[:, 0].tolist() == [4.0, 5.0, 3.0]
    assert encoded.mask.all()


def test_no_samples_give_nothing() -> None:
    encoded = Spelling().encode([])
    assert encoded.texts == ()
    assert encoded.embeddings.shape == (0, 3)


def test_a_refused_sample_leaves_its_mates_alone() -> None:
    encoded = Spelling(batch_size=4).encode(["tree", 7, "sun"], strict=False)
    assert encoded.mask.tolist() == [True, False, True]
    assert encoded.texts == ("TREE", "", "SUN")
    assert np.isnan(encoded.embeddings[1]).all()
    assert encoded.embeddings[2, 0] == 3.0
    assert str(encoded.problems[1]) == "a word is needed, not 7"


def test_a_strict_call_says_which_and_carries_the_others() -> None:
    with pytest.raises(SampleError, match=r"sample 1: a word is needed, not 7 \(and 1 more of 4\)") as caught:
        Spelling(batch_size=1).encode(["tree", 7, "sun", None])
    assert isinstance(caught.value.encoded, Encoded)
    assert caught.value.encoded.texts == ("TREE", "", "SUN", "")


def test_what_was_encoded_before_is_not_run_again(tmp_path: Path) -> None:
    first = Spelling(cache=EncodingCache(tmp_path)).encode(["tree", "sun"])
    again = Spelling(cache=EncodingCache(tmp_path))
    second = again.encode(["sun", "moon", "tree", "moon"])
    assert [word for batch in again.ran for word in batch] == ["moon"]
    assert second.texts == ("SUN", "MOON", "TREE", "MOON")
    np.testing.assert_array_equal(second.embeddings[[2, 0]], first.embeddings)


@pytest.mark.parametrize("cached", [False, True])
def test_what_only_running_shows_is_refused_too(tmp_path: Path, cached: bool) -> None:
    encoder = Spelling(batch_size=4, cache=EncodingCache(tmp_path) if cached else None)
    encoded = encoder.encode(["tree", "mute", "sun", 7], strict=False)
    assert encoded.texts == ("TREE", "", "SUN", "")
    assert {place: str(problem) for place, problem in encoded.problems.items()} == {
        1: "mute says nothing",
        3: "a word is needed, not 7",
    }
    assert np.isnan(encoded.embeddings[1]).all()
    with pytest.raises(SampleError, match=r"sample 1: mute says nothing \(and 1 more of 4\)"):
        encoder.encode(["tree", "mute", "sun", 7])


def test_another_version_is_encoded_anew(tmp_path: Path) -> None:
    Spelling("1", cache=EncodingCache(tmp_path)).encode(["tree"])
    newer = Spelling("2", cache=EncodingCache(tmp_path))
    newer.encode(["tree"])
    assert newer.ran == [["tree"]]


def test_a_damaged_cache_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database, but text" * 100)
    with pytest.raises(ConfigurationError, match="Delete the file"):
        EncodingCache(tmp_path)


def test_a_batch_holds_at_least_one() -> None:
    with pytest.raises(ConfigurationError, match="batch_size is 0 samples; give at least 1"):
        Spelling(batch_size=0)


def test_one_sample_is_no_list_of_its_letters() -> None:
    encoder = Spelling()
    for sample in ("one.jpg", Path("one.jpg"), b"RIFF" * 100):
        with pytest.raises(ConfigurationError, match=r"samples are a list: give \["):
            encoder.encode(sample)  # type: ignore[arg-type]
    assert encoder.ran == []

"""The commands that encode, with the encoder that loads quickest: what they write, say and refuse."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.intents import load_bank
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from predictors.encoders.encoding.files import expanded
from predictors.encoders.scenes import ACTIVITIES
from predictors.encoders.scenes.folders import write_samples

IMAGES = ("--encoders", "efficientnet")


def metaverse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="metaverse")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    write_samples(out, "train", count=6, modalities=("image",))
    return out


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


# --- encode samples ---


def test_samples_are_written_and_their_licences_told(tmp_path: Path) -> None:
    found = metaverse(
        "encode", "samples", "--out", tmp_path, "--samples", "1", "--modalities", "image,motion", "--json"
    )
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["licences"] == {"image": {"Apache-2.0": 6}, "motion": {"Apache-2.0": 6}}
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == sorted((*ACTIVITIES, "samples.json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--split", "tset"], "unknown split 'tset'. Did you mean 'test'?"),
        (["--modalities", "image,smell"], "unknown modality 'smell'"),
        (["--licensed", "nowhere"], "there is no usgov_photos/"),
    ],
)
def test_samples_that_cannot_be_are_wrong_usage(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = metaverse("encode", "samples", *arguments)
    assert found.exit_code == 2
    assert message in found.stderr


# --- encode bank ---


def test_a_bank_is_made_resumed_and_used(samples: Path, cache: Path, tmp_path: Path) -> None:
    command = [
        "encode",
        "bank",
        "--images",
        samples / "images",
        *IMAGES,
        "--fusion",
        "none",
        "--cache",
        cache,
        "--json",
    ]
    found = metaverse(*command, "--out", tmp_path / "bank.npz")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["shape"] == [1, 6, 6, 32]
    assert told["provenance"]["from"]["image"]["licences"] == {"Apache-2.0": 36}
    assert told["provenance"]["from"]["image"]["made"]["split"] == "train"
    assert told["provenance"]["encoders"]["image"]["backend"] == "efficientnet"
    again = metaverse(*command, "--out", tmp_path / "again.npz")
    assert again.exit_code == 0, again.output
    first, second = (load_bank(str(tmp_path / name), ACTIVITIES).vectors for name in ("bank.npz", "again.npz"))
    np.testing.assert_array_equal(first, second)
    base = load_scenario("single_zone")
    intents = base.intents.model_copy(update={"bank": str(tmp_path / "bank.npz")})
    world = SimulatedWorld(base.with_changes(intents=intents), worlds=8, intents=True)
    telemetry = world.reset(seeds=list(range(8)))
    assert np.abs(world.step(Command.of(telemetry.allocation)).telemetry.intents).max() > 0.0


def test_what_a_bank_cannot_be_made_of_is_wrong_usage(samples: Path, cache: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer"
    shutil.copytree(samples / "images", fewer)
    (fewer / "game" / "000.png").unlink()
    for arguments, message in (
        (["--images", fewer, *IMAGES, "--fusion", "none"], "activities are unbalanced: image build 6"),
        (["--images", samples / "images", "--encoders", "moonshine"], "none of them reads image"),
        (["--images", tmp_path / "absent", *IMAGES, "--fusion", "none"], "there is no such folder"),
        (["--images", samples / "images", *IMAGES, "--fusion", tmp_path / "mine"], "no fusion"),
        ([*IMAGES], "no samples; give --images"),
    ):
        found = metaverse("encode", "bank", *arguments, "--cache", cache, "--out", tmp_path / "bank.npz")
        assert (found.exit_code, found.stdout) == (2, ""), found.output
        assert message in found.stderr
        assert not (tmp_path / "bank.npz").exists()
    found = metaverse("encode", "bank", "--images", fewer, "--out", tmp_path / "bank.zip")
    assert (found.exit_code, "ends in .npz" in found.stderr) == (2, True)


# --- encode files ---


def test_files_that_are_refused_leave_the_others_alone(samples: Path, cache: Path, tmp_path: Path) -> None:
    good, bad, other = samples / "images" / "game" / "000.png", tmp_path / "bad.png", tmp_path / "notes.md"
    bad.write_bytes(good.read_bytes()[:200])
    other.touch()
    found = metaverse(
        "encode", "files", good, bad, other, *IMAGES, "--cache", cache, "--json", "--out", tmp_path / "t.csv"
    )
    assert found.exit_code == 1, found.output
    lines = json.loads(found.stdout)
    assert [bool(line["problem"]) for line in lines] == [False, True, True]
    assert len(lines[0]["embedding"]) == 1280
    assert lines[0]["text"]
    assert lines[1]["embedding"] is None
    assert "no modality has names that end in '.md'" in lines[2]["problem"]
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    np.testing.assert_allclose(np.array(rows[0]["embedding"].split(), dtype=float), lines[0]["embedding"], rtol=1e-5)
    assert rows[1]["embedding"] == ""


def test_a_folder_is_encoded_and_written_as_arrays(samples: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "recorded.npy").touch()
    folder = samples / "images"
    found = metaverse("encode", "files", folder, *IMAGES, "--cache", cache, "--out", tmp_path / "t.npz")
    assert found.exit_code == 0, found.output
    assert "concert/000.png" in found.stdout
    with np.load(tmp_path / "t.npz", allow_pickle=False) as arrays:
        assert arrays["image"].shape == (36, 1280)
        assert len(arrays["files"]) == len(arrays["texts"]) == 36
        assert (arrays["problems"] == "").all()
    found = metaverse("encode", "files", tmp_path / "recorded.npy", *IMAGES, "--cache", cache)
    assert found.exit_code == 2
    assert "none of them reads motion" in found.stderr


def test_lists_and_transcripts_in_a_folder_are_no_samples(tmp_path: Path) -> None:
    for name in ("samples.json", "1-2.trans.txt", "walk.txt", "a.png", "README.md"):
        (tmp_path / name).touch()
    assert [path.name for path in expanded([tmp_path])] == ["a.png", "walk.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.png"], "there is no such file"),
        (["empty"], "nothing to encode"),
        (["a.png", "--out", "t.xls"], "ends in"),
    ],
)
def test_paths_that_cannot_be_are_wrong_usage(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("a.png").touch()
    found = metaverse("encode", "files", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr


# --- encode evaluate ---


def test_captions_are_judged(samples: Path) -> None:
    folder = samples / "images"
    captions = {f"{name}/000.png": [f"people at a {name}", "a drawing"] for name in ACTIVITIES}
    (folder / "captions_val.json").write_text(json.dumps(captions))
    found = metaverse("encode", "evaluate", "--images", folder, *IMAGES, "--limit", "4", "--json")
    (folder / "captions_val.json").unlink()
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)
    assert [row["figure"] for row in rows] == ["BLEU", "ROUGE-L"]
    assert all(row["low"] <= row["value"] <= row["high"] and row["samples"] == 4 for row in rows)


def test_transcripts_of_real_speech_are_judged(assets: Path, tmp_path: Path) -> None:
    source = assets / "samples" / "librispeech_utts"
    for line in (source / "transcripts.txt").read_text(encoding="utf-8").splitlines():
        speaker, chapter, _ = line.split()[0].split("-")
        folder = tmp_path / speaker / chapter
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(next(source.glob(f"{line.split()[0]}.*")), folder)
        with (folder / f"{speaker}-{chapter}.trans.txt").open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
    found = metaverse("encode", "evaluate", "--speech", tmp_path, "--encoders", "moonshine", "--limit", "1", "--json")
    assert found.exit_code == 0, found.output
    words = next(row for row in json.loads(found.stdout) if row["figure"] == "word error rate, %")
    assert words["value"] <= 6.0
    assert (words["samples"], words["refused"]) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no data set; give --images"),
        (["--images", "absent"], "there is no such file or folder"),
        (["--images", ".", "--encoders", "efficientnet"], "no images with captions"),
        (["--images", ".", "--encoders", "moonshine"], "none of them reads image"),
    ],
)
def test_data_that_is_none_is_wrong_usage(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = metaverse("encode", "evaluate", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr

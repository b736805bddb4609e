"""The commands that encode, with the encoder that loads quickest: what they write, say and refuse."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.intents import load_bank
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from predictors.encoders.encoding.evaluating import Figure, notes
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
        (["--images", fewer, *IMAGES, "--fusion", "none"], "Give --count 5 to take so many of each, or --resample"),
        (["--images", fewer, "--audio", fewer, *IMAGES], "none of them reads speech; add one, or leave the speech out"),
        (["--images", samples / "images", "--encoders", "moonshine"], "none of them reads image"),
        (["--images", tmp_path / "absent", *IMAGES, "--fusion", "none"], "there is no such folder"),
        (["--images", samples / "images", *IMAGES, "--fusion", tmp_path / "mine"], "no fusion"),
        ([*IMAGES], "no samples; give --images"),
    ):
        found = metaverse("encode", "bank", *arguments, "--cache", cache, "--out", tmp_path / "bank.npz")
        assert (found.exit_code, found.stdout) == (2, ""), found.output
        assert message in found.stderr
        assert not (tmp_path / "bank.npz").exists()
        assert "loading encoders: done" not in found.stderr or "--fusion" in arguments
    found = metaverse("encode", "bank", "--images", fewer, "--out", tmp_path / "bank.zip")
    assert (found.exit_code, "ends in .npz" in found.stderr) == (2, True)


def test_activities_that_no_scenario_knows_are_noted(samples: Path, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "images", tmp_path / "images")
    (tmp_path / "images" / "concert").rename(tmp_path / "images" / "concrt")
    found = metaverse(
        *("encode", "bank", "--images", tmp_path / "images", *IMAGES, "--fusion", "none", "--cache", cache),
        *("--out", tmp_path / "bank.npz", "--picture", tmp_path / "bank.png"),
    )
    assert found.exit_code == 0, found.output
    assert "'concrt' is no activity of the shipped scenarios" in found.stderr
    assert "Did you mean 'concert'?" in found.stderr
    assert "no samples of concert: " in found.stderr
    assert f"Bank: {tmp_path / 'bank.npz'}; picture: {tmp_path / 'bank.png'}" in found.stdout


def test_after_ctrl_c_what_was_encoded_is_kept(
    samples: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*some: object, **more: object) -> None:
        raise KeyboardInterrupt

    for command in ("encode bank", "train fusion"):
        module = "encoding.banks" if command == "encode bank" else "fusion.command"
        monkeypatch.setattr(f"predictors.encoders.{module}.collect", interrupt)
        given = ("--images", samples / "images", *IMAGES, "--cache", cache, "--out", tmp_path / "bank.npz")
        found = metaverse(*command.split(), *given)
        assert found.exit_code == 130
        assert f"the same command goes on, what was encoded is in {cache}" in found.stderr


def test_an_empty_folder_is_refused_before_encoders_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "images" / "idle").mkdir(parents=True)
    found = metaverse("encode", "bank", "--images", tmp_path / "images", *IMAGES, "--out", tmp_path / "bank.npz")
    assert (found.exit_code, "nothing to encode in idle" in found.stderr) == (2, True)
    assert "loading encoders" not in found.stderr


def test_without_packages_the_extra_of_the_encoders_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "predictors.encoders.encoding.banks", raising=False)
    monkeypatch.setitem(sys.modules, "predictors.encoders.encoding.banks", None)
    for named, extra in (("efficientnet+kan", "encoders-offline"), ("blip=tiny+kan", "encoders")):
        found = metaverse("encode", "bank", "--images", tmp_path, "--encoders", named, "--out", tmp_path / "b.npz")
        assert found.exit_code == 1
        assert f"pip install 'metaverse-env[{extra}]'" in found.stderr


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
    assert "no modality has names that end in '.md'; names end in .png" in lines[2]["problem"]
    assert lines[1]["problem"] == "damaged or cut off: image file is truncated"
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    np.testing.assert_allclose(np.array(rows[0]["embedding"].split(), dtype=float), lines[0]["embedding"], rtol=1e-5)
    assert rows[1]["embedding"] == ""


def test_a_folder_is_encoded_and_written_as_arrays(
    samples: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "recorded.npy").touch()
    folder = samples / "images"
    found = metaverse("encode", "files", folder, *IMAGES, "--cache", cache, "--out", tmp_path / "t.npz")
    assert found.exit_code == 0, found.output
    assert "concert/000.png" in found.stdout
    assert f"Table with all numbers: {tmp_path / 't.npz'}" in found.stdout
    with np.load(tmp_path / "t.npz", allow_pickle=False) as arrays:
        assert arrays["image"].shape == (36, 1280)
        assert len(arrays["files"]) == len(arrays["texts"]) == 36
        assert (arrays["problems"] == "").all()
    found = metaverse("encode", "files", tmp_path / "recorded.npy", *IMAGES, "--cache", cache)
    assert found.exit_code == 2
    assert "none of them reads motion" in found.stderr


def test_lists_and_transcripts_in_a_folder_are_no_samples(tmp_path: Path) -> None:
    for name in ("samples.json", "1-2.trans.txt", "notes.txt", "a.png", "README.md"):
        (tmp_path / name).write_text("12 words")
    (tmp_path / "walk.txt").write_text(' {"Loop": "wrap"')
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


def test_what_was_learnt_from_is_noted(assets: Path) -> None:
    clips = assets / "samples" / "deepmimic_humanoid"
    found = metaverse("encode", "evaluate", "--motion", clips, "--encoders", "kan", "--json")
    assert found.exit_code == 0, found.output
    assert {(row["samples"], row["learnt"]) for row in json.loads(found.stdout)} == {(20, 16)}
    assert "learnt from 16 of the 20 samples of deepmimic_humanoid" in found.stderr


def test_what_is_known_by_heart_and_what_has_no_card_is_told_apart() -> None:
    row = Figure("image", "photos", "blip 1-2", "BLEU", 90.0, 80.0, 95.0, None, 9, 0)
    assert ["blip=tiny knows its few samples by heart" in note for note in notes("blip=tiny+kan", [row])] == [True]
    assert list(notes("blip", [row, row._replace(learnt=0)])) == []
    assert len(list(notes("kan=./mine", [row._replace(learnt=3)] * 2))) == 1


def test_a_split_without_motions_says_what_there_is(assets: Path) -> None:
    found = metaverse("encode", "evaluate", "--motion", assets / "samples" / "kitml_few", "--encoders", "kan")
    assert found.exit_code == 2
    assert "no motion of split 'val' could be read; files are there of train 2 of " in found.stderr
    assert "loading encoders" not in found.stderr


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

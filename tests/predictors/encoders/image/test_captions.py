"""Images with captions: PASCAL VOC's layout, and plain lists."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from metaverse_env.errors import ConfigurationError
from predictors.encoders.image.captions import load_captions
from predictors.encoders.image.voc import caption_of, read_labels

CLASSES = ["aeroplane", "bus", "diningtable", "dog", "person", "pottedplant", "sheep", "tvmonitor"]


def annotation(name: str, labels: Sequence[str], difficult: Sequence[int] = ()) -> str:
    """Return an annotation with everything that VOC's own have."""
    objects = "".join(
        f"<object><name>{label}</name><pose>Left</pose><truncated>0</truncated><difficult>{hard}</difficult>"
        "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox><part><name>head</name><bndbox><xmin>1</xmin>"
        "<ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part></object>"
        for label, hard in zip(labels, difficult or [0] * len(labels), strict=True)
    )
    return (
        f"<annotation><folder>VOC2012</folder><filename>{name}.jpg</filename><source><database>The VOC2008 Database"
        "</database></source><size><width>50</width><height>40</height><depth>3</depth></size>"
        f"<segmented>0</segmented>{objects}</annotation>"
    )


def make_voc(root: Path, images: dict[str, Sequence[str]], splits: dict[str, str]) -> Path:
    """Write ``VOCdevkit`` with images of noise; return it."""
    voc = root / "VOCdevkit" / "VOC2012"
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (voc / folder).mkdir(parents=True)
    for seed, (name, labels) in enumerate(images.items()):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(pixels).save(voc / "JPEGImages" / f"{name}.jpg")
        (voc / "Annotations" / f"{name}.xml").write_text(annotation(name, labels))
    for split, lines in splits.items():
        (voc / "ImageSets" / "Main" / f"{split}.txt").write_text(lines)
    return root / "VOCdevkit"


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    images = {"2008_000008": ["horse", "person"], "2008_000015": ["bottle", "bottle"], "2009_000001": ["tvmonitor"]}
    splits = {
        "train": "2008_000008\n2008_000015\n",
        "val": "2009_000001\n",
        "bottle_train": "2008_000008 -1\n2008_000015  1\n",
    }
    return make_voc(tmp_path, images, splits)


@pytest.mark.parametrize("below", ["", "VOC2012"])
def test_voc_is_read_as_it_lies(voc: Path, below: str) -> None:
    found = load_captions(voc / below, "train")
    assert [(one.path.name, one.captions) for one in found.images] == [
        ("2008_000008.jpg", ("a photo of a horse and a person",)),
        ("2008_000015.jpg", ("a photo of two bottles",)),
    ]
    assert load_captions(voc, "val").images[0].captions == ("a photo of a tv monitor",)
    assert [one.path.stem for one in load_captions(voc, "bottle_train").images] == ["2008_000015"]


@pytest.mark.parametrize(
    ("labels", "caption"),
    [
        (["dog", "car", "dog"], "a photo of two dogs and a car"),
        (["person"] * 3 + ["bus"] * 2 + ["sheep"] * 2, "a photo of three people, two buses and two sheep"),
        (["aeroplane", "diningtable", "pottedplant"], "a photo of an aeroplane, a dining table and a potted plant"),
        (["person"] * 10, "a photo of ten people"),
        (["person"] * 11, "a photo of many people"),
        ([], "a photo"),
    ],
)
def test_labels_become_a_sentence(labels: list[str], caption: str) -> None:
    assert caption_of(labels) == caption


@given(st.lists(st.sampled_from(CLASSES), max_size=30), st.randoms())
def test_the_order_of_labels_changes_nothing(labels: list[str], random: object) -> None:
    shuffled = list(labels)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert caption_of(shuffled) == caption_of(labels)
    assert caption_of(labels).count(",") == max(0, len(set(labels)) - 2)


def test_difficult_objects_are_left_out_unless_all_are(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(annotation("a", ["dog", "cat"], [1, 0]))
    assert read_labels(file) == ["cat"]
    file.write_text(annotation("a", ["dog", "cat"], [1, 1]))
    assert read_labels(file) == ["dog", "cat"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation><object>", "ParseError"),
        ("", "ParseError"),
        ("<annotation><object><pose>Left</pose></object></annotation>", "an object has no name"),
        (
            '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><annotation><object><name>&y;</name></object></annotation>',
            "DTDForbidden|EntitiesForbidden",
        ),
    ],
)
def test_what_is_no_annotation_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.xml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_labels(file)


def test_what_is_missing_is_named(voc: Path) -> None:
    (voc / "VOC2012" / "JPEGImages" / "2008_000015.jpg").unlink()
    with pytest.raises(ConfigurationError, match=r"VOC2012 train: 1 images are missing: .*2008_000015\.jpg"):
        load_captions(voc, "train")
    (voc / "VOC2012" / "Annotations" / "2008_000008.xml").unlink()
    with pytest.raises(ConfigurationError, match=r"1 annotations are missing, such as .*2008_000008\.xml"):
        load_captions(voc, "train")


@pytest.mark.parametrize("split", ["test", "../../secret", ""])
def test_a_split_that_is_not_there_is_answered_with_those_that_are(voc: Path, split: str) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no split .*Known: train, val"):
        load_captions(voc, split)


def test_a_list_must_hold_ids(voc: Path) -> None:
    (voc / "VOC2012" / "ImageSets" / "Main" / "train.txt").write_text("2008_000008\n../../../etc/passwd\n")
    with pytest.raises(ConfigurationError, match=r"line 2: .* is no id such as"):
        load_captions(voc, "train")


def test_plain_lists_are_read(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    (tmp_path / "captions_train.json").write_text(json.dumps({"a.png": " one ", "b.png": ["two", "three"]}))
    for data in (tmp_path, tmp_path / "captions_train.json"):
        found = load_captions(data, "train")
        assert [one.captions for one in found.images] == [("one",), ("two", "three")]
    (tmp_path / "captions_train.json").rename(tmp_path / "captions.json")
    assert load_captions(tmp_path, "whatever") == replace(found, name="captions.json")
    assert [one.path.name for one in found.spread(1).images] == ["a.png"]
    assert found.spread(5) is found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no image with a caption"),
        ("[]", "is needed, not a list"),
        ("{", "cannot be read as JSON"),
        ('{"a.png": ""}', "needs a sentence or a list of sentences, not ''"),
        ('{"a.png": []}', "needs a sentence"),
        ('{"a.png": [1]}', "needs a sentence"),
        ('{"absent.png": "one"}', r"1 images are missing: .*absent\.png"),
        (json.dumps({f"{n}.png": "one" for n in range(9)}), "9 images are missing: .*and 4 more"),
    ],
)
def test_other_lists_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "captions.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load_captions(file, "train")


def test_a_folder_of_another_kind_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no images with captions\. Give VOCdevkit .*captions_val\.json"):
        load_captions(tmp_path, "val")

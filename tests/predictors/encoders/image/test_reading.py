"""Raw images: what is read, how it is brought to RGB, and what is refused before it does harm."""

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from metaverse_env.errors import SampleError
from predictors.encoders.image.reading import MAX_PIXELS, read_image

RGB = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_path_bytes_picture_and_array_are_the_same(tmp_path: Path) -> None:
    picture = Image.fromarray(RGB)
    (tmp_path / "a.png").write_bytes(file_of(picture))
    samples = [tmp_path / "a.png", str(tmp_path / "a.png"), file_of(picture), picture, RGB]
    for sample in samples:
        np.testing.assert_array_equal(read_image(sample), RGB)


def test_grey_becomes_three_equal_channels() -> None:
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    expected = np.stack([grey] * 3, axis=2)
    np.testing.assert_array_equal(read_image(grey), expected)
    np.testing.assert_array_equal(read_image(file_of(Image.fromarray(grey))), expected)


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    grey = np.array([[0, 257, 32896, 65535]], np.uint16)
    np.testing.assert_array_equal(read_image(file_of(Image.fromarray(grey)))[0, :, 0], [0, 1, 128, 255])


def test_what_is_transparent_is_white() -> None:
    see_through = Image.new("RGBA", (2, 1), (10, 20, 30, 0))
    see_through.putpixel((1, 0), (10, 20, 30, 255))
    np.testing.assert_array_equal(read_image(file_of(see_through)), [[[255, 255, 255], [10, 20, 30]]])
    palette = Image.new("P", (1, 1))
    palette.putpalette([10, 20, 30])
    np.testing.assert_array_equal(read_image(file_of(palette)), [[[10, 20, 30]]])
    np.testing.assert_array_equal(read_image(file_of(palette, transparency=0)), [[[255, 255, 255]]])


def test_inks_become_colours() -> None:
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    red, green, blue = read_image(file_of(cyan, "JPEG", quality=95))[4, 4]
    assert red < 10
    assert green > 240
    assert blue > 240


def test_a_photograph_taken_sideways_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to show
    upright = read_image(file_of(Image.fromarray(RGB), exif=exif))
    np.testing.assert_array_equal(upright, np.rot90(RGB, -1))


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (None, "no image: a NoneType; give a path"),
        (7, "no image: a int"),
        ("no/such/file.png", "^no/such/file.png: there is no such file; give"),
        (b"", "the file is empty"),
        (b"text, no picture", "no image that is known; give one of JPEG"),
        (np.zeros((2, 2, 4), np.uint8), "an array uint8 of 2x2x4; give uint8"),
        (np.zeros((2, 2, 3), np.float32), r"\(255 \* values\)"),
        (np.zeros((0, 2, 3), np.uint8), "2 x 0 pixels; an image has at least one"),
        ("a\0b", "no path, for it holds a zero byte"),
    ],
)
def test_what_is_no_image_is_refused(sample: object, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        read_image(sample)


def test_floats_do_not_say_what_white_is() -> None:
    with pytest.raises(SampleError, match="do not say what white is"):
        read_image(file_of(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF"))


def test_a_file_that_was_cut_off_is_refused(assets: Path) -> None:
    whole = next((assets / "samples" / "usgov_photos").glob("*.jpg")).read_bytes()
    assert read_image(whole).shape[2] == 3
    with pytest.raises(SampleError, match="damaged or cut off"):
        read_image(whole[: len(whole) // 2])


def test_a_phones_picture_with_a_second_one_inside_is_one_picture() -> None:
    pair = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (200, 0)]
    picture = read_image(file_of(pair[0], "MPO", save_all=True, append_images=pair[1:]))
    assert picture[0, 0, 0] > 190


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_what_moves_is_refused(kind: str) -> None:
    frames = [Image.new("RGB", (4, 4), (shade, 0, 0)) for shade in (0, 100, 200)]
    moving = file_of(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(SampleError, match="3 frames; a still image is needed"):
        read_image(moving)
    assert read_image(file_of(frames[0], kind)).shape == (4, 4, 3)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_000, 10_000), (8_000, 7_000), (2**31 - 1, 1)])
def test_a_bomb_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    start_s = time.perf_counter()
    with pytest.raises(SampleError, match="pixels, and not decoded"):
        read_image(png_of(width, height))
    assert time.perf_counter() - start_s < 0.5
    assert width * height > MAX_PIXELS


def test_an_array_that_is_too_large_is_refused() -> None:
    with pytest.raises(SampleError, match="100,000,000 pixels"):
        read_image(np.broadcast_to(np.zeros(3, np.uint8), (10_000, 10_000, 3)))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of odd entries of a TIFF that it can do without
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_give_an_image_or_a_refusal_and_nothing_else(kind: str, data: st.DataObject) -> None:
    content = bytearray(file_of(Image.fromarray(np.tile(RGB, (5, 5, 1))), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    try:
        image = read_image(bytes(content))
    except SampleError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3

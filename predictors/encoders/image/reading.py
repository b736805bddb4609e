"""Raw images to arrays of 8-bit RGB, or a refusal that says why.

An image is a path, the bytes of a file, a ``PIL.Image.Image``, or an array ``uint8 [H, W, 3]`` or ``[H, W]``. The size
is read from the header and judged before a pixel is decoded, so that a small file that unpacks to gigabytes costs
nothing.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from metaverse_env.errors import SampleError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""What is read; other formats of Pillow start other programs or are seldom met [choice]."""
MAX_PIXELS: Final = 50_000_000
"""A photograph of the finest cameras [choice]; 150 MB as RGB."""
MAX_BYTES: Final = 200_000_000
"""Of a file [choice]."""
_STILL: Final = ("MPO",)
"""Formats whose further frames are no pictures that follow: a phone's JPEG with a depth map or a preview."""
_BACKGROUND: Final = (255, 255, 255)
"""What shows through where an image is transparent [choice]."""
_DAMAGE: Final = (
    OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, OverflowError,
    ZeroDivisionError, MemoryError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises about damaged files [M]."""
_EXPECTED: Final = "a path, the bytes of a file, a PIL image, or an array uint8 [H, W, 3] or [H, W]"

Array = np.ndarray


def read_image(sample: object) -> Array:
    """Decode an image, upright and without transparency.

    Args:
        sample: A path, the bytes of a file, a PIL image, or an array ``uint8 [H, W, 3]`` or ``[H, W]``.

    Returns:
        ``uint8 [height, width, 3]``, RGB.

    Raises:
        SampleError: It is none of these, cannot be read, is damaged, moves, is empty or too large.
    """
    if isinstance(sample, np.ndarray):
        return _from_array(sample)
    if isinstance(sample, Image.Image):
        with _damage("the PIL image"):
            return _decoded(sample, "the PIL image")
    if isinstance(sample, (bytes, bytearray, memoryview)):
        return _from_file(bytes(sample), f"an image of {len(sample)} bytes")
    if isinstance(sample, (str, Path)):
        return _from_file(_bytes_of(Path(sample)), str(sample))
    raise SampleError(f"no image: a {type(sample).__name__}; give {_EXPECTED}")


def _from_array(array: Array) -> Array:
    shape = "x".join(map(str, array.shape))
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise SampleError(
            f"no image: an array {array.dtype} of {shape}; give uint8 [H, W, 3] or [H, W], such as "
            "(255 * values).round().astype('uint8') of values in [0, 1]"
        )
    _check_size(array.shape[1], array.shape[0], f"an array of {shape}")
    rgb = array if array.ndim == 3 else np.repeat(array[:, :, np.newaxis], 3, axis=2)
    return np.ascontiguousarray(rgb)


def _bytes_of(path: Path) -> bytes:
    """Read a file after a look at its size."""
    if "\0" in str(path):
        raise SampleError(f"{str(path)!r}: no path, for it holds a zero byte")
    try:
        if not path.is_file():
            raise SampleError(f"{path}: there is no such file; give {_EXPECTED}")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SampleError(f"{path}: {size:,} bytes; at most {MAX_BYTES:,} are read. Store it compressed or smaller")
        return path.read_bytes()
    except OSError as error:
        raise SampleError(f"{path}: cannot be read: {error.strerror or error}") from error


def _from_file(content: bytes, name: str) -> Array:
    if not content:
        raise SampleError(f"{name}: the file is empty")
    with _damage(name), Image.open(io.BytesIO(content), formats=FORMATS) as image:
        return _decoded(image, name)


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Turn what Pillow raises into ours."""
    try:
        yield
    except SampleError:
        raise
    except UnidentifiedImageError as error:
        raise SampleError(f"{name}: no image that is known; give one of {', '.join(FORMATS)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise SampleError(
            f"{name}: more than {MAX_PIXELS:,} pixels, and not decoded ({error}). Store it smaller"
        ) from error
    except _DAMAGE as error:
        raise SampleError(f"{name}: damaged or cut off{_said(error)}") from error


def _said(error: Exception) -> str:
    """Return what Pillow says of damage, without counts of bytes; nothing where it was surprised itself."""
    words = str(error).partition(" (")[0].strip()
    return f": {words}" if isinstance(error, OSError | SyntaxError) and words else ""


def _decoded(image: Image.Image, name: str) -> Array:
    _check_size(*image.size, name)
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in _STILL:
        raise SampleError(f"{name}: {frames} frames; a still image is needed. Give one of its frames")
    image.load()
    upright = ImageOps.exif_transpose(image)
    return np.asarray(_as_rgb(upright, name), dtype=np.uint8)


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise SampleError(f"{name}: {width} x {height} pixels; an image has at least one")
    if width * height > MAX_PIXELS:
        raise SampleError(
            f"{name}: {width} x {height} = {width * height:,} pixels, and not decoded; the limit is {MAX_PIXELS:,}. "
            "Store it smaller"
        )


def _as_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in ("I", "F"):
        raise SampleError(f"{name}: 32-bit pixels (mode {image.mode}) do not say what white is; store 8 or 16 bits")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, (*_BACKGROUND, 255))
        opaque.alpha_composite(image.convert("RGBA"))
        return opaque.convert("RGB")
    return image.convert("RGB")


def _eight_bits(grey: Array) -> Array:
    """Bring 16 bits to 8: 65535 is 255, and a half is rounded up."""
    return ((grey.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fusion.errors import (
    ImageFileError,
    TooManyPixelsError,
    UnreadableImageError,
)
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_image
from tests.unit.image_files import HEIGHT, WIDTH, WRITERS, refuses, samples, save


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_files(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"a.{kind}"
    WRITERS[kind](path)
    assert read_image(path).shape == (40, 30)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refuses(path, UnreadableImageError)


@pytest.mark.parametrize("kind", WRITERS)
@given(data=st.data())
def test_damaged_files_give_an_image_or_our_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    WRITERS[kind](path)
    content = bytearray(path.read_bytes())
    # Headers decide most, so half of all damage is done near the beginning.
    anywhere = st.integers(0, len(content) - 1) | st.integers(0, 60)
    for position in data.draw(st.lists(anywhere, min_size=1, max_size=6)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        image = read_image(path, pixel_limit=5000)
    except ImageFileError:
        return
    assert image.ndim == 2
    assert image.size <= 5000
    assert np.isfinite(image).all()


@pytest.mark.parametrize("kind", WRITERS)
def test_pixel_limit(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    WRITERS[kind](path)
    assert read_image(path, pixel_limit=1200).shape == (40, 30)
    refuses(path, TooManyPixelsError, "1,199", "40×30", pixel_limit=1199)


def _huge_png(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 50_000, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")))


def _huge_jpeg(path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(samples(8, 8)).save(stream, format="JPEG")
    content = bytearray(stream.getvalue())
    start = content.index(b"\xff\xc0")
    content[start + 5 : start + 9] = struct.pack(">HH", 50_000, 60_000)
    path.write_bytes(content)


def _huge_gif(path: Path) -> None:
    Image.fromarray(samples(8, 8)).save(path, format="GIF")
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<HH", 60_000, 50_000)
    path.write_bytes(content)


def _huge_gif_frame(path: Path) -> None:
    Image.fromarray(samples(8, 8)).save(path, format="GIF")
    content = bytearray(path.read_bytes())
    start = content.index(b"\x2c" + struct.pack("<4H", 0, 0, 8, 8))
    content[start + 5 : start + 9] = struct.pack("<HH", 60_000, 50_000)
    path.write_bytes(content)


def _huge_bmp(path: Path) -> None:
    Image.fromarray(samples(8, 8)).save(path, format="BMP")
    content = bytearray(path.read_bytes())
    content[18:26] = struct.pack("<ii", 60_000, 50_000)
    path.write_bytes(content)


def _huge_tiff(path: Path) -> None:
    tifffile.imwrite(
        path,
        shape=(50_000, 60_000),
        dtype="uint8",
        tile=(256, 256),
        data=itertools.repeat(b"x"),
        compression="zlib",
    )


def _huge_npy(path: Path) -> None:
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "<f8", "fortran_order": False, "shape": (50_000, 60_000)}
        )


HUGE: dict[str, Callable[[Path], None]] = {
    "png": _huge_png,
    "jpg": _huge_jpeg,
    "gif": _huge_gif,
    "frame.gif": _huge_gif_frame,
    "bmp": _huge_bmp,
    "tif": _huge_tiff,
    "npy": _huge_npy,
}


@pytest.mark.parametrize("kind", HUGE)
def test_bombs_are_refused_by_their_headers(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    HUGE[kind](path)
    assert path.stat().st_size < 2_000_000
    refuses(path, TooManyPixelsError)


def test_the_limit_is_ours_and_not_pillows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = save(Image.fromarray(samples(HEIGHT, WIDTH, 3)), tmp_path / "a.png")
    assert read_image(path).shape == (HEIGHT, WIDTH)


def test_tiff_tiles_that_burst_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples(16, 16), tile=(8192, 4096), compression="zlib")
    assert path.stat().st_size < 200_000
    refuses(path, TooManyPixelsError, "tiles")


def test_default_limit() -> None:
    assert DEFAULT_PIXEL_LIMIT == 4096 * 4096

from __future__ import annotations

import io
import itertools
import os
import pickle
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fusion.decoders import Selection
from fusion.errors import (
    EmptyFileError,
    ImageFileError,
    MissingFileError,
    NonFiniteImageError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.extents import extent_of
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_image
from tests.unit.image_files import HEIGHT, WIDTH, WRITERS, refuses, samples, save


def test_missing_file(tmp_path: Path) -> None:
    refuses(tmp_path / "nothing.png", MissingFileError, "no such file")
    (tmp_path / "file").write_bytes(b"x")
    refuses(tmp_path / "file" / "below.png", MissingFileError)


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    refuses(tmp_path / ("n" * 5000), UnreadableImageError)
    refuses("zero\0byte.png", UnreadableImageError)


def test_folder_pipe_and_device(tmp_path: Path) -> None:
    refuses(tmp_path, UnreadableImageError, "folder")
    os.mkfifo(tmp_path / "pipe.png")
    refuses(tmp_path / "pipe.png", UnreadableImageError, "regular")
    refuses("/dev/zero", UnreadableImageError, "regular")


def test_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = save(Image.fromarray(samples(4, 4)), tmp_path / "a.png")
    monkeypatch.setattr(Path, "open", forbidden)
    refuses(path, UnreadableImageError, "Permission denied")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    refuses(tmp_path / "a.png", EmptyFileError, "empty")


@pytest.mark.parametrize(
    "content",
    [
        b"This is a letter.",
        b"x",
        b"\x00" * 300,
        b"P5 2 2 255 abcd",
        b"%PDF-1.7",
        b"PK\x03\x04" + b"\x00" * 60,
    ],
)
def test_other_content_posing_as_png(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    refuses(tmp_path / "a.png", UnreadableImageError, "not a PNG", "Export")


@pytest.mark.parametrize(
    "start",
    [
        b"BM but a letter",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"II*\x00",
        b"\x93NUMPY",
        b"II+\x00abc",
    ],
)
def test_only_the_first_bytes_of_a_format(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "a.png").write_bytes(start)
    refuses(tmp_path / "a.png", UnreadableImageError, "damaged")


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_animations(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(samples(8, 8, seed=seed)) for seed in range(3)]
    path = save(frames[0], tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    refuses(path, UnsupportedImageError, "animation of 3")


@pytest.mark.parametrize(
    "shape", [(), (5,), (4, 5, 6), (5, 4, 2), (2, 3, 4, 3), (2, 1, 4, 5, 1), (5, 4, 3, 1)]
)
def test_npy_that_is_not_one_image(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape))
    refuses(tmp_path / "a.npy", UnsupportedImageError, "single slice")


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (0, 4, 3)])
def test_npy_without_pixels(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape))
    refuses(tmp_path / "a.npy", EmptyFileError)


@pytest.mark.parametrize(
    "dtype", ["complex64", "datetime64[s]", "U3", "S2", [("a", "u1"), ("b", "f4")], [("ä水", "u1")]]
)
def test_npy_of_other_things_than_numbers(tmp_path: Path, dtype: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # numpy's own, about format versions
        np.save(tmp_path / "a.npy", np.zeros((3, 4), dtype=dtype))
    refuses(tmp_path / "a.npy", UnsupportedImageError)


class Explosive:
    """Unpickling this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    objects = np.empty((2, 2), dtype=object)
    objects[:] = Explosive(trace)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    refuses(tmp_path / "a.npy", UnsupportedImageError, "object")
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Explosive(trace)))
    refuses(tmp_path / "b.npy", UnreadableImageError)
    assert not trace.exists()
    np.load(tmp_path / "a.npy", allow_pickle=True)  # the trap does work
    assert trace.exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", ["npy", "tif"])
def test_not_finite(tmp_path: Path, value: float, suffix: str) -> None:
    image = samples(6, 5, dtype="float32")
    image[2, 3] = value
    path = tmp_path / f"a.{suffix}"
    np.save(path, image) if suffix == "npy" else tifffile.imwrite(path, image)
    refuses(path, NonFiniteImageError, "1 of 30")


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


def test_pages_that_go_in_a_circle_are_met_once(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    pages = np.arange(2 * 6 * 9, dtype=np.uint8).reshape(2, 6, 9)
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            writer.write(page, contiguous=False, metadata=None)
    with tifffile.TiffFile(path) as tiff:
        first, last = tiff.pages[0].offset, tiff.pages[1].offset
    content = bytearray(path.read_bytes())
    tags = int.from_bytes(content[last : last + 2], "little")
    at = last + 2 + 12 * tags  # where the next page is said to be
    content[at : at + 4] = first.to_bytes(4, "little")
    path.write_bytes(content)
    assert extent_of(path, 1000).frames == 2
    np.testing.assert_array_equal(read_image(path, selection=Selection(frame=1)), pages[1])

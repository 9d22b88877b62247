from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from fusion.errors import (
    EmptyFileError,
    MissingFileError,
    NonFiniteImageError,
    UnreadableImageError,
    UnsupportedImageError,
)
from tests.unit.image_files import refuses, samples, save


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


@pytest.mark.parametrize("shape", [(), (5,), (4, 5, 6), (5, 4, 1), (5, 4, 2), (2, 3, 4, 3)])
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

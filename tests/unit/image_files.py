"""Image files for the tests of reading, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from fusion.errors import (
    ImageFileError,
)
from fusion.reading import read_image

HEIGHT, WIDTH = 11, 7


LUMA = np.array([0.2989, 0.5870, 0.1140])


def samples(*shape: int, dtype: str = "uint8", seed: int = 0) -> NDArray[Any]:
    generator = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return generator.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def luma(colours: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(colours[..., :3].astype(np.float64) @ LUMA)


def save(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def refuses(path: Path | str, error: type[ImageFileError], *words: str, **options: Any) -> ImageFileError:
    with pytest.raises(error) as caught:
        read_image(path, **options)
    assert type(caught.value) is error
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message
    return caught.value


def _npy(path: Path) -> None:
    np.save(path, samples(40, 30))


WRITERS: dict[str, Callable[[Path], object]] = {
    "png": lambda path: Image.fromarray(samples(40, 30, 3)).save(path),
    "16-bit.png": lambda path: path.write_bytes(imagecodecs.png_encode(samples(40, 30, 3, dtype="uint16"))),
    "jpg": lambda path: Image.fromarray(samples(40, 30, 3)).save(path),
    "gif": lambda path: Image.fromarray(samples(40, 30)).save(path),
    "bmp": lambda path: Image.fromarray(samples(40, 30, 3)).save(path),
    "tif": lambda path: tifffile.imwrite(path, samples(40, 30)),
    "lzw.tif": lambda path: tifffile.imwrite(path, samples(40, 30), compression="lzw", rowsperstrip=8),
    "npy": _npy,
}

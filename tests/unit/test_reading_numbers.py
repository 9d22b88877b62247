"""What arrays, tensors and rarer files become: pixels without data, axes of length one, channels that are no colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fusion.errors import (
    EmptyFileError,
    NonFiniteImageError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.intensity import IntensityWindow, scale_to_unit
from fusion.pair import Pair, load_pair
from fusion.reading import read_image, read_picture
from tests.unit.image_files import luma, refuses, samples, save

GRAY = np.arange(108, dtype=np.uint8).reshape(12, 9)
NUMBERS = torch.from_numpy(GRAY.astype(np.float32))


@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "uint8"])
def test_hidden_numbers_of_a_masked_array_do_not_count(kind: str) -> None:
    hidden = GRAY > 100
    image = np.ma.array(
        np.where(hidden, 0 if kind == "uint8" else -9999, GRAY + 1.0).astype(kind), mask=hidden
    )
    pair = Pair.from_arrays(image, GRAY)
    np.testing.assert_allclose(pair.images[0][~hidden], GRAY[~hidden] / 100, rtol=1e-6)
    assert not pair.images[0][hidden].any()
    assert "7 of 108 pixels have no data" in pair.notes[0]


def test_numbers_below_a_mask_may_be_anything() -> None:
    hidden = GRAY > 100
    image = np.ma.array(np.where(hidden, np.nan, GRAY), mask=hidden)
    assert Pair.from_arrays(image, GRAY).images[0].max() == 1
    image[0, 0] = np.inf
    with pytest.raises(NonFiniteImageError):
        Pair.from_arrays(image, GRAY)
    with pytest.raises(EmptyFileError, match="x2: all pixels"):
        Pair.from_arrays(GRAY, np.ma.array(GRAY, mask=True))
    assert Pair.from_arrays(np.ma.array(GRAY), GRAY).notes == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor.requires_grad_(),
        lambda tensor: torch.nn.Parameter(tensor),
        lambda tensor: tensor.bfloat16(),
        lambda tensor: tensor.half(),
        lambda tensor: tensor.to_sparse(),
        lambda tensor: tensor[None],
        lambda tensor: tensor[None, None],
        lambda tensor: tensor[..., None],
        lambda tensor: tensor.to(torch.int16),
        lambda tensor: torch.complex(tensor, tensor).imag,
        lambda tensor: torch.complex(tensor, tensor).conj().imag * -1,
    ],
)
def test_tensors_of_all_kinds(change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    assert Pair.from_arrays(change(NUMBERS.clone()), GRAY) == Pair.from_arrays(GRAY, GRAY)


@pytest.mark.parametrize(
    "other",
    [
        NUMBERS.to("meta"),
        torch.complex(NUMBERS, NUMBERS),
        NUMBERS.expand(3, 12, 9),
        [NUMBERS.clone().requires_grad_()] * 3,
        np.ma.masked,
        GRAY.astype(object),
    ],
)
def test_what_is_no_image_is_refused_in_our_words(other: Any) -> None:
    with pytest.raises(UnsupportedImageError, match=r"^x1: "):
        Pair.from_arrays(other, GRAY)


@given(before=st.integers(0, 3), between=st.integers(0, 2), after=st.integers(0, 3))
def test_axes_of_length_one_in_any_place(before: int, between: int, after: int) -> None:
    shape = (1,) * before + (12,) + (1,) * between + (9,) + (1,) * after
    assert Pair.from_arrays(GRAY.reshape(shape), GRAY) == Pair.from_arrays(GRAY, GRAY)


@pytest.mark.parametrize("shape", [(1, 12, 9), (12, 9, 1), (1, 1, 12, 9), (1, 12, 9, 1), (12, 1, 9)])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_axes_of_length_one_in_files(tmp_path: Path, shape: tuple[int, ...], suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    np.save(path, GRAY.reshape(shape)) if suffix == "npy" else np.savez_compressed(
        path, image=GRAY.reshape(shape)
    )
    np.testing.assert_array_equal(read_image(path), GRAY)


def test_colours_with_axes_of_length_one(tmp_path: Path) -> None:
    colours = samples(12, 9, 3)
    np.save(tmp_path / "a.npy", colours[None])
    np.testing.assert_allclose(read_image(tmp_path / "a.npy"), luma(colours), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int8"])
@pytest.mark.parametrize("channels", [3, 4])
def test_channels_with_negative_numbers_are_no_colours(tmp_path: Path, dtype: str, channels: int) -> None:
    np.save(tmp_path / "a.npy", samples(12, 9, channels, dtype=dtype))
    refuses(tmp_path / "a.npy", UnsupportedImageError, "no colours")


@pytest.mark.parametrize(
    ("text", "value", "dtype"),
    [
        ("-9999", -9999, "float32"),
        ("-9999", -9999, "int16"),
        ("-9999.0", -9999, "int32"),
        ("0", 0, "uint16"),
        ("255", 255, "uint8"),
        ("nan", np.nan, "float32"),
        ("NaN", np.nan, "float64"),
        ("-3.4e38", np.finfo("float32").min, "float32"),
        ("-3.40282346638529e+38", np.finfo("float32").min, "float32"),
        ("-1.7976931348623157e+308", np.finfo("float64").min, "float64"),
        ("3.4e38", np.finfo("float32").max, "float32"),
        ("-32768 ", -32768, "int16"),
    ],
)
def test_what_a_geotiff_calls_no_data(tmp_path: Path, text: str, value: float, dtype: str) -> None:
    image = (GRAY + 1).astype(dtype)
    image[:2] = value
    tifffile.imwrite(tmp_path / "a.tif", image, extratags=[(42113, 2, 0, text, True)])
    picture = read_picture(tmp_path / "a.tif")
    assert picture.values.dtype == image.dtype
    np.testing.assert_array_equal(picture.values[2:], image[2:])
    assert (picture.values[:2] == image[2:].min()).all()
    assert "18 of 108 pixels have no data" in picture.notes[0]
    image[:] = value
    tifffile.imwrite(tmp_path / "a.tif", image, extratags=[(42113, 2, 0, text, True)])
    refuses(tmp_path / "a.tif", EmptyFileError, "no data")


@pytest.mark.parametrize("text", ["", "none", "n/a", "-9999 -9999", "\x00"])
def test_what_is_no_number_hides_nothing(tmp_path: Path, text: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GRAY, extratags=[(42113, 2, 0, text or " ", True)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GRAY)


def test_no_data_of_turned_and_of_colour_tiffs(tmp_path: Path) -> None:
    image = GRAY.astype(np.float32)
    image[0, :4] = -1
    tags: Any = [(42113, 2, 0, "-1", True), (274, 3, 1, 6, True)]
    tifffile.imwrite(tmp_path / "a.tif", image, extratags=tags)
    assert read_image(tmp_path / "a.tif")[:, -1].tolist() == [4] * 4 + list(range(4, 9))
    colours = samples(12, 9, 3) // 2 + 1
    colours[0, 0] = 0
    colours[0, 1, 0] = 0
    tifffile.imwrite(tmp_path / "c.tif", colours, photometric="rgb", extratags=[(42113, 2, 0, "0", True)])
    picture = read_picture(tmp_path / "c.tif")
    assert "1 of 108" in picture.notes[1]
    np.testing.assert_allclose(picture.values[0, 1], luma(colours)[0, 1])


def test_webp_jpeg_2000_and_npz(tmp_path: Path) -> None:
    colours = samples(40, 30, 3)
    path = save(Image.fromarray(colours), tmp_path / "a.webp", lossless=True)
    np.testing.assert_allclose(read_image(path), luma(colours), rtol=1e-14)
    for dtype in ("uint8", "uint16"):
        for image in (samples(40, 30, dtype=dtype), samples(40, 30, 3, dtype=dtype)):
            (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(image, level=0, codecformat="jp2"))
            expected = image if image.ndim == 2 else luma(image)
            np.testing.assert_allclose(read_image(tmp_path / "a.jp2"), expected, rtol=1e-14)
    refuses(tmp_path / "a.jp2", TooManyPixelsError, "40×30", pixel_limit=1199)
    np.savez(tmp_path / "two.npz", first=GRAY, second=GRAY)
    refuses(tmp_path / "two.npz", UnsupportedImageError, "first, second")
    np.savez_compressed(tmp_path / "huge.npz", image=np.zeros((5000, 5000), np.uint8))
    refuses(tmp_path / "huge.npz", TooManyPixelsError, "5000×5000", pixel_limit=10**6)
    np.savez(tmp_path / "o.npz", image=np.array([None, {}]))
    refuses(tmp_path / "o.npz", UnsupportedImageError, "object")
    frames = [Image.fromarray(samples(8, 8, 3, seed=seed)) for seed in range(2)]
    path = save(frames[0], tmp_path / "m.webp", save_all=True, append_images=frames[1:])
    refuses(path, UnsupportedImageError, "animation")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"NRRD0004\n", "NRRD"),
        (b"ObjectType = Image\n", "MetaImage"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"MATLAB 5.0 MAT-file, Platform", "MATLAB"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"v/1\x01", "OpenEXR"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"P5 2 2 255 abcd", "PNM"),
        (b"\0" * 344 + b"ni1\0", "NIfTI header"),
    ],
)
def test_the_message_names_formats_that_are_not_read(tmp_path: Path, start: bytes, name: str) -> None:
    (tmp_path / "a.png").write_bytes(start + b"\0" * 400)
    refuses(tmp_path / "a.png", UnreadableImageError, name, "not a PNG", "Export")


def test_windows_by_numbers_and_by_percentiles() -> None:
    window = IntensityWindow.parse("-160:240")
    assert scale_to_unit(np.array([[-1000, -160, 40, 240, 3000]], np.int16), window).tolist() == [
        [0, 0, 0.5, 1, 1]
    ]
    image = np.arange(101.0)[None]
    np.testing.assert_allclose(
        scale_to_unit(image, IntensityWindow.parse("10%:90%"))[0, [0, 10, 50, 90, 100]], [0, 0, 0.5, 1, 1]
    )
    assert scale_to_unit(np.full((2, 2), 7), IntensityWindow(0, 100, True)).tolist() == [[0, 0], [0, 0]]
    largest = np.finfo(float).max
    ends = scale_to_unit(np.array([[-largest, 0, largest]]), IntensityWindow(-largest, largest))
    np.testing.assert_allclose(ends, [[0, 0.5, 1]])


def test_a_pair_by_windows_is_another_pair(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", GRAY)
    whole = load_pair(tmp_path / "a.npy", tmp_path / "a.npy")
    part = load_pair(tmp_path / "a.npy", tmp_path / "a.npy", windows=(IntensityWindow(0, 50), None))
    assert whole.id != part.id
    assert (whole.images[1] == part.images[1]).all()
    assert "0 to 50" in part.notes[0]

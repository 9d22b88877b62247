"""PNG masks as programs write them: with an alpha channel, damaged, of another size, with nothing inside."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cache.errors import UserError
from cache.services.regions import RegionFolder, Regions
from fusion.data.catalogue import Catalogue
from fusion.errors import EmptyFileError, RegionError
from fusion.statistics.region_code import decode_mask
from fusion.statistics.region_files import read_region

SHAPE = (6, 9)
INSIDE = np.random.default_rng(3).random(SHAPE) < 0.5


def png(pixels: NDArray[np.uint8] | Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(stream, format="PNG", **options)
    return stream.getvalue()


def of_colours(colours: NDArray[np.int_], alpha: NDArray[np.int_]) -> NDArray[np.uint8]:
    return np.concatenate([colours, alpha[..., None]], axis=-1).astype(np.uint8)


def read(tmp_path: Path, content: bytes) -> NDArray[np.bool_]:
    path = tmp_path / "mask.png"
    path.write_bytes(content)
    return read_region(path, SHAPE).mask


def plain(*colour: int) -> NDArray[np.int_]:
    return np.full((*SHAPE, 3), colour)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
def test_a_mask_in_the_alpha_channel(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    alpha = np.where(INSIDE, 255, 0)
    np.testing.assert_array_equal(read(tmp_path, png(of_colours(plain(*colour), alpha))), INSIDE)
    # What is half transparent at the border of a stroke falls to one side, and may have a rounded colour.
    soft = np.where(INSIDE, 128, 127)
    rounded = np.clip(plain(*colour) + np.indices(SHAPE).sum(axis=0)[..., None] % 2, 0, 255)
    np.testing.assert_array_equal(read(tmp_path, png(of_colours(rounded, soft))), INSIDE)


def test_gray_and_alpha_in_one_file(tmp_path: Path) -> None:
    gray = np.where(INSIDE, 255, 0)
    clear = np.indices(SHAPE)[1] < 4
    both = np.stack([gray, np.where(clear, 0, 255)], axis=-1).astype(np.uint8)
    np.testing.assert_array_equal(read(tmp_path, png(Image.fromarray(both, "LA"))), INSIDE & ~clear)
    colours = np.repeat(gray[..., None], 3, axis=-1)
    np.testing.assert_array_equal(
        read(tmp_path, png(of_colours(colours, np.where(clear, 0, 255)))), INSIDE & ~clear
    )


@pytest.mark.parametrize("alpha", [255, 128])
def test_an_alpha_channel_that_says_nothing(tmp_path: Path, alpha: int) -> None:
    colours = np.repeat(np.where(INSIDE, 255, 0)[..., None], 3, axis=-1)
    np.testing.assert_array_equal(read(tmp_path, png(of_colours(colours, np.full(SHAPE, alpha)))), INSIDE)
    assert read(tmp_path, png(of_colours(plain(255, 255, 255), np.full(SHAPE, 255)))).all()


def test_palettes_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.fromarray(INSIDE.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    np.testing.assert_array_equal(read(tmp_path, png(image)), INSIDE)
    np.testing.assert_array_equal(read(tmp_path, png(image, transparency=1)), ~INSIDE)
    np.testing.assert_array_equal(read(tmp_path, png(image, transparency=0)), INSIDE)


def test_dark_colours_beside_transparent_pixels_are_refused(tmp_path: Path) -> None:
    colours = np.where(INSIDE[..., None], (120, 0, 0), (0, 0, 120))
    clear = np.indices(SHAPE)[1] < 2
    with pytest.raises(RegionError, match="nothing is inside"):
        read(tmp_path, png(of_colours(colours, np.where(clear, 0, 255))))


def test_messages_offer_what_would_be_taken(tmp_path: Path) -> None:
    whole = png((INSIDE * 255).astype(np.uint8))
    wrong = {
        "truncated": whole[: len(whole) // 2],
        "head": whole[:20],
        "overwritten": whole[:40] + b"\xe5\x00\xff" * 30 + whole[130:],
        "no data": whole[:33],
        "other": b"GIF89a" + whole,
        "text": b"this is text",
        "large": png(np.zeros((5000, 4), dtype=np.uint8)),
    }
    for name, content in wrong.items():
        with pytest.raises(RegionError) as caught:
            read(tmp_path, content)
        message = str(caught.value)
        assert "mask" in message, name
        assert not any(text in message for text in ("b'", 'b"', "TIFF", ".npy", "ownsample")), message
    with pytest.raises(EmptyFileError):
        read(tmp_path, b"")


@pytest.fixture
def source(tmp_path: Path) -> Regions:
    return Regions(Catalogue(), lambda address: SHAPE, RegionFolder(tmp_path / "shelf"))


def test_the_page_reads_masks_by_any_name(source: Regions) -> None:
    content = png((INSIDE * 255).astype(np.uint8))
    for name in ("lesion.png", "Läsion " * 28 + ".png", "a/b\\lesion.png", ""):
        found, code = source.read_png("own", name, content)
        assert found.strip() and "/" not in found
        np.testing.assert_array_equal(decode_mask(code, SHAPE), INSIDE)
    with pytest.raises(UserError, match="cannot be the name"):
        source.read_png("own", "nul\0.png", content)


def test_the_page_takes_no_mask_without_pixels(source: Regions) -> None:
    transparent = of_colours(plain(255, 255, 255), np.zeros(SHAPE, dtype=int))
    for content in (png(np.zeros(SHAPE, dtype=np.uint8)), png(transparent)):
        with pytest.raises(UserError, match=r"^black\.png has no pixel above 127"):
            source.read_png("own", "black.png", content)
    with pytest.raises(UserError, match=r"^dark\.png: nothing is inside"):
        source.read_png("own", "dark.png", png(np.full(SHAPE, 3, dtype=np.uint8)))


def test_a_palette_file_without_its_palette_is_refused(tmp_path: Path) -> None:
    whole = png(Image.fromarray(np.where(INSIDE, 255, 0).astype(np.uint8)).convert("P"))
    start = whole.index(b"PLTE") - 4
    length = int.from_bytes(whole[start : start + 4], "big")
    path = tmp_path / "mask.png"
    path.write_bytes(whole[:start] + whole[start + 12 + length :])
    with pytest.raises(RegionError, match="damaged or incomplete"):
        read_region(path, SHAPE)

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from fusion.errors import (
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.reading import orient, read_gray, read_image
from tests.unit.image_files import HEIGHT, WIDTH, luma, refuses, samples, save


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif"])
def test_gray_8_bit_keeps_its_values(tmp_path: Path, suffix: str) -> None:
    gray = samples(HEIGHT, WIDTH)
    path = save(Image.fromarray(gray), tmp_path / f"a.{suffix}")
    # A GIF has a palette, so that its gray values are sums of three weighted channels.
    expected = luma(np.stack([gray] * 3, axis=-1)) if suffix == "gif" else gray
    np.testing.assert_allclose(read_image(path), expected, rtol=1e-14)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_colour_becomes_luma(tmp_path: Path, suffix: str) -> None:
    colours = samples(HEIGHT, WIDTH, 3)
    path = save(Image.fromarray(colours), tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(read_image(path), luma(colours), rtol=1e-14)


def test_jpeg_gray_and_colour(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 240, 10, dtype=np.uint8), (16, 1))
    np.testing.assert_allclose(
        read_image(save(Image.fromarray(ramp), tmp_path / "g.jpg", quality=100)), ramp, atol=3
    )
    colours = np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 90)], axis=-1)
    path = save(Image.fromarray(colours), tmp_path / "c.jpg", quality=100, subsampling=0)
    np.testing.assert_allclose(read_image(path), luma(colours), atol=3)


def test_palette_gif_and_png(tmp_path: Path) -> None:
    palette = samples(16, 3, seed=1)
    indices = samples(HEIGHT, WIDTH) % 16
    image = Image.frombytes("P", (WIDTH, HEIGHT), indices.tobytes())
    image.putpalette(palette.tobytes())
    for suffix in ("gif", "png", "bmp"):
        path = save(image, tmp_path / f"a.{suffix}")
        np.testing.assert_allclose(read_image(path), luma(palette[indices]), rtol=1e-14)


def test_palette_transparency_is_ignored(tmp_path: Path) -> None:
    image = Image.frombytes("P", (2, 1), bytes([0, 1]))
    image.putpalette([10, 20, 30, 200, 100, 50])
    expected = luma(np.array([[[10, 20, 30], [200, 100, 50]]]))
    for suffix, transparency in (("png", bytes([0, 128])), ("gif", 0)):
        path = save(image, tmp_path / f"a.{suffix}", transparency=transparency)
        np.testing.assert_allclose(read_image(path), expected, rtol=1e-14)


def test_alpha_is_ignored(tmp_path: Path) -> None:
    colours = samples(HEIGHT, WIDTH, 4)
    path = save(Image.fromarray(colours), tmp_path / "rgba.png")
    np.testing.assert_allclose(read_image(path), luma(colours), rtol=1e-14)
    gray = samples(HEIGHT, WIDTH, 2)
    np.testing.assert_array_equal(read_image(save(Image.fromarray(gray), tmp_path / "la.png")), gray[..., 0])
    tifffile.imwrite(tmp_path / "la.tif", gray, photometric="minisblack", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_image(tmp_path / "la.tif"), gray[..., 0])


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif"])
def test_one_bit(tmp_path: Path, suffix: str) -> None:
    mask = samples(HEIGHT, WIDTH) > 127
    read = read_image(save(Image.fromarray(mask), tmp_path / f"a.{suffix}"))
    np.testing.assert_array_equal(read > read.min(), mask)
    assert read.dtype != np.bool_


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_gray_16_bit(tmp_path: Path, suffix: str) -> None:
    gray = samples(HEIGHT, WIDTH, dtype="uint16")
    np.testing.assert_array_equal(read_image(save(Image.fromarray(gray), tmp_path / f"a.{suffix}")), gray)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_16_bit_png_colour_loses_no_precision(tmp_path: Path, channels: int) -> None:
    values = samples(HEIGHT, WIDTH, channels, dtype="uint16")
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(values))
    expected = values[..., 0] if channels == 2 else luma(values)
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "dtype",
    ["bool", "uint8", "int16", ">i4", "uint32", "int64", "uint64", "float16", "float32", ">f8", "longdouble"],
)
def test_npy_number_types(tmp_path: Path, dtype: str) -> None:
    values = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 2).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    np.testing.assert_array_equal(read_image(tmp_path / "a.npy"), values.astype(float))


def test_npy_order_versions_and_colour(tmp_path: Path) -> None:
    values = samples(HEIGHT, WIDTH, dtype="float64")
    np.save(tmp_path / "f.npy", np.asfortranarray(values))
    np.testing.assert_array_equal(read_image(tmp_path / "f.npy"), values)
    with (tmp_path / "2.npy").open("wb") as stream:
        np.lib.format.write_array(stream, values, version=(2, 0))
    np.testing.assert_array_equal(read_image(tmp_path / "2.npy"), values)
    for channels in (3, 4):
        colours = samples(HEIGHT, WIDTH, channels, dtype="uint8")
        np.save(tmp_path / "c.npy", colours)
        np.testing.assert_allclose(read_image(tmp_path / "c.npy"), luma(colours), rtol=1e-14)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_jpeg_png_and_tiff(tmp_path: Path, orientation: int) -> None:
    gray = np.kron(samples(3, 5), np.ones((8, 8), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in ("png", "jpg"):
        path = save(Image.fromarray(gray), tmp_path / f"a.{suffix}", exif=exif)
        with Image.open(path) as image:
            expected = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_array_equal(read_image(path), expected)
    tifffile.imwrite(tmp_path / "a.tif", gray, extratags=[(274, "H", 1, orientation, True)])
    with Image.open(save(Image.fromarray(gray), tmp_path / "b.png", exif=exif)) as image:
        np.testing.assert_array_equal(
            read_image(tmp_path / "a.tif"), np.asarray(ImageOps.exif_transpose(image))
        )


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_unknown_orientation_leaves_the_image_as_stored(orientation: int) -> None:
    gray = samples(3, 5)
    np.testing.assert_array_equal(orient(gray, orientation), gray)


def test_damaged_exif_does_not_cost_the_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gray = np.full((8, 8), 90, dtype=np.uint8)
    nonsense = b"Exif\x00\x00no TIFF structure"
    np.testing.assert_array_equal(
        read_image(save(Image.fromarray(gray), tmp_path / "a.jpg", exif=nonsense)), gray
    )
    # One entry, number 274, which is text where a number should be.
    text = b"Exif\x00\x00MM\x00*" + struct.pack(">IHHHI4sI", 8, 1, 274, 2, 4, b"left", 0)
    path = save(Image.fromarray(gray), tmp_path / "b.jpg", exif=text)
    np.testing.assert_array_equal(read_image(path), gray)
    assert "EXIF" in caplog.text
    assert str(path) in caplog.text


def test_content_decides_the_format(tmp_path: Path) -> None:
    gray = samples(HEIGHT, WIDTH)
    Image.fromarray(gray).save(tmp_path / "really_png.jpg", format="PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "really_png.jpg"), gray)
    np.save(tmp_path / "a.npy", gray)
    (tmp_path / "a.npy").rename(tmp_path / "array")
    np.testing.assert_array_equal(read_image(str(tmp_path / "array")), gray)


def test_read_gray_is_float64(tmp_path: Path) -> None:
    gray = samples(HEIGHT, WIDTH)
    read = read_gray(save(Image.fromarray(gray), tmp_path / "a.png"))
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, gray)


def test_slices_of_heads(atlas_pairs: list[tuple[Path, Path]]) -> None:
    for path in (path for pair in atlas_pairs for path in pair):
        with Image.open(path) as image:
            expected = luma(np.asarray(image.convert("RGB")))
        np.testing.assert_allclose(read_image(path), expected, rtol=1e-14)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "dtype",
    ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "float16", "float32", "float64"],
)
def test_tiff_number_types(tmp_path: Path, dtype: str, byteorder: Any) -> None:
    values = samples(HEIGHT, WIDTH, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, byteorder=byteorder)
    read = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(read, values)
    assert read.dtype.newbyteorder("=") == values.dtype


@pytest.mark.parametrize("compression", ["lzw", "zlib", "packbits", "zstd", "lzma", "jpeg2000"])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiff_compressions(tmp_path: Path, compression: str, channels: int) -> None:
    values = samples(64, 48, 3) if channels == 3 else samples(64, 48)
    photometric = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(
        tmp_path / "a.tif", values, compression=compression, photometric=photometric, tile=(32, 16)
    )
    expected = luma(values) if channels == 3 else values
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), expected, rtol=1e-14)


def test_tiff_compressed_as_jpeg_in_colour(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 192, 4, dtype=np.uint8), (32, 1))
    colours = np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 90)], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", colours, compression="jpeg", compressionargs={"level": 100})
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), luma(colours), atol=4)


def test_tiff_planes_white_is_zero_palette_and_cmyk(tmp_path: Path) -> None:
    planes = samples(3, HEIGHT, WIDTH, dtype="uint16")
    tifffile.imwrite(tmp_path / "p.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_allclose(read_image(tmp_path / "p.tif"), luma(np.moveaxis(planes, 0, -1)), rtol=1e-14)

    gray = samples(HEIGHT, WIDTH, dtype="uint16")
    tifffile.imwrite(tmp_path / "w.tif", gray, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "w.tif"), 65535 - gray.astype(np.float64))

    colour_map = samples(3, 256, dtype="uint16")
    indices = samples(HEIGHT, WIDTH)
    tifffile.imwrite(tmp_path / "c.tif", indices, photometric="palette", colormap=colour_map)
    np.testing.assert_allclose(read_image(tmp_path / "c.tif"), luma(colour_map.T[indices]), rtol=1e-14)

    colours = Image.fromarray(samples(HEIGHT, WIDTH, 3)).convert("CMYK")
    by_pillow = luma(np.asarray(colours.convert("RGB")))
    np.testing.assert_allclose(read_image(save(colours, tmp_path / "k.tif")), by_pillow, atol=1)
    np.testing.assert_allclose(
        read_image(save(colours.resize((64, 64)), tmp_path / "k.jpg", quality=100)),
        luma(np.asarray(colours.resize((64, 64)).convert("RGB"))),
        atol=12,
    )


def test_tiff_thumbnail_is_not_a_stack(tmp_path: Path) -> None:
    gray = samples(32, 32)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(gray, metadata=None)
        writer.write(gray[::4, ::4], subfiletype=1, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), gray)


def test_tiff_with_a_missing_strip_is_refused_and_not_filled_with_zeros(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples(40, 30), compression="zlib", rowsperstrip=8)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tags: Any = tiff.pages[0]
        counts = list(tags.databytecounts)
        counts[2] = 0
        tags.tags[279].overwrite(counts)
    refuses(path, UnreadableImageError, "missing")


@pytest.mark.parametrize("options", [{"photometric": "minisblack"}, {"imagej": True}])
def test_tiff_stacks(tmp_path: Path, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", samples(3, 16, 16), **options)
    refuses(tmp_path / "a.tif", UnsupportedImageError, "stack")


def test_tiff_volume_and_channels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "v.tif", samples(16, 32, 48), volumetric=True, tile=(16, 16, 16))
    refuses(tmp_path / "v.tif", UnsupportedImageError, "stack")
    for channels in (5, 60):
        values = samples(8, 8, channels)
        tifffile.imwrite(tmp_path / "c.tif", values, photometric="minisblack", planarconfig="contig")
        refuses(tmp_path / "c.tif", UnsupportedImageError, f"{channels} channels")
    tifffile.imwrite(tmp_path / "z.tif", samples(8, 8, dtype="float32").astype(np.complex64))
    refuses(tmp_path / "z.tif", UnsupportedImageError, "complex64")

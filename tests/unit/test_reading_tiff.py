from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from fusion.errors import (
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.reading import read_image
from tests.unit.image_files import HEIGHT, WIDTH, luma, refuses, samples, save


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

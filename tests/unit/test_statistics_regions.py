from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fusion.data.catalogue import Catalogue
from fusion.errors import MissingFileError, OutputError, RegionError
from fusion.pair import Pair
from fusion.saliency.window import Box
from fusion.statistics.region_files import known_region, known_regions, read_region, write_region
from fusion.statistics.regions import (
    Region,
    box_region,
    difference,
    filled,
    grid_sample,
    inside_head,
    inverted,
    union,
    whole_image,
)

SHAPE = (5, 7)


def save(path: Path, values: object) -> Path:
    Image.fromarray(np.asarray(values)).save(path)
    return path


def test_a_region_keeps_its_own_mask() -> None:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1, 2] = True
    region = Region("core", mask)
    mask[:] = True
    assert region.size == 1
    assert region.contains((1, 2)) and not region.contains((2, 1))
    assert "core" in repr(region)
    with pytest.raises(ValueError, match="read-only"):
        region.mask[0, 0] = True


@pytest.mark.parametrize("mask", [np.zeros(SHAPE), np.zeros(5, bool), np.zeros((0, 3), bool)])
def test_what_is_no_mask(mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match="mask"):
        Region("core", mask)


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(RegionError, match="name"):
        Region(name, np.zeros(SHAPE, bool))


def test_boxes_and_how_regions_combine() -> None:
    left = box_region("left", Box(1, 0, 4, 3), SHAPE)
    right = box_region("right", Box(0, 2, 2, 7), SHAPE)
    assert left.size == 9 and right.size == 10
    assert left.mask[1:4, :3].all() and left.contains((3, 2)) and not left.contains((4, 0))
    both = union(left, right)
    assert both.name == "left or right" and both.size == 18
    assert difference(left, right).size == 8
    assert difference(left, right, name="rest").name == "rest"
    np.testing.assert_array_equal(inverted(both).mask, ~both.mask)
    assert inverted(whole_image(SHAPE)).size == 0
    other = whole_image((7, 5))
    with pytest.raises(RegionError, match="5×7"):
        union(left, other)
    with pytest.raises(RegionError, match="7×5"):
        difference(left, other)


@pytest.mark.parametrize("box", [(0, 0, 6, 7), (-1, 0, 3, 3), (2, 2, 2, 5), (3, 1, 2, 4), (0, 0, 5, 8)])
def test_boxes_that_are_none(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(RegionError, match="top,left,bottom,right"):
        box_region("box", Box(*box), SHAPE)


def test_holes_are_filled_but_not_bays() -> None:
    ring = np.zeros((9, 9), dtype=bool)
    ring[2:7, 2:7] = True
    ring[3:6, 3:6] = False
    expected = np.zeros((9, 9), dtype=bool)
    expected[2:7, 2:7] = True
    np.testing.assert_array_equal(filled(ring), expected)
    # A gap in a side opens the hole; one at a corner does not, since paths go by sides.
    opened, corner = ring.copy(), ring.copy()
    opened[2, 4] = corner[2, 2] = False
    np.testing.assert_array_equal(filled(opened), opened)
    expected[2, 2] = False
    np.testing.assert_array_equal(filled(corner), expected)


def test_filling_follows_winding_ways() -> None:
    # A spiral of walls whose inside is reached from the border by turning again and again.
    spiral = np.array(
        [
            [1, 1, 1, 1, 1, 1, 1],
            [0, 0, 0, 0, 0, 0, 1],
            [1, 1, 1, 1, 1, 0, 1],
            [1, 0, 0, 0, 1, 0, 1],
            [1, 0, 1, 1, 1, 0, 1],
            [1, 0, 0, 0, 0, 0, 1],
            [1, 1, 1, 1, 1, 1, 1],
        ],
        dtype=bool,
    )
    np.testing.assert_array_equal(filled(spiral), spiral)
    spiral[1, 0] = True
    assert filled(spiral).all()


def test_a_pair_that_is_no_head_in_air_is_all_inside() -> None:
    photograph = np.full((6, 8), 0.5)
    photograph[3:, 2:6] = 0  # dark down to the border: a coat, and no air
    other = np.zeros((6, 8))
    other[2, 4] = 1
    assert inside_head(Pair.from_arrays(photograph, other)).mask.all()
    photograph[0] = photograph[-1] = photograph[:, 0] = 0  # 16 of the 24 outermost pixels are dark now
    head = inside_head(Pair.from_arrays(photograph, other))
    assert head.name == "head" and not head.contains((0, 0)) and head.contains((2, 7))


def test_inside_the_head_is_where_either_image_shows_tissue() -> None:
    x1, x2 = np.zeros((6, 6)), np.zeros((6, 6))
    x1[1:5, 1:5] = 1
    x1[2:4, 2:4] = 0
    x2[0, 5] = 1
    x2[5, 0] = 0.04
    head = inside_head(Pair.from_arrays(x1, x2))
    assert head.name == "head" and head.size == 17
    assert head.contains((2, 2)) and head.contains((0, 5)) and not head.contains((5, 0))


def test_masks_come_back_as_they_went(tmp_path: Path, rng: np.random.Generator) -> None:
    region = Region("lesion", rng.random(SHAPE) < 0.5)
    path = tmp_path / "drawn.png"
    write_region(region, path)
    with Image.open(path) as image:
        assert image.mode == "L"
        assert set(np.unique(np.asarray(image))) <= {0, 255}
    read = read_region(path, SHAPE)
    assert read.name == "drawn"
    np.testing.assert_array_equal(read.mask, region.mask)
    assert read_region(path, SHAPE, name="other").name == "other"
    write_region(inverted(whole_image(SHAPE)), path)
    assert read_region(path, SHAPE).size == 0


def test_inside_is_above_127(tmp_path: Path) -> None:
    values = np.array([[0, 1, 126, 127, 128, 254, 255]], dtype=np.uint8)
    expected = [[False] * 4 + [True] * 3]
    assert read_region(save(tmp_path / "gray.png", values), (1, 7)).mask.tolist() == expected
    colour = np.repeat(values[..., None], 3, axis=-1)
    assert read_region(save(tmp_path / "colour.png", colour), (1, 7)).mask.tolist() == expected
    bits = np.array([[True, False]])
    assert read_region(save(tmp_path / "bits.png", bits), (1, 2)).mask.tolist() == bits.tolist()


def test_masks_that_cannot_be_used(tmp_path: Path) -> None:
    good = save(tmp_path / "mask.png", np.full(SHAPE, 255, np.uint8))
    with pytest.raises(RegionError, match="5×7 pixels, the images have 7×5"):
        read_region(good, (7, 5))
    with pytest.raises(RegionError, match="largest is 1"):
        read_region(save(tmp_path / "labels.png", np.eye(3, dtype=np.uint8)), (3, 3))
    with pytest.raises(RegionError, match="16"):
        read_region(save(tmp_path / "deep.png", np.full(SHAPE, 300, np.uint16)), SHAPE)
    with pytest.raises(RegionError, match="another format"):
        read_region(save(tmp_path / "mask.bmp", np.full(SHAPE, 255, np.uint8)), SHAPE)
    with pytest.raises(MissingFileError):
        read_region(tmp_path / "nothing.png", SHAPE)
    with pytest.raises(OutputError, match="cannot be written"):
        write_region(whole_image(SHAPE), tmp_path / "no" / "folder.png")


def test_the_regions_of_a_sample() -> None:
    catalogue = Catalogue()
    glioma, healthy = catalogue.find("glioma-t2"), catalogue.find("healthy-t2")
    regions = known_regions(catalogue, glioma)
    assert sorted(region.name for region in regions) == ["core", "healthy", "rim"]
    core = known_region(catalogue, glioma, "core")
    assert core.size > 0
    head = inside_head(catalogue.load(glioma))
    assert all(difference(region, head).size == 0 for region in regions)
    with pytest.raises(RegionError, match="core"):
        known_region(catalogue, glioma, "edema")
    assert known_regions(catalogue, healthy) == ()
    with pytest.raises(RegionError, match="no regions"):
        known_region(catalogue, healthy, "core")


def test_small_regions_are_used_whole() -> None:
    sample = grid_sample(box_region("box", Box(1, 2, 3, 4), SHAPE), 4)
    assert sample.pixels == ((1, 2), (1, 3), (2, 2), (2, 3))
    assert (sample.spacing, sample.region_pixels) == (1, 4)


def test_large_regions_are_used_on_a_grid() -> None:
    sample = grid_sample(whole_image((6, 9)), 6)
    # Spacing 2 would meet 15 pixels; at spacing 3 there are 6.
    assert sample.spacing == 3
    assert sample.pixels == ((0, 0), (0, 3), (0, 6), (3, 0), (3, 3), (3, 6))
    assert sample.region_pixels == 54


@pytest.mark.parametrize("limit", [1, 2, 7, 50])
def test_no_region_is_left_without_pixels(rng: np.random.Generator, limit: int) -> None:
    checkerboard = np.indices((31, 17)).sum(axis=0) % 2 == 1
    for mask in (checkerboard, np.eye(31, 17, dtype=bool), rng.random((31, 17)) < 0.1):
        region = Region("any", mask)
        sample = grid_sample(region, limit)
        assert 0 < len(sample.pixels) <= limit
        assert all(region.contains(pixel) for pixel in sample.pixels)
        steps = np.array(sample.pixels) - sample.pixels[0]
        assert (steps % sample.spacing == 0).all()


def test_an_empty_region_has_no_grid() -> None:
    assert grid_sample(inverted(whole_image(SHAPE)), 3).pixels == ()
    with pytest.raises(ValueError, match="At least one"):
        grid_sample(whole_image(SHAPE), 0)

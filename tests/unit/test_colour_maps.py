"""Pictures whose colours stand for numbers: recognised, and turned back into numbers that are known."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import fusion
from fusion.colour_maps import NAMED, ColourMap, invert, learnt, recognised, scalars, table
from fusion.errors import UnsupportedImageError
from tests.unit.command_line import read, run

ROWS, COLUMNS = np.indices((48, 64))
LEVELS = np.round(255 * (0.5 + 0.25 * np.sin(ROWS / 7) + 0.25 * np.cos(COLUMNS / 11))).astype(int)
"""A picture of numbers from 0 to 255."""


def drawn(name: ColourMap) -> NDArray[np.uint8]:
    return np.round(255 * table(name)[LEVELS]).astype(np.uint8)


def jpeg(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Image.fromarray(colours).save(stream, "JPEG", quality=90, subsampling=0)
    return np.asarray(Image.open(stream))


def photograph() -> NDArray[np.uint8]:
    """Draw three smooth bands that have nothing to do with each other."""
    bands = [np.sin(ROWS / down + COLUMNS / across) for down, across in ((5, 9), (-8, 6), (11, -4))]
    return np.round(127.5 * (1 + np.stack(bands, axis=-1))).astype(np.uint8)


def test_maps_have_the_colours_that_are_known_of_them() -> None:
    ends = {name: [tuple(np.round(255 * table(name)[at]).astype(int)) for at in (0, 255)] for name in NAMED}
    assert ends[ColourMap.JET] == [(0, 0, 128), (128, 0, 0)]
    assert ends[ColourMap.HOT] == [(0, 0, 0), (255, 255, 255)]
    assert ends[ColourMap.RAINBOW] == [(0, 0, 255), (255, 0, 0)]
    assert ends[ColourMap.HOT_IRON] == [(0, 0, 0), (255, 255, 255)]
    assert tuple(np.round(255 * table(ColourMap.PET)[128]).astype(int)) == (128, 0, 255)


@pytest.mark.parametrize("name", NAMED)
def test_a_map_is_recognised_and_inverted_exactly(name: ColourMap) -> None:
    found = recognised(drawn(name))
    assert found is not None and found.colour_map is name
    assert (found.values * 255 == pytest.approx(LEVELS, abs=1e-9)) and (found.mean, found.p99) == (0, 0)


@pytest.mark.parametrize("name", NAMED)
def test_a_photograph_of_a_map_at_quality_90_errs_by_a_few_levels(name: ColourMap) -> None:
    found = recognised(jpeg(drawn(name)))
    assert found is not None and found.colour_map is name and 0 < found.mean < 6
    error = np.abs(255 * found.values - LEVELS)
    assert np.median(error) <= 2 and np.percentile(error, 95) <= 10


def test_luma_does_not_follow_jet_but_follows_hot() -> None:
    jet, hot = recognised(drawn(ColourMap.JET)), recognised(drawn(ColourMap.HOT))
    assert jet is not None and hot is not None
    # From yellow, 0.886, to dark red, 0.15.
    assert jet.falls == pytest.approx(0.886 - 0.15, abs=0.02) and hot.falls == pytest.approx(0, abs=0.01)


def test_a_curve_is_learnt_with_its_order() -> None:
    # From black by blue, cyan and yellow to white: no named map.
    corners = np.array([(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 0), (1, 1, 1)], dtype=np.float64)
    own = np.stack([np.interp(LEVELS / 255 * 4, np.arange(5), band) for band in corners.T], axis=-1)
    colours = np.round(255 * own).astype(np.uint8)
    found = recognised(colours)
    assert found is not None and found.colour_map is ColourMap.LEARNT and found.mean < 5
    order = np.argsort(LEVELS.ravel(), kind="stable")
    assert np.corrcoef(np.arange(order.size), found.values.ravel()[order])[0, 1] > 0.97


def test_photographs_grays_and_tints_are_no_maps() -> None:
    gray = np.repeat(LEVELS.astype(np.uint8)[..., None], 3, axis=2)
    sepia = np.round(gray * np.array([1.0, 0.85, 0.66])).astype(np.uint8)
    noise = np.random.default_rng().integers(0, 256, (48, 64, 3), dtype=np.uint8)
    assert recognised(photograph()) is recognised(gray) is recognised(noise) is None
    found = recognised(sepia)
    assert found is None or found.falls < 0.05
    assert learnt(noise) is None and scalars(noise, ColourMap.AUTO) is None
    assert scalars(drawn(ColourMap.JET), ColourMap.LUMA) is None


def test_the_residual_is_the_distance_from_the_map() -> None:
    colours = drawn(ColourMap.RAINBOW)
    # By 3 in the bands that the map has at 0.
    moved = np.where(colours == 0, colours + 3, colours).astype(np.uint8)
    found = invert(moved, table(ColourMap.RAINBOW), ColourMap.RAINBOW)
    assert found.mean == pytest.approx(3, abs=0.2) and 2.9 <= found.p99 <= 3 * 2**0.5 + 1e-9


def test_files_are_read_by_a_map_and_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(LEVELS.astype(np.uint8)).save("mri_1.png")
    Image.fromarray(drawn(ColourMap.JET)).save("pet_1.png")
    told = fusion.load_pair("mri_1.png", "pet_1.png").notes
    assert any("the hottest red is darker than yellow" in note and "“jet”" in note for note in told)
    pair = fusion.load_pair("mri_1.png", "pet_1.png", colour_maps=(ColourMap.LUMA, ColourMap.AUTO))
    assert pair.images[1] == pytest.approx(pair.images[0], abs=1e-6) and pair.in_colour == (False, False)
    (note,) = pair.notes
    assert "by the colour map “jet”; they lie 0.0 of 255 beside it" in note
    fuse = ("fuse", "-m", "weighted_averaging", "--no-pictures", "-o", "o", "mri_1.png", "pet_1.png")
    assert "“jet”" in run(*fuse, "--colour-map", "luma", "--colour-map", "jet").stderr
    first, second = read("o.npz")[1]["reading"]
    assert "colour_map" not in first and second["colour_map"] == "jet"
    run(*fuse, "--colour-map", "no-such-map", expect=2)
    assert fusion.load_pair("mri_1.png", "pet_1.png").of_colours[1] in " ".join(told)
    assert pair.of_colours == ("", note.removeprefix("pet_1.png: ").removesuffix("."))
    Image.fromarray(np.random.default_rng().integers(0, 256, (48, 64, 3), dtype=np.uint8)).save("pet_1.png")
    with pytest.raises(UnsupportedImageError, match="lie on no curve"):
        fusion.load_pair("mri_1.png", "pet_1.png", colour_maps=(ColourMap.LEARNT, ColourMap.LEARNT))

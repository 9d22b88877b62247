"""The colour map of a picture as a part of how a pair is read: in addresses, in the form, and refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from callbacks.pair_notes import facts_of
from fusion.colour_maps import ColourMap, table
from fusion.data.catalogue import Catalogue
from fusion.errors import UnsupportedImageError
from tests.unit.page_services import make_services

LEVELS = np.add.outer(np.arange(12), np.arange(16)) * 9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.fromarray(LEVELS.astype(np.uint8)).save(tmp_path / "mri_1.png")
    colours = np.round(255 * table(ColourMap.JET)[LEVELS]).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "pet_1.png")
    noise = np.random.default_rng().integers(0, 256, (12, 16, 3), dtype=np.uint8)
    for name in ("mri_2.png", "pet_2.png"):
        Image.fromarray(noise).save(tmp_path / name)
    return tmp_path


def test_a_pair_read_by_a_colour_map_is_another_pair_whose_numbers_are_those_drawn(folder: Path) -> None:
    catalogue = Catalogue(data_dir=folder)
    luma, numbers = (catalogue.load(catalogue.find(address)) for address in ("1", "1@hjet"))
    assert luma.id != numbers.id and luma.in_colour == (False, True) and numbers.in_colour == (False, False)
    np.testing.assert_allclose(numbers.images[1], numbers.images[0], atol=1e-6)
    swapped = catalogue.load(catalogue.find("1@hjet~swapped"))
    np.testing.assert_array_equal(swapped.images, numbers.images[::-1])
    assert catalogue.find("1@hjet~swapped").address == catalogue.find("1~swapped@gjet").address


def test_the_form_tells_what_became_of_colours(folder: Path) -> None:
    pairs = [(folder / f"mri_{number}.png", folder / f"pet_{number}.png") for number in (1, 2)]
    services = make_services(folder / "services", pairs)
    scenes = services.scenes
    try:
        assert "numbers (most like “jet”)" in facts_of(scenes, "1")["colours"][1]
        found = facts_of(scenes, "1@hauto")
        assert found["colours"][0] == "" and "“jet”; they lie 0.0 of 255 beside it" in found["colours"][1]
        assert found["chosen"]["colour_maps"] == ["luma", "auto"]
        assert facts_of(scenes, "2@gauto")["colours"][0].startswith("no colour map fits; colour became gray")
        # What cannot be read so is told, and something else can be chosen.
        refused = facts_of(scenes, "2@hlearnt")
        assert "lie on no curve" in refused["colours"][1] and refused["base"] == "2"
        with pytest.raises(UnsupportedImageError):
            scenes.pair_shape("2@hlearnt")
    finally:
        services.close()

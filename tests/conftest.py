"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

ATLAS = Path(__file__).parents[2] / "shared" / "data" / "atlas"

# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("fusevis", deadline=None, database=None, max_examples=60)
settings.load_profile("fusevis")


@pytest.fixture(scope="session", params=["drawn", "real"])
def atlas(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of slices: drawn ones on every machine, and real MRI and PET slices where there are some."""
    if request.param == "drawn":
        return draw_slices(tmp_path_factory.mktemp("atlas"))
    return real_atlas()


def real_atlas() -> Path:
    """Return the folder of real slices, or skip the test where there is none."""
    if not ATLAS.is_dir():
        pytest.skip(f"the real pairs are not on this machine ({ATLAS})")
    return ATLAS


def draw_slices(folder: Path) -> Path:
    """Draw files like the real ones: heads in the dark, MRI in gray and PET in colours, 8 bits, 256×256 pixels."""
    rows, columns = (np.indices((256, 256)) - 127.5) / 128
    head = np.hypot(rows / 0.85, columns / 0.65) < 1
    for number in (1, 2):
        ripples = 0.5 + 0.5 * np.cos(9 * rows + number) * np.cos(7 * columns)
        mri = np.where(head, 40 + 215 * ripples, 0)
        uptake = np.where(head, np.exp(-6 * ((rows - 0.1 * number) ** 2 + columns**2)), 0)
        pet = np.stack([255 * uptake, 255 * uptake**2, 128 * (1 - uptake) * head], axis=-1)
        Image.fromarray(mri.astype(np.uint8)).save(folder / f"mri_{number}.gif")
        Image.fromarray(pet.astype(np.uint8)).save(folder / f"pet_{number}.gif")
    return folder


@pytest.fixture(scope="session")
def atlas_pairs(atlas: Path) -> list[tuple[Path, Path]]:
    """Return the (MRI file, PET file) of every pair of `atlas`, drawn and real."""
    return pairs_in(atlas)


@pytest.fixture(scope="session")
def real_pairs() -> list[tuple[Path, Path]]:
    """Return those of the real ones alone, for a test that has a twin on drawn images anyway."""
    return pairs_in(real_atlas())


def pairs_in(folder: Path) -> list[tuple[Path, Path]]:
    """Find all (MRI file, PET file) in a folder of slices."""
    pairs = [(mri, mri.with_name(mri.name.replace("mri", "pet", 1))) for mri in sorted(folder.glob("mri_*"))]
    assert pairs, f"{folder} has no pairs"
    assert all(pet.is_file() for _, pet in pairs)
    return pairs

"""Settings and fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

# Servers that fixtures of a module make start no worker either; see `unit/conftest.py`.
os.environ["FUSEVIS_WORKER"] = "none"

ATLAS = Path(__file__).parents[2] / "shared" / "data" / "atlas"
SAMPLES = Path(__file__).parents[1] / "fusion" / "data" / "samples"

# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("fusevis", deadline=None, database=None, max_examples=60)
settings.load_profile("fusevis")


@pytest.fixture(scope="session")
def drawn_atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of drawn MRI and PET slices, in files as the real ones are: GIFs with a palette."""
    folder = tmp_path_factory.mktemp("drawn")
    for number, sample in enumerate(sorted(SAMPLES.glob("*/mri.png")), start=1):
        for modality, warmth in (("mri", 0.95), ("pet", 0.6)):
            with Image.open(sample.with_name(f"{modality}.png")) as drawn:
                image = Image.fromarray(np.asarray(drawn))
            image.putpalette(
                [round(level * share) for level in range(256) for share in (1, warmth, warmth**2)]
            )
            image.save(folder / f"{modality}_{number}.gif")
    return folder


@pytest.fixture(scope="session", params=["drawn", "real"])
def atlas(request: pytest.FixtureRequest, drawn_atlas: Path) -> Path:
    """Return the folder of drawn, then of real MRI and PET slices; skipped only where there are no real ones."""
    if request.param == "drawn":
        return drawn_atlas
    if not ATLAS.is_dir():
        pytest.skip(f"the real pairs are not on this machine ({ATLAS})")
    return ATLAS


@pytest.fixture(scope="session")
def atlas_pairs(atlas: Path) -> list[tuple[Path, Path]]:
    """Return the (MRI file, PET file) of every pair of `atlas`."""
    return pairs_in(atlas)


@pytest.fixture(scope="session")
def head_pair(drawn_atlas: Path) -> tuple[Path, Path]:
    """Return the (MRI file, PET file) of one slice, real where there are real ones: for tests that take long."""
    return pairs_in(ATLAS if ATLAS.is_dir() else drawn_atlas)[0]


def pairs_in(folder: Path) -> list[tuple[Path, Path]]:
    pairs = [(mri, mri.with_name(mri.name.replace("mri", "pet", 1))) for mri in sorted(folder.glob("mri_*"))]
    assert pairs, f"{folder} has no pairs"
    assert all(pet.is_file() for _, pet in pairs)
    return pairs

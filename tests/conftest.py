"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

ATLAS = Path(__file__).parents[2] / "shared" / "data" / "atlas"

# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("fusevis", deadline=None, database=None, max_examples=60)
settings.load_profile("fusevis")


@pytest.fixture(scope="session")
def atlas() -> Path:
    """Return the folder of real MRI and PET slices; the test is skipped where there is none."""
    if not ATLAS.is_dir():
        pytest.skip(f"the real pairs are not on this machine ({ATLAS})")
    return ATLAS


@pytest.fixture(scope="session")
def atlas_pairs(atlas: Path) -> list[tuple[Path, Path]]:
    """Return the (MRI file, PET file) of every real pair."""
    pairs = [(mri, mri.with_name(mri.name.replace("mri", "pet", 1))) for mri in sorted(atlas.glob("mri_*"))]
    assert pairs, f"{ATLAS} has no pairs"
    assert all(pet.is_file() for _, pet in pairs)
    return pairs

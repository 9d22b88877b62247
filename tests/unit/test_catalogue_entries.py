from __future__ import annotations

from pathlib import Path

import pytest

from fusion.data.entries import folder_entries, user_entry
from tests.unit.catalogue_files import files_of


def test_mri_is_x1_even_if_another_modality_comes_first_in_the_alphabet(tmp_path: Path) -> None:
    ((first,), problems) = folder_entries([tmp_path / "Mri_7.png", tmp_path / "ct_7.png"])
    assert files_of(first) == ["Mri_7.png", "ct_7.png"]
    assert problems == ()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["mri_1.png"], ["'1'", "only one image", "mri_1.png"]),
        (["mri_1.png", "pet_1.png", "ct_1.png"], ["'1'", "3 modalities", "ct_1.png, pet_1.png"]),
        (["mri_1.png", "MRI_1.gif"], ["several images of one modality", "MRI_1.gif, mri_1.png"]),
        (["mri_1.png", "pet_1.png", "pet_1.gif"], ["several images of one modality", "pet_1.gif, pet_1.png"]),
        (["overview.png"], ["overview.png", "<modality>_<id>"]),
        (["_1.png"], ["_1.png", "<modality>_<id>"]),
        (["mri_.png"], ["mri_.png", "<modality>_<id>"]),
    ],
)
def test_what_is_no_pair_is_left_out_with_the_reason(
    tmp_path: Path, names: list[str], words: list[str]
) -> None:
    entries, problems = folder_entries([tmp_path / name for name in names])
    assert entries == ()
    assert len(problems) == 1
    for word in words:
        assert word in problems[0]


def test_other_files_are_not_even_mentioned(tmp_path: Path) -> None:
    names = ["readme_1.txt", "mri_1.json", "notes", "pet_1.PNG", "mri_1.TIFF"]
    entries, problems = folder_entries([tmp_path / name for name in names])
    assert [files_of(entry) for entry in entries] == [["mri_1.TIFF", "pet_1.PNG"]]
    assert problems == ()


def test_ids_may_have_underscores_dots_and_spaces(tmp_path: Path) -> None:
    names = ["mri_patient_7 left.1.png", "pet_patient_7 left.1.png"]
    ((entry,), _) = folder_entries([tmp_path / name for name in names])
    assert entry.address == "patient_7 left.1"


def test_user_pairs_named_by_id(tmp_path: Path) -> None:
    entry = user_entry(tmp_path / "pet_3.gif", tmp_path / "mri_3.gif")
    assert entry.address == "3"
    assert entry.modalities == ("PET", "MRI")
    assert entry.title == "PET / MRI 3 (pet_3.gif + mri_3.gif)"


@pytest.mark.parametrize(
    ("names", "address"),
    [
        (("brain.png", "Tracer Uptake.png"), "brain-tracer-uptake"),
        (("mri_3.gif", "pet_4.gif"), "mri-3-pet-4"),
        (("Hirn Ä.png", "脑.png"), "hirn-ä-脑"),
        (("--.png", "!!.png"), "pair"),
    ],
)
def test_user_pairs_with_other_names(tmp_path: Path, names: tuple[str, str], address: str) -> None:
    entry = user_entry(tmp_path / names[0], tmp_path / names[1])
    assert entry.address == address
    assert entry.modalities == ("MRI", "PET")
    assert entry.title == f"MRI / PET ({names[0]} + {names[1]})"

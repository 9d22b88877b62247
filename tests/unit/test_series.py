"""DICOM series in folders below each other, and several in one: each is an image, and pairs are never guessed."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cache.services.upload_stage import UploadStage
from fusion.data import file_memo
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.decoders import Selection
from fusion.errors import UnreadableImageError, UnsupportedImageError
from fusion.reading import read_image, read_picture
from tests.unit.dicom_files import dicom_file, dicom_series

VOLUMES = dict(
    zip(
        ("CT", "PT", "MR"),
        np.random.default_rng().integers(-50, 50, (3, 4, 5, 3), dtype=np.int16),
        strict=True,
    )
)


def series(folder: Path, modality: str, number: int = 1, **header: str) -> Path:
    """Write three slices of a modality, without extensions, in a series of this number."""
    folder.mkdir(parents=True, exist_ok=True)
    uid = {"CT": "1.2.41", "PT": "1.2.42", "MR": "1.2.43"}[modality] + f".{number}"
    names = [f"{modality}{number}{place}" for place in range(3)]
    return dicom_series(folder, VOLUMES[modality], names, Modality=modality, SeriesInstanceUID=uid, **header)


def found(folder: Path) -> tuple[list[PairEntry], str]:
    """Return the pairs of a data folder, and all sentences on what is in none."""
    catalogue = Catalogue(data_dir=folder)
    return [entry for entry in catalogue.entries() if entry.source == "folder"], " ".join(
        catalogue.problems()
    )


def slice_of(volume: NDArray[np.int16], place: int) -> NDArray[np.int16]:
    return volume[:, ::-1, place].T


def scaled(image: NDArray[np.int16]) -> NDArray[np.floating]:
    return (image - image.min()) / np.ptp(image.astype(np.float64))


def test_series_in_folders_that_say_nothing_are_paired_by_their_headers(tmp_path: Path) -> None:
    series(tmp_path / "p1" / "s0001", "PT", PatientID="one")
    series(tmp_path / "p1" / "s0002", "CT", PatientID="one")
    ((entry,), problems) = found(tmp_path)
    assert (entry.address, entry.modalities, problems) == ("p1", ("CT", "PET"), "")
    catalogue = Catalogue(data_dir=tmp_path)
    pair = catalogue.load(catalogue.find("p1@a2"))
    for image, modality in zip(pair.images, ("CT", "PT"), strict=True):
        np.testing.assert_allclose(image, scaled(slice_of(VOLUMES[modality], 2)), atol=1e-6)


def test_several_series_of_one_folder_are_told_apart_by_modality(tmp_path: Path) -> None:
    study = series(tmp_path / "study", "CT")
    series(study, "PT")
    ((entry,), problems) = found(tmp_path)
    assert entry.modalities == ("CT", "PET") and problems == ""
    assert entry.paths == (study / "series=CT", study / "series=PT")
    catalogue = Catalogue(data_dir=tmp_path)
    pair = catalogue.load(catalogue.find("study@a0"))
    np.testing.assert_allclose(pair.images[1], scaled(slice_of(VOLUMES["PT"], 0)), atol=1e-6)
    # On the command line and in Python they have the same names.
    np.testing.assert_array_equal(
        read_image(study / "series=CT", selection=Selection(slice=1)), slice_of(VOLUMES["CT"], 1)
    )
    with pytest.raises(UnsupportedImageError, match=r"2 series in it .* as .*study/series=CT\."):
        read_picture(study, selection=Selection(slice=1))
    with pytest.raises(UnreadableImageError, match="no such series"):
        read_picture(study / "series=MR", selection=Selection(slice=1))


def test_names_come_first_and_a_series_goes_with_other_files(tmp_path: Path) -> None:
    series(tmp_path / "p5" / "ct", "CT", PatientID="A")
    np.save(tmp_path / "p5" / "pet.npy", np.eye(5, 4))
    series(tmp_path / "p6", "CT")
    np.save(tmp_path / "p6" / "pet.npy", np.eye(5, 4))
    entries, problems = found(tmp_path)
    assert [entry.address for entry in entries] == ["p5", "p6"] and problems == ""
    assert {entry.paths[0] for entry in entries} == {tmp_path / "p5" / "ct", tmp_path / "p6"}


def test_what_cannot_be_told_apart_is_left_out_and_said(tmp_path: Path) -> None:
    for number in (1, 2):
        series(tmp_path / "p3" / f"s{number}", "MR", number)
    series(tmp_path / "p3" / "s3", "PT")
    assert found(tmp_path)[0] == []
    assert "several images of one modality" in found(tmp_path)[1] or "nobody can tell" in found(tmp_path)[1]


def test_two_patients_are_never_paired_by_their_headers_alone(tmp_path: Path) -> None:
    series(tmp_path / "all", "CT", PatientID="Secret-A")
    series(tmp_path / "all", "PT", PatientID="Secret-B")
    entries, problems = found(tmp_path)
    assert entries == [] and "two patients" in problems and "Secret" not in problems
    stage = UploadStage(tmp_path / "stage", 2**20)
    files = {f"all/{file.name}": file.read_bytes() for file in sorted((tmp_path / "all").iterdir())}
    id = stage.begin([[name, len(content)] for name, content in files.items()])
    for number, content in enumerate(files.values()):
        stage.add(id, number, 0, content)
    sorted_ = stage.found(id)
    assert sorted_.pairs == () and "two patients" in " ".join(sorted_.problems)


def test_a_folder_and_a_header_that_disagree_are_asked_about(tmp_path: Path) -> None:
    series(tmp_path / "p8" / "mri", "CT")
    series(tmp_path / "p8" / "pet", "PT")
    entries, problems = found(tmp_path)
    assert entries == [] and "its folder says MRI, its header CT" in problems


def zipped(folder: Path) -> Path:
    """Put a folder into an archive in its place."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    shutil.rmtree(folder)
    return path


@pytest.mark.parametrize("below", ["", "inner"])
def test_an_archive_of_a_data_folder_is_one_of_its_folders(tmp_path: Path, below: str) -> None:
    series(tmp_path / "study" / below, "CT", PatientID="one")
    series(tmp_path / "study" / below, "PT", PatientID="one")
    archive = zipped(tmp_path / "study")
    ((entry,), problems) = found(tmp_path)
    assert (entry.modalities, problems) == (("CT", "PET"), "")
    assert all(path.is_relative_to(archive) for path in entry.paths)
    catalogue = Catalogue(data_dir=tmp_path)
    pair = catalogue.load(catalogue.find(f"{entry.address}@a2"))
    for image, modality in zip(pair.images, ("CT", "PT"), strict=True):
        np.testing.assert_allclose(image, scaled(slice_of(VOLUMES[modality], 2)), atol=1e-6)


@pytest.mark.parametrize("packed", [False, True])
def test_images_of_one_folder_or_archive_are_not_taken_for_each_other(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_memo, "SETTLED_NS", 0)
    for modality in ("CT", "PT"):
        series(tmp_path / "study" / ("" if not packed else modality), modality, PatientID="one")
    for number in (1, 2):
        for name in ("mri", "pet"):
            np.save(
                tmp_path / "study" / f"{name}_{number}.npy", np.eye(3 + number)[:: -1 if name == "pet" else 1]
            )
    if packed:
        zipped(tmp_path / "study")
    catalogue = Catalogue(data_dir=tmp_path)
    entries = [entry for entry in catalogue.entries() if entry.source == "folder"]
    assert len(entries) == 3
    for entry in entries:
        catalogue.small_picture(entry)
    for entry in entries * 2:
        pair = catalogue.load(
            catalogue.find(entry.address if "CT" not in entry.modalities else f"{entry.address}@a1")
        )
        if "CT" in entry.modalities:
            for image, modality in zip(pair.images, ("CT", "PT"), strict=True):
                np.testing.assert_allclose(image, scaled(slice_of(VOLUMES[modality], 1)), atol=1e-6)
        else:
            number = int(entry.address[-1])
            np.testing.assert_array_equal(pair.images, [np.eye(3 + number), np.eye(3 + number)[::-1]])
            assert catalogue.find(pair.id).paths == entry.paths


def test_a_series_in_an_archive_goes_with_files_in_and_beside_it(tmp_path: Path) -> None:
    series(tmp_path / "p1" / "ct", "CT")
    np.save(tmp_path / "p1" / "pet.npy", np.eye(5, 4))
    zipped(tmp_path / "p1")
    series(tmp_path / "ct_2", "CT")
    zipped(tmp_path / "ct_2")
    np.save(tmp_path / "pet_2.npy", np.eye(5, 4))
    (tmp_path / "p3").mkdir()
    for name in ("mri", "pet"):
        np.save(tmp_path / "p3" / f"{name}.npy", np.eye(4))
    zipped(tmp_path / "p3")
    entries, problems = found(tmp_path)
    assert [entry.address for entry in entries] == ["2", "p1", "p3"] and problems == ""
    catalogue = Catalogue(data_dir=tmp_path)
    for entry in entries[1:]:
        assert catalogue.load(entry).images[1].max() == 1
    np.testing.assert_array_equal(read_image(tmp_path / "p3.zip" / "pet.npy"), np.eye(4))


def test_archives_that_are_not_looked_into_are_listed(tmp_path: Path) -> None:
    (tmp_path / "damaged.zip").write_bytes(b"PK\3\4" + bytes(100))
    with zipfile.ZipFile(tmp_path / "outside.zip", "w") as archive:
        archive.writestr("/etc/mri_1.png", b"x")
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", b"x")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("mri_1.png", b"x")
    (tmp_path / "twice").mkdir()
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mri_1.npy", bytes(2**24))
    locked = bytearray((tmp_path / "nested.zip").read_bytes())
    locked[locked.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    entries, problems = found(tmp_path)
    assert entries == []
    for name, words in (
        ("damaged.zip", "damaged"), ("outside.zip", "lead out of it"), ("nested.zip/inner.zip", "in an archive"),
        ("twice.zip", "folder of the same name"), ("bomb.zip", "suspiciously large"), ("locked.zip", "encrypted"),
    ):  # fmt: skip
        assert name in problems and words in problems, name


def test_a_replaced_archive_is_read_again(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
            for name in ("mri", "pet"):
                with archive.open(f"{name}_{number}.npy", "w") as stream:
                    np.save(stream, np.eye(3) * number)

    catalogue = Catalogue(data_dir=tmp_path)
    for number in (1, 2):
        write(number)
        assert catalogue.entries()[0].address == f"p_{number}"


@pytest.mark.parametrize(
    ("patients", "third", "addresses"),
    [
        (("one", "one"), False, ["p1"]),
        (("one", "two"), False, []),
        (("", ""), False, []),
        (("one", "one"), True, []),
    ],
)
def test_folders_that_say_what_their_headers_do_are_paired_where_they_are_the_only_two_of_a_patient(
    tmp_path: Path, patients: tuple[str, str], third: bool, addresses: list[str]
) -> None:
    series(tmp_path / "p1" / "2.000-CT IMAGES-12", "CT", PatientID=patients[0])
    series(tmp_path / "p1" / "3.000-PET AC-13", "PT", PatientID=patients[1])
    if third:
        series(tmp_path / "p1" / "4.000-PET NAC-14", "PT", 2, PatientID=patients[1])
    entries, problems = found(tmp_path)
    assert [entry.address for entry in entries] == addresses
    assert all(entry.modalities == ("CT", "PET") for entry in entries) and bool(problems) == (not addresses)


def test_series_of_an_upload_in_folders_below_each_other(tmp_path: Path) -> None:
    series(tmp_path / "p1" / "s1", "MR", PatientID="one")
    series(tmp_path / "p1" / "s2", "PT", PatientID="one")
    dicom_file(tmp_path / "p2.dcm", Modality="CT", SeriesInstanceUID="1.9")
    stage = UploadStage(tmp_path / "stage", 2**20)
    paths = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    names = [f"zip/{path.relative_to(tmp_path).as_posix()}" for path in paths]
    id = stage.begin([[name, path.stat().st_size] for name, path in zip(names, paths, strict=True)])
    for number, path in enumerate(paths):
        stage.add(id, number, 0, path.read_bytes())
    sorted_ = stage.found(id)
    ((entry, units),) = sorted_.pairs
    assert entry.modalities == ("MRI", "PET") and [unit.name for unit in units] == ["zip/p1/s1", "zip/p1/s2"]
    assert [len(unit.paths) for unit in units] == [3, 3] and "zip/p2.dcm" in " ".join(sorted_.problems)

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from fusion.data import catalogue as catalogue_module
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry, PairSource
from fusion.errors import UnknownPairError
from tests.unit.catalogue_files import addresses, changed, files_of, write


@pytest.fixture(autouse=True)
def files_settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests remember files that they have just written."""
    monkeypatch.setattr(catalogue_module, "SETTLED_NS", 0)


def test_user_pairs_then_folder_then_samples(catalogue: Catalogue) -> None:
    assert addresses(catalogue) == ["brain-tracer-uptake", "2", "3", "10", "glioma-t2", "multi-focus"]
    assert [entry.source for entry in catalogue.entries()] == [
        PairSource.USER, *[PairSource.FOLDER] * 3, *[PairSource.SAMPLE] * 2,
    ]  # fmt: skip


def test_folder_pairs_have_mri_first_else_the_alphabet(catalogue: Catalogue) -> None:
    assert files_of(catalogue.find("3")) == ["mri_3.gif", "pet_3.gif"]
    assert files_of(catalogue.find("10")) == ["MRI_10.png", "PET_10.png"]
    assert files_of(catalogue.find("2")) == ["ct_2.npy", "spect_2.tif"]
    assert catalogue.find("3").title == "MRI / PET 3 (mri_3.gif + pet_3.gif)"
    assert catalogue.find("2").modalities == ("CT", "SPECT")
    assert not catalogue.find("3").simulated
    assert catalogue.find("3").default_pixel is None


def test_reasons_are_logged_once_and_again_when_new(
    catalogue: Catalogue, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue.entries()
    assert caplog.records == []
    write(data_dir / "mri_99.png")
    for _ in range(3):
        catalogue.entries()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "'99'" in caplog.text
    write(data_dir / "pet_99.png")
    assert "99" in addresses(catalogue)
    (data_dir / "pet_99.png").unlink()
    changed(data_dir / "pet_99.png")
    catalogue.entries()
    assert len(caplog.records) == 2


def test_folders_and_hidden_files_are_no_images(catalogue: Catalogue, data_dir: Path) -> None:
    before = addresses(catalogue)
    write(data_dir / ".mri_5.png")
    write(data_dir / ".pet_5.png")
    for name in ("mri_6.png", "pet_6.png"):
        (data_dir / name).mkdir()
        changed(data_dir / name)
    assert addresses(catalogue) == before


def test_a_folder_that_goes_away_and_comes_back(
    catalogue: Catalogue, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data_dir.rename(data_dir.with_name("elsewhere"))
    assert addresses(catalogue) == ["brain-tracer-uptake", "glioma-t2", "multi-focus"]
    assert str(data_dir) in caplog.text
    data_dir.with_name("elsewhere").rename(data_dir)
    assert "3" in addresses(catalogue)


def test_an_empty_folder_is_reported(
    tmp_path: Path, samples_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "empty").mkdir()
    assert len(Catalogue((), tmp_path / "empty", samples_dir=samples_dir).entries()) == 2
    assert "has no pair" in caplog.text


def test_the_same_files_are_one_pair(data_dir: Path, samples_dir: Path) -> None:
    user = [(data_dir / "mri_3.gif", data_dir / "pet_3.gif")] * 2
    catalogue = Catalogue(user, data_dir, samples_dir=samples_dir)
    assert addresses(catalogue) == ["3", "2", "10", "glioma-t2", "multi-focus"]
    swapped = Catalogue([(data_dir / "pet_3.gif", data_dir / "mri_3.gif")], data_dir, samples_dir=samples_dir)
    assert addresses(swapped) == ["3", "2", "3-2", "10", "glioma-t2", "multi-focus"]


def test_clashing_addresses_are_made_unique_and_hide_nobody(tmp_path: Path, samples_dir: Path) -> None:
    folder = tmp_path / "data"
    for seed, identity in enumerate(["glioma-t2", "glioma-t2-2", "7"]):
        write(folder / f"mri_{identity}.png", seed)
        write(folder / f"pet_{identity}.png", seed + 50)
    user = [
        (write(tmp_path / name / "mri_7.png", seed), write(tmp_path / name / "pet_7.png", seed + 1))
        for seed, name in ((20, "first"), (30, "second"))
    ]
    catalogue = Catalogue(user, folder, samples_dir=samples_dir)
    assert addresses(catalogue) == [
        "7",
        "7-2",
        "7-3",
        "glioma-t2-3",
        "glioma-t2-2",
        "glioma-t2",
        "multi-focus",
    ]
    assert catalogue.find("glioma-t2").source == PairSource.SAMPLE
    assert files_of(catalogue.find("glioma-t2-3")) == ["mri_glioma-t2.png", "pet_glioma-t2.png"]
    assert catalogue.find("7").paths[0].parent.name == "first"
    assert len({entry.title for entry in catalogue.entries()}) == 7
    again = Catalogue(user, folder, samples_dir=samples_dir)
    assert again.entries() == catalogue.entries()


def test_find_understands_every_address(catalogue: Catalogue) -> None:
    for entry in catalogue.entries():
        content_id = catalogue.load(entry).id
        for address in (entry.address, content_id, content_id[:12], content_id[:40], content_id[:12].upper()):
            assert catalogue.find(address) == entry


def test_find_says_what_is_wrong(catalogue: Catalogue) -> None:
    content_id = catalogue.load(catalogue.find("3")).id
    with pytest.raises(UnknownPairError, match=r"no pair 'nothing'.* Known pairs: brain-tracer-uptake, 2, 3"):
        catalogue.find("nothing")
    with pytest.raises(UnknownPairError, match="at least 12 characters"):
        catalogue.find(content_id[:11])
    with pytest.raises(UnknownPairError, match="No pair has a content id"):
        catalogue.find("0" * 12)
    for strange in ("", " ", "../../etc", content_id + "0", content_id[:12] + "g", "\x00", "3 "):
        with pytest.raises(UnknownPairError):
            catalogue.find(strange)
    with pytest.raises(UnknownPairError) as caught:
        catalogue.find("x" * 100_000)
    assert len(str(caught.value)) < 500


def test_ambiguous_prefixes_name_the_pairs(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def alike(self: Catalogue, entry: PairEntry) -> str:
        return "a" * 12 + f"{int(entry.address != '3'):052d}"

    monkeypatch.setattr(Catalogue, "_content_id", alike)
    with pytest.raises(UnknownPairError, match=r"Several pairs .*: brain-tracer-uptake, 3"):
        catalogue.find("a" * 12)
    assert catalogue.find("a" * 12 + "0" * 52).address == "3"
    # The same content under two addresses is no ambiguity.
    assert catalogue.find("a" * 12 + "0" * 51 + "1").address == "brain-tracer-uptake"


def test_damaged_pairs_do_not_keep_others_from_being_found(catalogue: Catalogue, data_dir: Path) -> None:
    content_id = catalogue.load(catalogue.find("glioma-t2")).id
    (data_dir / "mri_3.gif").write_bytes(b"no image")
    assert catalogue.find(content_id[:12]).address == "glioma-t2"


def test_samples_say_what_their_cards_say(catalogue: Catalogue) -> None:
    entry = catalogue.default()
    assert entry.address == "glioma-t2"
    assert entry.title == "Glioma, T2"
    assert entry.modalities == ("MRI T2", "PET")
    assert entry.simulated
    assert entry.default_pixel == (3, 2)
    assert entry.about == "A simulated tumour."
    regions = catalogue.regions(entry)
    assert list(regions) == ["core"]
    assert regions["core"].dtype == np.bool_
    assert regions["core"].sum() == 4
    assert regions["core"][2, 1]
    other = catalogue.find("multi-focus")
    assert not other.simulated
    assert catalogue.regions(other) == {}


def test_without_samples_the_default_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownPairError, match="glioma-t2"):
        Catalogue(samples_dir=tmp_path).default()

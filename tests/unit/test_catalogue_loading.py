from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fusion.data import catalogue as catalogue_module
from fusion.data.catalogue import SAMPLES, Catalogue
from fusion.data.entries import PairSource
from fusion.errors import MissingFileError, TooManyPixelsError, UnknownPairError
from fusion.pair import Pair, load_pair
from tests.unit.catalogue_files import addresses, write


@pytest.fixture(autouse=True)
def files_settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests remember files that they have just written."""
    monkeypatch.setattr(catalogue_module, "SETTLED_NS", 0)


def test_the_folder_is_listed_again_only_after_a_change(
    catalogue: Catalogue, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings: list[Path] = []
    original = Path.iterdir

    def counting(self: Path) -> Any:
        listings.append(self)
        return original(self)

    monkeypatch.setattr(Path, "iterdir", counting)
    for _ in range(3):
        catalogue.entries()
    assert listings == [data_dir]
    write(data_dir / "mri_4.png")
    write(data_dir / "pet_4.png")
    assert "4" in addresses(catalogue)
    assert listings == [data_dir, data_dir]


def test_what_has_just_changed_is_not_trusted(
    catalogue: Catalogue, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without this rule, a change within the same tick of the file system's clock would never be seen.
    monkeypatch.setattr(catalogue_module, "SETTLED_NS", 3600 * 10**9)
    assert catalogue_module.signature(data_dir) is None
    entry = catalogue.find("3")
    assert catalogue.load(entry) == catalogue.load(entry)
    assert catalogue.load(entry) is not catalogue.load(entry)


def test_a_prefix_reads_every_unchanged_file_once(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    content_id = catalogue.load(catalogue.find("3")).id
    reads: list[Path] = []

    def counting(file1: Path, file2: Path, limit: int) -> Pair:
        reads.append(file1)
        return load_pair(file1, file2, limit)

    monkeypatch.setattr(catalogue_module, "load_pair", counting)
    for _ in range(3):
        assert catalogue.find(content_id[:12]).address == "3"
    assert len(reads) == len(set(reads)) == 6


def test_load_is_remembered_until_a_file_changes(catalogue: Catalogue, data_dir: Path) -> None:
    entry = catalogue.find("3")
    before = catalogue.load(entry)
    assert before == load_pair(data_dir / "mri_3.gif", data_dir / "pet_3.gif")
    assert catalogue.load(entry) is before
    write(data_dir / "pet_3.gif", seed=77)
    after = catalogue.load(entry)
    assert after.id != before.id
    assert catalogue.find(after.id[:12]) == entry
    with pytest.raises(UnknownPairError):
        catalogue.find(before.id[:12])


def test_a_file_that_changes_while_it_is_read_is_read_again(
    catalogue: Catalogue, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(file1: Path, file2: Path, limit: int) -> Pair:
        pair = load_pair(file1, file2, limit)
        write(file2, seed=500)
        return pair

    entry = catalogue.find("3")
    with monkeypatch.context() as patch:
        patch.setattr(catalogue_module, "load_pair", changing)
        old = catalogue.load(entry)
    assert catalogue.load(entry) == load_pair(*entry.paths) != old


def test_load_says_what_is_wrong_and_recovers(catalogue: Catalogue, data_dir: Path) -> None:
    entry = catalogue.find("3")
    content = (data_dir / "pet_3.gif").read_bytes()
    (data_dir / "pet_3.gif").unlink()
    with pytest.raises(MissingFileError, match=r"pet_3\.gif"):
        catalogue.load(entry)
    (data_dir / "pet_3.gif").write_bytes(content)
    assert catalogue.load(entry).shape == (6, 5)


def test_few_pairs_stay_in_memory(monkeypatch: pytest.MonkeyPatch, data_dir: Path, samples_dir: Path) -> None:
    monkeypatch.setattr(catalogue_module, "PAIR_BYTES_IN_MEMORY", 2 * 2 * 6 * 5 * 4)
    catalogue = Catalogue((), data_dir, samples_dir=samples_dir)
    two, three, ten = (catalogue.find(address) for address in ("2", "3", "10"))
    first, second = catalogue.load(two), catalogue.load(three)
    assert catalogue.load(two) is first
    catalogue.load(ten)  # drops 3, which was used least recently
    assert catalogue.load(two) is first
    assert catalogue.load(three) is not second
    monkeypatch.setattr(catalogue_module, "PAIR_BYTES_IN_MEMORY", 100)
    catalogue = Catalogue((), data_dir, samples_dir=samples_dir)
    assert catalogue.load(two) is not catalogue.load(two)


def test_the_limit_is_for_user_images_and_not_for_samples(data_dir: Path, samples_dir: Path) -> None:
    catalogue = Catalogue((), data_dir, pixel_limit=29, samples_dir=samples_dir)
    with pytest.raises(TooManyPixelsError):
        catalogue.load(catalogue.find("3"))
    assert catalogue.load(catalogue.find("glioma-t2")).shape == (6, 5)


def test_many_threads_at_once(catalogue: Catalogue) -> None:
    ids: list[dict[str, str]] = []

    def ask() -> None:
        ids.append({entry.address: catalogue.load(entry).id for entry in catalogue.entries()})

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert all(one == ids[0] for one in ids)


def test_the_samples_that_ship() -> None:
    catalogue = Catalogue()
    slugs = {"glioma-t1", "glioma-t2", "healthy-t1", "healthy-t2", "multi-focus"}
    assert slugs <= set(addresses(catalogue))
    assert sum(file.stat().st_size for file in SAMPLES.rglob("*") if file.is_file()) <= 3 * 1024 * 1024
    for entry in catalogue.entries():
        pair = catalogue.load(entry)
        assert pair.shape == (256, 256)
        assert all(image.min() == 0 and image.max() == 1 for image in pair.images)
        for mask in catalogue.regions(entry).values():
            assert mask.shape == pair.shape
            assert 0 < mask.sum() < mask.size
    default = catalogue.default()
    assert default.simulated
    assert default.default_pixel is not None
    assert catalogue.regions(default)["core"][default.default_pixel]


def test_a_folder_of_slices(atlas: Path, atlas_pairs: list[tuple[Path, Path]]) -> None:
    catalogue = Catalogue((), atlas)
    entries = [entry for entry in catalogue.entries() if entry.source == PairSource.FOLDER]
    assert {entry.paths for entry in entries} == set(atlas_pairs)
    assert entries[0].title == f"MRI / PET 1 ({atlas_pairs[0][0].name} + {atlas_pairs[0][1].name})"
    for entry in entries:
        assert catalogue.find(catalogue.load(entry).id[:12]) == entry

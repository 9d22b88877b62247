from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion import choices
from fusion.data import catalogue as catalogue_module
from fusion.data import file_memo
from fusion.data.catalogue import SAMPLES, Catalogue
from fusion.data.entries import PairEntry, PairSource, folder_entries, user_entry
from fusion.errors import MissingFileError, TooManyPixelsError, UnknownPairError
from fusion.pair import Pair, load_pair
from tests.unit.catalogue_files import addresses, changed, files_of, write


@pytest.fixture(autouse=True)
def files_settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests remember files that they have just written."""
    monkeypatch.setattr(file_memo, "SETTLED_NS", 0)


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
    ("names", "address", "modalities"),
    [
        (("brain.png", "Tracer Uptake.png"), "brain-tracer-uptake", ("x1", "x2")),
        (("mri_3.gif", "pet_4.gif"), "mri-3-pet-4", ("MRI", "PET")),
        (("Hirn Ä.png", "脑.png"), "hirn-ä-脑", ("x1", "x2")),
        (("--.png", "!!.png"), "pair", ("x1", "x2")),
    ],
)
def test_user_pairs_with_other_names(
    tmp_path: Path, names: tuple[str, str], address: str, modalities: tuple[str, str]
) -> None:
    entry = user_entry(tmp_path / names[0], tmp_path / names[1])
    assert entry.address == address
    assert entry.modalities == modalities
    assert entry.title == f"{' / '.join(modalities)} ({names[0]} + {names[1]})"


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
    monkeypatch.setattr(file_memo, "SETTLED_NS", 3600 * 10**9)
    assert file_memo.signature(data_dir) is None
    entry = catalogue.find("3")
    assert catalogue.load(entry) == catalogue.load(entry)
    assert catalogue.load(entry) is not catalogue.load(entry)


def test_a_prefix_reads_every_unchanged_file_once(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    content_id = catalogue.load(catalogue.find("3")).id
    reads: list[Path] = []

    def counting(file1: Path, file2: Path, *more: Any) -> Pair:
        reads.append(file1)
        return load_pair(file1, file2, *more)

    monkeypatch.setattr(choices, "load_pair", counting)
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
    def changing(file1: Path, file2: Path, *more: Any) -> Pair:
        pair = load_pair(file1, file2, *more)
        write(file2, seed=500)
        return pair

    entry = catalogue.find("3")
    with monkeypatch.context() as patch:
        patch.setattr(choices, "load_pair", changing)
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


def test_x1_and_x2_change_places_under_an_address_of_its_own(catalogue: Catalogue) -> None:
    for address in ("3", "glioma-t2", catalogue.load(catalogue.find("3")).id[:20]):
        own, other = catalogue.find(address), catalogue.find(f"{address}~swapped")
        assert other.address == f"{own.address}~swapped"
        assert other.modalities == own.modalities[::-1]
        assert (catalogue.load(other).images == catalogue.load(own).images[::-1]).all()
        assert catalogue.find(catalogue.load(other).id[:12]) == other
    with pytest.raises(UnknownPairError):
        catalogue.find("nothing~swapped")


def test_nested_folders_are_looked_into_and_what_is_no_file_is_named(
    tmp_path: Path, samples_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    for seed, name in enumerate(["set/ir/01.png", "set/vi/01.png", "set/.hidden/ir_9.png", "set/ir/.02.png"]):
        write(folder / name, seed)
    (folder / "mri_2.png").symlink_to(folder / "gone.png")
    (folder / "mri_6.png").mkdir()
    (folder / "set" / "again").symlink_to(folder)
    catalogue = Catalogue((), folder, samples_dir=samples_dir)
    assert addresses(catalogue) == ["set_01", "glioma-t2", "multi-focus"]
    told = catalogue.problems()
    assert len(told) == 2
    assert any("mri_2.png" in problem and "link" in problem for problem in told)
    assert any("mri_6.png" in problem and "folder" in problem for problem in told)
    for problem in told:
        assert f"Data folder {folder}: {problem}" in caplog.text
    # What the link leads to has come: nothing in its folder tells of it.
    write(tmp_path / "elsewhere.png", 7)
    (folder / "mri_2.png").unlink()
    (folder / "mri_2.png").symlink_to(tmp_path / "later.png")
    write(folder / "pet_2.png", 8)
    assert "2" not in addresses(catalogue)
    write(tmp_path / "later.png", 9)
    assert "2" in addresses(catalogue)


def test_a_new_file_in_a_nested_folder_is_seen(tmp_path: Path, samples_dir: Path) -> None:
    folder = tmp_path / "data"
    write(folder / "a" / "ir" / "1.png")
    catalogue = Catalogue((), folder, samples_dir=samples_dir)
    assert "a_1" not in addresses(catalogue)
    write(folder / "a" / "vi" / "1.png", 1)
    changed(folder / "a")
    assert "a_1" in addresses(catalogue)


def test_names_are_read_again_only_if_there_are_others(
    catalogue: Catalogue, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = catalogue.entries()
    calls: list[Any] = []

    def counting(*given: Any) -> tuple[tuple[PairEntry, ...], tuple[str, ...]]:
        calls.append(given)
        return (), ()

    monkeypatch.setattr(catalogue_module, "folder_entries", counting)
    assert catalogue.entries() == before
    assert calls == []
    write(data_dir / "mri_77.png")
    catalogue.entries()
    assert len(calls) == 1


def test_modalities_that_the_user_names_are_those_of_all_pairs_of_their_own(
    tmp_path: Path, samples_dir: Path
) -> None:
    folder = tmp_path / "data"
    for seed, name in enumerate(["foo_1.png", "bar_1.png"]):
        write(folder / name, seed)
    user = [(write(tmp_path / "a.png"), write(tmp_path / "b.png", 1))]
    catalogue = Catalogue(user, folder, samples_dir=samples_dir, modalities=("bar", "foo"))
    entries = catalogue.entries()
    assert [entry.modalities for entry in entries[:2]] == [("bar", "foo")] * 2
    assert files_of(entries[1]) == ["bar_1.png", "foo_1.png"]
    assert entries[2].modalities == ("MRI T2", "PET")

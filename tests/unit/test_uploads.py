"""Images that visitors bring: limits before anything is decoded, pairs, what is kept, whose it is and for how long."""

from __future__ import annotations

import io
import json
import logging
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from cache.services.upload_folder import DAY_S, UploadFolder
from cache.services.upload_stage import LARGEST_PIECE, MOST_FILES, UploadError, UploadTooLargeError, safe_name
from cache.services.uploads import Uploads, bringer_of
from cache.settings import ServiceSettings
from fusion.data.catalogue import Catalogue
from fusion.errors import UnknownPairError
from tests.unit.dicom_files import dicom_series
from tests.unit.guarded import guarded_server

ME, YOU = bringer_of("a" * 32), bringer_of("b" * 32)
MINE = {"Fusevis-Viewer": "a" * 32}
YOURS = {"Fusevis-Viewer": "b" * 32}


def png(seed: int, shape: tuple[int, int] = (5, 7)) -> bytes:
    """Return a PNG file of noise."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def archive(files: Mapping[str | zipfile.ZipInfo, bytes]) -> bytes:
    """Return a ZIP archive of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def uploads_in(folder: Path, **settings: Any) -> Uploads:
    return Uploads(ServiceSettings(cache_dir=folder, device="cpu", **settings))


def sent(uploads: Uploads, files: Mapping[str, bytes]) -> str:
    """Send files, in pieces of 100 bytes."""
    id = uploads.begin([[name, len(content)] for name, content in files.items()])
    for number, content in enumerate(files.values()):
        for at in range(0, len(content), 100):
            uploads.add(id, number, at, content[at : at + 100])
    return id


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return uploads_in(tmp_path)


PAIR = {"mri_7.png": png(1), "pet_7.png": png(2)}


def test_files_become_pairs_by_their_names_wherever_they_lie(uploads: Uploads) -> None:
    inside = archive(
        {"ir/01.png": png(3), "vi/01.png": png(4), "vi/02.png": png(5), "__MACOSX/vi/._01.png": b"x"}
    )
    found = uploads.found(sent(uploads, {**PAIR, "night.zip": inside}))
    shown = [(entry.modalities, tuple(unit.name for unit in units)) for entry, units in found.pairs]
    assert (("MRI", "PET"), ("mri_7.png", "pet_7.png")) in shown
    assert (("IR", "vi"), ("night/ir/01.png", "night/vi/01.png")) in shown
    assert len(shown) == 2
    (problem,) = found.problems
    assert "night/vi/02.png" in problem and "only one image" in problem


def test_two_images_that_nobody_knows_are_x1_and_x2_in_the_order_given_and_can_be_swapped(
    tmp_path: Path,
) -> None:
    uploads = uploads_in(tmp_path)
    files = {"second.png": png(2), "first.png": png(1)}
    ((entry, units),) = uploads.found(sent(uploads, files)).pairs
    assert entry.modalities == ("x1", "x2")
    assert [unit.name for unit in units] == ["second.png", "first.png"]
    pairs = []
    for swap in (False, True):
        (card,) = uploads.use(sent(uploads, files), [{"place": 0, "swap": swap}], ME)
        assert card.modalities == ("x1", "x2")
        pairs.append(
            Catalogue(unlisted=uploads.entries).load(Catalogue(unlisted=uploads.entries).find(card.address))
        )
    np.testing.assert_array_equal(pairs[0].images, pairs[1].images[::-1])


def test_what_is_seen_before_it_is_used(uploads: Uploads) -> None:
    looked = uploads.look(sent(uploads, PAIR), 0)
    assert looked.problem == ""
    for image, content in zip(looked.images, PAIR.values(), strict=True):
        values = np.asarray(Image.open(io.BytesIO(content)))
        assert image is not None
        assert image.shape == (5, 7) and image.ends == (values.min(), values.max())
        assert sum(image.histogram) == values.size
        assert image.thumbnail.shape == (5, 7)


def test_a_pair_that_cannot_be_used_says_why_by_the_names_that_files_had(
    uploads: Uploads, tmp_path: Path
) -> None:
    id = sent(
        uploads, {"mri_1.png": png(1), "pet_1.png": png(2, (5, 8)), "mri_2.png": png(1), "pet_2.png": b"text"}
    )
    sizes, damaged = (uploads.look(id, place) for place in range(2))
    assert sizes.problem == "" and "different sizes" in sizes.notes[0] and sizes.unequal
    assert damaged.problem.startswith("pet_2.png: this is not a PNG")
    assert str(tmp_path) not in damaged.problem
    with pytest.raises(UploadError, match=r"pet_2\.png"):
        uploads.use(id, [{"place": 1}], ME)


def test_unequal_sizes_are_stretched_and_moved_as_somebody_has_seen_it(
    uploads: Uploads, tmp_path: Path
) -> None:
    id = sent(uploads, {"mri_1.png": png(1), "pet_1.png": png(2, (10, 14))})
    assert not uploads.look(sent(uploads, PAIR), 0).unequal
    with pytest.raises(UploadError, match="be resampled"):
        uploads.inputs(id, 0, False, "")
    seen = uploads.inputs(id, 0, False, "r")
    assert seen.shape == (5, 7) and seen.brought == "stretched"
    assert uploads.inputs(id, 0, True, "r").shape == (10, 14)
    with pytest.raises(UploadError, match="does not say how images are read"):
        uploads.inputs(id, 0, False, "../..")
    (card,) = uploads.use(id, [{"place": 0, "reading": "r_m1,-2"}], ME)
    assert card.address_of(ME) == f"{card.address}@r_m1,-2" and card.address_of("another") == card.address
    used = Catalogue(unlisted=uploads.entries)
    pair = used.load(used.find(card.address_of(ME)))
    np.testing.assert_array_equal(pair.images[1][1:, :-2], seen.images[1][:-1, 2:])
    # It is kept with the pair.
    assert uploads_in(tmp_path).owned(ME)[0].address_of(ME) == card.address_of(ME)


def test_a_series_and_a_volume_are_a_pair_of_slices(tmp_path: Path) -> None:
    volume = np.random.default_rng().integers(-50, 50, (4, 5, 3), dtype=np.int16)
    dicom_series(tmp_path / "ct", volume, ["c", "a", "b"])
    affine = np.array([[2.0, 0, 0, 10], [0, 3, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32), affine), tmp_path / "pet.nii.gz")
    files = {f"p1/ct/{file.name}": file.read_bytes() for file in (tmp_path / "ct").iterdir()}
    uploads = uploads_in(tmp_path / "cache")
    id = sent(uploads, files | {"p1/pet.nii.gz": (tmp_path / "pet.nii.gz").read_bytes()})
    ((entry, units),) = uploads.found(id).pairs
    assert entry.modalities == ("CT", "PET") and [unit.name for unit in units] == ["p1/ct", "p1/pet.nii.gz"]
    looked = uploads.look(id, 0)
    assert looked.problem == "" and looked.images[0] is not None
    assert looked.images[0].shape == (5, 4) and looked.images[0].spacing == (3, 2)
    (card,) = uploads.use(id, [{"place": 0}], ME)
    catalogue = Catalogue(unlisted=uploads.entries)
    first = catalogue.load(catalogue.find(f"{card.address}@a0")).images[0]
    expected = volume[:, ::-1, 0].T.astype(np.float64)
    np.testing.assert_allclose(first, (expected - expected.min()) / np.ptp(expected), atol=1e-6)


def test_an_upload_without_images_says_what_it_is(uploads: Uploads) -> None:
    found = uploads.found(sent(uploads, {"report.pdf": b"%PDF-1.4"}))
    assert not found.pairs and "report.pdf is a PDF document" in found.problems[0]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([["a.png", 2**21], ["b.png", 1]], "up to 1.0 MiB"),
        ([[f"{number}.png", 1] for number in range(MOST_FILES + 1)], "4,097 files"),
    ],
)
def test_too_much_is_refused_before_a_byte_is_sent(tmp_path: Path, files: list[Any], words: str) -> None:
    with pytest.raises(UploadTooLargeError, match=words):
        uploads_in(tmp_path, upload_max_mb=1).begin(files)
    assert not list(tmp_path.rglob("plan.json"))


@pytest.mark.parametrize(
    "files", [None, [], "x", [1], [["a"]], [["a", -1]], [["a", True]], [["a", "1"]], [[1, 1]]]
)
def test_what_no_page_sends_is_refused(uploads: Uploads, files: Any) -> None:
    with pytest.raises(UploadError):
        uploads.begin(files)


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/passwd", "a/../../b.png", "..\\b.png", "C:\\b.png", "", "//x", "a" * 400]
)
def test_names_that_lead_elsewhere_are_refused(uploads: Uploads, name: str) -> None:
    with pytest.raises(UploadError):
        safe_name(name)
    with pytest.raises(UploadError):
        uploads.begin([[name, 1]])
    id = sent(uploads, {"bad.zip": archive({name or "../x": b"x"})})
    with pytest.raises(UploadError, match=r"^bad\.zip"):
        uploads.found(id)


def test_pieces_come_in_order_and_not_beyond_the_end(uploads: Uploads) -> None:
    id = uploads.begin([["a.png", 4]])
    assert uploads.add(id, 0, 0, b"ab") == 2
    for file, at, piece in ((0, 0, b"ab"), (0, 3, b"d"), (0, 2, b"cde"), (1, 0, b"a"), (-1, 0, b"a")):
        with pytest.raises(UploadError):
            uploads.add(id, file, at, piece)
    with pytest.raises(UploadError, match="not arrived"):
        uploads.found(id)


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive({"bomb.png": bytes(2**21)}), "suspiciously large|unpacked"),
        (archive({f"{number}.png": bytes(2**18) for number in range(5)}), "1.2 MiB unpacked"),
        (archive({f"{number}": b"" for number in range(MOST_FILES + 1)}), "4,097 files"),
        (archive({link(): b"/etc/passwd"}), "links"),
        (archive({"mri.png": png(1)})[:-30], "damaged"),
    ],
)
def test_bombs_and_traps_are_not_unpacked(tmp_path: Path, content: bytes, words: str) -> None:
    uploads = uploads_in(tmp_path, upload_max_mb=1)
    id = sent(uploads, {"trap.zip": content})
    before = set(tmp_path.rglob("*"))
    with pytest.raises(UploadError, match=words):
        uploads.found(id)
    assert set(tmp_path.rglob("*")) == before


def test_pixels_are_counted_before_they_are_decoded(tmp_path: Path) -> None:
    looked = (uploads := uploads_in(tmp_path, pixel_limit=30)).look(sent(uploads, PAIR), 0)
    assert "more than the limit of 30" in looked.problem


def test_pairs_survive_a_restart_and_are_found_by_who_has_the_link(tmp_path: Path) -> None:
    (card,) = (before := uploads_in(tmp_path)).use(
        sent(before, PAIR), [{"place": 0, "name": " my \n pair "}], ME
    )
    after = uploads_in(tmp_path)
    catalogue = Catalogue(unlisted=after.entries)
    entry = catalogue.find(card.address)
    pair = catalogue.load(entry)
    assert entry.modalities == ("MRI", "PET") and "my pair" not in entry.title
    assert catalogue.find(pair.id[:12]).address == card.address
    assert catalogue.find(f"{card.address}~swapped").modalities == ("PET", "MRI")
    assert entry not in catalogue.entries()
    assert [one.label(ME) for one in after.owned(ME)] == ["MRI / PET my pair (uploaded)"]
    assert after.owned(YOU) == after.owned("") == []


def test_only_who_brought_a_pair_deletes_it_and_it_stays_for_others_who_did(uploads: Uploads) -> None:
    (card,) = uploads.use(sent(uploads, PAIR), [{"place": 0}], ME)
    with pytest.raises(UploadError):
        uploads.delete(card.id, YOU)
    assert uploads.use(sent(uploads, PAIR), [{"place": 0}], YOU)[0].id == card.id
    uploads.delete(card.id, ME)
    assert not uploads.owned(ME) and len(uploads.owned(YOU)) == 1
    uploads.delete(card.id, YOU)
    with pytest.raises(UnknownPairError, match="not here any more"):
        Catalogue(unlisted=uploads.entries).find(card.address)


def test_what_is_old_or_has_no_room_goes(tmp_path: Path) -> None:
    uploads = uploads_in(tmp_path)
    cards = []
    for seed in range(3):
        files = {"mri_1.png": png(2 * seed + 10), "pet_1.png": png(2 * seed + 11)}
        cards += uploads.use(sent(uploads, files), [{"place": 0}], ME)
    folder = tmp_path / "uploads" / "pairs"
    keeping = UploadFolder(folder, sum(card.bytes for card in cards), 30)
    keeping.prune()
    assert len(keeping.cards()) == 3
    keeping.prune(coming=1)
    assert {card.id for card in keeping.cards()} == {cards[1].id, cards[2].id}
    keeping._write(replace(cards[1], brought=time.time() - 30.1 * DAY_S))
    assert [card.id for card in keeping.cards()] == [cards[2].id]
    keeping.prune()
    assert [path.name for path in folder.iterdir()] == [cards[2].id]


def test_what_nobody_goes_on_with_goes(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = sent(uploads, PAIR)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3700)
    uploads.begin([["a.png", 1]])
    with pytest.raises(UploadError, match="left alone"):
        uploads.found(left)


def test_a_damaged_card_is_passed_over(uploads: Uploads, tmp_path: Path) -> None:
    (card,) = uploads.use(sent(uploads, PAIR), [{"place": 0}], ME)
    path = tmp_path / "uploads" / "pairs" / card.id / "card.json"
    path.write_bytes(path.read_bytes().replace(b"MRI", b"MRX"))
    assert uploads.owned(ME) == []


def test_no_name_of_a_file_stays_and_none_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    uploads = uploads_in(tmp_path)
    files = {"mri_Smith^Jane.png": png(1), "pet_Smith^Jane.png": png(2), "pet_Smith^Joe.png": b"text"}
    id = sent(uploads, files)
    assert uploads.found(id).pairs
    uploads.look(id, 0)
    (card,) = uploads.use(id, [{"place": 0, "name": "p1"}], ME)
    Catalogue(unlisted=uploads.entries).load(Catalogue(unlisted=uploads.entries).find(card.address))
    assert "Smith" not in caplog.text
    for path in tmp_path.rglob("*"):
        assert "Smith" not in str(path)
        assert path.is_dir() or (b"Smith" not in path.read_bytes() and b"a" * 32 not in path.read_bytes())


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    on = uploads_in(tmp_path)
    on.use(sent(on, PAIR), [{"place": 0}], ME)
    off = uploads_in(tmp_path, uploads=False)
    for asked in (
        lambda: off.begin([["a.png", 1]]),
        lambda: off.add("0" * 32, 0, 0, b""),
        lambda: off.found("0" * 32),
    ):
        with pytest.raises(UploadError, match="FUSEVIS_UPLOADS"):
            asked()
    assert off.entries() == () and off.owned(ME) == []


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with guarded_server(tmp_path_factory.mktemp("server"), upload_max_mb=1) as server:
        yield server.test_client()


def test_the_whole_way_by_http(client: FlaskClient) -> None:
    told = client.get("/uploads", headers=MINE).get_json()
    assert (told["on"], told["keep_days"], told["most_bytes"], told["pairs"]) == (True, 30, 2**20, [])
    files = [[name, len(content)] for name, content in PAIR.items()]
    id = client.post("/uploads", json={"files": files}).get_json()["id"]
    for number, content in enumerate(PAIR.values()):
        answer = client.put(f"/uploads/{id}?file={number}&at=0", data=content)
        assert answer.get_json() == {"here": len(content)}
    found = client.get(f"/uploads/{id}").get_json()
    assert found["pairs"] == [
        {"name": "7", "modalities": ["MRI", "PET"], "files": ["mri_7.png", "pet_7.png"], "named": True}
    ]
    seen = client.get(f"/uploads/{id}/pair?place=0").get_json()
    assert seen["problem"] == "" and seen["images"][0]["picture"].startswith("data:image/png;base64,")
    inputs = client.get(f"/uploads/{id}/inputs?place=0&swap=1&code=")
    bands = np.frombuffer(inputs.data, "<f4", offset=len(inputs.data) - 4 * 2 * 5 * 7).reshape(2, 5, 7)
    values = np.asarray(Image.open(io.BytesIO(PAIR["pet_7.png"])), dtype=np.float64)
    np.testing.assert_allclose(bands[0], (values - values.min()) / np.ptp(values), atol=1e-6)
    assert "error" in client.get(f"/uploads/{id}/inputs?place=first").get_json()
    chosen = {"pairs": [{"place": 0, "name": "seven", "swap": False}]}
    assert "whose" in client.post(f"/uploads/{id}/pairs", json=chosen).get_json()["error"]
    (pair,) = client.post(f"/uploads/{id}/pairs", json=chosen, headers=MINE).get_json()["pairs"]
    assert pair["label"] == "MRI / PET seven (uploaded)" and pair["days"] == 30
    assert [one["id"] for one in client.get("/uploads", headers=MINE).get_json()["pairs"]] == [pair["id"]]
    assert client.get("/uploads", headers=YOURS).get_json()["pairs"] == []
    assert "error" in client.delete(f"/uploads/pairs/{pair['id']}", headers=YOURS).get_json()
    assert "error" not in client.delete(f"/uploads/pairs/{pair['id']}", headers=MINE).get_json()


def test_too_large_is_413_before_it_is_read(client: FlaskClient) -> None:
    answer = client.post("/uploads", json={"files": [["a.png", 2**21]]})
    assert answer.status_code == 413 and "a.png alone 2.0 MiB" in answer.get_json()["error"]
    answer = client.put(f"/uploads/{'0' * 32}?file=0&at=0", data=bytes(LARGEST_PIECE + 1))
    assert answer.status_code == 413 and json.loads(answer.data)["error"]


@pytest.mark.parametrize("query", ["", "?file=x&at=0", "?file=0", "?file=0&at=-1", "?file=9&at=0"])
def test_pieces_of_nothing_are_refused_in_words(client: FlaskClient, query: str) -> None:
    id = client.post("/uploads", json={"files": [["a.png", 4]]}).get_json()["id"]
    answer = client.put(f"/uploads/{id}{query}", data=b"abcd")
    assert answer.status_code == 200 and answer.get_json()["error"]
    assert "error" not in client.delete(f"/uploads/{id}").get_json()

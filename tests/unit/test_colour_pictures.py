"""Pairs of colour pictures: what is kept of their colours, and the fused image in colour, against values by hand."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fusion
from app.export.content import ScaleEnds, method_picture
from app.ids import CompareColumn
from app.link.view_state import CompareState
from cache.services.exports import arrays_file, export_arrays
from callbacks.first_view import first_view
from callbacks.selection import _input_figures, scene_data
from fusion.chroma import chroma, coloured, kept_colours
from tests.unit.command_line import picture, read, run
from tests.unit.page_services import client_of, finished_guidance, make_services, write_pair

BLUE, YELLOW, HALF_BLUE = (0, 0, 255), (255, 255, 0), (0, 0, 0.5)
GRAY = np.arange(108, dtype=np.uint8).reshape(12, 9)
FUSE = ("fuse", "-m", "weighted_averaging")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an MRI in gray, a PET in colours from black to white, and the PET as numbers from 0 to 1."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(GRAY).save("mri_1.png")
    colours = np.zeros((12, 9, 3), np.uint8)
    colours[2:10, 2:8] = YELLOW
    colours[4, 4], colours[5, 5] = BLUE, (255, 255, 255)
    Image.fromarray(colours).save("pet_1.png")
    np.save("pet_1.npy", (colours / 255).astype(np.float64))
    return tmp_path


def one(*colour: float) -> np.ndarray:
    whole = all(isinstance(part, int) for part in colour)
    return np.array([[colour]], dtype=np.uint8 if whole else np.float32)


def test_chroma_is_that_of_the_standard_and_grays_have_none() -> None:
    assert chroma(one(*BLUE))[:, 0, 0] == pytest.approx([0.5, -0.0813], abs=1e-4)
    assert chroma(one(255, 0, 0))[:, 0, 0] == pytest.approx([-0.1687, 0.5], abs=1e-4)
    grays = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.abs(chroma(grays)).max() < 1e-12


def test_its_own_luma_gives_a_picture_its_colours_back() -> None:
    colours = np.random.default_rng().random((5, 4, 3)).astype(np.float32)
    luma = colours.astype(np.float64) @ np.array([0.2989, 0.5870, 0.1140]) / 0.9999
    for both in ((colours, None), (None, colours), (colours, colours)):
        assert np.moveaxis(coloured(luma, both), 0, -1) == pytest.approx(colours, abs=1e-6)


def test_two_colours_are_weighted_by_their_magnitudes() -> None:
    fused = np.array([[0.1]])
    # Cb 0.5 and −0.5, Cr −0.0813 and 0.0813: they cancel.
    assert coloured(fused, (one(*BLUE), one(*YELLOW)))[:, 0, 0] == pytest.approx([0.1, 0.1, 0.1])
    # Cb 0.5 and 0.25: (0.25 + 0.0625) / 0.75 = 5/6 of blue, as for Cr; blue is 0.8860 above its luma, red 0.1140 below.
    found = coloured(fused, (one(*BLUE), one(*HALF_BLUE)))[:, 0, 0]
    assert found == pytest.approx(
        [0.1 - 0.1140 * 5 / 6, 0.1 - 0.1140 * 5 / 6, 0.1 + 0.8860 * 5 / 6], abs=1e-4
    )


def test_what_is_no_colour_is_cut_and_two_grays_are_gray() -> None:
    assert coloured(np.array([[0.9]]), (one(*BLUE), None))[2, 0, 0] == 1
    assert (coloured(np.array([[-0.2]], np.float32), (None, None)) == np.zeros((3, 1, 1), np.float32)).all()
    assert (coloured(np.array([[0.25]]), (None, None)) == 0.25).all()


@pytest.mark.parametrize(
    ("samples", "kept"),
    [
        (np.full((1, 1, 4), 51, np.uint8), 51),
        (np.full((1, 1, 3), 13107, np.uint16), 0.2),
        (np.full((1, 1, 3), 51, np.int32), 0.2),
        (np.full((1, 1, 3), 0.2), 0.2),
        (np.ma.MaskedArray(np.full((1, 1, 3), 51, np.uint8), True), 0),
    ],
)
def test_a_pair_keeps_bytes_or_parts_of_one(samples: np.ndarray, kept: float) -> None:
    found = kept_colours(samples)
    assert found.shape == (1, 1, 3) and found.dtype == (np.uint8 if samples.dtype == np.uint8 else np.float32)
    assert found[0, 0, 0] == pytest.approx(kept)


def test_a_pair_of_files_keeps_colours_and_its_id(work: Path) -> None:
    pair = fusion.load_pair("mri_1.png", "pet_1.png")
    assert pair.in_colour == (False, True) and pair.colours[1] is not None
    assert (pair.colours[1] == picture("pet_1.png")).all() and not pair.colours[1].flags.writeable
    assert pair.id == fusion.Pair(pair.images).id and pair.nbytes == pair.images.nbytes + 12 * 9 * 3
    smaller = GRAY[::2, ::3].repeat(2, 0)[:6]
    Image.fromarray(smaller).save("mri_2.png")
    stretched = fusion.load_pair("mri_2.png", "pet_1.png", resample=True).colours[1]
    assert stretched is not None and stretched.shape == (6, 3, 3) and stretched.dtype == np.float32


def test_colours_of_another_shape_or_kind_are_no_pair() -> None:
    images = np.zeros((2, 3, 4), np.float32)
    for wrong in (np.zeros((4, 3, 3), np.uint8), np.zeros((3, 4, 3)), np.full((3, 4, 3), 2, np.float32)):
        with pytest.raises(ValueError, match=r"[Cc]olours"):
            fusion.Pair(images, colours=(wrong, None))


def test_the_fused_image_in_colour_has_the_fused_image_as_its_luma(work: Path) -> None:
    pair, method = fusion.load_pair("mri_1.png", "pet_1.npy"), fusion.load_method("weighted_averaging", "cpu")
    found = fusion.fuse_colour(method, pair)
    assert found.shape == (3, 12, 9) and found.dtype == np.float32
    inside = (found > 0).all(axis=0) & (found < 1).all(axis=0)
    luma = np.tensordot([0.2989, 0.5870, 0.1140], found, 1) / 0.9999
    assert inside.any() and luma[inside] == pytest.approx(fusion.fuse(method, pair)[inside], abs=1e-6)
    assert (found[:, 0, 0] == found[0, 0, 0]).all()  # black has no chroma


def test_the_command_writes_arrays_and_pictures_in_colour(work: Path) -> None:
    result = run(*FUSE, "--colour", "-o", "o", "mri_1.png", "pet_1.png")
    assert result.stdout.split() == ["o.npz", "o-fused.png", "o-colour.png"]
    assert "saliency is of the luma" in result.stderr
    arrays, metadata = read("o.npz")
    assert arrays["fused_colour"].shape == (3, 12, 9)
    assert metadata["pair"]["colour"] == "saliency is of the luma" and metadata["pair"]["in_colour"] == [
        False,
        True,
    ]
    shown = picture("o-colour.png").astype(float) / 255
    assert shown == pytest.approx(np.moveaxis(arrays["fused_colour"], 0, -1), abs=0.51 / 255)


def test_the_command_writes_that_picture_alone(work: Path) -> None:
    result = run(*FUSE, "--colour", "-o", "fused.png", "mri_1.png", "pet_1.png")
    assert result.stdout.split() == ["fused.png"] and picture("fused.png").shape == (12, 9, 3)
    assert not Path("fused.npz").exists()
    Image.fromarray(GRAY).save("pet_2.png")
    gray = run(*FUSE, "--colour", "-o", "gray.png", "mri_1.png", "pet_2.png")
    assert "neither image has colours" in gray.stderr
    assert (np.ptp(picture("gray.png"), axis=2) == 0).all()
    run(*FUSE, "-o", "other.png", "mri_1.png", "pet_1.png", expect=2)


def test_the_page_has_colours_over_lumas_and_says_which(work: Path) -> None:
    services = make_services(work, [(work / "mri_1.png", work / "pet_1.png")])
    try:
        scene = services.scenes.open("1", "weighted_averaging")
        assert scene.in_colour == (False, True)
        gray, colours = _input_figures(services, scene, scene_data(scene))
        assert gray["layout"]["title"]["text"] == "MRI" and len(gray["data"]) == 1
        assert colours["layout"]["title"]["text"] == "PET (colour)"
        luma, shown = colours["data"]
        assert (luma["opacity"], luma["z"]["shape"], shown["type"]) == (0, "12, 9", "image")
        with Image.open(io.BytesIO(base64.b64decode(shown["source"].partition(",")[2]))) as found:
            assert (np.asarray(found) == picture("pet_1.png")).all()
        view = first_view(services, "?pair=1&method=weighted_averaging&colour=1&v=3")
        assert view and view["colours"] == {"panel-pet": "x2_colour", "panel-fused": "fused_colour"}
        assert view["titles"]["panel-fused"].startswith("Fused (colour): ")
        client = client_of(services)
        for kind, expected in (
            ("x1_colour", [GRAY / 107] * 3),
            ("x2_colour", np.moveaxis(picture("pet_1.png") / 255, -1, 0)),
        ):
            answer = client.get(f"/images/{scene.pair_id}/{scene.method_id}/{scene.weights_id}/{kind}")
            bands = np.frombuffer(answer.data[32:], "<f4").reshape(3, 12, 9)
            assert bands == pytest.approx(np.array(expected), abs=1e-6)
    finally:
        services.close()


def test_an_exported_view_has_the_fused_image_in_colour(work: Path) -> None:
    services = make_services(work, [(work / "mri_1.png", work / "pet_1.png"), write_pair(work)])
    try:
        for pair in ("1", "3"):
            finished_guidance(services, services.scenes.open(pair, "weighted_averaging"))
            view = export_arrays(services, pair, ["weighted_averaging"], [], (4, 4), None)
            with np.load(io.BytesIO(arrays_file(view, "link"))) as content:
                arrays, metadata = dict(content), json.loads(str(content["metadata"]))
            assert ("fused_colour" in arrays) == ("fused_colour" in metadata["units"]) == (pair == "1")
            column = method_picture(
                view, CompareState(), ScaleEnds.of(view, CompareState()), 0, CompareColumn.FUSED_COLOUR, "a"
            )
            assert (np.ptp(column, axis=2) > 0).any() == (pair == "1")
            assert metadata["pair"].get("colour") == ("saliency is of the luma" if pair == "1" else None)
            if pair == "1":
                method = fusion.load_method("weighted_averaging", "cpu")
                assert (
                    arrays["fused_colour"][0]
                    == fusion.fuse_colour(method, fusion.load_pair("mri_1.png", "pet_1.png"))
                ).all()
    finally:
        services.close()

"""Guidance images and the principal pixel: the figures that callbacks make of the services' answers."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import no_update
from PIL import Image

import fusion
from app.figures.images import FUSED_INTENSITY, cut_out, opaque_bytes
from app.figures.parts import Figure
from app.ids import IMAGE_PANELS, JACOBIAN_PANELS, Panel
from cache.errors import UserError
from cache.services.guidance import GuidanceState
from cache.services.scenes import Scene
from cache.services.services import Services
from callbacks.following import leave, stage
from callbacks.guidance import (
    PANELS,
    PICTURE_STEP,
    absence,
    current_state,
    news,
    status,
    worth_drawing,
)
from callbacks.hover import RestingPixel, figures_at, green_points
from callbacks.selection import scene_data
from fusion.colours import Limits, Scale
from tests.unit.page_parts import accepted
from tests.unit.page_services import SHAPE, finished_guidance, load, make_services, write_pair

PAIR = "3"
PIXELS = ((0, 0), (8, 10), (4, 5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def services(folder: Path) -> Iterator[Services]:
    made = make_services(folder, [write_pair(folder)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def pair(folder: Path) -> fusion.Pair:
    return fusion.load_pair(folder / "mri_3.npy", folder / "pet_3.npy")


@pytest.fixture
def scene(services: Services) -> Scene:
    return services.scenes.open(PAIR, "small")


@pytest.fixture
def averaging(services: Services) -> Scene:
    """A scene whose guidance images are known."""
    scene = services.scenes.open(PAIR, "weighted_averaging")
    finished_guidance(services, scene)
    return scene


def rest_at(scene: Scene, pixel: tuple[int, int], **changes: Any) -> RestingPixel:
    data = {
        "key": scene_data(scene)["key"], "row": pixel[0], "col": pixel[1], "half": 3, "gamma1": 0.3, "gamma2": 0.5,
        "scale": "paper", "state": "content", "display": "look",
    }  # fmt: skip
    return RestingPixel.of(data | changes)


def values_of(figure: Figure) -> np.ndarray:
    z = figure["data"][0]["z"]
    if isinstance(z, list):
        return np.array(z)
    shape = [int(size) for size in z["shape"].split(",")]
    return np.frombuffer(base64.b64decode(z["bdata"]), dtype=z["dtype"]).reshape(shape)


def colours_of(figure: Figure) -> np.ndarray:
    """Read the PNG of an image trace."""
    kind, _, content = figure["data"][0]["source"].partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(int)


# Guidance


def guidance_state(**changes: Any) -> GuidanceState:
    return dataclasses.replace(GuidanceState(None, 0.0, False, False, False, 0, None, 0.0), **changes)


@pytest.mark.parametrize(
    ("changes", "said", "shown", "named"),
    [
        ({}, "Guidance not computed", "Not computed", "waiting"),
        ({"running": True}, "Guidance 0%", None, "running"),
        ({"running": True, "fraction": 0.345}, "Guidance 34%", None, "running"),
        (
            {"running": True, "fraction": 0.5, "seconds_left": 125.0},
            "Guidance 50% · about 2 min left",
            None,
            "running",
        ),
        ({"cancelled": True, "fraction": 0.5}, "Guidance cancelled", "Cancelled", "waiting"),
        ({"error": "No memory."}, "Guidance failed: No memory.", "Failed", "failed"),
        ({"complete": True, "fraction": 1.0}, "Guidance complete", None, "complete"),
    ],
)
def test_guidance_is_told_in_words(changes: dict[str, Any], said: str, shown: str | None, named: str) -> None:
    state = guidance_state(**changes)
    assert status(state) == said
    assert shown is None or absence(state) == shown
    assert stage(state) == named


def test_growing_guidance_gets_axes_once_and_then_only_news(services: Services, scene: Scene) -> None:
    data = scene_data(scene)
    figures, first = news(services, data, guidance_state(running=True), None, 0.5, Scale.PAPER)
    assert [figure["layout"]["annotations"][0]["text"] for figure in figures] == ["Computing…"] * len(PANELS)
    assert all(figure["layout"]["meta"]["state"] == "growing" for figure in figures)
    assert [figure["layout"]["meta"]["panel"] for figure in figures] == [panel.value for panel in PANELS]
    for figure in figures[:3]:
        accepted(figure)
        assert figure["layout"]["xaxis"]["range"] == [-0.5, SHAPE[1] - 0.5]
        assert figure["data"][0]["z"] == [[None]], "no image goes through here"
    accepted(figures[3])
    assert figures[3]["data"][0]["x"] == []
    ends = {"maximum": 0, "magnitude": 0, "percentile": 0, "provisional": True}
    origin = {"key": data["key"], "pair_address": scene.pair_address, "method_id": scene.method_id}
    stage = {"stage": "running", "fraction": 0.0, "known": False, "axes": True, "error": None}
    assert first == ends | origin | stage | {"revision": f"{data['key']}-0-running"}

    values = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    values[:, ::4, ::4] = np.arange(1, 10).reshape(3, 3)
    values[0, 0, 0] = -20
    state = guidance_state(values=values, running=True, revision=3)
    figures, told = news(services, data, state, first, 0.5, Scale.SIGNED)
    assert figures == (no_update,) * len(PANELS)
    assert len(json.dumps(told)) < 1000, "numbers come by another way"
    assert (told["maximum"], told["magnitude"], told["provisional"], told["known"]) == (9, 20, True, True)
    assert news(services, data, state, told, 0.5, Scale.SIGNED) == ((no_update,) * len(PANELS), no_update)


@pytest.mark.parametrize("changes", [{}, {"cancelled": True}, {"error": "No memory."}])
def test_guidance_that_is_not_computed_says_why(
    services: Services, scene: Scene, changes: dict[str, Any]
) -> None:
    data, state = scene_data(scene), guidance_state(**changes)
    figures, told = news(services, data, state, None, 0.5, Scale.PAPER)
    assert [figure["data"] for figure in figures] == [[]] * len(PANELS)
    assert {figure["layout"]["annotations"][0]["text"] for figure in figures} == {absence(state)}
    assert not told["axes"], "who goes on needs axes to draw on"
    again, _ = news(services, data, guidance_state(running=True, revision=1), told, 0.5, Scale.PAPER)
    assert all(figure["layout"]["meta"]["state"] == "growing" for figure in again)


def test_a_new_scene_lets_go_of_the_one_before() -> None:
    class Recorded:
        def __init__(self) -> None:
            self.cancelled: list[tuple[str, str, str]] = []
            self.scenes = self.guidance = self

        def open(self, pair: str, method: str) -> tuple[str, str]:
            if pair == "gone":
                raise UserError("no such pair")
            return pair, method

        def cancel(self, scene: tuple[str, str], viewer: str) -> None:
            self.cancelled.append((*scene, viewer))

    recorded: Any = Recorded()
    before = {"a": {"stage": "running", "pair_address": "3", "method_id": "masknet"}}
    leave(recorded, {"a"}, before, "me")
    leave(recorded, {"b"}, {}, "me")
    leave(recorded, {"b"}, {"a": before["a"] | {"pair_address": "gone"}}, "me")
    leave(recorded, {"b"}, {"a": before["a"] | {"stage": "complete"}}, "me")
    assert recorded.cancelled == []
    leave(recorded, {"b"}, before, "me")
    assert recorded.cancelled == [("3", "masknet", "me")]


def test_stopped_guidance_is_filled_in_pictures_but_not_in_the_scatterplot(
    services: Services, scene: Scene
) -> None:
    values = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    values[:, ::4, ::4] = np.arange(1, 10).reshape(3, 3)
    values[0, 0, 0] = -20
    state = guidance_state(values=values, cancelled=True, revision=3)
    figures, limits = news(services, scene_data(scene), state, None, 0.5, Scale.SIGNED)
    first, second, rgb, scatter = figures
    for picture in (first, second):
        assert np.isfinite(values_of(picture)).all()
        assert (picture["data"][0]["zmin"], picture["data"][0]["zmax"]) == (-20, 20), "one scale for both"
    known = ~np.isnan(values[0])
    np.testing.assert_array_equal(values_of(first)[known], values[0][known])
    assert colours_of(rgb).shape == (*SHAPE, 3)
    assert len(base64.b64decode(scatter["data"][0]["x"]["bdata"])) == 4 * known.sum()
    assert (limits["maximum"], limits["magnitude"], limits["provisional"]) == (9, 20, True)
    metas = [figure["layout"]["meta"] for figure in figures]
    assert [meta["panel"] for meta in metas] == [panel.value for panel in PANELS]
    assert {(meta["key"], meta["revision"]) for meta in metas} == {
        (scene_data(scene)["key"], limits["revision"])
    }


def test_finished_guidance_is_drawn_exactly(services: Services, averaging: Scene, pair: fusion.Pair) -> None:
    state = services.guidance.state(averaging, "test", start=False)
    figures, limits = news(services, scene_data(averaging), state, None, 0.5, Scale.PAPER)
    total = pair.images.sum(axis=0)
    expected = np.where(total == 0, 0.5, pair.images / np.where(total == 0, 1, total))
    for figure, values, name in zip(figures, expected, averaging.modalities, strict=False):
        np.testing.assert_allclose(values_of(figure), values, rtol=1e-6)
        assert figure["layout"]["title"]["text"] == f"Guidance {name}"
    assert not limits["provisional"] and limits["maximum"] == pytest.approx(expected.max())
    rgb = fusion.guidance_rgb(expected, fusion.fuse(load("weighted_averaging", "cpu"), pair))
    assert np.abs(colours_of(figures[2]) - np.rint(rgb * 255)).max() <= 1
    x, y = (np.frombuffer(base64.b64decode(figures[3]["data"][0][axis]["bdata"]), "<f4") for axis in "xy")
    np.testing.assert_allclose([x, y], expected.reshape(2, -1), rtol=1e-6)


RUNNING = {"stage": "running"}
GROWING: dict[str, Any] = {"values": np.zeros((2, *SHAPE)), "running": True}


@pytest.mark.parametrize(
    ("changes", "shown", "worth"),
    [
        (GROWING, None, True),
        (GROWING, {"revision": "scene-1-waiting", "stage": "waiting", "fraction": 0.3}, True),
        (
            GROWING | {"fraction": 0.5},
            {"revision": "scene-2-running", "stage": "running", "fraction": 0.0},
            False,
        ),
        (GROWING, {"revision": "scene-1-running", "stage": "running", "fraction": 0.0}, True),
        (
            GROWING | {"fraction": 0.3 + PICTURE_STEP / 2},
            {"revision": "scene-1-running", "stage": "running", "fraction": 0.3},
            False,
        ),
        (
            GROWING | {"fraction": 0.3 + PICTURE_STEP * 2},
            {"revision": "scene-1-running", "stage": "running", "fraction": 0.3},
            True,
        ),
        (
            {"complete": True, "fraction": 1.0},
            {"revision": "scene-1-running", "stage": "running", "fraction": 0.999},
            True,
        ),
        (
            {"cancelled": True, "fraction": 0.3},
            {"revision": "scene-2-running", "stage": "running", "fraction": 0.3},
            True,
        ),
        ({"error": "No."}, {"revision": "scene-2-running", "stage": "running", "fraction": 0.9}, True),
    ],
)
def test_guidance_is_drawn_again_when_there_is_enough_news(
    changes: dict[str, Any], shown: dict[str, Any] | None, worth: bool
) -> None:
    state = guidance_state(**changes)
    revision = f"scene-2-{stage(state)}"
    assert worth_drawing(state, revision, shown) is worth


def test_a_poll_starts_nothing_and_cancelling_takes_interest_back(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def asked(_: Scene, viewer: str, start: bool = True, asked: bool = False) -> GuidanceState:
        calls.append((start, viewer))
        return guidance_state(running=True)

    monkeypatch.setattr(services.guidance, "cancel", lambda scene, viewer: calls.append(("cancel", viewer)))
    monkeypatch.setattr(services.guidance, "state", asked)
    data = scene_data(scene)
    current_state(services, data, "anna", cancelling=False, polled=False)
    current_state(services, data, "anna", cancelling=False, polled=True)
    current_state(services, data, "anna", cancelling=True, polled=False)
    assert calls == [(True, "anna"), (False, "anna"), ("cancel", "anna"), (False, "anna")]


def test_a_page_that_follows_goes_on_with_a_server_that_never_heard_of_it(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.guidance, "cancel", lambda scene, viewer: None)
    monkeypatch.setattr(
        services.guidance,
        "state",
        lambda scene, viewer, start=True, asked=False: guidance_state(running=start),
    )
    data = scene_data(scene)
    assert current_state(services, data, "anna", cancelling=False, polled=True).running
    assert not current_state(services, data, "anna", cancelling=True, polled=False).running


# The principal pixel


@pytest.mark.parametrize("pixel", PIXELS)
def test_figures_show_the_exact_jacobian(
    services: Services, scene: Scene, pair: fusion.Pair, pixel: tuple[int, int]
) -> None:
    rest = rest_at(scene, pixel, scale="signed")
    *figures, green = figures_at(services, scene_data(scene), rest)
    window = fusion.jacobian(load("small", "cpu"), pair, pixel)
    expected = window.dense()
    assert np.abs(expected).max() > 0 and (expected == 0).any()
    for index, figure in enumerate(figures[: len(JACOBIAN_PANELS)]):
        np.testing.assert_allclose(values_of(figure), expected[index], atol=1e-6)
        end = figure["data"][0]["zmax"]
        assert end == pytest.approx(np.abs(expected).max(), rel=1e-4), "provisional: the window's own"
        assert figure["data"][0]["zmin"] == -end
    zooms = dict(zip(IMAGE_PANELS, figures[len(JACOBIAN_PANELS) :], strict=True))
    for index, panel in enumerate(JACOBIAN_PANELS):
        np.testing.assert_allclose(values_of(zooms[panel]), cut_out(expected[index], pixel, 3), atol=1e-6)
    for panel, image in zip((Panel.MRI, Panel.PET), pair.images, strict=True):
        np.testing.assert_array_equal(values_of(zooms[panel]), cut_out(image, pixel, 3))
    fused = fusion.fuse(load("small", "cpu"), pair)
    np.testing.assert_allclose(values_of(zooms[Panel.FUSED]), cut_out(fused, pixel, 3), atol=1e-6)
    assert zooms[Panel.FUSED]["data"][0]["colorbar"]["title"]["text"] == FUSED_INTENSITY
    assert green is None, "no guidance yet"
    for panel in (Panel.GUIDANCE_MRI, Panel.GUIDANCE_PET, Panel.GUIDANCE_RGB):
        assert np.isnan(values_of(zooms[panel])).all()
        assert zooms[panel]["layout"]["meta"]["state"] == "growing", "not what the browser asked for"
    done = [panel for panel in IMAGE_PANELS if "guidance" not in panel]
    assert {zooms[panel]["layout"]["meta"]["state"] for panel in done} == {"content"}


@pytest.mark.parametrize(
    ("end", "known"), [(0.25, True), (None, False), (0, False), (-1, False), (math.nan, False)]
)
def test_without_guidance_the_scale_ends_where_the_page_ends_it(
    services: Services, scene: Scene, end: float | None, known: bool
) -> None:
    figures = figures_at(services, scene_data(scene), rest_at(scene, PIXELS[0], end=end))
    ends = [figure["data"][0]["zmax"] for figure in figures[: len(JACOBIAN_PANELS)]]
    assert ends[0] == ends[1] and (ends[0] == end) is known


@pytest.mark.parametrize("pixel", PIXELS)
def test_with_guidance_all_gradients_share_its_scale(
    services: Services, averaging: Scene, pixel: tuple[int, int]
) -> None:
    guidance = services.guidance.known(averaging)
    assert guidance is not None
    rest = rest_at(averaging, pixel, gamma1=1.0, gamma2=0.5)
    *figures, green = figures_at(services, scene_data(averaging), rest)
    panels = [*JACOBIAN_PANELS, *IMAGE_PANELS]
    by_gamma: dict[str, set[str]] = {}
    for panel, figure in zip(panels, figures, strict=True):
        meta = figure["layout"]["meta"]
        assert (meta["panel"], meta["row"], meta["col"], meta["half"]) == (panel.value, *pixel, 3)
        assert (meta["state"], meta["display"], meta["key"]) == (
            "content",
            "look",
            scene_data(averaging)["key"],
        )
        if "jacobian" in panel or panel in (Panel.GUIDANCE_MRI, Panel.GUIDANCE_PET):
            assert figure["data"][0]["zmax"] == pytest.approx(Limits.of(guidance).maximum)
            by_gamma.setdefault(panel.split("-")[1], set()).add(str(figure["data"][0]["colorscale"]))
    assert [len(scales) for scales in by_gamma.values()] == [1, 1]
    assert by_gamma["jacobian"] != by_gamma["guidance"], "gamma 1 and gamma 2"
    zooms = dict(zip(panels[2:], figures[2:], strict=True))
    for index, panel in enumerate((Panel.GUIDANCE_MRI, Panel.GUIDANCE_PET)):
        np.testing.assert_array_equal(values_of(zooms[panel]), cut_out(guidance[index], pixel, 3))
    rgb = opaque_bytes(fusion.guidance_rgb(guidance, services.scenes.fused(averaging)))
    np.testing.assert_array_equal(values_of(zooms[Panel.GUIDANCE_RGB]), cut_out(rgb, pixel, 3))
    near = [cut_out(image, pixel, 3) for image in guidance]
    inside = np.isfinite(near[0])
    assert (green["key"], green["state"]) == (rest.key, "content")
    np.testing.assert_array_equal([green["x"], green["y"]], [part[inside] for part in near])


def test_green_points_leave_out_what_is_not_finite(scene: Scene) -> None:
    guidance = np.ones((2, 3, 3), dtype=np.float32)
    guidance[0, 1, 1], guidance[1, 0, 0] = np.nan, np.inf
    green = green_points(guidance, rest_at(scene, (1, 1), half=1))
    assert green is not None and green["x"] == green["y"] == [1.0] * 7
    assert green_points(None, rest_at(scene, (1, 1))) is None


@pytest.mark.parametrize("pixel", [(9, 0), (0, 11), (-1, 0), (2**40, 0)])
def test_a_pixel_outside_is_the_users_error(services: Services, scene: Scene, pixel: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=str(pixel[0] or pixel[1])):
        figures_at(services, scene_data(scene), rest_at(scene, pixel))


@pytest.mark.parametrize(("half", "taken"), [(0, 1), (-5, 1), (12, 12), (64, 64), (10**12, 64)])
def test_a_zoom_is_never_larger_than_the_page_offers(scene: Scene, half: int, taken: int) -> None:
    assert rest_at(scene, (0, 0), half=half).half == taken


@pytest.mark.parametrize(
    ("gamma", "taken"), [(0, 0.1), (-1, 0.1), (float("nan"), 0.1), (0.7, 0.7), (1e9, 2.0)]
)
def test_gammas_are_those_that_the_page_offers(scene: Scene, gamma: float, taken: float) -> None:
    rest = rest_at(scene, (0, 0), gamma1=gamma, gamma2=gamma)
    assert rest.gamma1 == rest.gamma2 == taken

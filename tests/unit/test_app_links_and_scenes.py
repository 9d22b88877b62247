"""Links and scenes: what is chosen, and what the browser is told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

import fusion
from app.ids import Panel
from app.link.view_state import Area, ExploreState
from cache.services.scenes import Scene
from cache.services.services import Services
from callbacks.link import other_weights, resolve, resolve_area
from callbacks.selection import input_title, meta_of, note, scene_data
from tests.unit.page_services import SHAPE, make_services, write_pair

PAIR = "3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def services(folder: Path) -> Iterator[Services]:
    broken = folder / "mri_9.npy", folder / "pet_9.npy"
    for path in broken:
        path.write_bytes(b"not an image")
    made = make_services(folder, [write_pair(folder), broken])
    yield made
    made.close()


@pytest.fixture(scope="module")
def pair(folder: Path) -> fusion.Pair:
    return fusion.load_pair(folder / "mri_3.npy", folder / "pet_3.npy")


@pytest.fixture
def scene(services: Services) -> Scene:
    return services.scenes.open(PAIR, "small")


# Links


def test_an_empty_link_leads_to_the_first_of_ones_own_pairs(services: Services) -> None:
    assert services.scenes.entries()[0].address == PAIR, "they come first in menus too"
    assert resolve(services, ExploreState.from_query("")[0]) == (PAIR, "funfusean", None, [])
    assert resolve(services, ExploreState.from_query("?gamma1=0.4&v=2")[0])[0] == PAIR


def test_a_link_of_version_1_without_a_pair_leads_to_the_first_sample(services: Services) -> None:
    for query in ("?gamma1=0.4", "?v=1", "?method=funfusean"):
        state, _ = ExploreState.from_query(query)
        assert resolve(services, state) == ("glioma-t2", "funfusean", None, [])


def test_without_own_pairs_the_first_sample_is_first(tmp_path: Path) -> None:
    made = make_services(tmp_path, [])
    assert resolve(made, ExploreState())[0] == "glioma-t2"
    made.close()


def test_an_own_pair_that_cannot_be_read_is_named_and_gives_way(tmp_path: Path) -> None:
    broken = tmp_path / "mri_9.npy", tmp_path / "pet_9.npy"
    for path in broken:
        path.write_bytes(b"not an image")
    made = make_services(tmp_path, [broken])
    pair, _, _, (message,) = resolve(made, ExploreState())
    assert pair == "glioma-t2" and "mri_9.npy" in message and "first sample is shown" in message
    made.close()


def test_a_link_leads_to_a_pair_by_address_and_by_content(services: Services, pair: fusion.Pair) -> None:
    for address in (PAIR, pair.id, pair.id[:12], pair.id[:20].upper()):
        state = ExploreState(pair=address, method="small", pixel=(8, 10))
        assert resolve(services, state) == (PAIR, "small", {"row": 8, "col": 10}, [])


def test_a_method_that_cannot_be_used_is_named_and_gives_way(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.scenes, "unusable_methods", lambda: {"small": "Small is damaged."})
    state = ExploreState(pair=PAIR, method="small")
    shown, title = services.scenes.methods()[0]
    assert resolve(services, state) == (PAIR, shown, None, [f"Small is damaged. {title} is shown."])
    every = dict(services.scenes.methods())
    monkeypatch.setattr(services.scenes, "unusable_methods", lambda: every)
    assert resolve(services, state) == (PAIR, "small", None, []), "the scene says why"


@pytest.mark.parametrize("pixel", [(9, 0), (0, 11), (2**31 - 1, 2**31 - 1)])
def test_a_pixel_outside_the_image_is_named_and_left_out(services: Services, pixel: tuple[int, int]) -> None:
    address, method, start, messages = resolve(services, ExploreState(pair=PAIR, method="small", pixel=pixel))
    assert (address, method, start) == (PAIR, "small", None)
    (message,) = messages
    assert f"{pixel[0]},{pixel[1]}" in message and "rows 0 to 8" in message and "columns 0 to 10" in message


def test_an_unknown_method_and_an_unknown_pair_are_both_named(services: Services) -> None:
    state = ExploreState(pair="nowhere", method="<script>", pixel=(1, 1), gamma1=1)
    address, method, start, messages = resolve(services, state)
    assert (address, method, start) == ("glioma-t2", "funfusean", None)
    assert len(messages) == 3
    assert "<script>" in messages[0] and "weighted_averaging" in messages[0], "says which there are"
    assert "nowhere" in messages[1] and "first sample is shown" in messages[1]
    assert "pixel 1,1 was ignored" in messages[2], "it would be a place in another pair"


@pytest.mark.parametrize("pixel", [None, (0, 0)])
def test_a_pair_that_cannot_be_read_is_named(services: Services, pixel: tuple[int, int] | None) -> None:
    address, method, start, messages = resolve(services, ExploreState(pair="9", method="small", pixel=pixel))
    assert (address, method, start) == ("glioma-t2", "small", None)
    assert "mri_9.npy" in messages[0]
    assert len(messages) == (1 if pixel is None else 2), (
        "a pixel of a pair that is not to be had is named too"
    )


@pytest.mark.parametrize(
    "area", [(-9.0, -9.0, -1.0, -1.0), (0.0, 5000.0, 9.0, 6000.0), (float(SHAPE[0]), 0.0, 99.0, 9.0)]
)
def test_an_area_that_shows_nothing_of_the_pair_is_named_and_left_out(area: Area) -> None:
    found, (message,) = resolve_area(area, SHAPE)
    assert found is None
    assert ",".join(map(str, area)) in message and f"{SHAPE[0]} rows" in message


@pytest.mark.parametrize(
    "area",
    [
        (-1e9, -1e9, 1e9, 1e9),
        (-50.0, 0.0, 5.0, 5.0),
        (0.0, -50.0, 5.0, 5.0),
        (0.0, 0.0, 60.0, 5.0),
        (0.0, 0.0, 5.0, 60.0),
    ],
)
def test_an_area_in_which_the_pair_is_too_small_is_named_and_left_out(area: Area) -> None:
    found, (message,) = resolve_area(area, SHAPE)
    assert found is None
    assert ",".join(map(str, area)) in message and "too small" in message


def test_an_area_is_left_alone_where_it_shows_something() -> None:
    assert resolve_area(None, SHAPE) == (None, [])
    beyond = (-5.0, -5.0, 2.0, 2.0)
    assert resolve_area(beyond, SHAPE) == (beyond, [])
    far = (-44.0, -44.0, 53.0, 55.0)
    assert resolve_area(far, SHAPE) == (far, [])
    found, (message,) = resolve_area(beyond, None)
    assert found is None and "the link's own pair" in message


@pytest.mark.parametrize("address", ["../../etc/passwd", "0" * 200, "α", "*", "a b", "00000000000", "%00"])
def test_hostile_addresses_lead_to_the_first_sample(services: Services, address: str) -> None:
    found, _, _, messages = resolve(services, ExploreState(pair=address))
    assert found == "glioma-t2" and len(messages) == 1


def test_other_weights_are_named(services: Services, scene: Scene) -> None:
    right, wrong = scene.weights_id[:8], "0" * 8
    assert other_weights(services, PAIR, [("small", right), ("small", None), ("small", "")]) == []
    (message,) = other_weights(services, PAIR, [("small", wrong), ("small", scene.weights_id)])
    assert wrong in message and right in message and scene.method_title in message
    assert other_weights(services, PAIR, [("nothing", wrong)]) == [], "that there is none is said elsewhere"


# Scenes


def test_a_scene_tells_the_browser_where_windows_are(
    services: Services, scene: Scene, pair: fusion.Pair
) -> None:
    data = scene_data(scene)
    assert data["pair"] == pair.id
    assert data["jacobian_path"] == f"jacobian/{pair.id}/small/{scene.weights_id}"
    assert (data["height"], data["width"], data["support_radius"]) == (*SHAPE, (2, 2))
    assert data["modalities"] == ("MRI", "PET") and data["pair_address"] == PAIR
    others = [
        services.scenes.open(PAIR, "weighted_averaging"),
        dataclasses.replace(scene, weights_id="f" * 64),
    ]
    others.append(dataclasses.replace(scene, pair_id="e" * 64))
    assert len({scene_data(one)["key"] for one in [scene, *others]}) == 4


def test_a_figure_says_what_it_belongs_to(scene: Scene) -> None:
    data = scene_data(scene)
    meta = meta_of(data, Panel.FUSED, revision="7")
    assert meta == {"key": data["key"], "pair": data["pair"], "panel": "panel-fused", "revision": "7"}


def test_simulated_inputs_say_so(services: Services, scene: Scene) -> None:
    assert [input_title(scene, index) for index in (0, 1)] == ["MRI", "PET"]
    sample = dataclasses.replace(scene, simulated=True, modalities=("MRI T2", "PET"))
    assert [input_title(sample, index) for index in (0, 1)] == ["MRI T2 (simulated)", "PET (simulated)"]
    assert all(
        entry.simulated
        for entry in services.scenes.entries()
        if entry.address.startswith(("glioma", "healthy"))
    )


def test_a_note_tells_the_support_and_which_derivative_is_taken(services: Services, scene: Scene) -> None:
    unequal = dataclasses.replace(scene, support_radius=(9, 11), method_note="")
    assert note(unequal) == "support ±9 px in x1, ±11 px in x2"
    assert "constant" in note(services.scenes.open(PAIR, "weighted_averaging"))
    everywhere = note(dataclasses.replace(scene, support_radius=None, method_note="With attention."))
    assert "global" in everywhere and everywhere.endswith("With attention.")
    assert "16 numbers" in note(dataclasses.replace(scene, support_radius=None, numbers=16))

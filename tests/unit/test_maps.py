"""Maps of all fused pixels: influence against plain autograd, parts and units against the whole, jobs and routes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fusion
from app.routes import maps as map_routes
from cache.jobs.manager import Jobs
from cache.services.maps import LANES, MapState
from cache.services.scenes import Scene
from cache.services.services import EXTENSION, Services
from fusion import Method, Pair
from fusion.errors import Cancelled
from fusion.saliency import maps as maps_module
from fusion.saliency.influence_images import SIDE, influence_of
from fusion.saliency.maps import BANDS, MapKind, MapParts
from fusion.saliency.window import Box
from fusion.work.map_units import MapUnits
from fusion.work.store import ChunkStore
from fusion.work.tasks import Job, Task, run_task
from tests.unit.page_services import server_of
from tests.unit.reference import random_pair, relative_error, trained_method, whole_image_jacobians
from tests.unit.small_networks import Attention
from tests.unit.small_services import Small, wait_for

SHAPE = (12, 11)


def pixels_of(rng: np.random.Generator, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return all corners, a pixel of each border, and one inside."""
    last_row, last_column = (side - 1 for side in shape)
    row, column = (int(rng.integers(1, side - 1)) for side in shape)
    corners = [(0, 0), (0, last_column), (last_row, 0), (last_row, last_column)]
    return [*corners, (0, column), (last_row, column), (row, 0), (row, last_column), (row, column)]


@pytest.mark.parametrize("id", fusion.method_ids())
def test_influence_is_the_sum_of_autograd(id: str, rng: np.random.Generator) -> None:
    method, pair = trained_method(id), random_pair(rng, SHAPE)
    pixels = pixels_of(rng, SHAPE)
    for jacobian, (row, column) in zip(whole_image_jacobians(method, pair, pixels), pixels, strict=True):
        found = influence_of(method, pair, Box(row, column, row + 1, column + 1), "float64")[:, 0, 0]
        assert relative_error(found[:2], np.abs(jacobian).sum((1, 2))) < 1e-10, (row, column)
        signed = found[2:] - jacobian.sum((1, 2))
        assert np.abs(signed).max() < 1e-10 * np.abs(jacobian).sum(), (row, column)


def test_influence_without_signs_is_the_response(rng: np.random.Generator) -> None:
    """ΣJ and J·1 are one number, which two programs of different kinds find."""
    method, pair = Method.from_module(Small(), "small", "Small"), random_pair(rng, (SIDE + 3, SIDE + 2))
    told: list[tuple[int, int]] = []
    found = fusion.influence_images(method, pair, lambda *done: told.append(done), "float64")
    assert relative_error(found.signed, fusion.response_map(method, pair, dtype="float64")) < 1e-10
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (found.total >= np.abs(found.signed) - 1e-12).all()


def test_influence_on_a_method_that_sees_the_whole_image(rng: np.random.Generator) -> None:
    method = Method.from_module(Attention(), "attention", "Attention")
    pair = random_pair(rng, (5, 6))
    found = fusion.influence_images(method, pair, dtype="float64")
    pixels = [(row, column) for row in range(5) for column in range(6)]
    expected = whole_image_jacobians(method, pair, pixels).reshape(5, 6, 2, 5, 6)
    assert relative_error(found.total, np.abs(expected).sum((3, 4)).transpose(2, 0, 1)) < 1e-10


@pytest.fixture
def method(small: Method) -> Method:
    return small


@pytest.fixture
def pair(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A pair that is cut into several parts."""
    monkeypatch.setattr(maps_module, "CROP_PIXELS", 500)
    return random_pair(rng, (35, 34))


def whole(method: Method, pair: Pair, kind: MapKind) -> np.ndarray:
    if kind is MapKind.RESPONSE:
        return fusion.response_map(method, pair)
    if kind is MapKind.REACH:
        return fusion.reach_map(method, pair)
    both = fusion.influence_images(method, pair)
    return np.concatenate((both.total, both.signed))


@pytest.mark.parametrize("kind", MapKind)
def test_units_in_any_order_are_the_whole(
    kind: MapKind, method: Method, pair: Pair, tmp_path: Path, rng: np.random.Generator
) -> None:
    store = ChunkStore(tmp_path)
    units = MapUnits(method, pair, store, kind)
    assert len(units) > 3 and units.missing() == list(range(len(units)))
    for number in rng.permutation(len(units)):
        units.keep(int(number), units.compute(int(number)))
    image = np.full((BANDS[kind], *pair.shape), np.nan, dtype=np.float32)
    for number, values in MapUnits(method, pair, store, kind).known():
        units.put(number, values, image)
    expected = whole(method, pair, kind)
    if kind is MapKind.REACH:  # a step that passes by a hair may not where another part of the image is run
        assert (image == expected).mean() > 0.98
    else:
        np.testing.assert_allclose(image, expected, rtol=1e-3, atol=1e-5)


def test_a_worker_computes_units_of_a_map(tmp_path: Path, rng: np.random.Generator) -> None:
    method, pair = fusion.load_method("weighted_averaging", "cpu"), random_pair(rng, SHAPE)
    store = ChunkStore(tmp_path)
    store.put_pair(pair)
    units = MapUnits(method, pair, store, MapKind.RESPONSE)
    run_task(Task(Job(units.work, pair.shape, str(tmp_path)), 0))
    assert units.missing() == list(range(1, len(units)))


@pytest.mark.parametrize("kind", MapKind)
def test_parts_are_left_when_somebody_says_so(kind: MapKind, method: Method, pair: Pair) -> None:
    asked = 0

    def go_on() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise Cancelled("enough")

    parts = MapParts(method, pair, kind)
    if kind is MapKind.RESPONSE:  # one step, asked before it
        parts.of(0, go_on)
        assert asked == 1
        return
    with pytest.raises(Cancelled):
        parts.of(0, go_on)


@pytest.mark.parametrize("kind", MapKind)
def test_the_time_is_that_of_all_parts(kind: MapKind, method: Method, pair: Pair) -> None:
    assert MapParts(method, pair, kind).seconds() > 0


def follow(services: Services, scene: Scene, kind: MapKind) -> MapState:
    wait_for(lambda: not services.maps.state(scene, kind, "ann").running)
    return services.maps.state(scene, kind, "ann")


@pytest.mark.parametrize("kind", MapKind)
def test_a_map_is_computed_once_it_is_asked_for(
    kind: MapKind, services: Services, scene: Scene, small: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services.maps.state(scene, kind, "ann") == MapState(None)
    assert services.maps.expected_seconds(scene, kind) > 0
    assert services.maps.state(scene, kind, "ann") == MapState(None), "nothing begins by itself"
    assert services.maps.state(scene, kind, "ann", start=True).running
    found = follow(services, scene, kind)
    assert found.complete and found.fraction == 1 and found.values is not None
    expected = whole(small, services.scenes.pair(scene), kind)
    np.testing.assert_allclose(found.values, expected, rtol=1e-3, atol=1e-5)
    # Kept: nobody computes it again.
    monkeypatch.setattr(Jobs, "submit", lambda *_: pytest.fail("computed again"))
    assert services.maps.state(scene, kind, "bob", start=True).complete


def stopped_after_two_parts(services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Begin an influence map of nine parts and stop it within the third; return the numbers of those computed."""
    computed: list[int] = []
    third, go = threading.Event(), threading.Event()
    compute = MapUnits.compute

    def slowly(units: MapUnits, number: int, go_on: Callable[[], None] = lambda: None) -> np.ndarray:
        if len(computed) == 2:
            third.set()
            go.wait(60)
            go_on()
        computed.append(number)
        return compute(units, number, go_on)

    monkeypatch.setattr(MapUnits, "compute", slowly)
    services.maps.state(scene, MapKind.INFLUENCE, "ann", start=True)
    assert third.wait(60)
    services.maps.cancel(scene, MapKind.INFLUENCE, "ann")
    heard = services.maps.state(scene, MapKind.INFLUENCE, "ann")
    assert heard.cancelled and not heard.running, "it is heard at once, whatever is being computed"
    go.set()
    return computed


def test_what_is_stopped_goes_on_where_it_was(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.saliency.influence_images.SIDE", 11)
    computed = stopped_after_two_parts(services, scene, monkeypatch)
    wait_for(lambda: not services.maps.jobs.busy())
    assert len(computed) == 2
    computed.append(-1)  # the third is let through from now on
    services.maps.state(scene, MapKind.INFLUENCE, "ann", start=True)
    assert follow(services, scene, MapKind.INFLUENCE).complete
    computed.remove(-1)
    assert sorted(computed) == list(range(9)), "each part was computed once"


def test_maps_have_a_lane_of_their_own() -> None:
    assert LANES == {"map": 1}


def test_routes_start_follow_and_stop(services: Services, scene: Scene) -> None:
    server = server_of(services)
    server.extensions[EXTENSION] = services
    server.register_blueprint(map_routes.routes)
    client = server.test_client()
    address = f"/maps/{scene.pair_id}/{scene.method_id}/{scene.weights_id}/response"
    first = client.get(f"{address}?viewer=ann").get_json()
    assert first["seconds"] > 0 and not first["running"] and not first["complete"]
    assert client.post(f"{address}/start?viewer=ann").get_json()["running"]
    wait_for(lambda: client.get(f"{address}?viewer=ann").get_json()["complete"])
    last = client.post(f"{address}/stop?viewer=ann").get_json()
    assert last["complete"] and last["problem"] is None and last["revision"] > 0
    assert client.get(address.replace("response", "nonsense")).status_code == 404
    assert (
        "weights" in client.post(f"/maps/{scene.pair_id}/{scene.method_id}/0/reach/start").get_json()["error"]
    )

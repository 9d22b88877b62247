"""The services: scenes, fused images and Jacobian windows, memoized and computed once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fusion
from cache.errors import UserError
from cache.services.loaded import LoadedMethods, LoadedPairs
from cache.services.scenes import Scene
from cache.services.services import Services, assembled
from fusion import Method
from fusion.choices import Reading
from fusion.data.catalogue import Catalogue
from fusion.errors import (
    PixelOutsideImageError,
    UnknownMethodError,
    UnknownPairError,
    WeightsError,
)
from fusion.statistics.guidance import guidance_statistics
from fusion.statistics.influence import region_influence
from fusion.statistics.regions import Region
from tests.unit.small_services import (
    SHAPE,
    WAIT_S,
    Maker,
    Small,
    follow,
    settings_of,
    wait_for,
)


class Calls:
    """Stands before a function of `fusion` and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.count = 0
        self.torch_threads: list[int] = []
        real = getattr(fusion, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            self.torch_threads.append(torch.get_num_threads())
            return real(*args, **kwargs)

        monkeypatch.setattr(fusion, name, counted)


def test_scene_says_what_is_known(scene: Scene, small: Method, folder: Path) -> None:
    pair = fusion.load_pair(folder / "mri_1.npy", folder / "pet_1.npy")
    assert scene == Scene(
        pair_id=pair.id,
        pair_address="1",
        pair_title=scene.pair_title,
        modalities=("MRI", "PET"),
        simulated=False,
        about="",
        default_pixel=None,
        method_id="small",
        method_title="Small network",
        method_note="",
        weights_id=small.weights_id,
        height=24,
        width=31,
        support_radius=(2, 2),
        device="cpu",
        reading=Reading(resample=False),
    )
    assert "mri_1.npy" in scene.pair_title


def test_what_can_be_chosen(services: Services) -> None:
    addresses = [entry.address for entry in services.scenes.entries()]
    assert {"1", "2"} <= set(addresses)
    assert services.scenes.methods() == (("small", "Small network"),)
    assert services.scenes.pair_shape("2") == SHAPE


def test_pairs_are_found_by_content(services: Services, scene: Scene) -> None:
    assert services.scenes.find_pair(scene.pair_id) == "1"
    assert services.scenes.find_pair(scene.pair_id[:12]) == "1"
    assert services.scenes.open(scene.pair_id[:12], "small") == scene


def test_images_of_a_scene(services: Services, scene: Scene) -> None:
    assert services.scenes.pair(scene).id == scene.pair_id
    assert services.regions.of_pair(scene.pair_address) == {}


@pytest.mark.parametrize(
    ("pair", "method", "error"),
    [("3", "small", UnknownPairError), ("1", "large", UnknownMethodError), ("", "", UnknownPairError)],
)
def test_unknown_things_are_the_users_errors(
    services: Services, pair: str, method: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        services.scenes.open(pair, method)
    assert isinstance(caught.value, UserError)


def test_bad_files_are_the_users_errors(services: Services, folder: Path) -> None:
    np.save(folder / "mri_3.npy", np.full(SHAPE, np.nan))
    np.save(folder / "pet_3.npy", np.ones(SHAPE))
    with pytest.raises(UserError, match=r"mri_3\.npy"):
        services.scenes.open("3", "small")


def test_a_pair_over_the_pixel_limit_is_refused(make: Maker) -> None:
    with pytest.raises(UserError):
        make(pixel_limit=100).scenes.open("1", "small")


def test_fused_image(services: Services, small: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, "fuse")
    scene = services.scenes.open("1", "small")
    found = [services.scenes.fused(scene) for _ in range(3)]
    assert calls.count == 1
    expected = fusion.fuse(small, services.scenes.pair(scene))
    for image in found:
        np.testing.assert_array_equal(image, expected)
        assert not image.flags.writeable


@pytest.mark.parametrize("pixel", [(0, 0), (23, 30), (12, 15), (1, 29)])
def test_jacobian_window(services: Services, scene: Scene, small: Method, pixel: tuple[int, int]) -> None:
    expected = fusion.jacobian(small, services.scenes.pair(scene), pixel)
    for found in (
        services.windows.of(scene, *pixel),
        services.windows.of(scene, *pixel),
        services.windows.at(scene.pair_id, "small", scene.weights_id, *pixel),
    ):
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.dense(), expected.dense())
        assert (found.top, found.left, found.row, found.col, found.shape) == (
            expected.top,
            expected.left,
            *pixel,
            SHAPE,
        )
        assert found.values.dtype == np.float32
        assert not found.values.flags.writeable
        assert found.path == expected.path == "chain"


def test_results_are_memoized_also_for_the_next_process(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    expected = first.windows.of(first.scenes.open("1", "small"), 5, 6)
    calls = Calls(monkeypatch, "jacobian")
    second = make()
    scene = second.scenes.open("1", "small")
    np.testing.assert_array_equal(second.windows.of(scene, 5, 6).values, expected.values)
    assert calls.count == 0
    second.windows.of(scene, 6, 5)
    second.windows.of(second.scenes.open("2", "small"), 5, 6)
    assert calls.count == 2


def test_a_scene_is_prepared_once_and_nobody_waits(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[tuple[str, str]] = []
    go_on = threading.Event()

    def prepare(method: Method, pair: fusion.Pair, progress: Callable[[float], None]) -> None:
        assert go_on.wait(WAIT_S)
        prepared.append((method.id, pair.id))

    monkeypatch.setattr(fusion, "prepare", prepare)
    services = make()
    scenes = [services.scenes.open(pair, "small") for pair in ("1", "1", "2", "1")]
    go_on.set()
    end = time.monotonic() + WAIT_S
    while len(prepared) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert prepared == [("small", scenes[0].pair_id), ("small", scenes[2].pair_id)]


def test_equal_hovers_at_the_same_time_compute_once(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch, "jacobian")
    barrier = threading.Barrier(8)

    def hover(number: int) -> np.ndarray:
        barrier.wait(WAIT_S)
        return services.windows.of(scene, 7, 8).values

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(hover, range(8)))
    assert calls.count == 1
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("pixel", [(-1, 0), (0, -1), (24, 0), (0, 31), (10**9, 0)])
def test_pixels_outside_are_the_users_errors(
    services: Services, scene: Scene, pixel: tuple[int, int]
) -> None:
    with pytest.raises(PixelOutsideImageError):
        services.windows.of(scene, *pixel)
    with pytest.raises(PixelOutsideImageError):
        services.windows.at(scene.pair_id, "small", scene.weights_id, *pixel)


def test_threads_by_kind_of_work(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    windows, images = Calls(monkeypatch, "jacobian"), Calls(monkeypatch, "fuse")
    before = torch.get_num_threads()
    scene = services.scenes.open("1", "small")
    try:
        services.windows.of(scene, 1, 1)
        services.scenes.fused(scene)
        services.windows.of(scene, 1, 2)
    finally:
        torch.set_num_threads(before)
    assert (windows.torch_threads, images.torch_threads) == ([1, 1], [2])


def test_new_weights_never_meet_old_results(make: Maker, small: Method) -> None:
    old = make()
    old_scene = old.scenes.open("1", "small")
    old_window, old_fused = old.windows.of(old_scene, 5, 6), old.scenes.fused(old_scene)
    other = Method.from_module(Small(seed=6), "small", "Small network")
    new = make(other)
    new_scene = new.scenes.open("1", "small")
    assert new_scene.weights_id != old_scene.weights_id
    pair = new.scenes.pair(new_scene)
    np.testing.assert_array_equal(
        new.windows.of(new_scene, 5, 6).values, fusion.jacobian(other, pair, (5, 6)).values
    )
    assert (new.windows.of(new_scene, 5, 6).values != old_window.values).any()
    assert (new.scenes.fused(new_scene) != old_fused).any()
    for stale in (
        lambda: new.windows.of(old_scene, 5, 6),
        lambda: new.windows.at(old_scene.pair_id, "small", old_scene.weights_id, 5, 6),
        lambda: new.scenes.fused(old_scene),
        lambda: new.guidance.state(old_scene, "ann"),
    ):
        with pytest.raises(WeightsError, match="Reload"):
            stale()


def test_weights_are_kept_apart_in_memory_too(make: Maker, small: Method, folder: Path) -> None:
    """One store, so that what one method computed lies in memory when the other asks."""
    other = Method.from_module(Small(seed=6), "small", "Small network")
    first = make(small)
    settings = settings_of(folder / "memo", data_dir=folder)
    shelf = LoadedMethods("cpu", lambda id, device: other, (("small", "Small network"),))
    second = assembled(settings, first.store, shelf)
    region = Region("corner", np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) < 9)
    # The first method again at the end: nobody wrote over its results.
    for services, method in ((first, small), (second, other), (first, small)):
        scene = services.scenes.open("1", "small")
        pair = services.scenes.pair(scene)
        np.testing.assert_array_equal(services.scenes.fused(scene), fusion.fuse(method, pair))
        window = fusion.jacobian(method, pair, (5, 6)).values
        np.testing.assert_allclose(services.windows.of(scene, 5, 6).values, window, rtol=1e-4, atol=1e-6)
        guidance = fusion.guidance(method, pair)
        np.testing.assert_array_equal(follow(services, scene).values, guidance)
        np.testing.assert_array_equal(services.guidance.known(scene), guidance)
        influence = services.statistics.influence
        wait_for(lambda one=influence, of=scene: one.follow([of], [region], "ann").complete)  # type: ignore[misc]
        numbers = services.statistics.numbers(scene, [region]).comparison
        assert numbers.weights_id == method.weights_id
        assert numbers.guidance == (guidance_statistics(guidance, region),)
        assert numbers.region_influence == (region_influence(method, pair, region),)
    second.close()


def test_a_scene_with_old_weights_is_refused_by_all_that_computes(make: Maker, small: Method) -> None:
    services = make()
    stale = replace(services.scenes.open("1", "small"), weights_id="0" * 64)
    region = Region("all", np.ones(SHAPE, dtype=bool))
    influence = services.statistics.influence
    for ask in (
        lambda: services.guidance.known(stale),
        lambda: services.guidance.cancel(stale, "ann"),
        lambda: services.statistics.numbers(stale, [region]),
        lambda: influence.known(stale, region),
        lambda: influence.follow([stale], [region], "ann"),
        lambda: services.atlases.start(stale, "ann"),
        lambda: services.atlases.state(stale, "ann"),
    ):
        with pytest.raises(WeightsError, match="Reload"):
            ask()


def test_changed_files_never_meet_old_results(services: Services, scene: Scene, folder: Path) -> None:
    old = services.windows.of(scene, 5, 6)
    np.save(folder / "mri_1.npy", np.load(folder / "mri_1.npy")[::-1])
    new_scene = services.scenes.open("1", "small")
    assert new_scene.pair_id != scene.pair_id
    assert (services.windows.of(new_scene, 5, 6).values != old.values).any()
    np.testing.assert_array_equal(services.windows.of(scene, 5, 6).values, old.values)


def test_images_that_are_gone_are_said_to_be(folder: Path) -> None:
    catalogue = Catalogue((), folder)
    shelf = LoadedPairs(catalogue, limit_bytes=0)
    _, pair = shelf.by_address("1")
    assert shelf.by_content(pair.id, "1").id == shelf.by_content(pair.id).id == pair.id
    np.save(folder / "mri_1.npy", np.zeros(SHAPE))
    with pytest.raises(UnknownPairError, match="Reload"):
        shelf.by_content(pair.id, "1")
    with pytest.raises(UnknownPairError):
        shelf.by_content(pair.id)


def test_a_hover_needs_no_look_at_files(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("the catalogue was asked")

    for name in ("entries", "find", "load"):
        monkeypatch.setattr(Catalogue, name, forbidden)
    services.windows.at(scene.pair_id, "small", scene.weights_id, 3, 3)


def test_addresses_from_nowhere_are_the_users_errors(services: Services, scene: Scene) -> None:
    with pytest.raises(UserError):
        services.windows.at("f" * 64, "small", scene.weights_id, 3, 3)
    with pytest.raises(UserError):
        services.windows.at(scene.pair_id[:12], "small", scene.weights_id, 3, 3)
    with pytest.raises(UserError):
        services.windows.at(scene.pair_id, "large", scene.weights_id, 3, 3)
    with pytest.raises(UserError):
        services.windows.at(scene.pair_id, "small", "f" * 64, 3, 3)


def test_without_a_usable_store_everything_is_computed(make: Maker, tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("x")
    services = make(memory_bytes=0, cache_dir=obstacle / "memo")
    scene = services.scenes.open("1", "small")
    assert services.windows.of(scene, 1, 1).values.any()
    final = follow(services, scene)
    assert final.complete
    assert final.values is not None
    readiness = services.ready()
    assert readiness.ready
    assert len(readiness.problems) == 1
    assert "file" in readiness.problems[0]

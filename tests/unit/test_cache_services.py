"""The services, end to end, on small networks and images."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cache.building
import cache.guidance_work
import fusion
from cache.building import build_services, connect_cache
from cache.errors import UserError
from cache.guidance_work import LANES
from cache.jobs import JobManager
from cache.method_shelf import MethodShelf
from cache.pair_shelf import PairShelf
from cache.results import Results
from cache.services import COMPLETE_REVISION, GuidanceState, Scene, Services, services_of
from cache.store import ArrayStore
from cache.threads import ThreadCounts
from fusion import Method, Pair
from fusion.data.catalogue import Catalogue
from fusion.errors import (
    Cancelled,
    DeviceError,
    NetworkError,
    PixelOutsideImageError,
    UnknownMethodError,
    UnknownPairError,
    WeightsError,
)

WAIT_S = 60.0
SHAPE = (24, 31)


class Small(nn.Module):
    """Two 3×3 convolutions: support radius 2."""

    def __init__(self, seed: int = 5) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.tanh(self.last(torch.tanh(self.first(torch.cat((x1, x2), dim=1)))))


@dataclass(frozen=True)
class Settings:
    """The settings of a test."""

    cache_dir: Path
    data_dir: Path | None
    device: str = "cpu"
    interactive_threads: int = 1
    guidance_threads: int = 2
    cache_limit_mb: int = 4
    cache_timeout_s: int = 300
    redis_url: str | None = None
    pixel_limit: int = 10_000


@pytest.fixture(scope="module")
def small() -> Method:
    return Method.from_module(Small(), "small", "Small network")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the pairs 1 and 2."""
    data = tmp_path / "pairs"
    data.mkdir()
    random = np.random.default_rng(1)
    for number in (1, 2):
        np.save(data / f"mri_{number}.npy", random.random(SHAPE))
        np.save(data / f"pet_{number}.npy", random.random(SHAPE))
    return data


Maker = Callable[..., Services]


@pytest.fixture
def make(tmp_path: Path, folder: Path, small: Method) -> Iterator[Maker]:
    """Make services like a new process would, on the same folders."""
    made: list[Services] = []

    def make_services(method: Method = small, memory_bytes: int = 2**20, **changes: Any) -> Services:
        settings = Settings(**({"cache_dir": tmp_path / "memo", "data_dir": folder} | changes))

        def load(id: str, device: str) -> Method:
            if id != method.id:
                raise UnknownMethodError(f"There is no method {id!r}.")
            return method

        store = ArrayStore(
            connect_cache(flask.Flask("test"), settings), settings.cache_timeout_s, memory_bytes
        )
        services = Services(
            Catalogue((), settings.data_dir, settings.pixel_limit),
            MethodShelf("cpu", load, ((method.id, method.title),)),
            Results(store, ThreadCounts(settings.interactive_threads, settings.guidance_threads)),
            JobManager(LANES),
            "cpu",
        )
        made.append(services)
        return services

    yield make_services
    for services in made:
        services.close()


@pytest.fixture
def services(make: Maker) -> Services:
    return make()


@pytest.fixture
def scene(services: Services) -> Scene:
    return services.scene("1", "small")


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


# Scenes


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
    )
    assert "mri_1.npy" in scene.pair_title


def test_what_can_be_chosen(services: Services) -> None:
    addresses = [entry.address for entry in services.entries()]
    assert {"1", "2"} <= set(addresses)
    assert services.methods() == (("small", "Small network"),)
    assert services.pair_shape("2") == SHAPE


def test_pairs_are_found_by_content(services: Services, scene: Scene) -> None:
    assert services.find_pair(scene.pair_id) == "1"
    assert services.find_pair(scene.pair_id[:12]) == "1"
    assert services.scene(scene.pair_id[:12], "small") == scene


def test_images_of_a_scene(services: Services, scene: Scene) -> None:
    assert services.pair(scene).id == scene.pair_id
    assert services.regions(scene) == {}


@pytest.mark.parametrize(
    ("pair", "method", "error"),
    [("3", "small", UnknownPairError), ("1", "large", UnknownMethodError), ("", "", UnknownPairError)],
)
def test_unknown_things_are_the_users_errors(
    services: Services, pair: str, method: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        services.scene(pair, method)
    assert isinstance(caught.value, UserError)


def test_bad_files_are_the_users_errors(services: Services, folder: Path) -> None:
    np.save(folder / "mri_3.npy", np.full(SHAPE, np.nan))
    np.save(folder / "pet_3.npy", np.ones(SHAPE))
    with pytest.raises(UserError, match=r"mri_3\.npy"):
        services.scene("3", "small")


def test_a_pair_over_the_pixel_limit_is_refused(make: Maker) -> None:
    with pytest.raises(UserError):
        make(pixel_limit=100).scene("1", "small")


# Results


def test_fused_image(
    services: Services, scene: Scene, small: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fusion.fuse(small, services.pair(scene))
    calls = Calls(monkeypatch, "fuse")
    for _ in range(3):
        found = services.fused(scene)
        np.testing.assert_array_equal(found, expected)
        assert not found.flags.writeable
    assert calls.count == 1


@pytest.mark.parametrize("pixel", [(0, 0), (23, 30), (12, 15), (1, 29)])
def test_jacobian_window(services: Services, scene: Scene, small: Method, pixel: tuple[int, int]) -> None:
    expected = fusion.jacobian(small, services.pair(scene), pixel)
    for found in (
        services.jacobian(scene, *pixel),
        services.jacobian(scene, *pixel),
        services.jacobian_at(scene.pair_id, "small", scene.weights_id, *pixel),
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


def test_results_are_memoized_also_for_the_next_process(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    expected = first.jacobian(first.scene("1", "small"), 5, 6)
    calls = Calls(monkeypatch, "jacobian")
    second = make()
    scene = second.scene("1", "small")
    np.testing.assert_array_equal(second.jacobian(scene, 5, 6).values, expected.values)
    assert calls.count == 0
    second.jacobian(scene, 6, 5)
    second.jacobian(second.scene("2", "small"), 5, 6)
    assert calls.count == 2


def test_equal_hovers_at_the_same_time_compute_once(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch, "jacobian")
    barrier = threading.Barrier(8)

    def hover(number: int) -> np.ndarray:
        barrier.wait(WAIT_S)
        return services.jacobian(scene, 7, 8).values

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(hover, range(8)))
    assert calls.count == 1
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("pixel", [(-1, 0), (0, -1), (24, 0), (0, 31), (10**9, 0)])
def test_pixels_outside_are_the_users_errors(
    services: Services, scene: Scene, pixel: tuple[int, int]
) -> None:
    with pytest.raises(PixelOutsideImageError):
        services.jacobian(scene, *pixel)
    with pytest.raises(PixelOutsideImageError):
        services.jacobian_at(scene.pair_id, "small", scene.weights_id, *pixel)


def test_threads_by_kind_of_work(services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    windows, images = Calls(monkeypatch, "jacobian"), Calls(monkeypatch, "fuse")
    before = torch.get_num_threads()
    try:
        services.jacobian(scene, 1, 1)
        services.fused(scene)
        services.jacobian(scene, 1, 2)
    finally:
        torch.set_num_threads(before)
    assert (windows.torch_threads, images.torch_threads) == ([1, 1], [2])


def test_new_weights_never_meet_old_results(make: Maker, small: Method) -> None:
    old = make()
    old_scene = old.scene("1", "small")
    old_window, old_fused = old.jacobian(old_scene, 5, 6), old.fused(old_scene)
    other = Method.from_module(Small(seed=6), "small", "Small network")
    new = make(other)
    new_scene = new.scene("1", "small")
    assert new_scene.weights_id != old_scene.weights_id
    pair = new.pair(new_scene)
    np.testing.assert_array_equal(
        new.jacobian(new_scene, 5, 6).values, fusion.jacobian(other, pair, (5, 6)).values
    )
    assert (new.jacobian(new_scene, 5, 6).values != old_window.values).any()
    assert (new.fused(new_scene) != old_fused).any()
    for stale in (
        lambda: new.jacobian(old_scene, 5, 6),
        lambda: new.jacobian_at(old_scene.pair_id, "small", old_scene.weights_id, 5, 6),
        lambda: new.fused(old_scene),
        lambda: new.guidance_state(old_scene, "ann"),
    ):
        with pytest.raises(WeightsError, match="Reload"):
            stale()


def test_changed_files_never_meet_old_results(services: Services, scene: Scene, folder: Path) -> None:
    old = services.jacobian(scene, 5, 6)
    np.save(folder / "mri_1.npy", np.load(folder / "mri_1.npy")[::-1])
    new_scene = services.scene("1", "small")
    assert new_scene.pair_id != scene.pair_id
    assert (services.jacobian(new_scene, 5, 6).values != old.values).any()
    np.testing.assert_array_equal(services.jacobian(scene, 5, 6).values, old.values)


def test_images_that_are_gone_are_said_to_be(folder: Path) -> None:
    catalogue = Catalogue((), folder)
    shelf = PairShelf(catalogue, limit_bytes=0)
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
    services.jacobian_at(scene.pair_id, "small", scene.weights_id, 3, 3)


def test_addresses_from_nowhere_are_the_users_errors(services: Services, scene: Scene) -> None:
    with pytest.raises(UserError):
        services.jacobian_at("f" * 64, "small", scene.weights_id, 3, 3)
    with pytest.raises(UserError):
        services.jacobian_at(scene.pair_id[:12], "small", scene.weights_id, 3, 3)
    with pytest.raises(UserError):
        services.jacobian_at(scene.pair_id, "large", scene.weights_id, 3, 3)
    with pytest.raises(UserError):
        services.jacobian_at(scene.pair_id, "small", "f" * 64, 3, 3)


def test_without_a_usable_store_everything_is_computed(make: Maker, tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("x")
    services = make(memory_bytes=0, cache_dir=obstacle / "memo")
    scene = services.scene("1", "small")
    assert services.jacobian(scene, 1, 1).values.any()
    final = follow(services, scene)
    assert final.complete
    assert final.values is not None
    readiness = services.ready()
    assert readiness.ready
    assert len(readiness.problems) == 1
    assert "file" in readiness.problems[0]


# Guidance


def follow(services: Services, scene: Scene, viewer: str = "ann") -> GuidanceState:
    """Follow a computation to its end, like a page does."""
    state = services.guidance_state(scene, viewer)
    deadline = time.monotonic() + WAIT_S
    while state.running:
        assert time.monotonic() < deadline
        time.sleep(0.005)
        later = services.guidance_state(scene, viewer, start=False)
        assert later.revision >= state.revision
        assert later.fraction >= state.fraction
        state = later
    return state


class Held:
    """`fusion.guidance`, held back after each pass until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.passes = threading.Semaphore(0)
        self.passed = threading.Semaphore(0)
        self.ended = threading.Event()
        real = cache.guidance_work.guidance

        def held(method: Method, pair: Pair, progress: Any) -> np.ndarray:
            self.calls += 1

            def hold(done: int, total: int, partial: np.ndarray) -> None:
                assert self.passes.acquire(timeout=WAIT_S)
                progress(done, total, partial)
                self.passed.release()

            try:
                return real(method, pair, hold)
            finally:
                self.ended.set()

        monkeypatch.setattr(cache.guidance_work, "guidance", held)

    def one_pass(self) -> None:
        self.passes.release()
        assert self.passed.acquire(timeout=WAIT_S)

    def finish(self) -> None:
        self.passes.release(1000)
        assert self.ended.wait(WAIT_S)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_guidance_images(services: Services, scene: Scene, small: Method) -> None:
    assert services.known_guidance(scene) is None
    idle = services.guidance_state(scene, "ann", start=False)
    assert idle == GuidanceState(None, 0.0, False, False, False, 0, None, 0.0)
    final = follow(services, scene)
    expected = fusion.guidance(small, services.pair(scene))
    assert (final.fraction, final.complete, final.running, final.cancelled, final.error) == (
        1,
        True,
        False,
        False,
        None,
    )
    assert final.revision == COMPLETE_REVISION
    assert final.compute_seconds > 0
    for found in (final.values, services.known_guidance(scene), follow(services, scene, "ben").values):
        assert found is not None
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
        assert not found.flags.writeable


def test_guidance_is_memoized_also_for_the_next_process(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    values = follow(first, first.scene("1", "small")).values
    assert values is not None
    held = Held(monkeypatch)
    second = make()
    state = second.guidance_state(second.scene("1", "small"), "ann")
    assert state.complete
    np.testing.assert_array_equal(state.values, values)
    assert held.calls == 0


def test_guidance_appears_and_grows(
    services: Services, scene: Scene, small: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fusion.guidance(small, services.pair(scene))
    held = Held(monkeypatch)
    # The finer grids would cover this small image.
    monkeypatch.setattr(cache.guidance_work, "GRID_POINTS", (4,))
    services.guidance_state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    preview = services.guidance_state(scene, "ann", start=False)
    assert preview.values is not None
    assert (preview.fraction, preview.complete, preview.running) == (0, False, True)
    states = [preview]
    for done in range(1, 4):
        held.one_pass()
        state = services.guidance_state(scene, "ann", start=False)
        assert state.fraction == done / 9
        states.append(state)
    assert states[1].revision > preview.revision
    for state in states:
        assert state.values is not None
        known = ~np.isnan(state.values)
        assert 0 < known.mean() < 1
        np.testing.assert_allclose(state.values[known], expected[known], rtol=1e-4, atol=1e-6)
    assert services.known_guidance(scene) is None
    held.finish()
    assert follow(services, scene).complete


def test_a_new_viewer_sees_something_while_anothers_guidance_runs(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance_state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    other = services.scene("2", "small")
    services.guidance_state(other, "ben")
    wait_for(lambda: services.guidance_state(other, "ben", start=False).values is not None)
    assert held.calls == 1
    held.finish()
    assert follow(services, other, "ben").complete


def test_two_viewers_share_a_computation(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance_state(scene, "ann")
    services.guidance_state(scene, "ben")
    wait_for(lambda: held.calls == 1)
    services.cancel_guidance(scene, "ann")
    withdrawn = services.guidance_state(scene, "ann", start=False)
    assert (withdrawn.cancelled, withdrawn.running) == (True, True)
    assert not services.guidance_state(scene, "ben", start=False).cancelled
    held.finish()
    assert follow(services, scene, "ben").complete
    assert services.guidance_state(scene, "ann", start=False).complete
    assert held.calls == 1


def test_cancelling_and_starting_again(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance_state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    held.one_pass()
    services.cancel_guidance(scene, "ann")
    held.passes.release()
    wait_for(lambda: not services.guidance_state(scene, "ann", start=False).running)
    cancelled = services.guidance_state(scene, "ann", start=False)
    assert (cancelled.cancelled, cancelled.complete, cancelled.error) == (True, False, None)
    assert cancelled.values is not None, "what is known stays to be seen"
    assert services.known_guidance(scene) is None
    assert held.ended.is_set()
    services.guidance_state(scene, "ann")
    wait_for(lambda: held.calls == 2)
    held.finish()
    assert follow(services, scene).complete


def test_cancelling_what_nobody_computes(services: Services, scene: Scene) -> None:
    services.cancel_guidance(scene, "ann")
    assert not services.guidance_state(scene, "ann", start=False).running


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NetworkError("The network needs even sizes."), "The network needs even sizes."),
        (torch.OutOfMemoryError("CUDA"), "The device has too little free memory"),
        (RuntimeError("secret"), "Something went wrong"),
    ],
)
def test_failed_guidance(
    services: Services, scene: Scene, error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> np.ndarray:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(cache.guidance_work, "guidance", fail)
        state = follow(services, scene)
        assert state.error is not None
        assert state.error.startswith(message)
        assert (state.complete, state.cancelled) == (False, False)
    assert follow(services, scene).complete, "asked to start again, it does"


def test_no_guidance_after_closing(services: Services, scene: Scene) -> None:
    services.close()
    with pytest.raises(Cancelled):
        services.guidance_state(scene, "ann")


# Readiness


def shelf_of(load: Callable[[str, str], Method], device: str = "cpu") -> MethodShelf:
    return MethodShelf(device, load, (("small", "Small network"), ("broken", "Broken network")))


def with_shelf(make: Maker, shelf: MethodShelf, device: str = "cpu") -> Services:
    services = make()
    services._methods = shelf
    services._device = device
    return services


def test_ready_when_all_weights_are_loaded(make: Maker, small: Method) -> None:
    shelf = shelf_of(lambda id, device: small)
    services = with_shelf(make, shelf)
    readiness = services.ready()
    assert not readiness.ready
    assert readiness.problems == ("Small network is not loaded yet.", "Broken network is not loaded yet.")
    shelf.load_all().join(WAIT_S)
    assert services.ready().ready
    assert services.ready().problems == ()


def test_missing_weights_are_said_and_can_be_put_right(make: Maker, small: Method) -> None:
    there = False

    def load(id: str, device: str) -> Method:
        if id == "broken" and not there:
            raise WeightsError("broken.safetensors: cannot be read.")
        return small

    shelf = shelf_of(load)
    services = with_shelf(make, shelf)
    shelf.load_all().join(WAIT_S)
    assert services.ready().problems == ("broken.safetensors: cannot be read.",)
    assert not services.ready().ready
    with pytest.raises(WeightsError):
        shelf.get("broken")
    there = True
    shelf.get("broken")
    assert services.ready().ready


def test_a_defect_in_one_method_does_not_keep_the_others_from_loading(
    make: Maker, small: Method, caplog: pytest.LogCaptureFixture
) -> None:
    def load(id: str, device: str) -> Method:
        if id == "small":
            raise ZeroDivisionError
        return small

    shelf = shelf_of(load)
    with caplog.at_level(logging.ERROR):
        shelf.load_all().join(WAIT_S)
    (problem,) = with_shelf(make, shelf).ready().problems
    assert "Small network" in problem
    assert "Traceback" in caplog.text


def test_a_missing_device_is_said(make: Maker, small: Method) -> None:
    shelf = shelf_of(lambda id, device: small)
    shelf.load_all().join(WAIT_S)
    readiness = with_shelf(make, shelf, "cuda:77").ready()
    assert not readiness.ready
    assert "cuda:77" in readiness.problems[0]


def test_a_device_that_fails_is_said(make: Maker, small: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelf_of(lambda id, device: small)
    shelf.load_all().join(WAIT_S)
    services = with_shelf(make, shelf)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch, "ones", fail)
    readiness = services.ready()
    assert not readiness.ready
    assert "does not work" in readiness.problems[0]


def test_loading_stops_when_the_process_ends(small: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    ended = threading.Thread()

    def load(id: str, device: str) -> Method:
        loads.append(id)
        monkeypatch.setattr(threading, "main_thread", lambda: ended)
        return small

    thread = shelf_of(load).load_all()
    assert not thread.daemon
    thread.join(WAIT_S)
    assert loads == ["small"]


def test_methods_are_loaded_once(small: Method) -> None:
    loads: list[str] = []
    barrier = threading.Barrier(8)

    def load(id: str, device: str) -> Method:
        loads.append(id)
        time.sleep(0.02)
        return small

    shelf = shelf_of(load)

    def ask(number: int) -> Method:
        barrier.wait(WAIT_S)
        return shelf.get("small")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert all(method is small for method in found)
    assert loads == ["small"]


# Building


def test_building_and_finding_the_services(
    tmp_path: Path, folder: Path, small: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        cache.building, "MethodShelf", lambda device: shelf_of(lambda id, device: small, device)
    )
    server = flask.Flask("test")
    own = tmp_path / "own"
    own.mkdir()
    for name in ("mri_9.npy", "pet_9.npy"):
        np.save(own / name, np.random.default_rng(9).random((5, 6)))
    settings = Settings(tmp_path / "memo", folder)
    services = build_services(server, settings, [(own / "mri_9.npy", own / "pet_9.npy")])
    assert services_of(server) is services
    assert [entry.address for entry in services.entries()][:3] == ["9", "1", "2"]
    scene = services.scene("9", "small")
    assert services.jacobian(scene, 4, 5).values.shape == (2, 3, 3)
    assert list((tmp_path / "memo").rglob("*.entry"))
    wait_for(lambda: services.ready().ready)
    services.close()


def test_an_impossible_device_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(DeviceError):
        build_services(flask.Flask("test"), Settings(tmp_path, None, device="cuda:77"))


def test_a_server_without_services() -> None:
    with pytest.raises(KeyError):
        services_of(flask.Flask("test"))


def test_the_applications_settings_fit() -> None:
    from app.settings import Settings as ApplicationSettings

    names = {name for name in vars(cache.building.ServiceSettings) if not name.startswith("_")}
    assert names <= set(ApplicationSettings.model_fields)
    assert len(names) == 9

"""Loading methods, readiness, and how the services are put together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import flask
import numpy as np
import pytest
import torch

import cache.services.guidance
import cache.services.services
from cache.services.loaded import LoadedMethods
from cache.services.services import Readiness, Services, build_services, services_of
from fusion import Method
from fusion.errors import (
    DeviceError,
    WeightsError,
)
from tests.unit.small_services import (
    WAIT_S,
    Maker,
    settings_of,
    wait_for,
)


def shelf_of(load: Callable[[str, str], Method], device: str = "cpu") -> LoadedMethods:
    return LoadedMethods(device, load, (("small", "Small network"), ("broken", "Broken network")))


def with_shelf(make: Maker, shelf: LoadedMethods, device: str = "cpu") -> Services:
    services = make()
    services.scenes.loaded_methods = shelf
    return replace(services, device=device)


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
    assert services.ready().ready, "the other method can be shown"
    with pytest.raises(WeightsError):
        shelf.get("broken")
    told = {"broken": "Broken network cannot be used: its weights are missing or damaged."}
    assert services.scenes.unusable_methods() == told
    there = True
    assert services.scenes.unusable_methods() == {}, "tried again by whoever opens a page"
    assert services.ready() == Readiness(True, ())


def test_a_server_none_of_whose_methods_can_be_loaded_is_not_ready(make: Maker) -> None:
    def load(id: str, device: str) -> Method:
        raise WeightsError("They are gone.")

    shelf = shelf_of(load)
    shelf.load_all().join(WAIT_S)
    assert with_shelf(make, shelf).ready() == Readiness(False, ("They are gone.", "They are gone."))


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


def test_ready_when_all_methods_are_prepared(
    make: Maker, small: Method, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[tuple[str, ...]] = []

    def load(id: str, device: str) -> Method:
        if id == "broken":
            raise WeightsError("broken.safetensors: cannot be read.")
        return small

    def prepare(method: Method) -> None:
        said.append(services.ready().problems)
        raise ZeroDivisionError

    titles = (("small", "Small network"), ("broken", "Broken network"), ("other", "Other network"))
    shelf = LoadedMethods("cpu", load, titles, prepare)
    services = with_shelf(make, shelf)
    with caplog.at_level(logging.ERROR):
        shelf.load_all().join(WAIT_S)
    broken, other = "broken.safetensors: cannot be read.", "Other network is being prepared."
    assert said == [
        (
            "Small network is being prepared.",
            "Broken network is not loaded yet.",
            "Other network is not loaded yet.",
        ),
        (broken, other),
    ], "what cannot be loaded is not prepared"
    assert services.ready().problems == (broken,), "what cannot be prepared works all the same"
    assert "Small network cannot be prepared" in caplog.text
    assert "Other network cannot be prepared" in caplog.text


def test_a_server_has_the_chains_of_all_methods_before_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(cache.services.services, "prepare_method", lambda method: made.append(method.id))
    services = build_services(flask.Flask(__name__), settings_of(tmp_path))
    wait_for(lambda: len(made) == len(services.scenes.methods()))
    assert made == [id for id, _ in services.scenes.methods()]


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


def test_building_and_finding_the_services(
    tmp_path: Path, folder: Path, small: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        cache.services.services,
        "LoadedMethods",
        lambda device, **_: shelf_of(lambda id, device: small, device),
    )
    server = flask.Flask("test")
    own = tmp_path / "own"
    own.mkdir()
    for name in ("mri_9.npy", "pet_9.npy"):
        np.save(own / name, np.random.default_rng(9).random((5, 6)))
    settings = settings_of(tmp_path / "memo", data_dir=folder)
    services = build_services(server, settings, [(own / "mri_9.npy", own / "pet_9.npy")])
    assert services_of(server) is services
    assert [entry.address for entry in services.scenes.entries()][:3] == ["9", "1", "2"]
    scene = services.scenes.open("9", "small")
    assert services.windows.of(scene, 4, 5).values.shape == (2, 3, 3)
    assert list((tmp_path / "memo").rglob("*.entry"))
    wait_for(lambda: services.ready().ready)
    services.close()


def test_an_impossible_device_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(DeviceError):
        build_services(flask.Flask("test"), settings_of(tmp_path, device="cuda:77"))


def test_a_server_without_services() -> None:
    with pytest.raises(KeyError):
        services_of(flask.Flask("test"))

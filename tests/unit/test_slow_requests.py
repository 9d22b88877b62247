"""Slow requests have places of their own, and nothing else waits behind them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import flask
import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray

import fusion
from app.factory import show_error
from app.page_worker import PageWorker
from app.routes import export, views
from cache.jobs.slow import SlowLane, SlowLaneFull
from cache.services.services import Services
from cache.settings import MOST_SLOW, SLOW_AT_ONCE
from tests.unit.page_services import client_of, make_services, server_of, write_pair
from tests.unit.small_services import wait_for

Waiting = list[Future[int]]


@pytest.fixture
def opened() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def test_one_more_than_there_are_places_is_refused(opened: threading.Event) -> None:
    lane = SlowLane(at_once=1, waiting=2)
    computing: list[int] = []

    def compute(number: int) -> int:
        with lane.place(), lane.place():
            computing.append(number)
            opened.wait()
        return number

    with ThreadPoolExecutor(3) as threads:
        for number in range(3):
            threads.submit(compute, number)
        wait_for(lambda: len(lane) == 3 and len(computing) == 1)
        with pytest.raises(SlowLaneFull, match="other pictures"), lane.place():
            pass
        opened.set()
    assert sorted(computing) == [0, 1, 2] and len(lane) == 0
    with pytest.raises(ZeroDivisionError), lane.place():
        raise ZeroDivisionError
    with lane.place():
        assert len(lane) == 1


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path, seed=seed) for seed in range(3, 3 + MOST_SLOW + 1)])
    yield made
    made.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    made = client_of(services)
    server_of(services).register_blueprint(export.routes)
    server_of(services).register_blueprint(views.routes)
    return made


@pytest.fixture
def full(
    services: Services,
    client: FlaskClient,
    opened: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Waiting]:
    """Have as many fused images asked for as there are places, of which none comes before the gate is opened."""
    real, begun = fusion.fuse, []

    def fuse(method: fusion.Method, pair: fusion.Pair) -> NDArray[np.float32]:
        begun.append(pair)
        opened.wait()
        return real(method, pair)

    monkeypatch.setattr(fusion, "fuse", fuse)
    monkeypatch.setattr(services.scenes, "_begin_to_prepare", lambda method, pair: None)
    server = server_of(services)

    def ask(pair: str) -> int:
        scene = services.scenes.open(pair, "small")
        address = f"/images/{scene.pair_id}/small/{scene.weights_id}/fused"
        return server.test_client().get(address).status_code

    with ThreadPoolExecutor(MOST_SLOW) as threads:
        # Two of each: who asks for what is computed already waits as well.
        asked = [threads.submit(ask, str(3 + number // 2)) for number in range(MOST_SLOW)]
        wait_for(lambda: len(services.scenes.slow) == MOST_SLOW and len(begun) > 0)
        yield asked
        opened.set()


def test_hovers_and_health_do_not_wait(
    services: Services, client: FlaskClient, full: Waiting, opened: threading.Event
) -> None:
    scene = services.scenes.open("4", "small")
    assert client.get("/healthz").status_code == 200
    assert client.get(f"/jacobian/{scene.pair_id}/small/{scene.weights_id}/3/4").status_code == 200
    opened.set()
    assert [one.result() for one in full] == [200] * MOST_SLOW


def test_one_more_slow_request_of_any_kind_is_told_when_to_come_again(
    services: Services, client: FlaskClient, full: Waiting, opened: threading.Event
) -> None:
    scene = services.scenes.open(str(3 + MOST_SLOW), "small")
    image = f"/images/{scene.pair_id}/small/{scene.weights_id}/fused"
    saved = client.post(
        "/views", json={"name": "x", "page": "explore", "query": f"?pair={scene.pair_address}"}
    ).json
    assert saved is not None
    paths = (image, "/export/explore.npz?method=small&pair=3", f"/views/{saved['id']}/thumbnail.jpg")
    for path in paths:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), path
        assert "other pictures" in (answer.json or {})["error"]
    with pytest.raises(SlowLaneFull):
        services.statistics.numbers(scene, [])
    elsewhere = client.get(f"/images/{'0' * 64}/small/{scene.weights_id}/inputs")
    assert elsewhere.status_code == 503, "to look for a pair in all files is slow too"
    opened.set()
    for one in full:
        one.result()
    assert client.get(image).status_code == 200


def test_a_callback_that_is_one_too_many_is_told_when_to_come_again() -> None:
    server = flask.Flask("test")
    with server.test_request_context():
        show_error(SlowLaneFull("Busy."))
        answer = server.process_response(flask.Response("{}"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Fusevis-Failure"] == "Busy."


def test_the_server_has_threads_beside_those_of_slow_requests() -> None:
    worker = object.__new__(PageWorker)  # of which nothing else is asked for
    worker.cfg = SimpleNamespace(threads=8)
    with worker.get_thread_pool() as threads:
        assert threads._max_workers == 8 + MOST_SLOW > MOST_SLOW > SLOW_AT_ONCE

"""Figures of a running server, for whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app.routes import metrics
from cache.errors import TooBusyError
from cache.jobs.manager import Jobs, Stage
from cache.jobs.slow import SlowLane
from cache.services.services import Services
from cache.store.addresses import GuidanceAddress
from tests.unit.guarded import guarded_server
from tests.unit.page_services import client_of, make_services, write_pair

TOKEN = "a-token-of-this-test"
Figures = dict[tuple[str, ...], float]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path)])
    yield made
    made.close()


def figures(client: FlaskClient) -> Figures:
    """Return all figures by name and values of labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.mimetype == "text/plain"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_hovers_and_reads_are_counted_by_where_they_came_from(services: Services) -> None:
    client = client_of(services)
    metrics.register(client.application)
    scene = services.scenes.open("3", "small")
    hover = f"/jacobian/{scene.pair_id}/small/{scene.weights_id}"
    before = figures(client)
    for _ in range(3):
        assert client.get(f"{hover}/4/5").status_code == 200
    assert client.get(f"{hover}/99/5").status_code == 404
    after = figures(client)

    def more(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert sum(more("fusevis_hover_seconds_count", path) for path in ("chain", "window", "whole image")) == 1
    assert more("fusevis_hover_seconds_count", "kept") == more("fusevis_store_reads_total", "memory") == 2
    assert more("fusevis_store_computed_total") >= 1
    assert more("fusevis_answers_total", "binary.jacobian", "200") == 3
    assert more("fusevis_answers_total", "binary.jacobian", "404") == 1
    assert after["fusevis_store_memory_bytes",] > 0 and after["process_resident_memory_bytes",] > 2**20
    assert after["fusevis_device", "cpu"] == 1
    for queue in ("hovers", "slow", "guidance", "atlases", "influence"):
        assert after["fusevis_queue_length", queue] == 0


def test_units_of_guidance_images_are_counted(services: Services) -> None:
    client = client_of(services)
    metrics.register(client.application)
    scene = services.scenes.open("3", "small")
    before = figures(client)
    while not services.guidance.state(scene, "somebody").complete:
        pass
    assert figures(client)["fusevis_units_total", "guidance"] > before.get(
        ("fusevis_units_total", "guidance"), 0
    )


def test_what_waits_and_what_is_refused_is_told(services: Services) -> None:
    client = client_of(services)
    metrics.register(client.application)
    lane = services.scenes.slow
    with lane.place():
        assert figures(client)["fusevis_queue_length", "slow"] == 1
    before = figures(client).get(("fusevis_refused_total", "slow"), 0)
    with pytest.raises(TooBusyError), SlowLane(0, 0).place():
        pass
    assert figures(client)["fusevis_refused_total", "slow"] == before + 1


def test_jobs_under_way_are_those_that_have_not_ended() -> None:
    jobs: Jobs[int] = Jobs({"none": 0})
    address = GuidanceAddress("pair", "small", "weights", device="cpu")
    jobs.submit(address, lambda: [Stage(lambda report, cancelled: 1, "none")], "somebody")
    assert jobs.under_way() == 1 and jobs.busy()
    jobs.close()


def test_figures_are_for_those_who_are_signed_in(tmp_path: Path) -> None:
    """A scraper sends the token, as any script does."""
    with guarded_server(tmp_path, token=TOKEN) as server:
        client = server.test_client()
        assert client.get("/metrics").status_code == 401
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200 and "fusevis_queue_length" in answer.text
        assert str(tmp_path) not in answer.text and TOKEN not in answer.text

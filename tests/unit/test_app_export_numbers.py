"""The numbers in files that leave the compare page: those of the page, and in words what is missing."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cache.services import statistics as statistics_service
from cache.services.number_tables import number_tables
from cache.services.regions import Regions
from cache.services.services import services_of
from fusion.statistics.influence import RegionInfluence, region_influence
from fusion.statistics.region_code import decode_mask
from fusion.statistics.regions import Region
from tests.unit.page_services import SHAPE, WAIT_S
from tests.unit.test_app_export import METHODS, QUERY, client, fetched, server

__all__ = ["client", "server"]

REGION = f"{QUERY}&regions=my core~1b9e4b~b1.2.4.7"


def cells(text: str) -> list[str]:
    return [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", text)]


def test_the_html_file_says_what_is_missing_and_how_to_get_it(client: FlaskClient) -> None:
    answer = fetched(client, f"/export/compare.html?{REGION}")
    text = answer.get_data(as_text=True)
    assert answer.headers["Fusevis-Missing"] == "2"
    assert "Not complete." in text and "whole image, head, my core" in text
    assert "http://localhost/export/compare-complete.html?" in text
    assert "Guidance by region" in text and "my core" in cells(text)


def test_the_complete_html_file_has_the_numbers_of_the_page(client: FlaskClient, server: Flask) -> None:
    text = fetched(client, f"/export/compare-complete.html?{REGION}").get_data(as_text=True)
    assert "Not complete." not in text
    services, statistics = services_of(server), services_of(server).statistics
    scenes = [services.scenes.open("3", method) for method in METHODS]
    regions = statistics.regions(scenes[0], [Region("my core", decode_mask("b1.2.4.7", SHAPE))])
    pins = [("A", (4, 5)), ("B", (0, 10))]
    numbers = [statistics.numbers(scene, regions, [pixel for _, pixel in pins]) for scene in scenes]
    assert all(one.complete for one in numbers)
    tables = number_tables(numbers, pins)
    shown = cells(text)
    for name in ("guidance", "influence"):
        for row in tables[name]["rows"]:
            words = [cell[0] for cell in row]
            at = range(len(shown) - len(words) + 1)
            assert any(shown[start : start + len(words)] == words for start in at), words
    for requirement in tables["checklist"]["requirements"]:
        assert requirement["title"] in text
    assert text.count("? undecidable") >= 1, "the pair has no core"


def test_the_csv_file_is_that_of_the_page(client: FlaskClient) -> None:
    answer = fetched(client, f"/export/compare-complete.csv?{REGION}")
    assert answer.mimetype == "text/csv" and "Fusevis-Missing" not in answer.headers
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert {row["method"] for row in rows} == set(METHODS)
    assert {"my core", "whole image"} <= {row["region"] for row in rows}


def test_files_say_that_a_verdict_rests_on_a_region_in_the_place_of_the_pairs(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {name: np.zeros(SHAPE, dtype=bool) for name in ("core", "rim", "healthy")}
    for number, mask in enumerate(theirs.values()):
        mask[:5, 3 * number : 3 * number + 3] = True
    monkeypatch.setattr(Regions, "of_pair", lambda self, pair: dict(theirs))
    words = "Judged in another core than the one that comes with the pair."
    query = f"{QUERY}&regions=core~1b9e4b~b5.0.9.3"
    for form in ("html", "csv"):
        assert words in fetched(client, f"/export/compare.{form}?{query}").get_data(as_text=True)
        assert words not in fetched(client, f"/export/compare.{form}?{QUERY}").get_data(as_text=True)
    with np.load(io.BytesIO(fetched(client, f"/export/compare.npz?{query}").data)) as file:
        assert json.loads(str(file["metadata"]))["regions_replaced"] == ["core"]


def test_numbers_that_are_computed_are_waited_for(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = threading.Event()

    def computed(*given: Any, **named: Any) -> RegionInfluence:
        assert allowed.wait(WAIT_S)
        return region_influence(*given, **named)

    monkeypatch.setattr(statistics_service, "region_influence", computed)
    query = f"{QUERY}&regions=new~1b9e4b~b0.0.5.8"
    fetched(client, f"/export/compare.npz?{query}")
    try:
        first = client.get(f"/export/compare-complete.csv?{query}")
        assert first.status_code == 409 and first.headers["Retry-After"]
        assert "influence" in first.get_json()["error"]
        asked = client.get(f"/export/compare-complete.csv?{query}", headers={"Prefer": "respond-async"})
        assert asked.status_code == 202, "a browser would show 409 as an error"
    finally:
        allowed.set()
    assert fetched(client, f"/export/compare-complete.csv?{query}").status_code == 200


@pytest.mark.parametrize("form", ["npz", "png", "svg", "other"])
def test_only_files_with_numbers_can_be_complete(client: FlaskClient, form: str) -> None:
    assert client.get(f"/export/compare-complete.{form}?{QUERY}").status_code == 404

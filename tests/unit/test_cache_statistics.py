"""The numbers of the page: the command's own, memoized, and the influence on regions as jobs."""

from __future__ import annotations

import csv
import io
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

import cache.services.statistics
import fusion
from app.factory import create_server
from app.settings import Settings
from cache.jobs.manager import Stage
from cache.services.guidance import LATTICE_LANE
from cache.services.loaded import LoadedMethods
from cache.services.number_tables import number_tables, numbers_csv
from cache.services.regions import drawn_regions
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from cache.services.statistics import MethodNumbers, Statistics, guidance_from, influence_from, to_arrays
from callbacks.compare_numbers import follow
from fusion.errors import FuseVisError
from fusion.saliency.window import Box
from fusion.statistics.comparison import compare_method
from fusion.statistics.guidance import guidance_statistics
from fusion.statistics.influence import region_influence
from fusion.statistics.records import csv_text, records
from fusion.statistics.region_code import encode_mask
from fusion.statistics.regions import Region, box_region, whole_image
from fusion.work.region_units import RegionUnits
from tests.unit.job_tasks import named
from tests.unit.page_services import SHAPE, WAIT_S, finished_guidance, load, write_pair

PAIR = "3"
PIXELS = [(4, 5), (0, 10)]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(LoadedMethods, "load_all", lambda self: None)
    monkeypatch.setattr(LoadedMethods, "get", lambda self, id: load(id, "cpu"))
    settings = Settings(cache_dir=tmp_path / "memo", atlas_dir=tmp_path / "atlas", device="cpu")
    made = create_server(settings, [write_pair(tmp_path)])
    yield made
    services_of(made).close()


@pytest.fixture
def services(server: Flask) -> Services:
    return services_of(server)


@pytest.fixture
def statistics(server: Flask) -> Statistics:
    return services_of(server).statistics


@pytest.fixture
def scenes(services: Services) -> list[Scene]:
    return [services.scenes.open(PAIR, "weighted_averaging"), services.scenes.open(PAIR, "small")]


def own() -> list[Region]:
    names = ("core", "rim", "healthy")
    return [box_region(name, Box(0, 3 * n, 5, 3 * n + 3), SHAPE) for n, name in enumerate(names)]


def follow_to_the_end(statistics: Statistics, scenes: list[Scene], regions: list[Region]) -> None:
    deadline = time.monotonic() + WAIT_S
    fraction = 0.0
    while not (progress := statistics.influence.follow(scenes, regions, "ann")).complete:
        assert progress.errors == () and time.monotonic() < deadline
        assert progress.fraction >= fraction
        fraction = progress.fraction
        time.sleep(0.01)
    assert progress.fraction == 1


def test_numbers_are_those_of_the_command(
    services: Services, statistics: Statistics, scenes: list[Scene]
) -> None:
    regions = statistics.regions(scenes[0], own())
    assert [region.name for region in regions] == ["whole image", "head", "core", "rim", "healthy"]
    for scene in scenes:
        finished_guidance(services, scene)
    follow_to_the_end(statistics, scenes, regions)
    found = [statistics.numbers(scene, regions, PIXELS) for scene in scenes]
    assert all(numbers.complete and not numbers.waiting for numbers in found)
    pair = services.scenes.pair(scenes[0])
    expected = []
    for scene in scenes:
        method = load(scene.method_id, "cpu")
        fused, guidance = fusion.fuse(method, pair), fusion.guidance(method, pair)
        expected.append(
            compare_method(method, pair, fused, guidance, regions, PIXELS, modalities=scene.modalities)
        )
    assert numbers_csv(found) == csv_text(records(PAIR, pair.id, expected))


def test_what_is_unknown_waits_and_nothing_is_started(
    services: Services, statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, regions = scenes[0], statistics.regions(scenes[0], own())
    numbers = statistics.numbers(scene, regions, PIXELS[:1])
    assert (numbers.complete, numbers.waiting) == (False, frozenset({3, 4}))
    assert numbers.comparison.guidance == () and numbers.comparison.region_influence == ()
    assert [one.number for one in numbers.comparison.requirements] == [1, 2]
    assert numbers.comparison.pixel_influence[0].x1.total > 0
    assert statistics.influence.follow([scene], regions, "ann", start=False).fraction == 0
    text = numbers_csv([numbers])
    assert "requirement_2" in text and "requirement_3" not in text and "guidance." not in text
    cells = number_tables([numbers])["checklist"]["rows"][0]["cells"]
    assert [cell["verdict"] for cell in cells][2:] == ["waiting", "waiting"]
    without = statistics.numbers(scene, statistics.regions(scene))
    assert without.waiting == frozenset(), "without a core there is nothing to wait for"


def test_the_page_says_that_a_verdict_rests_on_a_region_in_the_place_of_the_pairs(
    services: Services, statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {region.name: region.mask for region in own()}
    monkeypatch.setattr(services.regions, "of_pair", lambda pair: dict(theirs))
    other = box_region("core", Box(5, 0, 9, 3), SHAPE)
    for drawn, told in (([other], True), ([], False), (own(), False)):
        found = statistics.numbers(scenes[0], statistics.regions(scenes[0], drawn))
        cells = number_tables([found])["checklist"]["rows"][0]["cells"]
        assert ("Judged in another core" in cells[0]["sentence"]) is told
        assert ("Judged in another core" in numbers_csv([found])) is told


def test_numbers_are_computed_once(
    services: Services, statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, regions = scenes[1], statistics.regions(scenes[1], own())
    finished_guidance(services, scene)
    follow_to_the_end(statistics, [scene], regions)
    first = statistics.numbers(scene, regions)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(cache.services.statistics, "guidance_statistics", never)
    monkeypatch.setattr(RegionUnits, "compute", never)
    assert statistics.numbers(scene, regions).comparison == first.comparison
    # The same pixels by another name are the same numbers.
    renamed = statistics.numbers(scene, [Region("mine", regions[2].mask)]).comparison
    assert renamed.guidance[0].region == "mine" and renamed.guidance[0].x1 == first.comparison.guidance[2].x1
    assert renamed.region_influence[0].x2 == first.comparison.region_influence[2].x2
    with pytest.raises(AssertionError, match="again"):
        statistics.numbers(scene, [box_region("core", Box(0, 0, 5, 2), SHAPE)])


def two_regions() -> list[Region]:
    """Return two of different pixels: in a pair of noise, which is no head in air, the head is the whole image."""
    return [whole_image(SHAPE), own()[1]]


def test_influence_stops_when_nobody_wants_it(statistics: Statistics, scenes: list[Scene]) -> None:
    regions = two_regions()
    shelf = statistics.influence
    shelf.follow(scenes[1:], regions, "ann")
    shelf.cancel(scenes[1:], regions, "ann")
    deadline = time.monotonic() + WAIT_S
    jobs = shelf.jobs
    while not all(job.state.ended for job in jobs._jobs.values()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(jobs) == 2
    follow_to_the_end(statistics, scenes[1:], regions)


def test_failures_are_told_and_not_tried_at_every_look(
    statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def broken(*_: Any, **__: Any) -> None:
        calls.append("")
        raise FuseVisError("It is broken.")

    monkeypatch.setattr(RegionUnits, "compute", broken)
    regions = statistics.regions(scenes[0])[:1]
    deadline = time.monotonic() + WAIT_S
    while not (progress := statistics.influence.follow(scenes[:1], regions, "ann")).errors:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert progress.errors == ("Weighted Averaging, weights held constant, whole image: It is broken.",)
    statistics.influence.follow(scenes[:1], regions, "ann")
    assert len(calls) == 1 and not progress.complete


def test_one_failed_region_stops_no_other(
    services: Services, statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    for scene in scenes:
        finished_guidance(services, scene)
    regions = two_regions()

    real = RegionUnits.compute

    def computed(self: RegionUnits, *rest: Any) -> np.ndarray:
        if self.work.method == scenes[0].method_id and self._region.size == regions[0].size:
            raise FuseVisError("It is broken.")
        time.sleep(0.2)
        return real(self, *rest)

    monkeypatch.setattr(RegionUnits, "compute", computed)
    deadline = time.monotonic() + WAIT_S
    told: list[bool] = []
    while (state := follow(services, statistics, scenes, regions, True, "ann"))["going_on"]:
        assert time.monotonic() < deadline
        told.append(bool(state["errors"]))
        time.sleep(0.01)
    assert any(told), "the others are still computed when it has failed"
    assert state["errors"] == ["Weighted Averaging, weights held constant, whole image: It is broken."]
    known = [statistics.influence.known(scene, region) for scene in scenes for region in regions]
    assert [found is None for found in known] == [True, False, False, False]
    assert state["influence"] == 0.75 and not state["influence_complete"]


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([Region("a", np.ones((2, 2), dtype=bool))], "2×2"),
        ([Region("a", np.ones(SHAPE, dtype=bool))] * 2, "Two regions are named a"),
    ],
)
def test_regions_that_cannot_be_used(
    statistics: Statistics, scenes: list[Scene], regions: list[Region], words: str
) -> None:
    with pytest.raises(FuseVisError, match=words):
        statistics.regions(scenes[0], regions)


def test_drawn_regions_are_read_and_what_is_wrong_is_named() -> None:
    mask = box_region("a", Box(1, 2, 3, 4), SHAPE).mask
    good = {"name": "a", "colour": "#ff0000", "code": encode_mask(mask)}
    wrong: list[Any] = [
        {"name": "b", "code": "x"},
        {"name": " ", "code": good["code"]},
        {"code": "b"},
        7,
        good,
    ]
    regions, problems = drawn_regions([good, *wrong], SHAPE)
    assert [region.name for region in regions] == ["a"]
    np.testing.assert_array_equal(regions[0].mask, mask)
    assert len(problems) == 5 and "Region b" in problems[0] and "named a" in problems[4]
    assert drawn_regions(None, SHAPE) == drawn_regions({"a": 1}, SHAPE) == ([], [])


def test_what_is_kept_reads_the_same(services: Services, scenes: list[Scene]) -> None:
    pair, method = services.scenes.pair(scenes[1]), load("small", "cpu")
    odd = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    odd[:, 0, 0], odd[0, 0, 1] = 3, np.inf
    region = box_region("here", Box(0, 0, 4, 4), SHAPE)
    for guidance in (odd, fusion.guidance(method, pair)):
        found = guidance_statistics(guidance, region)
        assert str(guidance_from(to_arrays(found), "here")) == str(found)  # NaN equals nothing
    influence = region_influence(method, pair, region)
    assert influence_from(to_arrays(influence), "here") == influence


def rows_of(numbers: list[MethodNumbers], **pins: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    tables = number_tables(numbers, list(pins.items()))
    found = {}
    for name in ("guidance", "influence"):
        labels = [f"{column['group']} {column['label']}".strip() for column in tables[name]["columns"]]
        assert len(set(labels)) == len(labels)
        found[name] = [dict(zip(labels, row, strict=True)) for row in tables[name]["rows"]]
    return found


def test_tables_show_text_and_sort_by_numbers(
    services: Services, statistics: Statistics, scenes: list[Scene]
) -> None:
    regions = statistics.regions(scenes[0], own())
    for scene in scenes:
        finished_guidance(services, scene)
    follow_to_the_end(statistics, scenes, regions)
    numbers = [statistics.numbers(scene, regions, PIXELS) for scene in scenes]
    tables = rows_of(numbers, A=PIXELS[0], B=PIXELS[1])
    assert [row["Region"][0] for row in tables["guidance"]][:3] == ["whole image", "whole image", "head"]
    average = next(
        row for row in tables["guidance"] if row["Method"][0] == "Weighted Averaging, weights held constant"
    )
    assert average["Pearson"][0] == average["Slope"][0] == "−1.000"
    assert average["Slope"][1] == pytest.approx(-1, abs=1e-6)
    assert average["Mean MRI"][1] + average["Mean PET"][1] == pytest.approx(1)
    places = {row["Region or pixel"][0] for row in tables["influence"]}
    assert {"A 4,5 in rim", "whole image"} <= places and any(place.startswith("B 0,10") for place in places)
    undefined = next(
        row for row in tables["influence"] if row["Method"][0] == "Weighted Averaging, weights held constant"
    )
    assert undefined["Gini PET"] == ("–", None)
    checks = number_tables(numbers)["checklist"]
    assert [one["number"] for one in checks["requirements"]] == [1, 2, 3, 4]
    verdicts = [[cell["verdict"] for cell in row["cells"]] for row in checks["rows"]]
    judged = [[one.verdict.value for one in each.comparison.requirements] for each in numbers]
    assert verdicts == judged


def test_infinity_sorts_last_and_no_methods_are_no_rows(services: Services, statistics: Statistics) -> None:
    scene = services.scenes.open(PAIR, "weighted_averaging")
    finished_guidance(services, scene)
    numbers = statistics.numbers(scene, statistics.regions(scene)[:1])
    (found,) = numbers.comparison.guidance
    endless = replace(found, dominance=replace(found.dominance, ratio=math.inf))
    numbers = replace(numbers, comparison=replace(numbers.comparison, guidance=(endless,)))
    (row,) = rows_of([numbers])["guidance"]
    assert row["Dominates Ratio"][0].startswith("∞ ") and math.isfinite(row["Dominates Ratio"][1])
    told = replace(numbers, comparison=replace(numbers.comparison, suspicious=2))
    assert number_tables([numbers])["cautions"] == [] and number_tables([])["cautions"] == []
    assert number_tables([told])["cautions"][0].startswith(
        "Weighted Averaging, weights held constant has 2 pixels with guidance values"
    )
    assert number_tables([])["guidance"]["rows"] == [] and number_tables([])["checklist"] == {}
    assert list(csv.DictReader(io.StringIO(numbers_csv([])))) == []


def test_the_influence_rests_while_a_pointer_moves(
    services: Services, statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.services.statistics, "REST_S", WAIT_S)
    regions = statistics.regions(scenes[1])[:1]
    services.windows.of(scenes[1], 2, 3)
    require_rest(statistics, scenes[1:], regions)
    monkeypatch.setattr(cache.services.statistics, "REST_S", 0.0)
    follow_to_the_end(statistics, scenes[1:], regions)


def test_the_influence_rests_where_it_is(
    statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []

    def since_window() -> float:
        looks.append(True)
        return WAIT_S if len(looks) < 2 else 0.0

    monkeypatch.setattr(statistics.influence, "_since_window", since_window)
    regions = statistics.regions(scenes[1])[:1]
    assert 0 < require_rest(statistics, scenes[1:], regions) < 1
    monkeypatch.setattr(statistics.influence, "_since_window", lambda: WAIT_S)
    follow_to_the_end(statistics, scenes[1:], regions)


def test_the_influence_rests_while_guidance_images_are_computed(
    services: Services, statistics: Statistics, scenes: list[Scene]
) -> None:
    computed = threading.Event()

    def slow(*_: Any) -> np.ndarray:
        assert computed.wait(WAIT_S)
        return np.zeros(0)

    services.guidance.jobs.submit(named("somebody's"), lambda: (Stage(slow, LATTICE_LANE),), "bob")
    regions = statistics.regions(scenes[1])[:1]
    assert require_rest(statistics, scenes[1:], regions) == 0
    computed.set()
    follow_to_the_end(statistics, scenes[1:], regions)


def require_rest(statistics: Statistics, scenes: list[Scene], regions: list[Region]) -> float:
    """Wait until the job has come to rest; return how far it is."""
    seen = [-1.0]
    deadline = time.monotonic() + WAIT_S / 2
    while len(seen) < 4 or len(set(seen[-4:])) > 1:
        assert time.monotonic() < deadline
        seen.append(statistics.influence.follow(scenes, regions, "ann").fraction)
        time.sleep(0.1)
    assert seen[-1] < 1
    return seen[-1]


def test_the_influence_goes_on_where_it_was_stopped(
    services: Services, statistics: Statistics, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Cancel, as after the end of a server: another one has the same folder."""
    monkeypatch.setattr("fusion.statistics.influence.PIXELS_AT_ONCE", 20)
    regions = statistics.regions(scenes[1])[:1]
    computed: list[int] = []
    second = threading.Event()
    real = RegionUnits.compute

    def noted(self: RegionUnits, number: int, *rest: Any) -> np.ndarray:
        if number == 1 and not second.is_set():
            second.set()
            statistics.influence.cancel(scenes[1:], regions, "ann")
        found = real(self, number, *rest)
        computed.append(number)
        return found

    monkeypatch.setattr(RegionUnits, "compute", noted)
    statistics.influence.follow(scenes[1:], regions, "ann")
    deadline = time.monotonic() + WAIT_S
    while statistics.influence.under_way() or not second.is_set():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert statistics.influence.known(scenes[1], regions[0]) is None
    follow_to_the_end(statistics, scenes[1:], regions)
    assert len(computed) > 2 and sorted(computed) == list(range(len(computed))), "none of them twice"
    found = statistics.influence.known(scenes[1], regions[0])
    method, pair = load(scenes[1].method_id, "cpu"), services.scenes.pair(scenes[1])
    assert found == region_influence(method, pair, regions[0])

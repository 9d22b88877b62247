"""Pyramids of large pairs: exact at the bottom, means above, and only the tiles that are asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.routes.binary import IMAGE_HEADER
from cache.errors import UserError
from cache.services.images import images_at, sampled
from cache.services.pyramids import TILE_SIDE, Pyramid, halved
from cache.services.scenes import Scene
from cache.services.services import Services
from callbacks.first_view import first_view
from callbacks.guidance import final_figures, titles_of
from callbacks.hover import RestingPixel, axes_at
from callbacks.selection import scene_data
from fusion.colours import Ranges, Scale
from tests.unit.page_services import client_of
from tests.unit.small_services import SHAPE, Maker, follow


@pytest.fixture
def large(make: Maker) -> Services:
    return make(whole_pixels=SHAPE[0] * SHAPE[1] - 1)


@pytest.fixture
def scene(large: Services) -> Scene:
    pair = large.scenes.entries()[0]
    return large.scenes.open(pair.address, large.scenes.methods()[0][0])


def test_a_level_has_the_means_of_four(rng: np.random.Generator) -> None:
    values = rng.random((2, 4, 6), dtype=np.float32)
    assert halved(values)[1, 1, 2] == pytest.approx(values[1, 2:, 4:].mean())
    # Of an odd side the last values stand twice.
    odd = halved(np.array([[[1, 2, 4], [3, 4, 8]]], dtype=np.float32))
    np.testing.assert_array_equal(odd, [[[2.5, 6]]])
    np.testing.assert_array_equal(halved(np.array([[[1], [5], [9]]], dtype=np.float32)), [[[3], [9]]])


def test_what_is_not_known_does_not_count() -> None:
    values = np.array([[[1, np.nan, np.nan, np.nan], [3, np.inf, np.nan, np.nan]]], dtype=np.float32)
    np.testing.assert_array_equal(halved(values), [[[2, np.nan]]])


def test_tiles_make_up_each_level(rng: np.random.Generator) -> None:
    values = rng.random((2, TILE_SIDE + 40, 2 * TILE_SIDE + 3), dtype=np.float32)
    pyramid = Pyramid.of(values)
    assert [level.shape[1:] for level in pyramid.levels] == [
        (296, 515),
        (148, 258),
        (74, 129),
        (37, 65),
        (19, 33),
    ]
    rows = [np.concatenate([pyramid.tile(0, row, col) for col in range(3)], axis=2) for row in range(2)]
    np.testing.assert_array_equal(np.concatenate(rows, axis=1), values)
    assert pyramid.tile(1, 0, 1).shape == (2, 148, 2)
    assert pyramid.ranges[1] == (values[1].min(), values[1].max())
    for beyond in ((0, 2, 0), (0, 0, 3), (5, 0, 0)):
        with pytest.raises(UserError, match="no such tile"):
            pyramid.tile(*beyond)


def test_a_sample_has_the_ends_of_both_ranges(rng: np.random.Generator) -> None:
    values = rng.random((2, 50, 60))
    values[0, 3, 4] = np.nan
    points = {tuple(point) for point in values.reshape(2, -1).T.astype(np.float32)}
    few = sampled(values, 100)
    assert 100 <= few.shape[1] <= 104
    assert {tuple(point) for point in few.T} <= points
    known = values.reshape(2, -1)[:, np.isfinite(values).all(axis=0).ravel()]
    np.testing.assert_allclose(few.min(axis=1), known.min(axis=1), rtol=1e-6)
    np.testing.assert_allclose(few.max(axis=1), known.max(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(few, sampled(values, 100), "the same ones each time")
    assert sampled(values).shape == (2, 50 * 60 - 1)


def test_pages_get_the_images_of_a_large_pair_by_tiles(large: Services, scene: Scene) -> None:
    assert scene.large
    client = client_of(large)
    address = f"/pyramid/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"
    for kind, expected in (
        ("inputs", large.scenes.pair(scene).images),
        ("fused", large.scenes.fused(scene)[None]),
        ("guidance", follow(large, scene).values),
    ):
        assert expected is not None
        told = json.loads(client.get(f"{address}/{kind}").data)
        ranges = [[float(image.min()), float(image.max())] for image in expected]
        assert told == {
            "side": TILE_SIDE, "levels": 1, "bands": len(expected), "ranges": ranges, "fraction": 1, "complete": True,
        }  # fmt: skip
        answer = client.get(f"{address}/{kind}/0/0/0")
        assert "private" in answer.headers["Cache-Control"]
        assert IMAGE_HEADER.unpack(answer.data[:32]) == (len(expected), *SHAPE, 1, 1000, 0, 0, 0)
        assert answer.data[32:] == np.ascontiguousarray(expected, dtype="<f4").tobytes()
    assert client.get(f"{address}/fused/0/1/0").status_code == 404
    assert client.get(f"{address}/fused/0/x/0").status_code == 404
    assert client.get(f"{address}/rgb").status_code == 404


def test_guidance_images_that_are_not_there_yet_are_not_kept(large: Services, scene: Scene) -> None:
    answer = client_of(large).get(
        f"/pyramid/{scene.pair_id}/{scene.method_id}/{scene.weights_id}/guidance/0/0/0"
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert np.isnan(np.frombuffer(answer.data[32:], dtype="<f4")).all()


def test_nothing_heavy_of_a_large_pair_goes_through_plotly(large: Services, scene: Scene) -> None:
    data = scene_data(scene)
    state = follow(large, scene)
    *images, plot = final_figures(large, data, state, "revision", 2.0, Scale.PAPER, Ranges.OWN)
    assert all(figure["data"][0]["z"] == [[None]] for figure in images)
    assert plot["layout"]["title"]["text"] == "Guidance scatterplot", "all pixels are shown"
    assert (
        titles_of(data | {"height": 1000, "width": 1000})[3]
        == "Guidance scatterplot: 100,000 pixels, a sample"
    )
    rest = RestingPixel(data["key"], 1, 2, 3, 1.0, 2.0, Scale.PAPER, "1,2,3", "look")
    *axes, green = axes_at(data, rest)
    assert len(axes) == 10 and green is None
    assert all(len(json.dumps(one, default=str)) < 4000 for one in axes)
    assert first_view(large, f"?pair={scene.pair_address}&method={scene.method_id}") is None


def test_the_growing_points_of_a_large_pair_are_a_sample(large: Services, scene: Scene) -> None:
    state = follow(large, scene)
    assert state.values is not None
    points = images_at(large, scene.pair_id, scene.method_id, scene.weights_id, "known", "ann")
    assert points.values.shape == (2, 1, SHAPE[0] * SHAPE[1])
    np.testing.assert_array_equal(points.values[:, 0], state.values.reshape(2, -1))


def test_small_pairs_go_their_old_way(services: Services) -> None:
    pair = services.scenes.entries()[0]
    assert not services.scenes.open(pair.address, services.scenes.methods()[0][0]).large

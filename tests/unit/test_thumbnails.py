"""Thumbnails of named views: what they show, how large they are, and where there is none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from app.export.thumbnail import MOST_BYTES, SIDE, Marked, thumbnail, view_thumbnail
from app.routes.views import routes
from cache.services.services import EXTENSION, Services
from fusion.errors import FuseVisError
from tests.unit.page_services import make_services, server_of, write_pair

PAIR = "3"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path)])
    yield made
    made.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    server = server_of(services)
    server.extensions[EXTENSION] = services
    server.register_blueprint(routes)
    return server.test_client()


def opened(drawn: bytes) -> np.ndarray:
    assert len(drawn) <= MOST_BYTES
    return np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB")).astype(int)


@pytest.mark.parametrize("shape", [(9, 11), (256, 256), (40, 300), (1, 1), (1, 4000)])
def test_a_thumbnail_is_small_whatever_the_image(shape: tuple[int, int]) -> None:
    seed = int(np.random.default_rng().integers(2**32))
    print("seed", seed)
    fused = np.random.default_rng(seed).random(shape)
    fused[0, 0] = np.nan
    found = opened(thumbnail(fused, Marked()))
    assert max(found.shape[:2]) == SIDE and min(found.shape[:2]) >= 1


def test_a_thumbnail_has_square_pixels_whatever_those_of_the_image_are() -> None:
    found = opened(thumbnail(np.arange(8.0).reshape(2, 4) / 8, Marked(pixels=[(0, 3)]), aspect=2))
    assert found.shape[:2] == (SIDE, SIDE)
    reds = found[..., 0] - found[..., 2] > 100
    rows, columns = np.nonzero(reds)
    assert abs(rows.mean() - SIDE / 4) < 2 and abs(columns.mean() - 7 * SIDE / 8) < 2


def test_a_thumbnail_shows_regions_pixels_and_the_part_that_the_link_shows() -> None:
    fused = np.zeros((20, 20))
    fused[:, 10:] = 1
    inside = np.zeros((20, 20), dtype=bool)
    inside[:, :5] = True
    found = opened(thumbnail(fused, Marked(pixels=[(10, 15)], regions=[(inside, "#00ff00")])))
    unit = SIDE / 20
    near = {
        name: found[10, int((col + 0.5) * unit)]
        for name, col in {"region": 2, "dark": 7, "light": 12}.items()
    }
    assert near["region"][1] > 80 and near["region"][0] < 60
    assert near["dark"].max() < 40 and near["light"].min() > 215
    red = (found[..., 0] > 180) & (found[..., 1] < 110)
    rows, columns = np.nonzero(red)
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    assert np.allclose(middle, (10.5 * unit, 15.5 * unit), atol=2), "a square around the pixel"
    part = opened(thumbnail(fused, Marked(area=(-0.5, 9.5, 19.5, 19.5))))
    assert part.shape[:2] == (SIDE, SIDE // 2) and part.min() > 200


@pytest.mark.parametrize(
    "query",
    [
        "?pair=nowhere&v=2",
        "?method=nothing&pair=3&v=2",
        "?pair=3&method=small&weights=00000000",
        "?" + "x=1&" * 90,
    ],
)
def test_what_this_server_cannot_show_has_no_thumbnail(services: Services, query: str) -> None:
    expected = query.startswith("?x")
    assert (view_thumbnail(services, "explore", query) is not None) == expected, "else today's first view"


def test_both_pages_views_have_one(services: Services) -> None:
    marked = f"pair={PAIR}&pixel=2,3&regions=core~ff0000~b0.0.4.4,off~00ff00~b0.0.9.11~h,wrong~00ff00~b0.0.99.99&v=2"
    one = view_thumbnail(services, "explore", f"?method=small&{marked}")
    other = view_thumbnail(services, "compare", f"?methods=gone,small,weighted_averaging&{marked}")
    assert one is not None and one == other
    green = opened(one)
    assert not ((green[..., 1] > green[..., 0] + 60) & (green[..., 1] > green[..., 2] + 60)).any(), (
        "it is hidden"
    )


def test_a_thumbnail_is_kept_with_its_view_and_goes_with_it(client: FlaskClient, services: Services) -> None:
    view = {"name": "core", "page": "explore", "query": f"?method=small&pair={PAIR}&v=2"}
    saved = client.post("/views", json=view).get_json()
    path = f"/views/{saved['id']}/thumbnail.jpg"
    answer = client.get(path)
    assert answer.status_code == 200 and answer.mimetype == "image/jpeg"
    assert services.views.thumbnail(saved["id"]) == answer.data == client.get(path).data
    assert client.get("/views").get_json() == {"views": [saved]}, "the list is as it was"
    with pytest.raises(FuseVisError, match="10000 bytes"):
        services.views.keep_thumbnail(saved["id"], b"x" * (MOST_BYTES + 1))
    client.delete(f"/views/{saved['id']}")
    assert "error" in client.get(path).get_json()
    with pytest.raises(FuseVisError, match="no such view"):
        services.views.thumbnail(saved["id"])
    with pytest.raises(FuseVisError, match="no such view"):
        services.views.keep_thumbnail(saved["id"], answer.data)
    lost = client.post("/views", json={**view, "query": "?pair=nowhere&v=2"}).get_json()
    answer = client.get(f"/views/{lost['id']}/thumbnail.jpg")
    assert (answer.status_code, answer.data) == (204, b"")


def test_thumbnails_prepare_nothing(services: Services) -> None:
    view_thumbnail(services, "explore", f"?method=small&pair={PAIR}&v=2")
    assert not services.scenes._prepared

"""What the explore page's HTML says of its first pictures."""

from __future__ import annotations

import html.parser
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.factory import create_server
from app.settings import Settings
from cache.services.services import services_of
from callbacks.first_view import first_view
from tests.unit.page_services import SHAPE, finished_guidance, write_pair

PAIR, METHOD = "3", "weighted_averaging"
LINK = f"pair={PAIR}&method={METHOD}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("first_view")
    settings = Settings(
        cache_dir=folder / "cache",
        atlas_dir=folder / "atlases",
        region_dir=folder / "regions",
        view_dir=folder / "views",
        device="cpu",
    )
    made = create_server(settings, [write_pair(folder)])
    yield made
    services_of(made).close()


class Scripts(html.parser.HTMLParser):
    """Finds the JSON in a page as a browser does."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and ("id", "first-view") in attrs

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found.append(data)
        self.inside = False


def view_in_page(server: Flask, query: str) -> Any:
    scripts = Scripts()
    answer = server.test_client().get(f"/?{query}")
    assert answer.status_code == 200
    scripts.feed(answer.get_data(as_text=True))
    return json.loads(scripts.found[0]) if scripts.found else None


def test_the_page_names_pictures_that_its_routes_have(server: Flask) -> None:
    client = server.test_client()
    view = view_in_page(server, f"{LINK}&pixel=4,7&zoom=3&gamma1=0.6&scale=signed")
    assert (view["height"], view["width"]) == SHAPE
    assert view["pixel"] == {"row": 4, "col": 7}
    assert (view["half"], view["gamma1"], view["scale"]) == (3, 0.6, "signed")
    assert view["titles"]["panel-jacobian-pet"] == "Jacobian PET"
    assert view["titles"]["panel-fused-zoom"] == "Zoom ±3 px"
    assert client.get(view["home"] + view["window"]).status_code == 200
    for kind in ("inputs", "fused"):
        assert client.get(f"{view['home']}{view['images']}/{kind}").status_code == 200


def test_guidance_is_named_once_it_is_there(server: Flask) -> None:
    services = services_of(server)
    other = "funfusean"
    assert first_view(services, f"?pair={PAIR}&method={other}")["complete"] is False  # type: ignore[index]
    finished_guidance(services, services.scenes.open(PAIR, METHOD))
    assert first_view(services, f"?{LINK}")["complete"] is True  # type: ignore[index]


def test_without_a_pixel_it_is_the_middle_and_the_zoom_may_follow_the_support(server: Flask) -> None:
    view = first_view(services_of(server), f"?pair={PAIR}&method=funfusean&zoom=support")
    assert view is not None
    assert view["pixel"] == {"row": SHAPE[0] // 2, "col": SHAPE[1] // 2}
    scene = services_of(server).scenes.open(PAIR, "funfusean")
    assert scene.support_radius is not None and view["half"] == max(scene.support_radius)


def test_a_part_of_the_pictures_is_left_to_plotly(server: Flask) -> None:
    assert first_view(services_of(server), f"?{LINK}&area=1,1,4,4") is None
    assert view_in_page(server, f"{LINK}&area=1,1,4,4") is None


@pytest.mark.parametrize(
    "query",
    ["pair=</script><script>alert(1)</script>", "method=<img src=x>", "pixel=999,999", "%ff%fe=%00", "v=99"],
)
def test_hostile_links_say_nothing_of_themselves(server: Flask, query: str) -> None:
    view = view_in_page(server, query)
    assert view is None or "alert" not in json.dumps(view)
    page = server.test_client().get("/", query_string=query).get_data(as_text=True)
    assert "alert(1)" not in page and "<img src=x>" not in page

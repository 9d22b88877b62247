"""What cannot be used in a link: a page says that it left it out, an export says why it refuses."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.export.request import read_request
from app.link.view_state import CompareState, ExploreState
from app.routes import export

WRONG = [
    ("gamma1=0.4&gamma1=0.9", "gamma1 is given 2 times"),
    ("tilt=3", "“tilt”"),
    ("gamma1=9", "gamma1=9"),
    ("regions=half~a~region", "region “half~a~region”"),
    ("v=7", "newer version"),
    ("&".join(f"key{number}=1" for number in range(60)), "too many parts"),
]
LEFT_OUT = re.compile("ignored|was read|is shown|understands")


@pytest.mark.parametrize("page", ["explore", "compare"])
@pytest.mark.parametrize(("query", "words"), WRONG)
def test_a_page_says_what_it_left_out_and_an_export_what_is_wrong(page: str, query: str, words: str) -> None:
    (refused,) = read_request(page, query)[1]
    (ignored,) = (ExploreState if page == "explore" else CompareState).from_query(query)[1]
    assert LEFT_OUT.search(ignored) and not LEFT_OUT.search(refused)
    assert words in refused and refused.endswith(".")


@pytest.mark.parametrize(("page", "query"), [("compare", "columns=heat,fused"), ("explore", "method=a:b")])
def test_what_only_one_page_has_is_told_so_too(page: str, query: str) -> None:
    (refused,) = read_request(page, query)[1]
    assert query.split("=")[1].split(",")[0] in refused and not LEFT_OUT.search(refused)


@pytest.fixture
def client() -> FlaskClient:
    # Without services: whatever asks for them fails, as nothing may be computed for a request that is refused.
    server = Flask("test")
    server.register_blueprint(export.routes)
    return server.test_client()


@pytest.mark.parametrize(
    "address",
    [
        "explore.npz",
        "compare.png",
        "compare-complete.csv",
        "compare/masknet/fused.svg",
        "explore/inputs/input_mri.png",
    ],
)
def test_every_export_refuses_in_fitting_words(client: FlaskClient, address: str) -> None:
    answer = client.get(f"/export/{address}?gamma1=0.4&gamma1=0.9&tilt=3")
    assert answer.status_code == 400
    assert answer.get_json() == {"error": "gamma1 is given 2 times; give it once. There is no “tilt” here."}

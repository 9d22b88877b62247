"""Weights that shipped before: methods that no list has, and what links of then lead to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import fusion
from app.export.thumbnail import view_thumbnail
from app.link.seen import as_seen
from app.link.view_state import CompareState, ExploreState
from app.routes.export import routes
from cache.services.services import EXTENSION, Services
from callbacks.first_view import first_view
from callbacks.link import compare_start, resolve
from fusion.errors import UnknownMethodError
from fusion.methods.registry import method_specification
from fusion.weights import card_path, earlier_ids, weights_path
from tests.unit.page_services import make_services, server_of, write_pair

PAIR, ID = "3", "funfusean"
SEEN = "funfusean@c9cdf247"
"""The first weights of this network that shipped, and for ever those of its links with ``weights=c9cdf247``."""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("earlier")
    made = make_services(folder, [write_pair(folder)])
    yield made
    made.close()


@pytest.mark.parametrize(
    "id", ["funfusean@c9cdf247", "masknet@d015269a", "deepfuse@97c8cc58", "deep_pedestrian@ce27dcdc"]
)
def test_earlier_weights_are_kept_whole_under_their_digest(id: str) -> None:
    name, _, digits = id.partition("@")
    digest = hashlib.sha256(weights_path(id).read_bytes()).hexdigest()
    assert digest.startswith(digits) and id in earlier_ids(name)
    assert json.loads(card_path(id).read_text(encoding="utf-8"))["sha256"] == digest
    assert hashlib.sha256(weights_path(name).read_bytes()).hexdigest() != digest


def test_earlier_weights_are_a_method_that_no_list_has() -> None:
    earlier, newest = fusion.load_method(SEEN, "cpu"), fusion.load_method(ID, "cpu")
    assert (earlier.id, earlier.title) == (SEEN, "FunFuseAn, earlier weights c9cdf247")
    assert earlier.weights_id.startswith("c9cdf247") and not newest.weights_id.startswith("c9cdf247")
    assert not [id for id in fusion.method_ids() if "@" in id]


@pytest.mark.parametrize(
    "id", ["funfusean@00000000", "funfusean@c9cd", "nothing@c9cdf247", "funfusean@../x", "@"]
)
def test_other_digits_are_no_method(id: str) -> None:
    with pytest.raises(UnknownMethodError):
        method_specification(id)


def test_a_link_opens_the_weights_that_it_was_made_with(services: Services) -> None:
    newest = services.scenes.open(PAIR, ID).weights_id[:8]
    for query, expected in (
        ("weights=c9cdf247", SEEN),
        ("v=3&weights=c9cdf247979ac7b8", SEEN),
        (f"v=3&weights={newest}", ID),
        ("v=3", ID),
        ("v=3&weights=00000000", ID),
    ):
        state, _ = ExploreState.from_query(f"?pair={PAIR}&method={ID}&{query}")
        assert resolve(services, state)[1] == expected, query
        view = first_view(services, f"?pair={PAIR}&method={ID}&{query}")
        assert view is not None and f"/{expected}/" in view["images"], query
    state, _ = ExploreState.from_query(f"?pair={PAIR}&method={SEEN}&weights=c9cdf247")
    assert resolve(services, state)[1:] == (SEEN, None, []), "the page's own link to them"


def test_a_table_has_each_method_with_the_weights_of_the_link(services: Services) -> None:
    query = f"?pair={PAIR}&methods=small,{ID}&weights=,c9cdf247&difference={ID},small&v=3"
    start, messages = compare_start(services, CompareState.from_query(query)[0])
    assert (start["methods"], start["difference"], messages) == (["small", SEEN], (SEEN, "small"), [])
    both, _ = CompareState.from_query(f"?methods={ID},{SEEN}&weights=c9cdf247,c9cdf247&v=3")
    assert as_seen(both, services.scenes.seen_with).methods == (ID, SEEN), "nothing is named twice"


def test_menus_have_earlier_weights_where_they_are_shown(services: Services) -> None:
    assert services.scenes.choices_with([ID, "small"]) == services.scenes.method_choices()
    more = services.scenes.choices_with([SEEN])
    assert more[:-1] == services.scenes.method_choices() and more[-1][:2] == (
        SEEN,
        method_specification(SEEN).title,
    )


def test_files_of_a_link_have_its_weights(services: Services) -> None:
    old, new = f"pair={PAIR}&method={ID}&weights=c9cdf247&v=3", f"pair={PAIR}&method={ID}&v=3"
    assert view_thumbnail(services, "explore", old) not in (None, view_thumbnail(services, "explore", new))
    server = server_of(services)
    server.extensions[EXTENSION] = services
    server.register_blueprint(routes)
    row = f"/export/compare/{ID}/fused.png?pair={PAIR}&methods={ID}&weights=c9cdf247&v=3"
    answer = server.test_client().get(row)
    assert answer.status_code in (200, 409), "the row is there, by the name that the link has"


def test_a_method_of_ones_own_has_no_earlier_weights(tmp_path: Path, services: Services) -> None:
    assert services.scenes.seen_with("small", "c9cdf247") == "small"
    assert not services.scenes.has_method("small@c9cdf247")

"""Links as they were sent: each opens the same view for ever. The list grows, and what its links say never changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.ids import CompareColumn
from app.link.earlier import VERSION
from app.link.view_state import CompareState, ExploreState, Gamma, TableSize, ViewState
from fusion.colours import Scale

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "links.json").read_text(encoding="utf-8"))
"""By page: queries with their version, what they say where it differs from that version's first values, and how that is
written today; JavaScript's tests read them too. `first` is what each page begins with, by version."""
PAGES: dict[str, type[ViewState]] = {"explore": ExploreState, "compare": CompareState}


def values(state: ViewState) -> dict[str, Any]:
    """Return all that a state says but its version, as JSON has it."""
    return {key: value for key, value in state.model_dump(mode="json").items() if key != "v"}


@pytest.mark.parametrize(("page", "case"), [(page, case) for page in PAGES for case in GOLDEN[page]])
def test_links_are_kept(page: str, case: dict[str, Any]) -> None:
    state, notices = PAGES[page].from_query(case["query"])
    assert notices == []
    assert values(state) == GOLDEN["first"][str(case["version"])][page] | case["state"]
    assert state.to_query() == case["canonical"]
    assert PAGES[page].from_query(case["canonical"]) == (state, [])


@pytest.mark.parametrize("page", PAGES)
def test_pages_begin_as_the_list_says(page: str) -> None:
    assert values(PAGES[page]()) == GOLDEN["first"][str(VERSION)][page]
    assert {str(version) for version in range(1, VERSION + 1)} == GOLDEN["first"].keys()


class LaterExplore(ExploreState):
    """A page whose defaults have changed since."""

    gamma1: Gamma = 1.7
    method: str = "masknet"


class LaterCompare(CompareState):
    """A page whose defaults have changed since."""

    gamma1: Gamma = 1.7
    columns: tuple[CompareColumn, ...] = (CompareColumn.SCATTER,)
    shared: bool = False


@pytest.mark.parametrize(
    ("page", "case"), [(page, case) for page in PAGES for case in GOLDEN[page] if case["version"] < VERSION]
)
def test_links_of_earlier_versions_do_not_follow_later_defaults(page: str, case: dict[str, Any]) -> None:
    later: type[ViewState] = LaterExplore if page == "explore" else LaterCompare
    state, notices = later.from_query(case["query"])
    assert notices == []
    assert values(state) == GOLDEN["first"][str(case["version"])][page] | case["state"]
    again, _ = later.from_query(state.to_query())
    assert again == state, "nor once they are written anew"


def test_links_of_today_and_addresses_without_a_link_follow_later_defaults() -> None:
    for query in ("", "?", "?v=4", "?pair=own&v=4", "?surprise=1"):
        assert LaterExplore.from_query(query)[0].gamma1 == 1.7
        assert LaterCompare.from_query(query)[0].columns == (CompareColumn.SCATTER,)
    for query in ("?v=1", "?v=2", "?v=3", "?pair=own", "?gamma1=9", "?v=one", "?v=0"):
        assert LaterExplore.from_query(query)[0].gamma1 == 0.3, query
        assert LaterCompare.from_query(query)[0].shared is True, query


def test_a_column_that_is_not_known_leaves_those_of_its_version() -> None:
    state, notices = LaterCompare.from_query("?columns=heat")
    assert [column.value for column in state.columns] == GOLDEN["first"]["1"]["compare"]["columns"]
    assert len(notices) == 1


def boxes(regions: int, each: int) -> tuple[str, ...]:
    """Return regions of a large pair, each of so many boxes, as a link has them."""
    code = "_".join(f"{1000 + step}.{2000 + step}.{3000 + step}.{4000 + step}" for step in range(each))
    return tuple(f"Läsion {number}~9bc400~b{code}".replace("ä", "%C3%A4") for number in range(regions))


@pytest.mark.parametrize("regions", [(), boxes(3, 8), boxes(6, 2), boxes(12, 1)])
def test_the_longest_links_stay_short(regions: tuple[str, ...]) -> None:
    view = ExploreState(
        pair="f" * 64, method="m" * 60, pixel=(10_000, 10_000), gamma1=1.05, gamma2=1.95, scale=Scale.SIGNED,
        weights="f" * 8, zoom="support", area=(-10_000.5, -10_000.5, 10_000.5, 10_000.5),
        regions=regions,
    )  # fmt: skip
    compare = CompareState(
        pair="f" * 64, methods=tuple(f"method_of_somebody_{number:02}" for number in range(16)),
        columns=tuple(reversed(CompareColumn)), pixel=(10_000, 10_000), pin=(10_000, 10_000), gamma1=1.05,
        gamma2=1.95, scale=Scale.ROBUST, shared=False, size=TableSize.LARGE, weights=("f" * 8,) * 16, zoom=64,
        numbers=True, difference=("method_of_somebody_14", "method_of_somebody_15"), regions=regions,
    )  # fmt: skip
    for state in (view, compare):
        assert type(state).from_query(state.to_query()) == (state, [])
    assert len(view.to_query()) < (1_000 if regions else 500)
    assert len(compare.to_query()) < (2_000 if regions else 1_100)

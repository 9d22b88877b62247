"""Links of version 1, as they were sent: each opens the same view for ever. The list grows and never changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.ids import CompareColumn
from app.link.view_state import CompareState, ExploreState, TableSize, ViewState
from fusion.colours import Scale

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "links.json").read_text(encoding="utf-8"))
"""By page: queries, what they say where it differs from the first view, and how that is written; JavaScript's tests
read them too. `first` is what each page begins with."""
PAGES: dict[str, type[ViewState]] = {"explore": ExploreState, "compare": CompareState}


@pytest.mark.parametrize(("page", "case"), [(page, case) for page in PAGES for case in GOLDEN[page]])
def test_links_are_kept(page: str, case: dict[str, Any]) -> None:
    state, notices = PAGES[page].from_query(case["query"])
    assert notices == []
    assert json.loads(state.model_dump_json(exclude_defaults=True)) == case["state"]
    assert state == PAGES[page].model_validate(case["state"])
    assert state.to_query() == case["canonical"]
    assert PAGES[page].from_query(case["canonical"]) == (state, [])


@pytest.mark.parametrize("page", PAGES)
def test_pages_begin_as_the_list_says(page: str) -> None:
    assert PAGES[page]().model_dump(mode="json") == GOLDEN["first"][page]


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

"""Links to the compare page: what is written is read back, what is wrong is named and left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ids import CompareColumn
from app.link.view_state import FIRST_COLUMNS, LARGEST_ZOOM, PAPER_METHODS, CompareState, TableSize
from fusion.colours import Grays, Scale

FIRST_VIEW = CompareState()
FIRST_OF_1, _ = CompareState.from_query("?v=1")
"""What links without a version say where they leave everything out."""
indices = st.integers(0, 2**31 - 1)
pixels = st.none() | st.tuples(indices, indices)
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=f"{TURNS},:/")
ids = st.text(letters, min_size=1, max_size=30) | st.sampled_from(PAPER_METHODS)
states = st.builds(
    CompareState,
    pair=st.none() | st.text(letters, min_size=1, max_size=200),
    methods=st.lists(ids, unique=True, max_size=16).map(tuple),
    columns=st.lists(st.sampled_from(CompareColumn), unique=True).map(tuple),
    pixel=pixels,
    pin=pixels,
    gamma1=st.floats(0.1, 2.0),
    gamma2=st.floats(0.1, 2.0),
    scale=st.sampled_from(Scale),
    shared=st.booleans(),
    air=st.booleans(),
    gray=st.sampled_from(Grays),
    zoom=st.none() | st.integers(1, LARGEST_ZOOM),
    size=st.sampled_from(TableSize),
    numbers=st.booleans(),
    difference=st.just(()) | st.lists(ids, unique=True, min_size=2, max_size=2).map(tuple),
    regions=st.lists(
        st.sampled_from(["core~1b9e4b~b1.2.3.4", "a%20b~000000~rAAE", "x~ffffff~s" + "0" * 32]), max_size=12
    ).map(tuple),
    weights=st.lists(st.just("") | st.from_regex(r"\A[0-9a-f]{8,64}\Z"), max_size=16).map(tuple),
)


@given(states)
def test_a_view_comes_back_from_its_link(state: CompareState) -> None:
    query = state.to_query()
    assert CompareState.from_query(query) == (state, [])
    assert query.isascii()


def test_a_link_to_the_first_view_says_its_version_alone() -> None:
    assert FIRST_VIEW.to_query() == "?v=4"
    assert CompareState.from_query("") == (FIRST_VIEW, [])
    assert FIRST_VIEW.methods == PAPER_METHODS and FIRST_VIEW.columns == FIRST_COLUMNS


def test_a_query_is_readable_and_sorted() -> None:
    state = CompareState(
        pair="glioma-t1", methods=("masknet", "deepfuse"), columns=(CompareColumn.FUSED, CompareColumn.SCATTER),
        pixel=(12, 34), pin=(5, 6), gamma1=0.8, scale=Scale.PAPER, shared=False, zoom=9,
        numbers=True,
    )  # fmt: skip
    assert state.to_query() == (
        "?columns=fused,scatter&gamma1=0.8&methods=masknet,deepfuse&numbers=1&pair=glioma-t1&pin=5,6&pixel=12,34"
        "&scale=paper&shared=0&v=4&zoom=9"
    )


def test_nothing_chosen_is_a_view_too() -> None:
    state, notices = CompareState.from_query("?methods=&columns=")
    assert (state.methods, state.columns, notices) == ((), (), [])
    assert state.to_query() == "?air=1&columns=&gray=own&methods=&pair=glioma-t2&scale=paper&v=4"


@pytest.mark.parametrize(
    ("key", "value"),
    [("pin", "1"), ("pin", ""), ("pin", "-1,2"), ("pixel", "a,b"), ("scale", "rainbow"), ("scale", ""),
     ("shared", "perhaps"), ("zoom", "0"), ("zoom", "65"), ("zoom", "2.5"), ("methods", "a,a"), ("methods", "a,,b"),
     ("methods", ",".join(map(str, range(17)))), ("columns", "fused,fused"),
     ("difference", "a"), ("difference", "a,a"), ("difference", "a,b,c"), ("size", "huge"),
     ("numbers", "many"), ("methods", "x\ny"), ("methods", "x\u202ey"),
     ("difference", "x\u2067y,z"), ("pair", "\u202e"), ("gamma1", "9")],
)  # fmt: skip
def test_what_is_wrong_is_left_out_and_named(key: str, value: str) -> None:
    state, notices = CompareState.from_query(f"?gamma2=0.9&{key}={value}")
    assert state == FIRST_OF_1.model_copy(update={"gamma2": 0.9})
    assert len(notices) == 1 and f"link's {key}=" in notices[0]


def test_unknown_columns_are_named_and_the_others_shown() -> None:
    state, notices = CompareState.from_query("?columns=scatter,heat,fused,<b>")
    assert state.columns == (CompareColumn.SCATTER, CompareColumn.FUSED)
    assert [("heat" in text, "<b>" in text) for text in notices] == [(True, False), (False, True)]
    state, notices = CompareState.from_query("?columns=heat")
    assert state.columns == FIRST_COLUMNS and len(notices) == 1


@given(st.text(max_size=200))
def test_no_query_raises(search: str) -> None:
    for query in (search, f"?methods={search}&columns={search}&pin={search}"):
        state, _ = CompareState.from_query(query)
        assert CompareState.from_query(state.to_query()) == (state, [])

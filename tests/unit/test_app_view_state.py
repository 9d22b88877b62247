"""Links: what is written is read back; what others write is used, or named and left out, but never raises."""

from __future__ import annotations

import math
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.link.texts import shortened, visible
from app.link.view_state import LARGEST_ZOOM, VERSION, ExploreState
from fusion.colours import Scale

FIRST_VIEW = ExploreState()
FIRST_OF_1, _ = ExploreState.from_query("?v=1")
"""What links without a version say where they leave everything out."""
KEYS = tuple(ExploreState.model_fields)

TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=TURNS)
names = st.text(letters, min_size=1, max_size=200)
gammas = st.floats(0.1, 2.0)
indices = st.integers(0, 2**31 - 1)
edges = st.floats(-300, 300)
areas = st.tuples(edges, edges, edges, edges).filter(
    lambda area: area[0] + 1 < area[2] and area[1] + 1 < area[3]
)
states = st.builds(
    ExploreState,
    pair=st.none() | names,
    method=names,
    pixel=st.none() | st.tuples(indices, indices),
    gamma1=gammas,
    gamma2=gammas,
    scale=st.sampled_from(Scale),
    weights=st.none() | st.from_regex(r"\A[0-9a-f]{8,64}\Z"),
    zoom=st.just("support") | st.integers(1, LARGEST_ZOOM),
    area=st.none() | areas,
)


@given(states)
def test_a_view_comes_back_from_its_link(state: ExploreState) -> None:
    query = state.to_query()
    assert ExploreState.from_query(query) == (state, [])
    assert query.isascii() and not any(character.isspace() for character in query)


def test_a_link_to_the_first_view_says_its_version_alone() -> None:
    assert FIRST_VIEW.to_query() == "?v=4"
    assert ExploreState.from_query("") == ExploreState.from_query("?") == (FIRST_VIEW, [])
    assert (FIRST_VIEW.pair, FIRST_VIEW.method, FIRST_VIEW.pixel) == (None, "funfusean", None)
    assert (FIRST_VIEW.gamma1, FIRST_VIEW.gamma2) == (0.3, 0.5), "as in the paper's figures 7 and 5"


def test_a_query_is_readable_and_sorted() -> None:
    state = ExploreState(pair="glioma-t1", method="masknet", pixel=(12, 34), gamma1=0.8, gamma2=1.0)
    assert state.to_query() == "?gamma1=0.8&gamma2=1.0&method=masknet&pair=glioma-t1&pixel=12,34&v=4"


def test_queries_of_others_are_read_with_and_without_escapes() -> None:
    expected = FIRST_OF_1.model_copy(update={"pair": "hirn α/β", "pixel": (1, 2)})
    for query in (
        "?pair=hirn%20%CE%B1%2F%CE%B2&pixel=1%2C2",
        "pair=hirn+α/β&pixel=1,2",
        "?pixel=1, 2&pair=hirn α/β",
    ):
        assert ExploreState.from_query(query) == (expected, [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("gamma1", value) for value in ("", "0", "0.09", "2.01", "-0.5", "nan", "-inf", "1e999", "half", "0,5")],
        *[("gamma2", value) for value in ("", "0.0999999", "3", "NaN", "Infinity", "0x1", "1;2", "[1]")],
        *[("pixel", value) for value in ("", ",", "1", "1,", ",2", "1,2,3", "-1,0", "0,-1", "a,b", "1.5,2", "1e2,3")],
        *[("pixel", value) for value in ("2147483648,0", "0," + "9" * 5000, "٣,٤", "None,None", "(1,2)", "nan,0")],
        *[("method", f"fun{letter}fuse") for letter in (*TURNS, "\u2028", "\u2029", "\x85", "\x9b")],
        *[("pair", value) for value in ("", "a\nb", "\x00", "tab\t", "\x7f", "x" * 201)],
        *[("method", value) for value in ("", "\r\n", "x" * 100_000)],
        *[("area", value) for value in ("", "1", "0,0,0,5", "0,5,9,5", "0,0,nan,5", "0,0,inf,5", "a,b,c,d", "1,2")],
        *[("area", value) for value in ("10,10,10.0000001,10.0000001", "1.0,1.0,1.9,9.0", "1,1,9,1.99", "9,9,1,1")],
        *[("change", value) for value in ("", "1s3", "1s3.0.1", "3s3.0.1.1", "1s3.0.1.1~", "1s99.0.1.1", "x" * 4001)],
        *[("scale", value) for value in ("", "rainbow", "Paper")],
        *[("weights", value) for value in ("", "abc", "g" * 8, "A" * 8, "a" * 65, "1a2b3c4d,1a2b3c4d")],
        *[("zoom", value) for value in ("", "0", "65", "2.5", "Support")],
        *[("v", value) for value in ("", "0", "-3", "one", "1.5", "9" * 5000)],
    ],
)  # fmt: skip
def test_what_is_wrong_is_left_out_and_named(key: str, value: str) -> None:
    others = {"pair": "own", "gamma1": "0.7", "gamma2": "0.9"}
    others.pop(key, None)
    state, notices = ExploreState.from_query("?" + urlencode({**others, key: value}))
    assert len(notices) == 1
    assert f"link's {key}=" in notices[0] and len(notices[0]) < 250
    assert visible(value)[:39] in notices[0]
    assert getattr(state, key) == getattr(FIRST_OF_1, key)
    for other, given_value in others.items():
        assert str(getattr(state, other)) == given_value, "the rest of the link counts"


@pytest.mark.parametrize(
    "name",
    ["Größe 3 (neu), 100 %", "a\u0308 is a\u0308", "Bild\u00a012", "3.14\u202fPM", "\u0645\u06cc\u200c\u062e\u0648",
     "\u200eWhatsApp Image", "脳 画像", "brain 🧠\u200d", "\u3000", "x\u00adyz", "ⅳ–½_ªº'\"<>&#"],
)  # fmt: skip
def test_names_of_files_are_names(name: str) -> None:
    state = ExploreState(pair=name, method=name)
    assert ExploreState.from_query(state.to_query()) == (state, [])


def test_no_notice_can_be_turned_around() -> None:
    hostile = "\u202etxt\u2066\x1b[31m\u200f"
    for key in ("method", "pair", "scale", "area", "regions", hostile):
        _, (notice,) = ExploreState.from_query("?" + urlencode({key: hostile}))
        assert notice.isprintable() and "\\u202etxt\\u2066\\x1b[31m\\u200f" in notice
    assert shortened("\u202e" * 100) == "\\u202e" * 6 + "\\u2…"


@given(st.integers(-100_000, 100_000), st.integers(10, 100_000))
def test_a_side_of_one_pixel_is_enough_however_it_is_rounded(tenths: int, side: int) -> None:
    area = f"{tenths / 10},{tenths / 10},{(tenths + side) / 10},{(tenths + 10) / 10}"
    state, notices = ExploreState.from_query(f"?area={area}")
    assert notices == [] and state.area is not None


def test_everything_wrong_is_named_at_once_and_in_one_order() -> None:
    query = "?method=&gamma2=9&pixel=x&surprise=1&gamma1=0&pair=%00"
    state, notices = ExploreState.from_query(query)
    assert state == FIRST_OF_1
    named = [
        key
        for notice in notices
        for key in (*KEYS, "surprise")
        if f" {key}=" in notice or f"“{key}”" in notice
    ]
    assert sorted(named) == ["gamma1", "gamma2", "method", "pair", "pixel", "surprise"]
    assert ExploreState.from_query(query) == (state, notices)


@given(st.text(max_size=60), st.text(max_size=60))
def test_unknown_parts_are_named(key: str, value: str) -> None:
    query = "?" + urlencode({f"no-{key}": value}, errors="replace")
    state, notices = ExploreState.from_query(query)
    assert state == FIRST_VIEW
    assert len(notices) == 1 and "no-" in notices[0] and "not known here" in notices[0]


@given(st.text(max_size=300))
def test_no_query_raises(search: str) -> None:
    state, notices = ExploreState.from_query(search)
    assert isinstance(state, ExploreState) and all(notices)
    assert ExploreState.from_query(state.to_query()) == (state, [])


@given(
    st.lists(st.tuples(st.sampled_from([*KEYS, "other"]), st.text(max_size=20) | gammas.map(str)), max_size=8)
)
def test_each_part_is_used_or_named(parts: list[tuple[str, str]]) -> None:
    query = "&".join(f"{key}={quote(value, errors='replace')}" for key, value in parts)
    state, notices = ExploreState.from_query(f"?{query}")
    for key, value in dict(parts).items():
        named = any(f"link's {key}=" in notice or f"“{key}”" in notice for notice in notices)
        if key == "other":
            assert named
        elif key in ("gamma1", "gamma2") and not named:
            assert math.isclose(getattr(state, key), float(value))
        elif key in ("pair", "method") and not named:
            assert getattr(state, key) == value.encode("utf-8", "replace").decode()
        elif key == "pixel" and not named:
            assert state.pixel == tuple(int(float(index)) for index in value.split(","))
    repeated = len({key for key, _ in parts if key != "other" and [k for k, _ in parts].count(key) > 1})
    assert len(notices) <= len(dict(parts)) + repeated + 1, "and nothing that is not there is named"


def test_of_repeated_keys_the_last_counts_and_the_others_are_named() -> None:
    state, (notice,) = ExploreState.from_query("?gamma1=0.4&gamma1=0.9")
    assert state.gamma1 == 0.9
    assert "gamma1 2 times" in notice and "last" in notice
    state, notices = ExploreState.from_query("?pair=a&pair=%00&gamma1=1")
    assert (state.pair, state.gamma1, len(notices)) == ("glioma-t2", 1, 2)


def test_a_link_of_very_many_parts_is_not_read() -> None:
    state, notices = ExploreState.from_query("?pair=own&" + "&".join(f"key{i}={i}" for i in range(100_000)))
    assert state == FIRST_VIEW
    assert len(notices) == 1 and "too many parts" in notices[0]


def test_a_very_long_link_gives_short_notices() -> None:
    query = f"?{'k' * 1_000_000}=1&pair={'p' * 1_000_000}&gamma1=0.2"
    state, notices = ExploreState.from_query(query)
    assert state == FIRST_OF_1.model_copy(update={"gamma1": 0.2})
    assert len(notices) == 2 and all(len(notice) < 250 for notice in notices)


@pytest.mark.parametrize(
    "query",
    ["?pair=%ff%fe", "?pair=\ud800", "?\ud800=1", "?%00=%00", "?=", "?&&&==&", "?a;b", "#?", "??pair=x"],
)
def test_broken_encodings_do_not_raise(query: str) -> None:
    state, _ = ExploreState.from_query(query)
    state.to_query().encode("ascii")


def test_a_link_of_a_newer_version_shows_what_is_understood() -> None:
    state, notices = ExploreState.from_query(f"?v={VERSION + 1}&gamma1=0.2&tilt=3")
    assert state == ExploreState(gamma1=0.2) and state.v == VERSION
    assert any("newer version" in notice for notice in notices)
    assert any("tilt" in notice for notice in notices)
    assert ExploreState.from_query(f"?v={VERSION}") == (FIRST_VIEW, [])


def test_a_view_is_checked_when_it_is_made_and_does_not_change() -> None:
    with pytest.raises(ValidationError):
        ExploreState(gamma1=3)
    with pytest.raises(ValidationError):
        ExploreState(pixel=(-1, 0))
    with pytest.raises(ValidationError, match="frozen"):
        FIRST_VIEW.gamma1 = 1.0  # type: ignore[misc]

"""Links of version 1, as they were sent: each opens the same view for ever. Lines are added here, never changed."""

from __future__ import annotations

import pytest

from app.ids import CompareColumn
from app.link.compare_state import CompareState, TableSize
from app.link.view_state import ViewState
from fusion.colours import Scale

EXPLORE = [
    ("", ViewState()),
    ("?pair=glioma-t2", ViewState(pair="glioma-t2")),
    ("?gamma1=0.8&gamma2=1.5&method=masknet&pair=own&pixel=7,41",
     ViewState(pair="own", method="masknet", pixel=(7, 41), gamma1=0.8, gamma2=1.5)),
    ("?method=deep_pedestrian&pair=0123456789ab&pixel=0,255&v=1",
     ViewState(pair="0123456789ab", method="deep_pedestrian", pixel=(0, 255))),
    ("?area=10.5,20.0,90.5,130.0&pair=healthy&scale=signed&weights=2879b0d2&zoom=support",
     ViewState(pair="healthy", scale=Scale.SIGNED, weights="2879b0d2", zoom="support", area=(10.5, 20, 90.5, 130))),
    ("?method=funfusean_sum&pair=a+b&scale=robust&zoom=7",
     ViewState(pair="a b", method="funfusean_sum", scale=Scale.ROBUST, zoom=7)),
]  # fmt: skip
COMPARE = [
    ("", CompareState()),
    ("?columns=fused,scatter&gamma1=0.8&methods=masknet,deepfuse&pair=glioma-t1&pin=5,6&pixel=12,34"
     "&scale=signed&shared=0&zoom=9",
     CompareState(
         pair="glioma-t1", methods=("masknet", "deepfuse"), columns=(CompareColumn.FUSED, CompareColumn.SCATTER),
         pixel=(12, 34), pin=(5, 6), gamma1=0.8, scale=Scale.SIGNED, shared=False, zoom=9)),
    ("?columns=&methods=", CompareState(methods=(), columns=())),
    ("?methods=funfusean,masknet&pair=own&size=large&weights=1a2b3c4d,5e6f7a8b",
     CompareState(
         pair="own", methods=("funfusean", "masknet"), size=TableSize.LARGE, weights=("1a2b3c4d", "5e6f7a8b"))),
    ("?columns=guidance_mri,guidance_pet,guidance_rgb,jacobian_mri,jacobian_pet,jacobian_mri_zoom,jacobian_pet_zoom",
     CompareState(columns=tuple(
         column for column in CompareColumn if column not in (CompareColumn.FUSED, CompareColumn.SCATTER)))),
    ("?methods=deepfuse,masknet&numbers=1&pair=glioma-t2&pixel=90,120",
     CompareState(pair="glioma-t2", methods=("deepfuse", "masknet"), pixel=(90, 120), numbers=True)),
]  # fmt: skip


@pytest.mark.parametrize(("query", "view"), EXPLORE)
def test_links_to_the_explore_page_are_kept(query: str, view: ViewState) -> None:
    assert ViewState.from_query(query) == (view, [])


@pytest.mark.parametrize(("query", "view"), COMPARE)
def test_links_to_the_compare_page_are_kept(query: str, view: CompareState) -> None:
    assert CompareState.from_query(query) == (view, [])


def boxes(regions: int, each: int) -> tuple[str, ...]:
    """Return regions of a large pair, each of so many boxes, as a link has them."""
    code = "_".join(f"{1000 + step}.{2000 + step}.{3000 + step}.{4000 + step}" for step in range(each))
    return tuple(f"Läsion {number}~9bc400~b{code}".replace("ä", "%C3%A4") for number in range(regions))


@pytest.mark.parametrize("regions", [(), boxes(3, 8), boxes(6, 2), boxes(12, 1)])
def test_the_longest_links_stay_short(regions: tuple[str, ...]) -> None:
    view = ViewState(
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

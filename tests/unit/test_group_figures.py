"""What is told of a group that used a server."""

from __future__ import annotations

import pytest

from benchmarks.group import HOVER, IMAGES, Diary, Taken, group_figures, growth_of


def taken(*megabytes: int) -> list[Taken]:
    return [Taken(10.0 * at, size * 10**6, 20 + at, 5) for at, size in enumerate(megabytes)]


def test_memory_grows_where_it_ends_above_all_of_the_first_half() -> None:
    assert growth_of(taken(300, 700, 650, 710, 700)) == 1
    assert growth_of(taken(300, 500, 600, 700, 900)) == 1.5


def test_limits_are_for_the_whole_group_alone() -> None:
    diary = Diary({IMAGES: [1.0, 3.0], HOVER: [0.1] * 19 + [2.0], "others": []}, ["hover: status 500"])
    told = {one.name: one for one in group_figures(diary, taken(300, 900), is_standard=True)}
    assert told["hover, p50"].value == pytest.approx(100)
    missed = {name for name, one in told.items() if not one.reached}
    assert missed == {
        "scene and images, p95", "errors", "resident memory at the end",
        "memory at the end ÷ most of the first half",
    }  # fmt: skip
    few = group_figures(diary, taken(300, 900), is_standard=False)
    assert {one.name for one in few if not one.reached} == {"errors"}


def test_what_fails_is_noted_and_takes_no_time() -> None:
    diary = Diary()
    with diary.noting(HOVER):
        raise ValueError("status 500")
    with diary.noting(HOVER):
        pass
    assert diary.errors == ["hover: ValueError: status 500"]
    assert len(diary.seconds[HOVER]) == 1

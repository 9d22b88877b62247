"""What the benchmarks of hovering report is what the browser and the users saw."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from benchmarks.background import busy_figures
from benchmarks.browser import MOVES, STEP_PIXELS, path_of_the_pointer
from benchmarks.hovering import Hover, hover_figures, hover_table, summary
from benchmarks.users import users_figures, users_table
from benchmarks.walking import User

BOX = {"x": 100.0, "y": 50.0, "width": 300.0, "height": 240.0}


def test_the_pointer_moves_two_and_a_half_pixels_at_a_time_inside_the_picture() -> None:
    points = path_of_the_pointer(BOX)
    assert len(points) == MOVES + 1
    steps = [math.dist(first, second) for first, second in pairwise(points)]
    assert max(steps) == pytest.approx(STEP_PIXELS, rel=0.15)
    assert min(steps) > 0.75 * STEP_PIXELS
    assert all(100 <= x <= 400 and 50 <= y <= 290 for x, y in points)


def test_a_hover_is_split_into_where_its_time_goes() -> None:
    found = {
        "measures": [[0, 30.0], [20, 40.0], [40, 100.0]],
        "paints": [2.0, 2.0, 4.0],
        "answers": [
            {"round": 12.0, "server": 5.0, "bytes": 3000},
            {"round": 14.0, "server": 6.0, "bytes": 3000},
        ],
    }
    hover = summary("deepfuse", found, seconds=2.0)
    assert (hover.updates, hover.paint_50, hover.answers) == (1.5, 40.0, 2)
    assert hover.paint_95 == pytest.approx(94)
    assert (hover.server, hover.wire, hover.main_thread) == (5.5, 7.5, 2.0)
    assert hover.rest == 40 - 13 - 2
    assert hover_table([hover]).row_count == 1


def test_a_browser_that_painted_nothing_has_no_times() -> None:
    hover = summary("deepfuse", {"measures": [], "paints": [], "answers": []}, seconds=1.0)
    assert hover.updates == 0
    assert math.isnan(hover.paint_50)


def test_the_slowest_user_and_all_errors_are_told() -> None:
    users = [User([0.01] * 100), User([0.2] * 100, ["status 500"])]
    table = users_table("masknet", users, 10, [2**20, 3 * 2**20, 4 * 2**20])
    values = dict(zip(table.columns[0].cells, table.columns[1].cells, strict=True))
    assert values["answers"] == "200"
    assert values["p95 of the slowest user, ms"] == "200"
    assert values["errors"] == "1"
    assert values["server's memory before; half-way; after, MiB"] == "1; 3; 4"


def made_up(method: str, updates: float) -> Hover:
    return Hover(method, updates, 50.0, 90.0, 5.0, 7.0, 2.0, 30.0, 3000.0, 100)


@pytest.mark.parametrize(
    ("method", "updates", "atlas", "missed"),
    [
        ("masknet", 30, False, []), ("masknet", 29, False, ["updates a second"]), ("deep_pedestrian", 20, False, []),
        ("deep_pedestrian", 49, True, ["updates a second", "to paint, p50", "to paint, p95"]),
    ],
)  # fmt: skip
def test_hovering_has_limits_and_others_over_an_atlas(
    method: str, updates: float, atlas: bool, missed: list[str]
) -> None:
    figures = hover_figures(made_up(method, updates), atlas, is_standard=True)
    assert [one.name for one in figures if not one.reached] == [f"{method}: {name}" for name in missed]
    told = hover_figures(made_up(method, updates), atlas, is_standard=False)
    assert [one.bound for one in told] == [None] * 3


def test_users_have_limits() -> None:
    users = [User([0.01] * 100), User([0.3] * 100, ["status 500"])]
    for is_standard, missed in ((True, [True, True, True]), (False, [False, True, False])):
        slow, errors, growth = users_figures(users, [100, 200, 220], is_standard)
        assert [not one.reached for one in (slow, errors, growth)] == missed
        assert [one.value for one in (slow, errors, growth)] == pytest.approx([300, 1, 1.1])


def test_hovering_beside_long_work_is_measured_by_that_of_an_idle_server() -> None:
    times = {"idle": [0.01] * 20, "guidance": [0.015] * 20, "atlas": [0.021] * 20}
    idle, guidance, atlas = busy_figures("funfusean", times, is_standard=True)
    assert [one.value for one in (idle, guidance, atlas)] == pytest.approx([10, 1.5, 2.1])
    assert (idle.bound, guidance.reached, atlas.reached) == (None, True, False)
    assert all(one.bound is None for one in busy_figures("funfusean", times, is_standard=False))

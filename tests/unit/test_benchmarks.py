"""Measurements of pages and servers: they say what is missed, and measure what they say."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import __main__ as together
from benchmarks import atlas_sizes
from benchmarks.background import busy_figures
from benchmarks.browser import MOVES, STEP_PIXELS, path_of_the_pointer
from benchmarks.comparing import figures_of
from benchmarks.first_view import visit_figures
from benchmarks.hovering import Hover, hover_figures, hover_table
from benchmarks.hovering import summary as hover_summary
from benchmarks.inputs import of_side, sample
from benchmarks.memory import finish_guidance, hover, services_for
from benchmarks.users import users_figures, users_table
from benchmarks.walking import User
from fusion import load_method
from fusion.benchmark.figures import Figure, figures_table, finish, recorded, summary
from fusion.benchmark.limits import at_least, at_most
from tests.unit.command_line import exit_code


@pytest.mark.parametrize(
    ("value", "bound", "at_most", "reached"),
    [
        (5, None, True, True), (5, 5, True, True), (5.1, 5, True, False), (5, 5, False, True),
        (4.9, 5, False, False), (math.nan, 5, True, False), (math.nan, 5, False, False),
    ],
)  # fmt: skip
def test_a_figure_keeps_to_its_bound_or_is_missed(
    value: float, bound: float | None, at_most: bool, reached: bool
) -> None:
    figure = Figure("time", value, "s", bound, at_most)
    assert figure.reached is reached
    table = figures_table("Times", [figure])
    assert list(table.columns[3].cells) == ["" if reached else "MISSED"]
    assert str(next(iter(table.columns[2].cells))).startswith(
        "–" if bound is None else "≤" if at_most else "≥"
    )


def test_larger_images_are_the_sample_again() -> None:
    small, large = sample().images, of_side(600).images
    assert large.shape == (2, 600, 600)
    np.testing.assert_array_equal(large[:, 256:512, :256], small)
    assert of_side(40).images.shape == (2, 40, 40)


def test_what_is_announced_of_an_atlas_is_held_against_it() -> None:
    method, pair = load_method("weighted_averaging", "cpu"), of_side(100)
    announced, made = atlas_sizes.figures_of(method, pair, False), atlas_sizes.figures_of(method, pair, True)
    size, seconds, taken, ratio, on_disk, files = made
    assert [one.name for one in announced] == [size.name, seconds.name]
    # Each chunk, values and scales apart, has a checksum of four bytes.
    assert size.value == announced[0].value == 4 * (64 * 64 * 8 + 2 * 4) / 1e9
    assert ratio.value == pytest.approx(taken.value / seconds.value)
    assert size.value <= on_disk.value < 2 * size.value
    # A tile is two files; the group, its two arrays and the claims are four.
    assert files.value == 2 * 4 + 4


def test_a_pointer_inside_the_process_gets_answers() -> None:
    with services_for(of_side(32)) as services:
        scene = services.scenes.open("own", "weighted_averaging")
        times = hover(services, scene, 0.2, seed=1)
        assert not services.atlases.state(scene, "benchmark").running
        finish_guidance(services, scene)
        assert services.guidance.known(scene) is not None
    assert 1 <= len(times) <= 14 and min(times) > 0


def test_the_compare_pages_updates_are_counted() -> None:
    found = {"paints": [50.0, 60.0, 70.0], "rounds": [20.0], "computing": [10.0]}
    updates, half, most, trip, computing = figures_of(found, 0.5)
    assert (updates.value, updates.reached) == (6, False)
    assert (half.value, trip.value, computing.value) == (60, 20, 10)
    assert most.value == pytest.approx(69)
    assert math.isnan(figures_of({"paints": [], "rounds": [], "computing": []}, 1)[1].value)


def test_without_a_limit_the_compare_pages_updates_are_only_told() -> None:
    assert figures_of({"paints": [50.0], "rounds": [], "computing": []}, 1, None)[0].bound is None


def test_a_figure_says_what_it_must_reach_and_what_is_hoped_for() -> None:
    assert Figure.beside("ratio", 119.6, "×", at_least(120, aim=200)).wanted == "≥ 120 × (aim 200)"
    assert Figure.beside("ratio", 119.6, "×", at_least(120)).measured == "119.6 ×"
    assert Figure.beside("errors", 0, "", at_most(0)).wanted == "≤ 0"
    assert Figure.beside("size", 65_536, "MB", None).wanted == "–"
    assert Figure.beside("size", 65_536, "MB", None).measured == "65,536 MB"


def test_the_summary_counts_and_names_what_is_missed() -> None:
    figures = [
        Figure.beside("fast", 250, "×", at_least(200)),
        Figure.beside("slow", 3.5, "s", at_most(3)),
        Figure("told", 7, "s"),
    ]
    assert summary(figures).splitlines() == [
        "Limits: 1 of 2 figures keep to theirs.",
        "  MISSED slow: 3.5 s, must be ≤ 3 s",
    ]
    assert summary(figures[2:]) == "None of these figures has a limit."


@pytest.mark.parametrize(
    ("value", "strict", "code"), [(2, True, 0), (4, False, 0), (4, True, 3), (math.nan, True, 3)]
)
def test_a_missed_figure_is_a_failure_only_where_asked(value: float, strict: bool, code: int) -> None:
    figures = [
        Figure.beside("time", value, "s", at_most(3)),
        Figure.beside("ratio", 5, "×", at_least(4, aim=6)),
    ]
    assert exit_code(lambda: finish("part", figures, strict)) == code


def test_figures_are_written_down_missed_or_not(tmp_path: Path) -> None:
    figures = [Figure.beside("time", 9, "s", at_most(3)), Figure("ratio", 5, "×", 4, False, 6)]
    record = tmp_path / "figures.jsonl"
    finish("one", figures, record=record)
    assert exit_code(lambda: finish("two", figures, strict=True, record=record)) == 3
    assert recorded(record) == [(part, one) for part in ("one", "two") for one in figures]


def test_nothing_is_recorded_where_nothing_was_measured(tmp_path: Path) -> None:
    assert recorded(tmp_path / "figures.jsonl") == []


def test_the_first_views_medians_have_limits_for_the_sample_only() -> None:
    seen = [[1.0, 2.0, 5.0], [9.0, 2.5, 6.0], [1.2, 9.0, 7.0]]
    first, pictures, graphs = visit_figures("masknet", seen, is_standard=True)
    assert (first.value, pictures.value, graphs.value) == (1.2, 2.5, 6)
    assert (first.bound, pictures.bound, graphs.bound) == (1.5, 3, None)
    assert all(one.bound is None for one in visit_figures("masknet", seen, is_standard=False))


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
    hover = hover_summary("deepfuse", found, seconds=2.0)
    assert (hover.updates, hover.paint_50, hover.answers) == (1.5, 40.0, 2)
    assert hover.paint_95 == pytest.approx(94)
    assert (hover.server, hover.wire, hover.main_thread) == (5.5, 7.5, 2.0)
    assert hover.rest == 40 - 13 - 2
    assert hover_table([hover]).row_count == 1


def test_a_browser_that_painted_nothing_has_no_times() -> None:
    hover = hover_summary("deepfuse", {"measures": [], "paints": [], "answers": []}, seconds=1.0)
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


MAKEFILE = Path(__file__).parents[2] / "Makefile"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, list[list[str]]]]:
    """Run the program; instead of each part, a figure of the given value is recorded and a code returned."""

    def program(*arguments: str, value: float = 1, code: int = 0) -> tuple[int, str, list[list[str]]]:
        started: list[list[str]] = []

        def instead(command: list[str], check: bool) -> Any:
            started.append(command[2:])
            record = Path(command[command.index("--record") + 1])
            finish(f"part {len(started)}", [Figure.beside("time", value, "s", at_most(2))], record=record)
            return SimpleNamespace(returncode=code)

        monkeypatch.setattr(together.subprocess, "run", instead)
        result = CliRunner().invoke(together.app, list(arguments))
        return result.exit_code, result.output, started

    return program


def test_each_part_is_run_and_summed_up(run: Any) -> None:
    code, output, started = run()
    assert code == 0
    assert [command[0] for command in started] == [part.module for part in together.PARTS]
    assert f"Limits: {len(together.PARTS)} of {len(together.PARTS)} figures keep to theirs." in output


def test_what_is_missed_is_named_and_fails_where_asked(run: Any) -> None:
    code, output, _ = run("--only", "users", value=3)
    assert code == 0
    assert "MISSED part 1: time: 3 s, must be ≤ 2 s" in output
    assert run("--only", "users", "--strict", value=3)[0] == 3


def test_a_part_that_fails_stops_no_other(run: Any) -> None:
    code, output, started = run("--only", "users", "--only", "growth", "--strict", value=3, code=1)
    assert code == 1
    assert len(started) == 2
    assert "FAILED: users, growth" in output


def test_other_options_go_to_the_numerics(run: Any) -> None:
    _, _, started = run("--pixels", "5", "--only", "numerics", "--only", "hover")
    assert "--pixels" in started[0] and "5" in started[0]
    assert "--pixels" not in started[1]


def test_figures_can_be_kept(run: Any, tmp_path: Path) -> None:
    record = tmp_path / "all.jsonl"
    run("--only", "users", "--only", "growth", "--record", str(record))
    run("--only", "users", "--record", str(record))
    assert [part for part, _ in recorded(record)] == ["part 1", "part 2", "part 1"]
    assert json.loads(record.read_text().splitlines()[0])["bound"] == 2


def test_an_unknown_part_is_refused(run: Any) -> None:
    code, output, started = run("--only", "nothing")
    assert (code, started) == (2, [])
    assert "There is no part nothing" in output


def test_every_part_has_a_make_target_with_the_same_command() -> None:
    rules = MAKEFILE.read_text(encoding="utf-8")
    for part in together.PARTS:
        command = " ".join(("-m", part.module, *part.arguments, "$(ARGS)"))
        assert f"\nbench-{part.name}: " in rules
        assert command in rules

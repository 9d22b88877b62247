"""The other benchmarks say what is missed, and measure what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import atlas_sizes
from benchmarks.comparing import figures_of
from benchmarks.figures import Figure, figures_table, finish, recorded, summary
from benchmarks.first_view import visit_figures
from benchmarks.images import of_side, sample
from benchmarks.inside import hover, services_for
from benchmarks.limits import at_least, at_most
from benchmarks.memory import finish_guidance
from fusion import load_method
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
    assert size.value == announced[0].value == 4 * 64 * 64 * 8 / 1e9
    assert ratio.value == pytest.approx(taken.value / seconds.value)
    assert size.value <= on_disk.value < 2 * size.value
    # A tile is two files; the group, its two arrays and the claims are four.
    assert files.value == 2 * 4 + 4


def test_a_pointer_inside_the_process_gets_answers() -> None:
    asked: list[int] = []
    with services_for(of_side(32)) as services:
        scene = services.scenes.open("own", "weighted_averaging")
        times = hover(services, scene, 0.2, seed=1, meanwhile=lambda: asked.append(1))
        assert not services.atlases.state(scene, "benchmark").running
        finish_guidance(services, scene)
        assert services.guidance.known(scene) is not None
    assert 1 <= len(times) <= 14 and min(times) > 0
    assert asked == [1]


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

"""Plan of a search: its grid and neighbours, and the instance that is chosen."""

from __future__ import annotations

import itertools
import math

import pytest

from fusion.training.loss import LossBalance
from fusion.training.tuning.instance import Instance, InstanceResult, TuningError
from fusion.training.tuning.plan import RULES, SearchPlan, best_balanced, choose, ranking
from tests.unit.made_up_tuning import made_up_result


def test_the_papers_grid_has_125_instances() -> None:
    grid = SearchPlan().grid()
    assert len(grid) == len(set(grid)) == 125
    assert grid[0] == Instance(0.01, 0.1, 0.1)
    assert grid[-1] == Instance(0.99, 0.9, 0.9)


def test_the_papers_search_has_at_most_171_instances() -> None:
    assert SearchPlan().largest_size == 125 + 5 * 8 + 6
    assert SearchPlan((0.99,), (0.5,), (0.4, 0.5), refinements=2, last_lambdas=()).largest_size == 2 + 2 * 2


def test_neighbours_are_half_a_cell_away() -> None:
    around = SearchPlan().neighbours(Instance(0.8, 0.5, 0.3), 1)
    assert around == [
        Instance(0.8, 0.4, 0.2), Instance(0.8, 0.4, 0.3), Instance(0.8, 0.4, 0.4),
        Instance(0.8, 0.5, 0.2), Instance(0.8, 0.5, 0.4),
        Instance(0.8, 0.6, 0.2), Instance(0.8, 0.6, 0.3), Instance(0.8, 0.6, 0.4),
    ]  # fmt: skip
    assert Instance(0.8, 0.55, 0.25) in SearchPlan().neighbours(Instance(0.8, 0.5, 0.3), 2)


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("centre", [(0.1, 0.1), (0.9, 0.9), (0.1, 0.9), (0.5, 0.9)])
def test_neighbours_stay_inside_and_do_not_repeat(centre: tuple[float, float], turn: int) -> None:
    around = SearchPlan().neighbours(Instance(0.2, *centre), turn)
    assert len(set(around)) == len(around) >= 3
    assert Instance(0.2, *centre) not in around
    assert all(0 < one.gamma_ssim < 1 and 0 < one.gamma_l2 < 1 and one.lambda_ == 0.2 for one in around)


def test_a_gamma_with_one_value_is_held() -> None:
    around = SearchPlan(gammas_l2=(0.5,)).neighbours(Instance(0.2, 0.5, 0.5), 1)
    assert around == [Instance(0.2, 0.4, 0.5), Instance(0.2, 0.6, 0.5)]
    assert SearchPlan((0.2,), (0.5,), (0.5,)).neighbours(Instance(0.2, 0.5, 0.5), 1) == []


def test_the_last_stage_keeps_the_gammas() -> None:
    last = SearchPlan().last(Instance(0.99, 0.4, 0.6))
    assert [one.lambda_ for one in last] == [0.9, 0.999, 0.9999, 0.99999, 0.999999, 1.0]
    assert {(one.gamma_ssim, one.gamma_l2) for one in last} == {(0.4, 0.6)}


def test_values_are_sorted_once_each_and_round() -> None:
    plan = SearchPlan((0.8, 0.2, 0.8), (0.1 + 0.2,), (0.5,))
    assert (plan.lambdas, plan.gammas_ssim) == ((0.2, 0.8), (0.3,))
    assert Instance(0.99, 0.1 + 0.2, 0.5) == Instance(0.99, 0.3, 0.5)


def test_names_of_an_instance() -> None:
    instance = Instance(0.999999, 0.45, 1)
    assert instance.options == "--lambda 0.999999 --gamma-ssim 0.45 --gamma-l2 1"
    assert instance.key == "lambda-0.999999_ssim-0.45_l2-1"
    assert instance.balance == LossBalance(0.999999, 0.45, 1.0)


def test_what_a_plan_lacks_of_another() -> None:
    small = SearchPlan((0.8,), (0.5,), (0.5,), refinements=0, last_lambdas=())
    assert SearchPlan().missing(small) == []
    assert small.missing(small) == []
    assert small.missing(SearchPlan(last_lambdas=())) == [
        "λ 0.01, 0.2, 0.5, 0.99",
        "γ_ssim 0.1, 0.3, 0.7, 0.9",
        "γ_l2 0.1, 0.3, 0.7, 0.9",
        "1 rounds of refinement",
    ]
    assert SearchPlan.from_values(SearchPlan().values()) == SearchPlan()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lambdas": (1.5,)}, "λ is a share"),
        ({"gammas_l2": (float("nan"),)}, "γ_l2 is a share"),
        ({"gammas_ssim": ()}, "at least one value of γ_ssim"),
        ({"refinements": -1}, "0 or more"),
    ],
)
def test_impossible_plans_are_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(TuningError, match=words):
        SearchPlan(**wrong)  # type: ignore[arg-type]


BALANCED = made_up_result(0.99, 0.5, 0.5, ssim=(0.24, 0.22), l2=(0.012, 0.01))
"""Imbalance 0.02 + 10·0.002 = 0.04, dissimilarity 0.23."""
TILTED = made_up_result(0.99, 0.9, 0.5, ssim=(0.1, 0.3), l2=(0.01, 0.01))
"""Imbalance 0.2, dissimilarity 0.2."""
BRIGHT = made_up_result(1.0, 0.5, 0.5, ssim=(0.2, 0.2), shift=0.15)
"""Imbalance 0, dissimilarity 0.2, artefact 1.5."""
POOR = made_up_result(0.01, 0.5, 0.5, ssim=(0.5, 0.5), l2=(0.01, 0.01))
"""Imbalance 0, dissimilarity 0.5."""
FAILED = made_up_result(0.5, 0.5, 0.5, error="the loss is not a number")


def test_measures_worked_by_hand() -> None:
    one = made_up_result(ssim=(0.2524, 0.2147), l2=(0.0148, 0.0094), background=-0.005, shift=0.04)
    assert one.imbalance == pytest.approx(0.0377 + 10 * 0.0054)
    assert one.dissimilarity == pytest.approx(0.23355)
    assert one.artefact == pytest.approx(0.4)
    assert one.balanced and one.clean and not one.failed


@pytest.mark.parametrize(
    ("ssim", "l2"),
    [
        ((0.2524, 0.2147), (0.0148, 0.0094)),
        ((0.2208, 0.2236), (0.0109, 0.0115)),
        ((0.2824, 0.2830), (0.0385, 0.0338)),
        ((0.2164, 0.2219), (0.0148, 0.0175)),
    ],
)
def test_the_networks_of_table_1_are_balanced(ssim: tuple[float, float], l2: tuple[float, float]) -> None:
    assert made_up_result(ssim=ssim, l2=l2).balanced


@pytest.mark.parametrize(
    ("background", "shift", "clean"),
    [
        (0.02, 0.1, True),
        (-0.02, -0.1, True),
        (0.021, 0.0, False),
        (0.0, -0.11, False),
        (None, 0.05, True),
        (None, None, True),
        (math.nan, 0.0, False),
        (0.0, math.inf, False),
    ],
)
def test_both_signs_of_brightness_count(background: float | None, shift: float | None, clean: bool) -> None:
    assert made_up_result(background=background, shift=shift).clean is clean


def test_the_chosen_one_is_balanced_and_clean_before_it_is_similar() -> None:
    choice = choose([POOR, TILTED, FAILED, BRIGHT, BALANCED])
    assert choice is not None
    assert (choice.result, choice.rule) == (BALANCED, RULES[0])


def test_without_a_balanced_one_the_most_balanced_clean_one() -> None:
    less_tilted = made_up_result(0.8, 0.7, 0.5, ssim=(0.3, 0.45))
    choice = choose([TILTED, BRIGHT, less_tilted])
    assert choice is not None
    assert (choice.result, choice.rule) == (less_tilted, RULES[1])


def test_without_a_clean_one_the_least_artefact() -> None:
    gray = made_up_result(0.9, background=0.04)
    choice = choose([gray, BRIGHT])
    assert choice is not None
    assert (choice.result, choice.rule) == (BRIGHT, RULES[2])


def test_nothing_is_chosen_of_nothing() -> None:
    assert choose([]) is None
    assert choose([FAILED]) is None
    assert best_balanced([FAILED]) is None


def test_losses_that_are_no_numbers_fail() -> None:
    broken = made_up_result(ssim=(math.nan, 0.2))
    assert broken.failed
    choice = choose([broken, POOR])
    assert choice is not None and choice.result == POOR
    assert ranking([broken, FAILED, POOR])[0] == POOR


def test_the_order_of_the_table_does_not_matter() -> None:
    table = [BALANCED, TILTED, BRIGHT, POOR, FAILED]
    rankings = {tuple(one.instance for one in ranking(some)) for some in itertools.permutations(table)}
    assert len(rankings) == 1
    assert ranking(table) == [BALANCED, POOR, TILTED, BRIGHT, FAILED]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        # Equally dissimilar: the more balanced one, then the cleaner one, then the lower λ and γ.
        (made_up_result(0.8, ssim=(0.25, 0.25)), made_up_result(0.2, ssim=(0.24, 0.26))),
        (made_up_result(0.8, shift=0.01), made_up_result(0.2, shift=0.02)),
        (made_up_result(0.2, 0.3), made_up_result(0.2, 0.5)),
        (made_up_result(0.2, 0.5, 0.3), made_up_result(0.2, 0.5, 0.5)),
    ],
)
def test_ties(better: InstanceResult, worse: InstanceResult) -> None:
    for table in ([better, worse], [worse, better]):
        choice = choose(table)
        assert choice is not None and choice.result == better


def test_refinement_goes_around_the_most_balanced_whatever_its_losses() -> None:
    assert best_balanced([BALANCED, TILTED, POOR]) == POOR
    equal = made_up_result(0.01, 0.9, 0.9, ssim=(0.4, 0.4))
    assert best_balanced([POOR, equal]) == equal


def test_a_result_survives_writing_down() -> None:
    for one in (BALANCED, FAILED, made_up_result(background=None)):
        assert InstanceResult.from_values(one.values()) == one

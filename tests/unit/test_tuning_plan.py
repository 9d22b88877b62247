from __future__ import annotations

import pytest

from fusion.training.loss import LossBalance
from fusion.training.tuning.plan import Instance, SearchPlan, TuningError


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

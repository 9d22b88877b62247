from __future__ import annotations

import itertools
import math

import pytest

from fusion.training.tuning.choice import RULES, best_balanced, choose, ranking
from fusion.training.tuning.result import InstanceResult
from tests.unit.made_up_tuning import made_up_result

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

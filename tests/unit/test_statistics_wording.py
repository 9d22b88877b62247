"""How numbers are written for people: never on the other side of a limit than they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fusion.pair import Pair
from fusion.statistics.guidance import Dominance, Dominant
from fusion.statistics.relation import Line
from fusion.statistics.requirements import checklist
from fusion.statistics.verdicts import Measure, Requirement, Verdict
from fusion.statistics.wording import (
    brightness_change,
    line_share_shown,
    measured,
    percent,
    ratio_shown,
    shown,
    slope_shown,
)
from tests.unit.test_statistics_requirements import PAIR, REGIONS, image, judge, outside


def test_how_numbers_are_shown() -> None:
    assert [shown(number) for number in (1.23456, -0.5, math.nan, math.inf, -math.inf, -123456.0)] == [
        "1.235",
        "−0.500",
        "–",
        "∞",
        "−∞",
        "−1.23e+05",
    ]
    assert shown(2.0, 0) == "2"


def test_a_slope_of_a_round_cloud_is_not_written() -> None:
    assert (slope_shown(Line(2.5, 0.6)), line_share_shown(Line(2.5, 0.6))) == ("2.500", "0.600")
    assert (slope_shown(Line(2.5, 0.59996)), line_share_shown(Line(2.5, 0.59996))) == ("–", "0.59996")
    assert (slope_shown(Line(math.inf, 0.7)), slope_shown(Line(math.nan, math.nan))) == ("∞", "–")


@pytest.mark.parametrize(
    ("value", "digits", "limits", "expected"),
    [
        (0.1004, 2, (0.1,), "0.1004"),
        (0.0996, 2, (0.1,), "0.0996"),
        (0.1, 2, (0.1,), "0.10"),
        (0.104, 2, (0.1,), "0.104"),
        (0.106, 2, (0.1,), "0.11"),
        (0.1 + 2e-9, 2, (0.1,), "0.100000002"),
        (math.nextafter(0.1, 1), 3, (0.1,), "0.10000000000000002"),
        (-0.1004, 2, (-0.1, 0.1), "−0.1004"),
        (1.2499, 3, (1.25,), "1.2499"),
        (0.004, 2, (0,), "0.004"),
        (math.nan, 2, (0.1,), "–"),
        (math.inf, 2, (0.1,), "∞"),
        (3e5, 2, (0.1,), "3.00e+05"),
    ],
)
def test_one_more_digit_near_a_limit(
    value: float, digits: int, limits: tuple[float, ...], expected: str
) -> None:
    assert shown(value, digits, limits) == expected


def test_percentages_have_limits_too() -> None:
    assert percent(0.1004, 1, (0.1,)) == "10.04 %"
    assert percent(0.10004, 1, (0.1,)) == "10.004 %"
    assert percent(0.4996, 0, (0.5,)) == "49.96 %"
    assert percent(0.25) == "25.0 %" and percent(math.nan) == "–"


def test_brighter_and_darker() -> None:
    assert measured(Measure("requirement.core_brightness", -0.078, limits=(0.1,))) == "darker 0.078"
    assert measured(Measure("requirement.healthy_brightness", 0.10004, limits=(-0.1, 0.1))) == (
        "brighter 0.10004"
    )
    assert measured(Measure("requirement.healthy_brightness", -0.0001)) == "as bright"
    assert brightness_change(-0.1004, "on PET", 0.1) == (
        "on average 0.1004 of the gray scale darker than on PET"
    )
    assert brightness_change(0.002, "on PET", 0.1) == "on average as bright as on PET"
    assert measured(Measure("requirement.core_outside", 0.10004, limits=(0.1,))) == "outside 0.10004"


def test_a_ratio_says_whether_one_dominates() -> None:
    assert ratio_shown(Dominance(Dominant.NEITHER, 0.1, 1.24996, 0.5)) == "1.24996"
    assert ratio_shown(Dominance(Dominant.X1, 0.1, 1.25, 0.5)) == "1.250"
    assert ratio_shown(Dominance(Dominant.NEITHER, 0.1, 0.80004, 0.5)) == "0.80004"


def test_no_number_contradicts_its_verdict() -> None:
    near = judge(image(0.2004, 0.6, 0.7996), guidance=(0.1004, 0.1), influence=outside(0.10004))
    assert [one.verdict for one in near] == [Verdict.FAIL] * 4
    assert "0.1004 of the gray scale brighter" in near[0].sentence
    assert "0.1004 of the gray scale darker" in near[1].sentence
    assert "0.1004 % on average" in near[2].sentence
    assert near[3].sentence.startswith("10.004 % of the influence")
    assert [measured(one.measures[-1]) for one in near[:2]] == ["brighter 0.1004", "darker 0.1004"]
    little = judge(image(0.1, 0.2998, 0.9))[0]
    assert little.verdict is Verdict.FAIL and "keeps 49.95 % of the contrast" in little.sentence


def dark_core(core: float, rim: float) -> Requirement:
    pair = Pair(np.stack([PAIR.images[0], image(core, rim, 0.9)]))
    return checklist(pair, pair.images[1], None, REGIONS, None)[0]


def test_what_pet_itself_shows_of_the_core() -> None:
    slightly = dark_core(0.5, 0.53).sentence
    assert "the core is only 0.03 of the gray scale darker than the rim (contrast 0.03;" in slightly
    assert "(contrast 0.0496;" in dark_core(0.5, 0.5496).sentence
    assert "the core is not darker than the rim (contrast −0.23;" in dark_core(0.73, 0.5).sentence
    assert "the core is not darker than the rim (contrast 0.00;" in dark_core(0.5, 0.5).sentence


def test_rules_are_sentences_without_signs_of_formulas() -> None:
    for requirement in judge(influence=outside(0)):
        assert not set("≤≥|⟨⟩=") & set(requirement.rule), requirement.rule

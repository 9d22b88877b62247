"""Numbers as records, and as they are written for people: never on the other side of a limit than they are."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion.pair import Pair
from fusion.saliency.window import Box
from fusion.statistics.comparison import MethodComparison, cautions, compare_method
from fusion.statistics.guidance import Dominance, Dominant, Line
from fusion.statistics.records import csv_text, records
from fusion.statistics.regions import box_region, whole_image
from fusion.statistics.requirements import Measure, Requirement, Verdict, checklist, measured
from fusion.statistics.wording import (
    brightness_change,
    dominant_name,
    line_share_shown,
    percent,
    ratio_shown,
    reading_shown,
    shown,
    slope_shown,
)
from tests.unit.reference import random_pair
from tests.unit.test_statistics_requirements import PAIR, REGIONS, image, judge, outside

DEFINITIONS = Path(__file__).parents[2] / "docs" / "statistics.md"
SHAPE = (8, 9)


@pytest.fixture
def comparison(rng: np.random.Generator) -> MethodComparison:
    pair = random_pair(rng, SHAPE)
    method = fusion.load_method("weighted_averaging", "cpu")
    regions = [
        whole_image(SHAPE),
        box_region("core", Box(0, 0, 4, 4), SHAPE),
        box_region('rim, "outer"', Box(4, 0, 8, 9), SHAPE),
        box_region("around", Box(0, 0, 6, 6), SHAPE),
    ]
    fused, guidance = fusion.fuse(method, pair), fusion.guidance(method, pair)
    return compare_method(method, pair, fused, guidance, regions, [(1, 2), (0, 8)], dtype="float64")


def rows(comparison: MethodComparison) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(records("pair, one", "abc", [comparison])))))


def test_one_row_a_number(comparison: MethodComparison) -> None:
    table = rows(comparison)
    keys = [(row["region"], row["row"], row["col"], row["quantity"], row["modality"]) for row in table]
    assert len(set(keys)) == len(keys)
    assert {row["pair"] for row in table} == {"pair, one"}
    assert {row["method"] for row in table} == {"weighted_averaging"}
    assert {row["weights"] for row in table} == {comparison.weights_id}
    assert {row["region"] for row in table} == {
        "",
        "whole image",
        "core",
        "around",
        'rim, "outer"',
        "healthy",
    }
    by_key = dict(zip(keys, table, strict=True))
    mean = by_key["core", "", "", "mean", "x1"]
    assert float(mean["value"]) == comparison.guidance[1].x1.mean
    assert (mean["n"], mean["definition"]) == ("16", "guidance.mean")
    assert by_key["core", "", "", "dominance_ratio", "both"]["text"] in ("x1", "x2", "neither")
    assert float(by_key["around", "", "", "total", "x2"]["value"]) == comparison.region_influence[3].x2.total
    assert by_key["", "1", "2", "total", "x1"]["n"] == "1"
    # Of a pixel, only the share outside is of a region, and of each that contains it.
    assert {key[0] for key in keys if key[1:4] == ("1", "2", "outside")} == {"core", "around"}
    assert {key[0] for key in keys if key[1:4] == ("1", "2", "gini")} == {""}
    assert not [key for key in keys if key[1:4] == ("0", "8", "outside")]


def test_verdicts_are_numbers_with_their_sentence(comparison: MethodComparison) -> None:
    verdicts = {row["quantity"]: row for row in rows(comparison) if row["quantity"].startswith("requirement")}
    assert list(verdicts) == [f"requirement_{number}" for number in (1, 2, 3, 4)]
    assert verdicts["requirement_1"]["value"] == ""
    assert verdicts["requirement_1"]["text"].startswith("undecidable: No region named rim")
    assert verdicts["requirement_4"]["value"] == "1.0"
    assert verdicts["requirement_4"]["text"].startswith("pass: ")


def test_what_the_tables_show_of_regions_is_there(comparison: MethodComparison) -> None:
    few = replace(comparison.region_influence[1], used=5, spacing=2, left_out=3)
    guidance = replace(comparison.guidance[1], n=14)
    changed = replace(comparison, guidance=(guidance,), region_influence=(few,), suspicious=4)
    table = {row["quantity"]: row for row in rows(changed) if row["region"] == "core" and not row["row"]}
    values = {name: table[name]["value"] for name in ("pixels", "not_finite", "spacing", "left_out")}
    assert values == {"pixels": "16.0", "not_finite": "2.0", "spacing": "2.0", "left_out": "3.0"}
    assert (table["spacing"]["n"], table["not_finite"]["n"]) == ("5", "14")
    (suspicious,) = (row for row in rows(changed) if row["quantity"] == "suspicious")
    assert (suspicious["value"], suspicious["region"]) == ("4.0", "")
    unknown = replace(changed, guidance=())
    assert [row["quantity"] for row in rows(unknown) if row["quantity"] in ("pixels", "suspicious")] == [
        "pixels"
    ]
    for number, requirement in enumerate(comparison.requirements, 1):
        (verdict,) = (row for row in rows(comparison) if row["quantity"] == f"requirement_{number}")
        assert verdict["text"].endswith(f" Rule: {requirement.rule}.")


def test_gradients_to_be_careful_with_are_told(comparison: MethodComparison) -> None:
    assert cautions(comparison) == []
    few = replace(comparison.region_influence[1], used=5, left_out=3)
    told = cautions(replace(comparison, suspicious=1, region_influence=(few,)))
    assert told[0].startswith(
        "Weighted Averaging, weights held constant has 1 pixel with a guidance value that is not finite or"
    )
    assert told[1].startswith(
        "Weighted Averaging, weights held constant, core: 3 of 8 principal pixels are not in the influence"
    )


def test_values_have_all_digits_and_nothing_stands_for_undefined(comparison: MethodComparison) -> None:
    first = comparison.guidance[0]
    odd = replace(first, pearson=math.nan, spearman=-math.inf, line=replace(first.line, slope=0.1 + 0.2))
    table = rows(replace(comparison, guidance=(odd,)))
    values = {row["quantity"]: row["value"] for row in table if row["region"] == "whole image"}
    assert (values["pearson"], values["spearman"], values["slope"]) == ("", "-inf", "0.30000000000000004")


def test_every_definition_is_in_the_docs(comparison: MethodComparison) -> None:
    text = DEFINITIONS.read_text(encoding="utf-8")
    used = {row["definition"] for row in rows(comparison)}
    source = DEFINITIONS.parents[1] / "fusion" / "statistics" / "requirements.py"
    used |= set(re.findall(r'"(requirement\.\w+)"', source.read_text(encoding="utf-8")))
    assert {name for name in used if f"`{name}`" not in text} == set()


def test_suspicious_gradients_are_counted(rng: np.random.Generator) -> None:
    pair = random_pair(rng, SHAPE)
    method = fusion.load_method("weighted_averaging", "cpu")
    guidance = np.zeros((2, *SHAPE))
    guidance[0, 0, 0], guidance[1, 0, 0], guidance[1, 3, 3] = np.nan, np.inf, -2000
    found = compare_method(method, pair, np.zeros(SHAPE), guidance, [])
    assert found.suspicious == 2
    assert found.guidance == () and found.pixel_influence == ()


def test_progress_counts_all_regions(rng: np.random.Generator) -> None:
    pair = random_pair(rng, SHAPE)
    method = fusion.load_method("weighted_averaging", "cpu")
    regions = [whole_image(SHAPE), box_region("core", Box(0, 0, 2, 2), SHAPE)]
    seen: list[tuple[int, int]] = []
    compare_method(
        method,
        pair,
        fusion.fuse(method, pair),
        fusion.guidance(method, pair),
        regions,
        limit=20,
        progress=lambda *step: seen.append(step),
    )
    # At spacing 2 there are 4·5 pixels of the whole image; all 4 of the core are used.
    assert seen == [(number, 24) for number in range(1, 25)]


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "@SUM(1)", "+1", "-1", "\tx", "\rx", "\nx", "\uff1d1"])
def test_a_name_that_begins_like_a_formula_is_text_in_a_spreadsheet(
    comparison: MethodComparison, name: str
) -> None:
    found = next(iter(records("3", "abc", [comparison])))
    number = replace(found, region=name, pair=name, method=name, text=name, value=-1.5, n=-1)
    text = csv_text([number])
    assert text.count("'" + name.replace('"', '""')) == 4
    assert ",-1.5,-1," in text, "numbers are numbers"


@pytest.mark.parametrize("name", ["core", "'quoted", "a=b", "1-2", "−1", "Läsion, links"])
def test_ordinary_names_are_written_as_they_are(comparison: MethodComparison, name: str) -> None:
    found = next(iter(records("3", "abc", [comparison])))
    (row,) = csv.DictReader(io.StringIO(csv_text([replace(found, region=name)])))
    assert row["region"] == name


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
    assert ratio_shown(1.24996) == "1.24996"
    assert ratio_shown(1.25) == "1.250"
    assert ratio_shown(0.80004) == "0.80004"


def test_no_modality_dominates_where_all_influence_says_otherwise(comparison: MethodComparison) -> None:
    guidance = replace(comparison.guidance[1], dominance=Dominance(Dominant.X1, 0.5, 1.83, 0.9))
    influence = comparison.region_influence[1]
    x1, x2 = replace(influence.x1, total=0.5, signed=-0.5), replace(influence.x2, total=1.0, signed=1.0)
    for of_region, name, text in (
        (
            replace(influence, x1=x1, x2=x2),
            "not clear",
            "not clear: x1 by the own pixel, x2 by all influence",
        ),
        (replace(influence, x1=x2, x2=x1), "MRI", "x1"),
        (
            replace(influence, x1=x2, x2=x2),
            "not clear",
            "not clear: x1 by the own pixel, neither by all influence",
        ),
    ):
        assert dominant_name(guidance.dominance, ("MRI", "PET"), of_region) == name
        table = rows(replace(comparison, guidance=(guidance,), region_influence=(of_region,)))
        (ratio,) = (row for row in table if row["definition"] == "influence.total_ratio")
        assert (ratio["region"], ratio["text"]) == ("core", text)
        assert float(ratio["value"]) == of_region.x1.total / of_region.x2.total
    assert dominant_name(guidance.dominance, ("MRI", "PET")) == "MRI", "while all influence is not known"


NOT_CLEAR_TEXT = "not clear: {} by the own pixel, {} by all influence, {} by the response"


@pytest.mark.parametrize(
    ("totals", "signed", "text"),
    [
        ((2, 1), (-2, 1), "x1"),
        ((1, 2), (2, 1), NOT_CLEAR_TEXT.format("x1", "x2", "x1")),
        ((2, 1), (1, 1), NOT_CLEAR_TEXT.format("x1", "x1", "neither")),
        ((2, 1), (0, 0), "undefined"),
    ],
)
def test_the_response_is_the_third_reading_of_who_dominates(
    comparison: MethodComparison, totals: tuple[float, ...], signed: tuple[float, ...], text: str
) -> None:
    guidance = replace(comparison.guidance[1], dominance=Dominance(Dominant.X1, 0.5, 1.83, 0.9))
    influence = comparison.region_influence[1]
    x1, x2 = (
        replace(influence.x1, total=total, signed=answer)
        for total, answer in zip(totals, signed, strict=True)
    )
    of_region = replace(influence, x1=x1, x2=x2)
    name = "not clear" if text.startswith("not clear") else "MRI"
    assert dominant_name(guidance.dominance, ("MRI", "PET"), of_region) == name
    table = rows(replace(comparison, guidance=(guidance,), region_influence=(of_region,)))
    (ratio,) = (row for row in table if row["definition"] == "influence.response_ratio")
    assert ratio["text"] == text
    assert ratio["value"] == ("" if signed == (0, 0) else repr(float(abs(signed[0]) / signed[1])))


def test_a_reading_says_whom_it_names() -> None:
    assert reading_shown(1.83, Dominant.X1, ("MRI", "PET")) == "1.830 MRI"
    assert reading_shown(1.0, Dominant.NEITHER, ("MRI", "PET")) == "1.000 neither"
    assert reading_shown(math.nan, Dominant.UNDEFINED, ("MRI", "PET")) == "–"


def test_no_number_contradicts_its_verdict() -> None:
    near = judge(
        image(0.2004, 0.6, 0.7996), guidance=(0.1004, 0.1), influence=outside(0.10004, totals=(0.1004, 0.1))
    )
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


def test_correlations_over_mostly_air_warn(comparison: MethodComparison) -> None:
    whole = comparison.guidance[0]
    half = replace(whole, region="head", pixels=whole.pixels // 2)
    less = replace(half, pixels=whole.pixels // 2 - 1)
    assert whole.region == "whole image"
    assert cautions(replace(comparison, guidance=(whole, half))) == []
    (told,) = cautions(replace(comparison, guidance=(whole, less)))
    assert "of the whole image is air" in told and "region head" in told
    assert cautions(replace(comparison, guidance=(less,))) == []

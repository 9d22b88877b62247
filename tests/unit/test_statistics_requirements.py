from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.errors import RegionError
from fusion.pair import Pair
from fusion.saliency.window import Box
from fusion.statistics.influence import ModalityInfluence, RegionInfluence
from fusion.statistics.regions import Region, box_region, described_regions, inverted, whole_image
from fusion.statistics.requirements import Requirement, Verdict, checklist

SHAPE = (4, 6)
CORE = box_region("core", Box(0, 0, 4, 2), SHAPE)
RIM = box_region("rim", Box(0, 2, 4, 4), SHAPE)
HEALTHY = box_region("healthy", Box(0, 4, 4, 6), SHAPE)
REGIONS = (CORE, RIM, HEALTHY)


def image(core: float, rim: float, healthy: float) -> NDArray[np.float32]:
    """Return an image that is constant in each region."""
    return np.repeat(np.array([[core, rim, healthy]], dtype=np.float32), 2, axis=1).repeat(4, axis=0)


PAIR = Pair(np.stack([image(0.9, 0.8, 0.4), image(0.1, 0.5, 0.9)]))


def outside(share: float, used: int = 8, totals: tuple[float, float] = (0.05, 0.8)) -> RegionInfluence:
    x1, x2 = (ModalityInfluence(total, total, 0, 1, share, 0.5) for total in totals)
    return RegionInfluence("core", 8, used, 1, 0, x1, x2, share)


def judge(
    fused: NDArray[np.float32] | None = None,
    guidance: tuple[float, float] | None = (0.05, 0.8),
    regions: tuple[Region, ...] = REGIONS,
    influence: RegionInfluence | None = None,
    response: float = math.nan,
) -> tuple[Requirement, ...]:
    both = None if guidance is None else np.stack([np.full(SHAPE, value) for value in guidance])
    picture = PAIR.images[1] if fused is None else fused
    return checklist(PAIR, picture, both, regions, influence, core_response=response)


def test_a_fused_picture_that_is_the_pet_passes() -> None:
    found = judge(influence=outside(0.0))
    assert [requirement.number for requirement in found] == [1, 2, 3, 4]
    assert [requirement.verdict for requirement in found] == [Verdict.PASS] * 4
    values = [[measure.value for measure in requirement.measures] for requirement in found]
    assert values == [[1, 0], [0], [*map(pytest.approx, (0.05, 0.0625, 0.0625))], [0]]
    assert "keeps 100 % of the contrast" in found[0].sentence
    assert "as bright as on PET" in found[1].sentence
    assert found[3].sentence.startswith("None of the influence")


def test_a_fused_picture_that_is_the_mri_fails() -> None:
    found = judge(PAIR.images[0], guidance=(1, 0), influence=outside(0.4, totals=(1, 0)))
    assert [requirement.verdict for requirement in found] == [Verdict.FAIL] * 4
    contrast, change = found[0].measures
    # MRI: 0.8 − 0.9; PET: 0.5 − 0.1.
    assert contrast.value == pytest.approx(-0.25, abs=1e-6)
    assert change.value == pytest.approx(0.8, abs=1e-6)
    assert "no longer shows the core darker" in found[0].sentence
    assert "0.80 of the gray scale brighter than on PET" in found[0].sentence
    assert found[1].measures[0].value == pytest.approx(-0.5, abs=1e-6)
    assert "0.50 of the gray scale darker" in found[1].sentence
    assert found[2].measures[1].value == math.inf
    assert "40.0 %" in found[3].sentence


@pytest.mark.parametrize(
    ("core", "rim", "verdict"),
    [
        (0.1, 0.31, Verdict.PASS),
        (0.1, 0.29, Verdict.FAIL),  # too little contrast left
        (0.19, 0.6, Verdict.PASS),
        (0.21, 0.6, Verdict.FAIL),  # enough contrast, yet brighter than allowed
        (0.0, 0.4, Verdict.PASS),  # a darker core is no loss
    ],
)
def test_the_first_needs_contrast_and_darkness(core: float, rim: float, verdict: Verdict) -> None:
    assert judge(image(core, rim, 0.9))[0].verdict is verdict


@pytest.mark.parametrize(
    ("healthy", "verdict"),
    [(0.81, Verdict.PASS), (0.79, Verdict.FAIL), (0.99, Verdict.PASS), (1.01, Verdict.FAIL)],
)
def test_the_second_allows_a_tenth_either_way(healthy: float, verdict: Verdict) -> None:
    assert judge(image(0.1, 0.5, healthy))[1].verdict is verdict


@pytest.mark.parametrize(
    ("guidance", "verdict"),
    [
        ((0.1, 0.0), Verdict.PASS),  # hardly any sensitivity, whatever the PET's
        ((0.11, 0.1), Verdict.FAIL),
        ((0.8, 1.0), Verdict.PASS),  # the PET counts for more by a quarter
        ((0.81, 1.0), Verdict.FAIL),
        ((-0.8, 0.5), Verdict.FAIL),
        ((0.8, -1.0), Verdict.PASS),
    ],
)
def test_the_third_compares_magnitudes(guidance: tuple[float, float], verdict: Verdict) -> None:
    assert judge(guidance=guidance)[2].verdict is verdict


@pytest.mark.parametrize(
    ("guidance", "totals", "verdict"),
    [
        ((0.8, 0.5), (2.0, 4.0), Verdict.NOT_CLEAR),  # the MRI by the own pixel, the PET by all influence
        ((0.5, 0.8), (4.0, 2.0), Verdict.NOT_CLEAR),
        ((0.05, 0.0), (0.5, 0.5), Verdict.NOT_CLEAR),  # hardly any by the own pixel, some from around
        ((0.8, 0.5), (4.0, 2.0), Verdict.FAIL),
        ((0.5, 0.8), (2.0, 4.0), Verdict.PASS),
        ((0.5, 0.8), (math.nan, math.nan), Verdict.PASS),
    ],
)
def test_the_third_is_not_clear_where_all_influence_says_otherwise(
    guidance: tuple[float, float], totals: tuple[float, float], verdict: Verdict
) -> None:
    found = judge(guidance=guidance, influence=outside(0, totals=totals))[2]
    assert found.verdict is verdict
    assert ("The two readings disagree." in found.sentence) is (verdict is Verdict.NOT_CLEAR)
    known = not math.isnan(totals[0])
    assert len(found.measures) == (3 if known else 2)
    assert ("is not known and not in this verdict" in found.sentence) is not known
    assert "not in this verdict" in judge(guidance=guidance)[2].sentence
    if known:
        assert found.measures[2].value == totals[0] / totals[1]
        assert f"is {totals[0]:.2f} of MRI and {totals[1]:.2f} of PET" in found.sentence


@pytest.mark.parametrize(
    ("response", "verdict", "words"),
    [
        (0.1, Verdict.PASS, "10 % of that change brighter"),
        (
            0.0999,
            Verdict.FAIL,
            "9.99 % of that change brighter in the fused picture: dead tissue can hardly be told",
        ),
        (
            -0.2,
            Verdict.FAIL,
            "20 % of that change darker in the fused picture: dead tissue is shown brighter than dim",
        ),
    ],
)
def test_the_first_is_checked_as_a_response(response: float, verdict: Verdict, words: str) -> None:
    found = judge(response=response)[0]
    assert found.verdict is verdict and words in found.sentence
    assert found.measures[2].value == response
    assert judge(PAIR.images[0], response=0.5)[0].verdict is Verdict.FAIL, "the other conditions stay"


def test_the_fourth_has_a_limit_and_tells_of_subsampling() -> None:
    assert judge(influence=outside(0.1))[3].verdict is Verdict.PASS
    failed = judge(influence=outside(0.101, used=5))[3]
    assert failed.verdict is Verdict.FAIL
    assert "5 of its 8 pixels" in failed.sentence
    assert failed.measures[0].value == 0.101


def test_without_regions_nothing_is_decided() -> None:
    for requirement in judge(regions=()):
        assert requirement.verdict is Verdict.UNDECIDABLE
        assert requirement.measures == ()
        assert "No region named" in requirement.sentence
    partly = judge(regions=(CORE, HEALTHY), influence=outside(0))
    assert [requirement.verdict.value for requirement in partly] == ["undecidable", "pass", "pass", "pass"]
    assert "rim" in partly[0].sentence and "core" not in partly[0].sentence
    empty = judge(regions=(inverted(whole_image(SHAPE), "core"), RIM, HEALTHY))
    assert "core has no pixels" in empty[2].sentence


def test_what_else_leaves_it_open() -> None:
    missing = judge(guidance=None)
    assert "guidance images are not known" in missing[2].sentence
    assert "Jacobian images of the core are not known" in missing[3].sentence
    nowhere = judge(guidance=(math.nan, 1), influence=outside(math.nan))
    assert [nowhere[2].verdict, nowhere[3].verdict] == [Verdict.UNDECIDABLE] * 2
    broken = judge(np.full(SHAPE, np.nan, dtype=np.float32))
    assert [broken[0].verdict, broken[1].verdict] == [Verdict.UNDECIDABLE] * 2
    assert "not finite" in broken[0].sentence


def test_a_core_that_pet_does_not_show() -> None:
    pair = Pair(np.stack([image(0.9, 0.8, 0.4), image(0.5, 0.54, 0.9)]))
    found = checklist(pair, pair.images[1], None, REGIONS, None)[0]
    assert found.verdict is Verdict.UNDECIDABLE
    assert "no dark core" in found.sentence
    assert found.measures[0].value == 0


def test_sentences_use_the_names_of_the_modalities() -> None:
    guidance = np.ones((2, *SHAPE))
    found = checklist(PAIR, PAIR.images[0], guidance, REGIONS, outside(0.5), ("CT", "SPECT"))
    words = " ".join(part for item in found for part in (item.title, item.rule, item.sentence))
    assert "CT" in words and "SPECT" in words and "MRI" not in words and "PET" not in words


def test_a_verdict_says_that_it_rests_on_a_region_in_the_place_of_the_pairs() -> None:
    note = "Judged in another core than the one that comes with the pair."
    core = box_region("core", Box(0, 0, 2, 2), SHAPE)
    found = judge(regions=tuple(described_regions(REGIONS, [core])), influence=outside(0))
    assert [note in requirement.sentence for requirement in found] == [True, False, True, True]
    empty = Region("core", np.zeros(SHAPE, dtype=bool))
    assert note in judge(regions=tuple(described_regions(REGIONS, [empty])))[0].sentence
    rim = box_region("rim", Box(0, 2, 2, 4), SHAPE)
    both = judge(regions=tuple(described_regions(REGIONS, [core, rim])))[0].sentence
    assert both.endswith("Judged in another core and rim than those that come with the pair.")


@pytest.mark.parametrize("ready", [REGIONS, ()])
def test_the_pairs_own_regions_drawn_again_and_those_of_a_pair_without_are_no_others(
    ready: tuple[Region, ...],
) -> None:
    own = [Region(region.name, region.mask) for region in REGIONS]
    found = judge(regions=tuple(described_regions(ready, own)), influence=outside(0))
    assert not [requirement for requirement in found if "another" in requirement.sentence]


def test_what_does_not_fit() -> None:
    with pytest.raises(RegionError, match="6×4"):
        judge(regions=(whole_image((6, 4)), box_region("core", Box(0, 0, 1, 1), (6, 4))))
    with pytest.raises(ValueError, match="fused"):
        judge(np.zeros((3, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="rim"):
        judge(influence=replace(outside(0), region="rim"))

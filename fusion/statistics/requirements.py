"""The paper's four visualization requirements (section 5.3) as a checklist.

The paper judges by eye and gives no limits. Those here are ours: a tenth, of the gray scale or of the influence,
where a change is called slight; half where something must mostly be kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fusion.pair import Pair
from fusion.statistics.guidance import DOMINANCE_RATIO, NAN, guidance_statistics, ratio_of
from fusion.statistics.influence import RegionInfluence
from fusion.statistics.regions import Region
from fusion.statistics.wording import brightness_change, percent, shown

_BRIGHTNESS = ("requirement.core_brightness", "requirement.healthy_brightness")

_MEASURES = {
    "requirement.contrast_kept": "contrast",
    "requirement.core_sensitivity": "guidance",
    "requirement.core_sensitivity_ratio": "ratio",
    "requirement.core_influence_ratio": "Σ|J| ratio",
    "requirement.core_response": "response",
    "requirement.core_outside": "outside",
}


class Verdict(StrEnum):
    """Answer of a requirement's rule."""

    PASS = "pass"
    FAIL = "fail"
    NOT_CLEAR = "not clear"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True)
class Measure:
    """A number that a requirement is judged by.

    Attributes
    ----------
    definition : str
        Where docs/statistics.md defines it.
    value : float
        Dimensionless.
    modality : str
        ``x1`` or ``x2`` where it is of one input alone, else ``both``.
    limits : tuple of float
        Those of the rule: how the number is written says on which side of them it is.
    """

    definition: str
    value: float
    modality: str = "both"
    limits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """One of the four, judged for one method and pair.

    Attributes
    ----------
    number : int
        1 to 4, as in section 5.3 of the paper.
    title : str
        What is required, in a few words.
    rule : str
        The rule that decides, with its limits.
    measures : tuple of Measure
        The numbers that it was applied to; none where they cannot be had.
    verdict : Verdict
        What the rule says.
    sentence : str
        The verdict and its reason in words.
    """

    number: int
    title: str
    rule: str
    measures: tuple[Measure, ...]
    verdict: Verdict
    sentence: str


CORE, RIM, HEALTHY = "core", "rim", "healthy"
"""The names by which the regions are known: necrotic core, rim around it, healthy tissue."""

JUDGED_IN = {1: (CORE, RIM), 2: (HEALTHY,), 3: (CORE,), 4: (CORE,)}
"""The regions that decide each requirement."""

CONTRAST_KEPT = 0.5
"""Requirement 1: at least this share of PET's contrast between rim and core is left in the fused picture."""

SMALLEST_CONTRAST = 0.05
"""Requirement 1: with less contrast than this on PET itself, there is no dark core to be kept."""

BRIGHTNESS_CHANGE = 0.1
"""Requirements 1 and 2: largest change of mean brightness from PET, of a gray scale from 0 to 1."""

LEAST_RESPONSE = 0.1
"""Requirement 1: at least this share of what makes a dead core dim on PET is seen in the fused picture."""

LOW_SENSITIVITY = 0.1
"""Requirement 3: mean |guidance|, and mean Σ|J|, up to which the fused picture hardly answers to a modality."""

OUTSIDE_SHARE = 0.1
"""Requirement 4: largest share of influence on the core from outside the core."""


def checklist(
    pair: Pair,
    fused: NDArray[np.floating],
    guidance: NDArray[np.floating] | None,
    regions: Iterable[Region],
    core_influence: RegionInfluence | None,
    modalities: tuple[str, str] = ("MRI", "PET"),
    core_response: float = NAN,
) -> tuple[Requirement, ...]:
    """Judge a method by the paper's four requirements.

    Parameters
    ----------
    pair : Pair
        The two input images.
    fused : ndarray
        (H, W) fused image.
    guidance : ndarray or None
        (2, H, W) guidance images; without them the third requirement is undecidable.
    regions : iterable of Region
        Those named ``core``, ``rim`` and ``healthy`` are used; where one is missing or empty, what needs it is
        undecidable.
    core_influence : RegionInfluence or None
        `fusion.statistics.influence.region_influence` of the region ``core``; without it the fourth is
        undecidable, and the third is judged at each pixel's own place alone, which its sentence says.
    modalities : tuple of str
        What the sentences call x1 and x2.
    core_response : float
        `fusion.statistics.dim_core.core_response`; NaN: the first is not held against it.

    Returns
    -------
    tuple of Requirement
        Four, in the order of the paper.

    Raises
    ------
    RegionError
        If a region belongs to images of another size.
    ValueError
        If `fused` has another shape than the pair, or `core_influence` is that of another region.
    """
    if fused.shape != pair.shape:
        raise ValueError(f"The fused image is {fused.shape}, the pair {pair.shape}")
    if core_influence is not None and core_influence.region != CORE:
        raise ValueError(f"The influence is that of region {core_influence.region}, not of {CORE}")
    found = {region.name: region for region in regions}
    for name in (CORE, RIM, HEALTHY):
        if name in found:
            found[name].require_shape(pair.shape)
    judged = (
        _dark_core(pair, fused, found, modalities, core_response),
        _bright_tissue(pair, fused, found, modalities),
        _stable_core(guidance, core_influence, found, modalities),
        _local_core(core_influence, found),
    )
    return tuple(_with_own_regions(one, found) for one in judged)


def _dark_core(
    pair: Pair,
    fused: NDArray[np.floating],
    regions: dict[str, Region],
    modalities: tuple[str, str],
    response: float,
) -> Requirement:
    pet = modalities[1]
    rule = (
        f"the rim is brighter than the core by at least {percent(CONTRAST_KEPT, 0)} of the difference on {pet}, "
        f"the core is on average at most {BRIGHTNESS_CHANGE:g} of the gray scale brighter than on {pet}, and a core "
        f"that is dim on {pet} instead of dead would be brighter by at least {percent(LEAST_RESPONSE, 0)} of that"
    )

    def judged(verdict: Verdict, sentence: str, *measures: Measure) -> Requirement:
        return Requirement(1, f"The dark core of {pet} stays visible", rule, measures, verdict, sentence)

    if reason := _missing(regions, CORE, RIM) or _not_finite(fused):
        return judged(Verdict.UNDECIDABLE, reason)
    core, rim = regions[CORE].mask, regions[RIM].mask
    x2, y = pair.images[1].astype(np.float64), fused.astype(np.float64)
    original, kept = (float(image[rim].mean() - image[core].mean()) for image in (x2, y))
    change = Measure("requirement.core_brightness", float((y - x2)[core].mean()), limits=(BRIGHTNESS_CHANGE,))
    if original < SMALLEST_CONTRAST:
        found = shown(original, 2, (0, SMALLEST_CONTRAST))
        much = f"only {found} of the gray scale darker" if original > 0 else "not darker"
        reason = (
            f"On {pet} itself the core is {much} than the rim (contrast {found}; at least {SMALLEST_CONTRAST:g} is "
            "needed), so there is no dark core to keep."
        )
        return judged(Verdict.UNDECIDABLE, reason, change)
    contrast = Measure("requirement.contrast_kept", kept / original, limits=(CONTRAST_KEPT,))
    enough, dark = contrast.value >= CONTRAST_KEPT, change.value <= BRIGHTNESS_CHANGE
    answers, answer, measures = _response(response, pet)
    if kept > 0:
        share = percent(kept / original, 0, (CONTRAST_KEPT,))
        seen = f"keeps {share} of the contrast that {pet} shows between rim and core"
    else:
        seen = f"no longer shows the core darker than the rim, as {pet} does"
    effect = f"the core {'stands' if enough and dark else 'does not stand'} out as on {pet}"
    brightness = brightness_change(change.value, f"on {pet}", BRIGHTNESS_CHANGE)
    sentence = f"The fused picture {seen}, and the core is {brightness}: {effect}.{answer}"
    passed = enough and dark and answers
    return judged(Verdict.PASS if passed else Verdict.FAIL, sentence, contrast, change, *measures)


def _response(response: float, pet: str) -> tuple[bool, str, tuple[Measure, ...]]:
    """Judge the answer to a core that is dim instead of dead: nothing is said where it is not known."""
    if np.isnan(response):
        return True, "", ()
    answers = response >= LEAST_RESPONSE
    if response < 0:
        effect = "dead tissue is shown brighter than dim tissue"
    else:
        effect = f"dead tissue {'is' if answers else 'can hardly be'} told from dim tissue"
    amount = percent(abs(response), 0, (LEAST_RESPONSE,))
    answer = (
        f" Were the core dim on {pet} instead of dead, half-way to the rim, it would be {amount} of that change "
        f"{'darker' if response < 0 else 'brighter'} in the fused picture: {effect}."
    )
    return answers, answer, (Measure("requirement.core_response", response, "x2", (LEAST_RESPONSE,)),)


def _bright_tissue(
    pair: Pair, fused: NDArray[np.floating], regions: dict[str, Region], modalities: tuple[str, str]
) -> Requirement:
    pet = modalities[1]
    most = f"at most {BRIGHTNESS_CHANGE:g} of the gray scale"
    rule = f"healthy tissue is on average {most} darker or brighter than on {pet}"

    def judged(verdict: Verdict, sentence: str, *measures: Measure) -> Requirement:
        return Requirement(2, f"Bright healthy tissue of {pet} is kept", rule, measures, verdict, sentence)

    if reason := _missing(regions, HEALTHY) or _not_finite(fused):
        return judged(Verdict.UNDECIDABLE, reason)
    healthy = regions[HEALTHY].mask
    change = float((fused.astype(np.float64) - pair.images[1])[healthy].mean())
    passed = abs(change) <= BRIGHTNESS_CHANGE
    effect = "the brightness that stands for uptake is " + ("kept" if passed else "not kept")
    sentence = f"Healthy tissue is {brightness_change(change, f'on {pet}', BRIGHTNESS_CHANGE)}: {effect}."
    limits = (-BRIGHTNESS_CHANGE, BRIGHTNESS_CHANGE)
    measure = Measure("requirement.healthy_brightness", change, limits=limits)
    return judged(Verdict.PASS if passed else Verdict.FAIL, sentence, measure)


def _stable_core(
    guidance: NDArray[np.floating] | None,
    influence: RegionInfluence | None,
    regions: dict[str, Region],
    modalities: tuple[str, str],
) -> Requirement:
    mri, pet = modalities
    rule = (
        f"a small change of {mri} at a pixel of the core changes the fused pixel by at most "
        f"{percent(LOW_SENSITIVITY, 0)} of it on average, or the same change of {pet} by at least {DOMINANCE_RATIO:g} "
        "times as much; and all influence on the pixels of the core says the same"
    )

    def judged(verdict: Verdict, sentence: str, *measures: Measure) -> Requirement:
        title = f"In the core, {mri} has little say"
        return Requirement(3, title, rule, measures, verdict, sentence)

    if reason := _missing(regions, CORE):
        return judged(Verdict.UNDECIDABLE, reason)
    if guidance is None:
        return judged(Verdict.UNDECIDABLE, "The guidance images are not known.")
    statistics = guidance_statistics(guidance, regions[CORE])
    if statistics.n == 0:
        return judged(Verdict.UNDECIDABLE, "No guidance value in the core is a finite number.")
    m1, m2 = statistics.x1.mean_magnitude, statistics.x2.mean_magnitude
    passed = _little_say(m1, m2)
    own = (
        f"When {mri} changes by 1 % of the gray scale at a pixel of the core, the fused pixel changes by "
        f"{shown(m1, 2, (LOW_SENSITIVITY,))} % on average; for {pet} it is {shown(m2, 2)} %"
    )
    verdict, sentence, measures = _held_against_all_influence(passed, influence, modalities)
    return judged(
        verdict,
        f"{own}: {_effect(m1, passed, modalities)}.{sentence}",
        Measure("requirement.core_sensitivity", m1, "x1", (LOW_SENSITIVITY,)),
        Measure("requirement.core_sensitivity_ratio", ratio_of(m1, m2), limits=(1 / DOMINANCE_RATIO,)),
        *measures,
    )


def _little_say(first: float, second: float) -> bool:
    """Tell whether x1 has little say, by mean magnitudes of either reading."""
    return first <= LOW_SENSITIVITY or first * DOMINANCE_RATIO <= second


def _effect(first: float, passed: bool, modalities: tuple[str, str]) -> str:
    mri, pet = modalities
    if first <= LOW_SENSITIVITY:
        return f"{mri} can hardly cover what {pet} shows there"
    return f"{pet} clearly counts for more there" if passed else f"{mri} can cover what {pet} shows there"


def _held_against_all_influence(
    passed: bool, influence: RegionInfluence | None, modalities: tuple[str, str]
) -> tuple[Verdict, str, tuple[Measure, ...]]:
    """Judge the third requirement by what the pixels' own places say and what all influence says."""
    verdict = Verdict.PASS if passed else Verdict.FAIL
    if influence is None or np.isnan(influence.x1.total + influence.x2.total):
        return verdict, " All influence, from near and far, is not known and not in this verdict.", ()
    total1, total2 = influence.x1.total, influence.x2.total
    measure = Measure(
        "requirement.core_influence_ratio", ratio_of(total1, total2), limits=(1 / DOMINANCE_RATIO,)
    )
    everything = _little_say(total1, total2)
    words = (
        f"all influence on it, from near and far, is {shown(total1, 2, (LOW_SENSITIVITY,))} of {modalities[0]} and "
        f"{shown(total2, 2)} of {modalities[1]}: {_effect(total1, everything, modalities)}"
    )
    if everything == passed:
        return verdict, f" And {words}.", (measure,)
    return Verdict.NOT_CLEAR, f" But {words}. The two readings disagree.", (measure,)


def _local_core(influence: RegionInfluence | None, regions: dict[str, Region]) -> Requirement:
    rule = f"at most {percent(OUTSIDE_SHARE, 0)} of all influence on the core's fused pixels is from outside the core"

    def judged(verdict: Verdict, sentence: str, *measures: Measure) -> Requirement:
        return Requirement(4, "The core depends on the core alone", rule, measures, verdict, sentence)

    if reason := _missing(regions, CORE):
        return judged(Verdict.UNDECIDABLE, reason)
    if influence is None:
        return judged(Verdict.UNDECIDABLE, "The Jacobian images of the core are not known.")
    share = influence.outside
    if np.isnan(share):
        return judged(Verdict.UNDECIDABLE, "No pixel of either image has a finite influence on the core.")
    passed = share <= OUTSIDE_SHARE
    effect = "neighbouring tissue hardly shows in it" if passed else "neighbouring tissue shows in it"
    part = influence.used < influence.pixels
    used = f" ({influence.used} of its {influence.pixels} pixels were examined)" if part else ""
    amount = percent(share, 1, (OUTSIDE_SHARE,)) if share > 0 else "None"
    sentence = f"{amount} of the influence on the core comes from outside it{used}: {effect}."
    measure = Measure("requirement.core_outside", share, limits=(OUTSIDE_SHARE,))
    return judged(Verdict.PASS if passed else Verdict.FAIL, sentence, measure)


def _with_own_regions(requirement: Requirement, regions: dict[str, Region]) -> Requirement:
    """Say where a requirement is judged in a user's region instead of the pair's: the verdict may be another one."""
    own = [n for n in JUDGED_IN[requirement.number] if n in regions and regions[n].replaces]
    if not own:
        return requirement
    rest = "those that come" if own[1:] else "the one that comes"
    note = f"Judged in another {' and '.join(own)} than {rest} with the pair."
    return replace(requirement, sentence=f"{requirement.sentence} {note}")


def _missing(regions: dict[str, Region], *names: str) -> str:
    absent = [name for name in names if name not in regions]
    if absent:
        return f"No region named {' or '.join(absent)} is known for this pair."
    empty = [name for name in names if regions[name].size == 0]
    return f"The region {' and the region '.join(empty)} has no pixels." if empty else ""


def _not_finite(fused: NDArray[np.floating]) -> str:
    return "" if np.isfinite(fused).all() else "The fused picture has values that are not finite."


def measured(measure: Measure) -> str:
    """Write a number that a requirement is judged by, after a word that says which."""
    if measure.definition not in _BRIGHTNESS:
        return f"{_MEASURES[measure.definition]} {shown(measure.value, limits=measure.limits)}"
    if abs(measure.value) < 0.0005:
        return "as bright"
    amount = shown(abs(measure.value), limits=[abs(limit) for limit in measure.limits])
    return f"{'brighter' if measure.value > 0 else 'darker'} {amount}"

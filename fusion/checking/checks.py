"""Checks of a method on pairs by rules: each passes or not, and says its figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.checking.rules import RegionRule, Rules
from fusion.errors import OutputError, RegionError, RulesError
from fusion.fusing import fuse
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.guidance import guidance
from fusion.saliency.reach import reach_of_linearity
from fusion.statistics.behaviour import measure
from fusion.statistics.guidance import guidance_statistics
from fusion.statistics.regions import box_region, inside_head

PLACES = 3
"""Pixels along each side of a grid at which the reach of linearity is found."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Check:
    """One check of a method.

    Attributes
    ----------
    name : str
        What is checked.
    pair : str
        On which pair; empty where it is of the method alone.
    passed : bool
        Whether the rule is kept.
    said : str
        The figure, and the rule.
    """

    name: str
    pair: str
    passed: bool
    said: str


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of a pair in a report.

    Attributes
    ----------
    pair : str
        Its name.
    images, guidance : ndarray
        (2, H, W).
    fused : ndarray
        (H, W).
    """

    pair: str
    images: NDArray[np.floating]
    fused: NDArray[np.floating]
    guidance: NDArray[np.floating]


def run_checks(
    method: Method,
    pairs: Mapping[str, Pair],
    rules: Rules,
    golden: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> tuple[list[Check], list[Pictures]]:
    """Hold a method against rules on some pairs.

    Parameters
    ----------
    method : Method
        The method.
    pairs : mapping of str to Pair
        Each by a name; the names of files in `golden`.
    rules : Rules
        What is asked.
    golden : Path, optional
        The folder with stored guidance, a ``.npy`` a pair; see `store_golden`.
    progress : callable
        Called as progress(done, total) after each pair.

    Returns
    -------
    list of Check
        One for each rule, and pair where it is of a pair.
    list of Pictures
        One a pair.

    Raises
    ------
    RulesError
        If a rule is of a pair that there is not, or asks for golden images without a folder.
    NetworkError
        If the network cannot be run on a pair.
    """
    unknown = next((rule for rule in rules.regions if rule.pair and rule.pair not in pairs), None)
    if unknown is not None:
        raise RulesError(
            f"The rule of {unknown.name} is of {unknown.pair}; the pairs are {', '.join(pairs)}."
        )
    if rules.golden is not None and golden is None:
        raise RulesError("The rules ask for stored guidance. Say where it is: --golden FOLDER.")
    checks = list(_support(method, rules))
    pictures = []
    for done, (name, pair) in enumerate(pairs.items(), start=1):
        fused, found = fuse(method, pair), guidance(method, pair)
        pictures.append(Pictures(name, pair.images, fused, found))
        checks += _of_pair(method, name, pair, rules, pictures[-1])
        if rules.golden is not None and golden is not None:
            checks.append(_against_golden(golden / f"{name}.npy", name, found, rules.golden))
        progress(done, len(pairs))
    return checks, pictures


def store_golden(folder: Path, pictures: list[Pictures]) -> list[Path]:
    """Store guidance images, (2, H, W) float32 each, and return the files.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    files = [folder / f"{one.pair}.npy" for one in pictures]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, one in zip(files, pictures, strict=True):
            np.save(file, one.guidance.astype(np.float32))
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror}). Choose another --golden."
        ) from error
    return files


def _support(method: Method, rules: Rules) -> Iterator[Check]:
    if rules.support is not None:
        radius, most = method.support_radius, rules.support
        kept = radius is not None and all(one <= other for one, other in zip(radius, most, strict=True))
        said = "the whole image" if radius is None else f"{radius[0]} and {radius[1]} pixels"
        yield Check("support", "", kept, f"{said}; at most {most[0]} and {most[1]}")


def _of_pair(method: Method, name: str, pair: Pair, rules: Rules, found: Pictures) -> Iterator[Check]:
    if rules.air is not None:
        yield _air(name, pair, found.fused, rules.air)
    if any(rule is not None for rule in (rules.first_kept, rules.second_kept, rules.reversal)):
        yield from _behaviour(method, name, pair, rules)
    if rules.reach is not None:
        yield _linearity(method, name, pair, rules.reach)
    if rules.difference is not None:
        again = np.concatenate([fuse(method, pair)[None], guidance(method, pair)])
        apart = float(np.nanmax(np.abs(again - np.concatenate([found.fused[None], found.guidance]))))
        yield _at_most("determinism", name, apart, rules.difference, "between two runs")
    for rule in rules.regions:
        if rule.pair in ("", name):
            yield from _region(name, pair, rule, found.guidance)


def _at_most(what: str, pair: str, value: float, most: float, words: str) -> Check:
    """Return a check of a number; one that is not defined on a pair keeps the rule."""
    said = (
        f"not defined on this pair ({words})"
        if math.isnan(value)
        else f"{value:.3g} {words}; at most {most:g}"
    )
    return Check(what, pair, math.isnan(value) or value <= most, said)


def _at_least(what: str, pair: str, value: float, least: float, words: str) -> Check:
    said = (
        f"not defined on this pair ({words})"
        if math.isnan(value)
        else f"{value:.3g} {words}; at least {least:g}"
    )
    return Check(what, pair, math.isnan(value) or value >= least, said)


def _air(name: str, pair: Pair, fused: NDArray[np.floating], most: float) -> Check:
    air = ~inside_head(pair).mask
    value = float(np.abs(fused[air]).mean()) if air.any() else math.nan
    return _at_most("air leak", name, value, most, "mean |y| outside of the head")


def _behaviour(method: Method, name: str, pair: Pair, rules: Rules) -> Iterator[Check]:
    found, _ = measure(method, [pair])
    if rules.first_kept is not None:
        words = "of x1 is left where x2 is dark"
        yield _at_least("and-gate, x1", name, found.first_kept, rules.first_kept, words)
    if rules.second_kept is not None:
        words = "of x2 is left where x1 is dark"
        yield _at_least("and-gate, x2", name, found.second_kept, rules.second_kept, words)
    if rules.reversal is not None:
        words = "of the head darkens where x2 brightens"
        yield _at_most("reversal", name, found.reversal, rules.reversal, words)


def _linearity(method: Method, name: str, pair: Pair, least: int) -> Check:
    height, width = pair.shape
    places = [
        (height * (2 * row + 1) // (2 * PLACES), width * (2 * column + 1) // (2 * PLACES))
        for row in range(PLACES)
        for column in range(PLACES)
    ]
    reached = [min(reach_of_linearity(method, pair, place).own_pixel) for place in places]
    words = f"gray levels, median of {len(places)} pixels"
    return _at_least("reach of linearity", name, float(np.median(reached)), least, words)


def _region(name: str, pair: Pair, rule: RegionRule, values: NDArray[np.floating]) -> Iterator[Check]:
    try:
        region = inside_head(pair) if rule.box is None else box_region(rule.name, rule.box, pair.shape)
    except RegionError as error:
        yield Check(f"region {rule.name}", name, False, str(error))
        return
    found = guidance_statistics(values, region)
    for number, sign, one in zip((1, 2), rule.sign, (found.x1, found.x2), strict=True):
        if sign:
            kept = one.mean > 0 if sign == "positive" else one.mean < 0
            yield Check(
                f"sign of x{number} in {rule.name}", name, kept, f"mean guidance {one.mean:.3g}; {sign}"
            )
    if rule.dominant:
        kept = found.dominance.dominant == rule.dominant
        means = f"{found.x1.mean_magnitude:.3g} and {found.x2.mean_magnitude:.3g}"
        said = f"{found.dominance.dominant} (mean |guidance| {means}); {rule.dominant}"
        yield Check(f"dominance in {rule.name}", name, kept, said)


def _against_golden(file: Path, name: str, found: NDArray[np.floating], most: float) -> Check:
    try:
        stored = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        said = f"{file} cannot be read ({error}). --write-golden stores what is computed now"
        return Check("stored guidance", name, False, said)
    if stored.shape != found.shape:
        said = f"{file} is of {stored.shape[-2:]} pixels, the pair of {found.shape[-2:]}"
        return Check("stored guidance", name, False, said)
    apart = float(np.nanmax(np.abs(found - stored)) / (np.nanmax(np.abs(stored)) or 1))
    return _at_most("stored guidance", name, apart, most, "of the largest value apart")

"""From the names of files to pairs: known words say which part of a name is the modality, the rest what is shown.

A name has as many readings as it has parts that can be the modality: ``p11_mri``, ``mri_p11``, ``mri/p11`` and
``p11/mri`` all show p11. Files are a pair if they show the same in two modalities, and if there is no other way to pair
either of them. Where names can be paired in two ways, they are not: whoever named them is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from fusion.data.modalities import (
    NO_INPUTS,
    SEPARATORS,
    Modality,
    Vocabulary,
    folded,
    split_words,
    without_preparation,
)

DOUBLE_EXTENSIONS = (".nii.gz", ".img.gz", ".ome.tif", ".ome.tiff")
MOST_WORDS = 4
"""The most words that name one modality."""

HOW_TO_NAME = "Rename them, or name both modalities: FUSEVIS_MODALITIES, or --modalities on the command line"

_SEPARATOR = rf"(?:\s*{SEPARATORS}\s*|\s+)"


@dataclass(frozen=True)
class Reading:
    """One way to read a name.

    Attributes
    ----------
    modality : Modality
        What the file is.
    identity : tuple of str
        What it shows: all other parts of folders and name.
    size : int
        How many words of the name belong to the modality.
    """

    modality: Modality
    identity: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class Match:
    """Two names, by their places in the list given, x1 first, with what both show."""

    places: tuple[int, int]
    modalities: tuple[Modality, Modality]
    identity: str


def split_extension(name: str) -> tuple[str, str]:
    """Split the name of a file into what stands before its extension, and the extension in small letters."""
    for extension in DOUBLE_EXTENSIONS:
        if name.lower().endswith(extension) and len(name) > len(extension):
            return name[: -len(extension)], extension
    stem, dot, extension = name.rpartition(".")
    return (stem, dot + extension.lower()) if stem and extension else (name, "")


def readings_of(parts: Sequence[str], vocabulary: Vocabulary) -> list[Reading]:
    """Return all ways to read a name.

    Parameters
    ----------
    parts : sequence of str
        The names of the folders, outermost first, and that of the file without its extension.
    vocabulary : Vocabulary
        The modalities that are looked for.
    """
    parts = [unicodedata.normalize("NFC", part) for part in parts]
    found = []
    for place, part in enumerate(parts):
        # A folder named after two kinds is that of a whole collection: MRI-PET/mri/1.png.
        if place == len(parts) - 1 or len(vocabulary.kinds(split_words(part))) < 2:
            found += [(place, *reading) for reading in _readings_of_part(part, vocabulary)]
    readings = [
        Reading(modality, _without(parts, {place: rest}), size) for place, modality, rest, size in found
    ]
    for (place1, one, rest1, size1), (place2, two, rest2, size2) in combinations(found, 2):
        if place1 != place2 and one.agrees_with(two):
            rests = {place1: rest1, place2: rest2}
            readings.append(Reading(two, _without(parts, rests), size1 + size2))
    return readings


def _readings_of_part(part: str, vocabulary: Vocabulary) -> Iterator[tuple[Modality, str, int]]:
    """Yield the modalities that a name has words for, with what is left of it and how many words each has."""
    words = list(re.finditer(rf"(?:(?!{SEPARATORS}).)+", part))
    for first in range(len(words)):
        for last in range(first, min(first + MOST_WORDS, len(words))):
            start, end = words[first].start(), words[last].end()
            texts = [word.group() for word in words[first : last + 1]]
            modality = vocabulary.modality(texts, part[start:end])
            rest = _joined(part[:start], part[end:])
            if modality is not None and (rest or part == part[start:end]):
                yield modality, rest, len(texts)
        yield from _reading_of_glued(part, words[first], vocabulary)


def _reading_of_glued(
    part: str, word: re.Match[str], vocabulary: Vocabulary
) -> Iterator[tuple[Modality, str, int]]:
    """Yield the modality of a word like ``ir07`` or ``07ir``."""
    glued = re.fullmatch(r"([^\W\d]{2,})(\d+)|(\d+)([^\W\d]{2,})", word.group())
    if glued is None or vocabulary.modality([word.group()], word.group()) is not None:
        return
    letters, digits = (glued[1], glued[2]) if glued[1] else (glued[4], glued[3])
    modality = vocabulary.modality([letters], letters)
    if modality is not None:
        yield modality, part[: word.start()] + digits + part[word.end() :], 1


def _joined(left: str, right: str) -> str:
    """Join what stood left and right of a modality, without what separates it: -5 stays -5."""
    left, right = re.sub(f"(?:{_SEPARATOR})+$", "", left), re.sub(f"^{_SEPARATOR}", "", right)
    return f"{left}_{right}" if left and right else left + right


def _without(parts: Sequence[str], rests: dict[int, str]) -> tuple[str, ...]:
    changed = (rests.get(place, part) for place, part in enumerate(parts))
    return tuple(part for part in changed if part)


Group = dict[int, Reading]
"""Places of names that show the same, each with the reading by which it does."""


def match_names(names: Sequence[Sequence[str]], vocabulary: Vocabulary) -> tuple[list[Match], dict[int, str]]:
    """Make pairs of names, and say of all others why they are in none.

    Parameters
    ----------
    names : sequence of sequence of str
        The parts of each file's name, see `readings_of`.
    vocabulary : Vocabulary
        The modalities that are looked for.

    Returns
    -------
    matches : list of Match
        No name is in two of them.
    reasons : dict of int to str
        From the place of every other name to a reason; names with the same reason belong together.
    """
    readings = {place: readings_of(parts, vocabulary) for place, parts in enumerate(names)}
    matches: list[Match] = []
    reasons: dict[int, str] = {}
    # Capitals, and words for how an image was prepared, make a difference only where names that are alike are paired.
    for simplified, shortened in ((str, False), (folded, False), (folded, True)):
        left = {place: found for place, found in readings.items() if place not in reasons}
        for match in matches:
            for place in match.places:
                left.pop(place, None)
        if shortened:
            left = {place: [_shortened(one) for one in found] for place, found in left.items()}
        new, unclear = _clear_pairs(_grouped(left, simplified), vocabulary)
        matches += new
        reasons |= unclear
    done = {place for match in matches for place in match.places} | reasons.keys()
    if vocabulary.given is None:
        matches += _by_layout([place for place in readings if place not in done], names, readings)
        done |= {place for match in matches for place in match.places}
    alone = {place: found for place, found in readings.items() if place not in done}
    reasons |= _reasons_of_lonely(alone, names, vocabulary)
    return matches, {place: reasons[place] for place in sorted(reasons, key=lambda at: _order(readings[at]))}


def _shortened(reading: Reading) -> Reading:
    """Return a reading without the words for how the image was prepared, unless nothing else tells what it shows."""
    parts = tuple(filter(None, (without_preparation(part) for part in reading.identity)))
    return replace(reading, identity=parts or reading.identity)


def _grouped(readings: dict[int, list[Reading]], simplified: Callable[[str], str]) -> list[Group]:
    groups: defaultdict[tuple[str, ...], Group] = defaultdict(dict)
    for place, found in readings.items():
        for reading in sorted(found, key=lambda reading: reading.size):
            key = tuple(simplified(part) for part in reading.identity)
            groups[key][place] = reading
    return [group for group in groups.values() if len(_meanings(group)) > 1]


def _clear_pairs(groups: Sequence[Group], vocabulary: Vocabulary) -> tuple[list[Match], dict[int, str]]:
    partners: defaultdict[int, set[frozenset[int]]] = defaultdict(set)
    best: dict[frozenset[int], Group] = {}
    for group in groups:
        members = frozenset(group)
        for place in members:
            partners[place].add(members)
        best[members] = max(best.get(members, group), group, key=_size)
    matches, unclear = [], {}
    for members, group in best.items():
        contested = {other for place in members for other in partners[place]}
        if len(contested) == 1 and len(members) == 2 and not _foreign_words(group, vocabulary):
            matches.append(_match(group))
        else:
            reason = _why_unclear([best[other] for other in contested], vocabulary)
            unclear.update({place: reason for other in contested for place in other})
    return matches, unclear


def _match(group: Group) -> Match:
    ordered = sorted(group.items(), key=lambda item: item[1].modality.order)
    (place1, one), (place2, two) = ordered
    return Match((place1, place2), (one.modality, two.modality), "_".join(one.identity))


def _foreign_words(group: Group, vocabulary: Vocabulary) -> list[str]:
    """Return the words for other modalities that stand in what the names of a group have in common."""
    kinds = {reading.modality.kind for reading in group.values()}
    rest = (vocabulary.kinds(split_words(part)) for part in next(iter(group.values())).identity)
    return sorted({kind for found in rest if len(found) == 1 for kind in found - kinds})


def _why_unclear(groups: Sequence[Group], vocabulary: Vocabulary) -> str:
    if len(groups) == 1:
        (group,) = groups
        if foreign := _foreign_words(group, vocabulary):
            others = ", ".join(foreign)
            return f"their names also have words for {others}, and nobody can tell which count. {HOW_TO_NAME}"
        identity, count = "_".join(next(iter(group.values())).identity), len(_meanings(group))
        if count > 2:
            problem = (
                f"id {identity!r} has {count} modalities, and nobody can tell which two to fuse; keep two"
            )
            return f"{problem}. {HOW_TO_NAME}"
        return f"id {identity!r} has several images of one modality; keep one of each"
    ways = sorted({_way(group) for group in groups})
    return f"their names can be read as {' or as '.join(ways[:3])}, and nobody can tell which is meant. {HOW_TO_NAME}"


def _way(group: Group) -> str:
    shown = " / ".join(sorted({reading.modality.text for reading in group.values()}))
    return f"{shown} of {'_'.join(next(iter(group.values())).identity)!r}"


def _by_layout(
    places: Sequence[int], names: Sequence[Sequence[str]], readings: dict[int, list[Reading]]
) -> list[Match]:
    """Pair ``mri_7`` with ``own_7``: the known word says that this folder's names begin with the modality."""
    alike: defaultdict[tuple[str, ...], list[tuple[int, Modality, bool]]] = defaultdict(list)
    for place in places:
        *folders, stem = names[place]
        word, _, identity = stem.partition("_")
        if not word or not identity or folded(word) in NO_INPUTS:
            continue
        named = [
            reading
            for reading in readings[place]
            if reading.identity[-1:] == (unicodedata.normalize("NFC", identity),)
            and reading.modality.text == word
        ]
        if named or not readings[place]:
            unknown = Modality(word, (folded(word),))
            modality = named[0].modality if named else unknown
            alike[(*folders, unicodedata.normalize("NFC", identity))].append((place, modality, bool(named)))
    matches = []
    for key, found in alike.items():
        if len(found) == 2 and {known for _, _, known in found} == {True, False}:
            (place1, one, _), (place2, two, _) = sorted(found, key=lambda item: item[1].order)
            matches.append(Match((place1, place2), (one, two), "_".join(key)))
    return matches


def _reasons_of_lonely(
    readings: dict[int, list[Reading]], names: Sequence[Sequence[str]], vocabulary: Vocabulary
) -> dict[int, str]:
    by_identity: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    reasons = {}
    for place, found in readings.items():
        if found:
            by_identity[max(found, key=lambda reading: reading.size).identity].append(place)
        else:
            reasons[place] = _why_unread(names[place], vocabulary)
    for identity, places in by_identity.items():
        shown = "_".join(identity)
        if len(places) == 1:
            reason = f"id {shown!r} has only one image; add that of a second modality"
        else:
            reason = f"id {shown!r} has several images of one modality; keep one of each"
        reasons.update(dict.fromkeys(places, reason))
    return reasons


def _why_unread(parts: Sequence[str], vocabulary: Vocabulary) -> str:
    stem = parts[-1]
    words = split_words(stem)
    if any(folded(word) in NO_INPUTS for part in parts for word in split_words(part)):
        return "they are made of inputs (masks, labels, fused images), and are none"
    if vocabulary.given is not None:
        return f"neither their names nor their folders say {vocabulary.given[0]} or {vocabulary.given[1]}"
    if len(words) < 2:
        return (
            "their names are not <modality>_<id>.<extension> or <id>_<modality>.<extension>, and no folder is named "
            f"after a modality that is known. {HOW_TO_NAME}"
        )
    return f"no part of their names or folders is a modality that is known. {HOW_TO_NAME}"


def _order(readings: Sequence[Reading]) -> tuple[int, str]:
    """Sort key for names that are left over, as x1 and x2 would be."""
    return max(readings, key=lambda reading: reading.size).modality.order if readings else (3, "")


def _meanings(group: Group) -> set[tuple[str, ...]]:
    return {reading.modality.meaning for reading in group.values()}


def _size(group: Group) -> int:
    return sum(reading.size for reading in group.values())


def summarized(names_and_reasons: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return one sentence for each reason, naming the first few files that it is about."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in names_and_reasons:
        by_reason[reason].append(name)
    return tuple(_sentence(names, reason) for reason, names in by_reason.items())


def _sentence(names: Sequence[str], reason: str) -> str:
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    verb = "is" if len(names) == 1 else "are"
    if len(names) == 1:
        reason = reason.replace("their names are", "its name is", 1).replace("they are made", "it is made", 1)
        reason = reason.replace("and are none", "and is none", 1)
        reason = reason.replace("their names", "its name").replace("their folders", "its folders")
    return f"{shown} {verb} left out: {reason}."


def named_by_hand(
    first: Sequence[str], second: Sequence[str]
) -> tuple[tuple[Modality | None, Modality | None], str]:
    """Say what two files show that somebody has put together, whatever they are called.

    Parameters
    ----------
    first, second : sequence of str
        The parts of the names of x1 and x2, see `readings_of`.

    Returns
    -------
    modalities : tuple
        Of x1 and of x2, ``None`` where names and folders do not say it.
    identity : str
        What both show; empty where that is unknown.
    """
    vocabulary = Vocabulary()
    shared = 0
    while shared < min(len(first), len(second)) - 1 and first[shared] == second[shared]:
        shared += 1
    for names in ((first[-1:], second[-1:]), (first[shared:], second[shared:])):
        matches, _ = match_names(names, vocabulary)
        for match in matches:
            one, two = match.modalities if match.places == (0, 1) else match.modalities[::-1]
            return (one, two), match.identity
    known = (_likely(first[shared:], vocabulary), _likely(second[shared:], vocabulary))
    words, ids = zip(*(name[-1].partition("_")[::2] for name in (first, second)), strict=True)
    if ids[0] == ids[1] and all((*words, *ids)) and known == (None, None):
        if folded(words[0]) != folded(words[1]):
            known = (Modality(words[0], ()), Modality(words[1], ()))
        return known, ids[0]
    return known, ""


def _likely(parts: Sequence[str], vocabulary: Vocabulary) -> Modality | None:
    """Return the modality that a name says, or else the innermost folder; ``None`` where its words are of two kinds."""
    for part in reversed(parts):
        found = readings_of([part], vocabulary)
        if len({reading.modality.kind for reading in found}) == 1:
            return max(found, key=lambda reading: reading.size).modality
        if found:
            return None
    return None

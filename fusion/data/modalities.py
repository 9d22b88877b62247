"""Modalities: the words that name them in files and folders, which of them mean the same, and which is shown first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_KINDS: dict[str, str] = {
    "MRI": (
        "mri=mr t1=t1w t2=t2w t1c=t1ce=t1gd t1n flair=t2flair=t2f pd=pdw dwi adc swi swan fmri bold dti asl mprage "
        "mp2rage mra tof stir gre t2star=t2s t1map t2map t1rho cest"
    ),
    "PET": "pet=pt fdg fet pib av45 psma",
    "SPECT": "spect tc99m=99mtc",
    "CT": "ct cbct cta",
    "ultrasound": "us=ultrasound",
    "infrared": "ir=infrared=infra=inf=cropinfrared thermal=therm=tir nir swir mwir lwir",
    "visible": "vis=vi=visible=visual rgb colour=color",
    "focus": "near=nearfocus far=farfocus",
    "exposure": "over=oe=overexposed=overexposure under=ue=underexposed=underexposure",
    "remote": "pan ms hs=hsi sar optical=opt=eo lidar",
    "depth": "depth",
    "microscopy": "gfp phase",
    "flow": "cbf",
}
"""Words by the kind of image that they name; those with = between them mean the same."""

WEAK_KINDS = frozenset({"focus", "exposure", "remote", "depth", "microscopy", "flow"})
"""Kinds whose words are common in names of scenes: beside another modality they are a part of the name."""

WEAK_WORDS = frozenset({"pt"})
"""Words that are such parts although their kind is not weak: pt is a patient more often than a PET image."""

GENERAL_MRI = ("mri",)
"""The meaning that every kind of MRI has."""

_QUALIFYING = "tc ti tl tc99m 99mtc gad gd ce weighted w contrast focus focused exposed exposure"
QUALIFIERS = frozenset(_QUALIFYING.split())
"""Words that belong to the modality that they follow, as the tracer of a SPECT image."""

SEPARATORS = r"[\s_\-.]"

_PREPARED = re.compile(
    rf"(?:^|{SEPARATORS})(?:images?|imgs?|crop(?:ped)?(?:{SEPARATORS}[lh]r)?|(?:8|1[0246]|32){SEPARATORS}?bits?|raw|aligned|"
    rf"(?:co)?registered|resized|resampled|anat|func|trc)(?={SEPARATORS}|$)",
    re.IGNORECASE,
)
"""Words for how an image was prepared or where it is filed; none that may be somebody's name or initials."""

NO_INPUTS = frozenset(
    {
        "mask",
        "masks",
        "label",
        "labels",
        "seg",
        "segmentation",
        "gt",
        "fused",
        "fusion",
        "result",
        "results",
        "overlay",
    }
)
"""Words for images that are made of the inputs, and are none."""

_MEANINGS: dict[str, tuple[str, str]] = {}
"""From each word to the first of those that mean the same, and to the kind."""
for _kind, _words in _KINDS.items():
    for _group in _words.split():
        for _word in _group.split("="):
            _MEANINGS.setdefault(_word, (_group.split("=")[0], _kind))

_WRITTEN_OUT = (
    "thermal therm vis vi visible visual colour color near nearfocus far farfocus over overexposed overexposure under "
    "underexposed underexposure optical opt lidar depth phase ultrasound infrared infra cropinfrared tc99m 99mtc pib"
)
ACRONYMS = frozenset(_MEANINGS) - frozenset(_WRITTEN_OUT.split())
"""Words that are written in capitals."""

SAME_MODALITY = "Name two different modalities, that of x1 first, such as IR VIS."


@dataclass(frozen=True)
class Modality:
    """Reading of a part of a name: the image that it speaks of.

    Attributes
    ----------
    text : str
        As it is written.
    meaning : tuple of str
        Its words, each as the first of those that mean the same: two with equal meanings are one modality.
    kind : str
        The kind of image.
    rank : int
        The place before others; those of one rank are in alphabetical order.
    """

    text: str
    meaning: tuple[str, ...]
    kind: str = ""
    rank: int = 2

    @property
    def shown(self) -> str:
        """The name shown to people."""
        return shown_modality(self.text)

    def agrees_with(self, other: Modality) -> bool:
        """Return whether one image can be both: T1 is an MRI, an MRI is not T1 and T2, and near is not far."""
        if self.kind != other.kind:
            return False
        words, others = set(self.meaning), set(other.meaning)
        nested = words <= others or others <= words
        if self.kind == "MRI":
            return nested or GENERAL_MRI in (self.meaning, other.meaning)
        return nested or self.kind not in WEAK_KINDS

    @property
    def order(self) -> tuple[int, str]:
        """Sort key for x1 before x2: MRI, then its other kinds, then the alphabet; or as the user names them."""
        return self.rank, self.text.lower()


@dataclass(frozen=True)
class Vocabulary:
    """The modalities that are looked for in names.

    Parameters
    ----------
    given : tuple of str, optional
        The two modalities that the user names, x1 first; all that are known unless given.
    """

    given: tuple[str, str] | None = None

    def modality(self, words: Sequence[str], text: str) -> Modality | None:
        """Return the modality that some words following each other name together; ``None`` where they name none."""
        meanings = [_MEANINGS.get(folded(word)) for word in words]
        if self.given is not None:
            meaning = tuple(_meaning_of(word) for word in words)
            for rank, name in enumerate(self.given):
                if meaning == meaning_of(name):
                    return Modality(name, meaning, name, rank)
            return None
        first = meanings[0]
        if first is None:
            return None
        others = zip(words[1:], meanings[1:], strict=True)
        if any(folded(word) not in QUALIFIERS and (m is None or m[1] != first[1]) for word, m in others):
            return None
        meaning = tuple(_meaning_of(word) for word in words)
        rank = 0 if meaning == GENERAL_MRI else 1 if first[1] == "MRI" else 2
        return Modality(text, meaning, first[1], rank)

    def kinds(self, words: Sequence[str]) -> frozenset[str]:
        """Return the kinds of image of which some words remind; none where the user has named the modalities."""
        if self.given is not None:
            return frozenset()
        found = (_MEANINGS.get(folded(word)) for word in words if folded(word) not in WEAK_WORDS)
        return frozenset(meaning[1] for meaning in found if meaning is not None) - WEAK_KINDS


def folded(word: str) -> str:
    """Return a word without capitals and in one Unicode form."""
    return unicodedata.normalize("NFKC", word).casefold()


def split_words(text: str) -> list[str]:
    """Return the words of a name, which spaces, underscores, hyphens and dots divide."""
    return [word for word in re.split(f"{SEPARATORS}+", text) if word]


def without_preparation(text: str) -> str:
    """Return a name without the words for how the image was prepared; empty where it has no others."""
    rest = _PREPARED.sub("", text)
    return text if rest == text else re.sub(f"^{SEPARATORS}", "", rest)


def meaning_of(text: str) -> tuple[str, ...]:
    """Return what a modality's name means: equal for names of the same."""
    return tuple(_meaning_of(word) for word in split_words(text))


def same_modality(first: str, second: str) -> bool:
    """Return whether two names are of the same modality, or one has no words."""
    return not meaning_of(first) or not meaning_of(second) or meaning_of(first) == meaning_of(second)


def shown_modality(text: str) -> str:
    """Write acronyms in capitals: ``mri`` is MRI, ``mri-t2`` is MRI-T2; other words stay as they are."""
    parts = re.split(f"({SEPARATORS}+)", text)
    return "".join(part.upper() if folded(part) in ACRONYMS else part for part in parts)


def distinct_names(first: str | None, second: str | None) -> tuple[str, str]:
    """Return names for x1 and x2 that are never the same; what is unknown is called x1 or x2."""
    name1, name2 = first or "x1", second or "x2"
    return (name1, name2) if folded(name1) != folded(name2) else (f"{name1} x1", f"{name2} x2")


def _meaning_of(word: str) -> str:
    return _MEANINGS.get(folded(word), (folded(word), ""))[0]

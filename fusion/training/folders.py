"""Training images from a user's own folders: registered pairs, matched by name and split by file, never by patch."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusion.data.tissue import FloatArray
from fusion.errors import FuseVisError
from fusion.pair import load_pair
from fusion.training.batches import Batch, cut_patches
from fusion.training.loss import WINDOW
from fusion.training.options import TrainingError

VALIDATION_SHARE = 0.2

VALIDATION_MOST = 64

CALIBRATION_MOST = 32

LARGEST_SIDE = 512
"""Pixels. Of larger images, a part of this size is shown at once where whole images are due: memory is finite."""

PAIRS_IN_MEMORY = 64

SMALLEST_SIDE = 32

BATCHES, EPOCHS = 1, 2
"""Two streams of random numbers of the same seed."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".npy")


@dataclass(frozen=True)
class FilePair:
    """Two files that show the same; `folder` is the sub-folder of the first, empty for none."""

    first: Path
    second: Path
    folder: str


class FolderSource:
    """Reads pairs of two folders.

    Files are matched by name (`fusion.training.folders.match_files`); all pictures of one sub-folder, and pairs
    that share a picture, are either all trained on or all for validation. Patches are mirrored at random in both
    directions, and each image's brightness curve is bent a little.

    Parameters
    ----------
    first, second : Path
        Folders of the first and the second image of each pair.
    seed : int
        All that is random comes from here, the split too.

    Raises
    ------
    TrainingError
        If the folders cannot be matched, an image cannot be used, or there are too few pairs.
    """

    def __init__(self, first: Path, second: Path, seed: int) -> None:
        self.seed = seed
        self._loaded: OrderedDict[FilePair, FloatArray] = OrderedDict()
        pairs = match_files(first, second)
        self.shapes = {pair: self._checked(pair).shape[1:] for pair in pairs}
        digests = {
            path: hashlib.sha256(path.read_bytes()).hexdigest()
            for pair in pairs
            for path in (pair.first, pair.second)
        }
        self.training, self.held_out = self._split(group_files(pairs, digests))
        self.training_pairs: int | None = len(self.training)
        self.description: dict[str, Any] = {
            "kind": "folders",
            "about": (
                f"{len(pairs)} registered pairs of the folders {first.name} and {second.name}, the user's own: "
                f"{len(self.training)} to train on, {len(self.held_out)} for validation."
            ),
            "sha256": hashlib.sha256("".join(digests[path] for path in digests).encode()).hexdigest(),
            "validation": f"{len(self.held_out)} whole pairs of the user, never trained on: {self._shown()}",
        }

    def batch(self, number: int, count: int, patch: int | None) -> Batch:
        """See `fusion.training.batches.ImageSource`; each pair is shown once before any is shown again."""
        rng = np.random.default_rng([self.seed, BATCHES, number])
        chosen = [self._at(number * count + one) for one in range(count)]
        if patch is None:
            # Whole images are stacked, so that the others of the batch have the first one's size.
            alike = [pair for pair in self.training if self.shapes[pair] == self.shapes[chosen[0]]]
            chosen = [pair if pair in alike else alike[int(rng.integers(len(alike)))] for pair in chosen]
        images = [_varied(self._load(pair), rng) for pair in chosen]
        if patch is None and max(images[0].shape[1:]) > LARGEST_SIDE:
            patch = LARGEST_SIDE
        return cut_patches(images, patch, rng)

    def calibration(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return [_middle(self._load(pair)) for pair in _evenly(self.training, CALIBRATION_MOST)]

    def validation(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return [_middle(self._load(pair)) for pair in _evenly(self.held_out, VALIDATION_MOST)]

    def fixed(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return self.validation()

    def _at(self, position: int) -> FilePair:
        epoch, place = divmod(position, len(self.training))
        order = np.random.default_rng([self.seed, EPOCHS, epoch]).permutation(len(self.training))
        return self.training[int(order[place])]

    def _load(self, pair: FilePair) -> FloatArray:
        if pair in self._loaded:
            self._loaded.move_to_end(pair)
            return self._loaded[pair]
        images: FloatArray = load_pair(pair.first, pair.second).images
        self._loaded[pair] = images
        if len(self._loaded) > PAIRS_IN_MEMORY:
            self._loaded.popitem(last=False)
        return images

    def _checked(self, pair: FilePair) -> FloatArray:
        try:
            images = self._load(pair)
        except FuseVisError as error:
            raise TrainingError(f"{error} Mend or remove it; nothing was trained.") from error
        if min(images.shape[1:]) < max(SMALLEST_SIDE, WINDOW):
            raise TrainingError(
                f"{pair.first}: {images.shape[1]}×{images.shape[2]} pixels are too few to train on; "
                f"each side needs {SMALLEST_SIDE}."
            )
        return images

    def _split(self, groups: list[list[FilePair]]) -> tuple[list[FilePair], list[FilePair]]:
        """Hold out about a fifth of the pairs, in whole groups, at least one."""
        if len(groups) < 2:
            raise TrainingError(
                "These pairs cannot be split into some to train on and some for validation: there is one pair, or "
                "all share pictures or a sub-folder. Give at least two that have nothing in common."
            )
        total = sum(len(group) for group in groups)
        held_out: list[FilePair] = []
        order = [int(index) for index in np.random.default_rng([self.seed, EPOCHS]).permutation(len(groups))]
        for index in sorted(order, key=lambda index: len(groups[index]))[: len(groups) - 1]:
            if held_out and len(held_out) + len(groups[index]) > VALIDATION_SHARE * total:
                break
            held_out += groups[index]
        training = [pair for group in groups for pair in group if pair not in held_out]
        return training, sorted(held_out, key=lambda pair: str(pair.first))

    def _shown(self) -> str:
        names = [pair.first.name for pair in self.held_out]
        return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _varied(pair: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Mirror a pair at random, and bend each image's brightness curve a little; 0 and 1 stay where they are."""
    if rng.random() < 0.5:
        pair = pair[..., ::-1]
    if rng.random() < 0.5:
        pair = pair[..., ::-1, :]
    gammas = np.exp(rng.normal(0, 0.1, (2, 1, 1))).astype(np.float32)
    return np.ascontiguousarray(pair**gammas, dtype=np.float32)


def _middle(pair: FloatArray) -> FloatArray:
    """Cut the middle out of an image that is larger than `LARGEST_SIDE`."""
    height, width = pair.shape[1:]
    top, left = max(0, (height - LARGEST_SIDE) // 2), max(0, (width - LARGEST_SIDE) // 2)
    return np.array(pair[:, top : top + LARGEST_SIDE, left : left + LARGEST_SIDE])


def _evenly(pairs: Sequence[FilePair], most: int) -> list[FilePair]:
    step = max(1.0, len(pairs) / most)
    return [pairs[int(index * step)] for index in range(min(len(pairs), most))]


def match_files(first: Path, second: Path) -> list[FilePair]:
    """Match the pictures of two folders and their sub-folders by name.

    Names match if they are equal but for the extension, or if they are once the beginning and the end that all
    names of a folder share are taken away: ``mri_1.png … mri_9.png`` and ``pet_1.gif … pet_9.gif`` match.

    Raises
    ------
    TrainingError
        If a folder is missing or empty, or a file has no partner; it names the first few.
    """
    ours, theirs = _pictures(first), _pictures(second)
    if ours.keys() != theirs.keys():
        short_ours, short_theirs = _shortened(ours), _shortened(theirs)
        if short_ours is not None and short_theirs is not None and short_ours.keys() & short_theirs.keys():
            ours, theirs = short_ours, short_theirs
    alone = [path for key, path in ours.items() if key not in theirs]
    alone += [path for key, path in theirs.items() if key not in ours]
    if alone:
        names = ", ".join(str(path) for path in sorted(alone)[:5])
        more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
        raise TrainingError(
            f"No partner in the other folder: {names}{more}. Give both files of a pair the same name, or remove them."
        )
    return [FilePair(ours[key], theirs[key], _folder(ours[key], first)) for key in sorted(ours)]


def group_files(pairs: Sequence[FilePair], digests: Mapping[Path, str]) -> list[list[FilePair]]:
    """Group pairs that show the same patient or picture, as far as files can tell.

    Parameters
    ----------
    pairs : sequence of FilePair
        All pairs.
    digests : mapping
        A digest of the content of each file.

    Returns
    -------
    list of list of FilePair
        Pairs of the same sub-folder, and pairs that share a picture, are in one group.
    """
    group_of: dict[str, list[FilePair]] = {}
    for pair in pairs:
        marks = [f"picture {digests[path]}" for path in (pair.first, pair.second)]
        if pair.folder:
            marks.append(f"folder {pair.folder}")
        together = [pair]
        for group in {id(group_of[mark]): group_of[mark] for mark in marks if mark in group_of}.values():
            together += group
        for mark, group in list(group_of.items()):
            if group[0] in together:
                group_of[mark] = together
        for mark in marks:
            group_of[mark] = together
    groups = {id(group): group for group in group_of.values()}
    return sorted(
        (sorted(group, key=lambda pair: str(pair.first)) for group in groups.values()),
        key=lambda group: str(group[0].first),
    )


def _pictures(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise TrainingError(f"{folder}: there is no such folder.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        key = path.relative_to(folder).with_suffix("").as_posix()
        if key in found:
            raise TrainingError(f"{found[key]} and {path} have the same name. Keep one of them.")
        found[key] = path
    if not found:
        raise TrainingError(f"{folder}: there are no pictures in this folder ({', '.join(IMAGE_SUFFIXES)}).")
    return found


def _shortened(pictures: Mapping[str, Path]) -> dict[str, Path] | None:
    """Take the shared beginning and end of the names away; None where names would become equal."""
    stems = {key: Path(key).name for key in pictures}
    start = _shared_start(list(stems.values()))
    end = _shared_start([stem[start:][::-1] for stem in stems.values()])
    short = {
        (Path(key).parent / stems[key][start : len(stems[key]) - end]).as_posix(): path
        for key, path in pictures.items()
    }
    return short if len(short) == len(pictures) else None


def _shared_start(names: Sequence[str]) -> int:
    """Return how many first characters all names share."""
    length = 0
    for characters in zip(*names, strict=False):
        if len(set(characters)) > 1:
            break
        length += 1
    return length


def _folder(path: Path, root: Path) -> str:
    parent = path.relative_to(root).parent.as_posix()
    return "" if parent == "." else parent

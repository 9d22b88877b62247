"""Training images from a user's own folders: registered pairs, split by file, never by patch."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fusion.data.tissue import FloatArray
from fusion.errors import FuseVisError
from fusion.pair import load_pair
from fusion.training.batches import Batch, cut_patches
from fusion.training.loss import WINDOW
from fusion.training.matching import FilePair, group_files, match_files
from fusion.training.recipes import TrainingError

VALIDATION_SHARE = 0.2
VALIDATION_MOST = 64
CALIBRATION_MOST = 32
LARGEST_SIDE = 512
"""Pixels. Of larger images, a part of this size is shown at once where whole images are due: memory is finite."""
PAIRS_IN_MEMORY = 64
SMALLEST_SIDE = 32
BATCHES, EPOCHS = 1, 2
"""Two streams of random numbers of the same seed."""


class FolderSource:
    """Reads pairs of two folders.

    Files are matched by name (`fusion.training.matching.match_files`); all pictures of one sub-folder, and pairs
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
        """See `fusion.training.batches.Source`; each pair is shown once before any is shown again."""
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
        """See `fusion.training.batches.Source`."""
        return [_middle(self._load(pair)) for pair in _evenly(self.training, CALIBRATION_MOST)]

    def validation(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.Source`."""
        return [_middle(self._load(pair)) for pair in _evenly(self.held_out, VALIDATION_MOST)]

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

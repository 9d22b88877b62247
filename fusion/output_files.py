"""Files that the command line writes: arrays with all that is needed to know what they are, and pictures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fusion.chroma import LUMA_NOTE
from fusion.data.entries import PairEntry
from fusion.errors import OutputError
from fusion.methods.base import Method
from fusion.pair import Pair

GRADIENT_UNITS = (
    "dimensionless: change of the fused intensity y per change of the min-max scaled input intensity"
)
INTENSITY_UNITS = (
    "dimensionless: intensity y that the method makes of inputs that are min-max scaled to [0, 1]"
)
COLOUR_UNITS = (
    "dimensionless: red, green, blue from 0 to 1; luma is the fused image, chroma that of the inputs"
)


@dataclass(frozen=True)
class OutputFiles:
    """The files of one result: ``<base>.npz`` and ``<base>-<name>.png`` for each picture.

    Parameters
    ----------
    base : Path
        The files' common beginning.
    pictures : tuple of str
        The names of the pictures, empty for none.
    """

    base: Path
    pictures: tuple[str, ...]

    @property
    def arrays(self) -> Path:
        """The file of the arrays."""
        return self.base.with_name(f"{self.base.name}.npz")

    def picture(self, name: str) -> Path:
        """Return the file of a picture."""
        return self.base.with_name(f"{self.base.name}-{name}.png")

    def prepare(self, inputs: Sequence[Path]) -> None:
        """Make the folder, and find out before a long computation whether its results can be written.

        Raises
        ------
        OutputError
            If they cannot, or would replace an input.
        """
        prepare_files((self.arrays, *(self.picture(name) for name in self.pictures)), inputs)

    def write(
        self,
        arrays: Mapping[str, NDArray[Any]],
        metadata: Mapping[str, Any],
        pictures: Mapping[str, NDArray[np.uint8]],
    ) -> list[Path]:
        """Write the arrays and those pictures that were asked for.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Whatever the result has, by name.
        metadata : mapping
            Becomes JSON in the array ``metadata`` of the first file and in the text chunk ``fusevis`` of every picture.
        pictures : mapping of str to ndarray of uint8
            (H, W) or (H, W, 3), by name.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        text = json.dumps(metadata, ensure_ascii=False, indent=2)
        written = [self.arrays]
        try:
            everything: dict[str, Any] = {**arrays, "metadata": np.array(text)}
            with self.arrays.open("wb") as stream:
                np.savez_compressed(stream, **everything)
            for name in self.pictures:
                _save_picture(self.picture(name), pictures[name], text)
                written.append(self.picture(name))
        except OSError as error:
            raise OutputError(f"The results cannot be written: {error}.") from error
        return written


def write_picture(path: Path, picture: NDArray[np.uint8], metadata: Mapping[str, Any]) -> Path:
    """Write one picture alone, (H, W) or (H, W, 3), with what it says of itself in its text chunk ``fusevis``.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        _save_picture(path, picture, json.dumps(metadata, ensure_ascii=False, indent=2))
    except OSError as error:
        raise OutputError(f"The picture cannot be written: {error}.") from error
    return path


def _save_picture(path: Path, picture: NDArray[np.uint8], text: str) -> None:
    chunk = PngInfo()
    chunk.add_itxt("fusevis", text)
    Image.fromarray(picture).save(path, pnginfo=chunk)


def prepare_files(files: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Make the folder of files that will be written, and find out whether they can be.

    Parameters
    ----------
    files : sequence of Path
        All in one folder.
    inputs : sequence of Path
        Files that must not be replaced.

    Raises
    ------
    OutputError
        If one of the files cannot be written, or would replace an input.
    """
    folder = files[0].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made ({error.strerror}). Choose another."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"Nothing can be written into {folder}. Choose another place with --output.")
    originals = {path.resolve() for path in inputs}
    for path in files:
        if path.resolve() in originals:
            raise OutputError(f"{path} is an input and would be replaced. Choose another name with --output.")
        if path.is_dir():
            raise OutputError(f"{path} is a folder. Choose another name with --output.")


def describe(method: Method, pair: Pair, entry: PairEntry, dtype: str) -> dict[str, Any]:
    """Return what every result says of itself: method, weights, pair, precision, device and versions."""
    return {
        "method": {
            "id": method.id,
            "title": method.title,
            "weights_id": method.weights_id,
            "support_radius": method.locality_at(pair.shape).support_radius,
            "note": method.note,
        },
        "pair": {
            "id": pair.id,
            "address": entry.address,
            "title": entry.title,
            "modalities": entry.modalities,
            "files": [path.name for path in entry.paths],
            "simulated": entry.simulated,
            "shape": pair.shape,
            "notes": pair.notes,
            **described_colour(pair.in_colour),
        },
        "dtype": dtype,
        "device": str(method.device),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
    }


def described_colour(in_colour: tuple[bool, bool]) -> dict[str, Any]:
    """Return what a result says of a pair of which an input is a colour picture; nothing of gray pairs."""
    return {"in_colour": list(in_colour), "colour": LUMA_NOTE} if any(in_colour) else {}

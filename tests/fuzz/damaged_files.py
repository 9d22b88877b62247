"""Files of all formats that are read, made here, and how they are damaged.

Single bytes, numbers of a header, lost and repeated parts, and the beginning of another file.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import tifffile
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.unit.dicom_files import dicom_file, dicom_series
from tests.unit.image_files import WRITERS, samples

VOLUME: NDArray[np.int16] = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
"""What counts and sizes become."""


def _nifti(path: Path) -> None:
    path.write_bytes(nibabel.Nifti1Image(VOLUME, np.eye(4)).to_bytes())


def _packed_nifti(path: Path) -> None:
    path.write_bytes(gzip.compress(nibabel.Nifti1Image(VOLUME, np.eye(4)).to_bytes()))


def _series(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(dicom_series(Path(folder), VOLUME, ["a", "b", "c", "d", "e"]).iterdir()):
            archive.write(file, file.name)


def _animation(path: Path) -> None:
    frames = [Image.fromarray(image) for image in samples(4, 11, 7)]
    frames[0].save(path, format="gif", save_all=True, append_images=frames[1:])


KINDS: dict[str, Callable[[Path], object]] = {
    **WRITERS,
    "dicom": dicom_file,
    "series.zip": _series,
    "nii": _nifti,
    "nii.gz": _packed_nifti,
    "webp": lambda path: Image.fromarray(samples(40, 30, 3)).save(path, format="webp"),
    "jp2": lambda path: path.write_bytes(imagecodecs.jpeg2k_encode(samples(40, 30))),
    "npz": lambda path: np.savez(path, image=samples(40, 30)),
    "stack.tif": lambda path: tifffile.imwrite(path, samples(4, 40, 30), photometric="minisblack"),
    "animation.gif": _animation,
}


def contents() -> dict[str, bytes]:
    """Return a sound file of each kind."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, write) in enumerate(KINDS.items()):
            path = Path(folder) / f"{number}.{kind}"
            write(path)
            found[kind] = path.read_bytes()
    return found


def damaged(content: bytes, data: Any) -> bytes:
    """Return a file with up to four damages that Hypothesis chooses."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(("byte", "number", "cut", "lost", "again")))
        # The beginning, where headers are, more often than the rest.
        end = data.draw(st.sampled_from((min(64, len(changed)), min(400, len(changed)), len(changed))))
        place = data.draw(st.integers(0, max(end - 1, 0)))
        if kind == "byte":
            changed[place : place + 1] = bytes((data.draw(st.integers(0, 255)),))
        elif kind == "number":
            size, order = data.draw(st.sampled_from((2, 4, 8))), data.draw(st.sampled_from(("little", "big")))
            number = data.draw(st.sampled_from(NUMBERS)) % 256**size
            changed[place : place + size] = number.to_bytes(size, order)
        elif kind == "cut":
            del changed[place:]
        else:
            length = data.draw(st.integers(1, 64))
            part = bytes(changed[place : place + length])
            changed[place : place + length] = b"" if kind == "lost" else part + part
    return io.BytesIO(changed).getvalue()

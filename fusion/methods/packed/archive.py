"""Reader of the archives of `torch.export.save`: the graph as JSON, and raw tensors. Nothing is run or unpickled.

Torch's own reader unpickles and evaluates what stands in an archive, and so runs what a stranger has written.
"""

from __future__ import annotations

import io
import json
import math
import pickletools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fusion.errors import PackedMethodError

MOST_BYTES = 2 * 2**30
"""Of an archive, and of all its tensors."""
MOST_JSON = 64 * 2**20
MOST_ENTRIES = 20_000
DTYPES = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64,
    6: torch.float16, 7: torch.float32, 8: torch.float64, 12: torch.bool, 13: torch.bfloat16,
}  # fmt: skip
"""Types of numbers by torch's own numbers for them."""
_STRIDED = 7
_PLACES = re.compile(
    r"archive_format|archive_version|byteorder|\.format_version|\.storage_alignment|\.data/[\w.]+|extra/[\w./-]+"
    r"|models/[\w.-]+\.json|data/(weights|constants)/[\w.-]+|data/sample_inputs/[\w.-]+\.pt"
)
_HARMLESS = re.compile(
    r"torch\._utils _rebuild_(tensor_v2|parameter)|torch \w+Storage|collections OrderedDict"
)
"""What a pickle of plain tensors names."""
_NAMING = frozenset({"INST", "OBJ", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "NEWOBJ", "NEWOBJ_EX"})


@dataclass(frozen=True)
class Archive:
    """The parts of an archive that are read.

    Attributes
    ----------
    program : dict
        The exported program, as its JSON has it.
    tensors : dict of str to Tensor
        Weights and constants by name.
    """

    program: dict[str, Any]
    tensors: dict[str, Tensor]


def read_archive(path: Path, numbers: bool = True, content: bytes | None = None) -> Archive:
    """Read an archive of `torch.export.save`.

    Parameters
    ----------
    path : Path
        The file.
    numbers : bool
        Whether to read the tensors' numbers; without, they are tensors of torch's device ``meta``.
    content : bytes, optional
        What the file has or will have, so that it need not be there.

    Raises
    ------
    PackedMethodError
        If it is none, is damaged or too large, or has anything that would have to be unpickled or run.
    """
    try:
        length = path.stat().st_size if content is None else len(content)
        if length > MOST_BYTES:
            raise PackedMethodError(f"{path}: the file has {length:,} bytes; up to {MOST_BYTES:,} are read.")
        with zipfile.ZipFile(path if content is None else io.BytesIO(content)) as archive:
            return _Reader(archive, path, length, numbers).read()
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise PackedMethodError(
            f"{path}: this is no archive of torch.export.save, or it is damaged ({error})."
        ) from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, path: Path, length: int, numbers: bool) -> None:
        self._archive, self._path, self._numbers = archive, path, numbers
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        tops = {name.split("/", 1)[0] for name in names}
        if len(entries) > MOST_ENTRIES or len(set(names)) < len(names) or len(tops) != 1:
            raise self._refused("has not the one folder, with each file once, that torch.export.save writes")
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries):
            raise self._refused("has compressed or encrypted parts, which torch.export.save does not write")
        if sum(entry.file_size for entry in entries) > length:
            raise self._refused("says it has more than the file holds")
        self._top = f"{tops.pop()}/"
        self._sizes = {entry.filename.removeprefix(self._top): entry.file_size for entry in entries}
        self._left = MOST_BYTES

    def _refused(self, why: str) -> PackedMethodError:
        return PackedMethodError(f"{self._path}: the archive {why}. Save the network again, with pack.")

    def read(self) -> Archive:
        for name in self._sizes:
            if not _PLACES.fullmatch(name):
                raise self._refused(f"holds {name[:80]!r}, which has no place beside a graph and its tensors")
        if self._text("archive_format", b"pt2") != b"pt2" or self._text("byteorder", b"little") != b"little":
            raise self._refused("is not of the format pt2 in little-endian order")
        programs = [name for name in self._sizes if name.startswith("models/")]
        if len(programs) != 1:
            raise self._refused(f"has {len(programs)} programs where there is one")
        for name in self._sizes:
            if name.startswith("data/sample_inputs/"):
                self._check_sample(name)
        program = self._json(programs[0])
        model = programs[0].removeprefix("models/").removesuffix(".json")
        tensors = {**self._tensors("weights", model), **self._tensors("constants", model)}
        return Archive(program, tensors)

    def _text(self, name: str, default: bytes) -> bytes:
        return self._bytes(name)[:64] if name in self._sizes else default

    def _bytes(self, name: str) -> bytes:
        return self._archive.read(self._top + name)

    def _json(self, name: str) -> dict[str, Any]:
        if self._sizes.get(name, MOST_JSON + 1) > MOST_JSON:
            raise self._refused(f"has no {name}, or one of more than {MOST_JSON:,} bytes")
        try:
            read = json.loads(self._bytes(name))
        except (ValueError, RecursionError) as error:
            raise self._refused(f"has a {name} that is not JSON") from error
        if not isinstance(read, dict):
            raise self._refused(f"has a {name} that is not an object of JSON")
        return read

    def _check_sample(self, name: str) -> None:
        """Refuse sample inputs that are more than tensors. They are of no use here, and never unpickled."""
        try:
            with zipfile.ZipFile(io.BytesIO(self._bytes(name))) as inner:
                pickles = [entry for entry in inner.namelist() if entry.endswith(".pkl")]
                operations = [step for entry in pickles for step in pickletools.genops(inner.read(entry))]
        except (ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise self._refused("has sample inputs that are not tensors saved by torch") from error
        for operation, argument, _ in operations:
            named = operation.name == "GLOBAL" and not _HARMLESS.fullmatch(str(argument))
            if named or operation.name in _NAMING:
                raise self._refused(
                    f"has pickled sample inputs that are not plain tensors ({argument or operation.name})"
                )

    def _tensors(self, kind: str, model: str) -> dict[str, Tensor]:
        name = f"data/{kind}/{model}_{kind}_config.json"
        if name not in self._sizes:
            return {}
        listed = self._json(name).get("config")
        if not isinstance(listed, dict):
            raise self._refused(f"has a {name} without a list of tensors")
        return {key: self._tensor(kind, key, entry) for key, entry in listed.items()}

    def _tensor(self, kind: str, key: str, entry: Any) -> Tensor:
        if not isinstance(entry, dict) or entry.get("use_pickle") is not False:
            raise self._refused(f"has pickled {kind} ({key[:80]!r}), which could run anything when read")
        place = f"data/{kind}/{entry.get('path_name')}"
        if place not in self._sizes:
            raise self._refused(f"lacks the numbers of {key[:80]!r}")
        try:
            dtype, sizes, strides, offset = _layout(entry["tensor_meta"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._refused(f"describes {key[:80]!r} in a way that no plain tensor has") from error
        wanted = math.prod(sizes) * dtype.itemsize
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        self._left -= wanted
        if self._left < 0:
            raise self._refused(f"has tensors of more than {MOST_BYTES:,} bytes")
        if wanted == 0:
            return torch.zeros(sizes, dtype=dtype)
        if (last + 1) * dtype.itemsize > self._sizes[place]:
            raise self._refused(f"has fewer numbers of {key[:80]!r} than its shape {tuple(sizes)} needs")
        if not self._numbers:
            return torch.empty(sizes, dtype=dtype, device="meta")
        content = self._bytes(place)
        whole = len(content) // dtype.itemsize * dtype.itemsize
        flat = torch.frombuffer(bytearray(content[:whole]), dtype=dtype)
        tensor = flat.as_strided(sizes, strides, offset).clone()
        if tensor.is_floating_point() and bool(tensor.isnan().any()):
            raise self._refused(f"has weights that are not numbers (NaN) in {key[:80]!r}")
        return tensor


def _layout(meta: dict[str, Any]) -> tuple[torch.dtype, list[int], list[int], int]:
    """Return type, sizes, strides and offset of a tensor, in numbers."""
    sizes = [_whole(size) for size in meta["sizes"]]
    strides = [_whole(stride) for stride in meta["strides"]]
    if len(sizes) != len(strides) or len(sizes) > 8 or meta["layout"] != _STRIDED:
        raise ValueError("no plain tensor")
    return DTYPES[meta["dtype"]], sizes, strides, _whole(meta["storage_offset"])


def _whole(value: Any) -> int:
    number = value["as_int"]
    if type(number) is not int or not 0 <= number < 2**40:
        raise ValueError("no size")
    return number

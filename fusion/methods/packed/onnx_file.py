"""Reader of ONNX files: the graph and its tensors out of the bytes, by a reader of our own for the few parts needed.

No other code sees the file: neither the parser of protobuf nor that of ``onnx``, which follows names of files wherever
they lead. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers of the fields.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fusion.errors import PackedMethodError
from fusion.methods.packed.archive import MOST_BYTES

MOST_FIELDS = 2_000_000
"""Parts of a file that are looked at."""
MOST_NODES = 20_000
MOST_SIDES = 8
OPSETS = range(11, 24)
"""Versions of the operators that are read."""
SMALL = 4096
"""Numbers of a tensor up to which its values are read where only its shape is asked for."""
DATA_SUFFIX = ".data"
DTYPES = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool,
    10: torch.float16, 11: torch.float64, 16: torch.bfloat16,
}  # fmt: skip
"""Types of numbers by their number in ONNX."""
_BESIDE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(frozen=True)
class Node:
    """One operator of a graph.

    Attributes
    ----------
    kind, name : str
        Which operator, and what the node is called.
    inputs, outputs : tuple of str
        Names of values; empty where one is left out.
    attributes : dict
        int, float, bytes, Tensor, or lists of these, by name.
    opset : int
        Version of the operators.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    opset: int = 0


@dataclass(frozen=True)
class OnnxGraph:
    """A graph as the file has it.

    Attributes
    ----------
    nodes : tuple of Node
        In the file's order.
    tensors : dict of str to Tensor
        Weights and constants by name.
    images : dict of str to tuple
        The sizes of each input: numbers, or names of what varies; empty where nothing is said.
    outputs : tuple of str
        Names of results.
    """

    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]
    images: dict[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]


def read_onnx(path: Path, numbers: bool = True) -> OnnxGraph:
    """Read an ONNX file.

    Parameters
    ----------
    path : Path
        The file. Weights may lie in files beside it whose names end in ``.data``.
    numbers : bool
        Whether to read the numbers of large tensors; without, they are tensors of torch's device ``meta``.

    Raises
    ------
    PackedMethodError
        If it is none, is damaged or too large, or has anything in it that is not read.
    """
    try:
        length = path.stat().st_size
        if length > MOST_BYTES:
            raise PackedMethodError(f"{path}: the file has {length:,} bytes; up to {MOST_BYTES:,} are read.")
        return _Reader(path, numbers).model(memoryview(path.read_bytes()))
    except OSError as error:
        raise PackedMethodError(f"{path}: the file cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, IndexError, struct.error, OverflowError, RuntimeError) as error:
        raise PackedMethodError(f"{path}: this is no ONNX file, or it is damaged ({error}).") from error


class _Reader:
    def __init__(self, path: Path, numbers: bool) -> None:
        self._path, self._numbers = path, numbers
        self._left, self._fields, self._opset = MOST_BYTES, MOST_FIELDS, 0

    def _refused(self, why: str) -> PackedMethodError:
        return PackedMethodError(f"{self._path}: the ONNX file {why}.")

    def _parts(self, message: memoryview) -> Iterator[tuple[int, Any]]:
        """Yield the fields of a message: number, and an int, or a view of bytes."""
        place = 0
        while place < len(message):
            self._fields -= 1
            if self._fields < 0:
                raise self._refused(f"has more than {MOST_FIELDS:,} parts")
            key, place = _varint(message, place)
            number, form = key >> 3, key & 7
            if form == _VARINT:
                value, place = _varint(message, place)
                yield number, value
                continue
            if form == _BYTES:
                length, place = _varint(message, place)
            elif form in (_EIGHT, _FOUR):
                length = 8 if form == _EIGHT else 4
            else:
                raise ValueError(f"a field of kind {form}")
            if length > len(message) - place:
                raise ValueError("it ends before its end")
            yield number, message[place : place + length]
            place += length

    def model(self, message: memoryview) -> OnnxGraph:
        graph: memoryview | None = None
        for number, value in self._parts(message):
            if number == 7:
                graph = value
            elif number == 8:
                self._read_opset(dict(self._parts(value)))
            elif number == 25:
                raise self._refused(
                    "has functions of its own. Export it with its functions written out (inlined)"
                )
            elif number == 20:
                raise self._refused(
                    "is one for training, which changes what it keeps. Export it for inference"
                )
        if graph is None:
            raise ValueError("there is no graph in it")
        if self._opset not in OPSETS:
            raise self._refused(
                f"is of opset {self._opset}; {OPSETS[0]} to {OPSETS[-1]} are read. Export it with opset_version=18"
            )
        return self._graph(graph)

    def _read_opset(self, said: dict[int, Any]) -> None:
        if _text(said.get(1, b"")) in ("", "ai.onnx"):
            self._opset = int(said.get(2, 0))

    def _graph(self, message: memoryview) -> OnnxGraph:
        nodes: list[Node] = []
        tensors: dict[str, Tensor] = {}
        images: dict[str, tuple[int | str, ...]] = {}
        outputs: list[str] = []
        for number, value in self._parts(message):
            if number == 1:
                nodes.append(self._node(value))
            elif number == 5:
                name, tensor = self._tensor(value)
                if name in tensors:
                    raise self._refused(f"has two tensors called {name[:80]!r}")
                tensors[name] = tensor
            elif number == 11:
                name, sides = self._value(value)
                images[name] = sides
            elif number == 12:
                outputs.append(self._value(value)[0])
            elif number == 15:
                raise self._refused("has sparse weights, which are not read")
        if len(nodes) > MOST_NODES:
            raise self._refused(f"has {len(nodes):,} nodes; up to {MOST_NODES:,} are read")
        # Until 2018 weights stood among the inputs too.
        images = {name: sides for name, sides in images.items() if name not in tensors}
        return OnnxGraph(tuple(nodes), tensors, images, tuple(outputs))

    def _node(self, message: memoryview) -> Node:
        inputs: list[str] = []
        outputs: list[str] = []
        words = {3: "", 4: "", 7: ""}
        attributes: dict[str, Any] = {}
        for number, value in self._parts(message):
            if number == 1:
                inputs.append(_text(value))
            elif number == 2:
                outputs.append(_text(value))
            elif number in words:
                words[number] = _text(value)
            elif number == 5:
                name, read = self._attribute(value, words[4])
                attributes[name] = read
        kind, name = words[4][:80], (words[3] or (outputs or [""])[0])[:80]
        if words[7] not in ("", "ai.onnx"):
            raise self._refused(
                f"calls {kind} of the domain {words[7][:80]!r} (node {name!r}), which is none of ONNX's own operators"
            )
        return Node(kind, name, tuple(inputs), tuple(outputs), attributes, self._opset)

    def _attribute(self, message: memoryview, kind: str) -> tuple[str, Any]:
        """Return name and value; the kind of value is that of the only field with one."""
        name = ""
        lists: dict[int, list[Any]] = {7: [], 8: [], 9: []}
        found: Any = None
        for number, value in self._parts(message):
            match number:
                case 1:
                    name = _text(value)
                case 2:
                    found = _floats(value)[0]
                case 3:
                    found = _signed(value)
                case 4:
                    found = bytes(value)
                case 5:
                    found = self._tensor(value)[1]
                case 7:
                    lists[7] += _floats(value)
                case 8:
                    lists[8] += [_signed(value)] if isinstance(value, int) else list(self._varints(value))
                case 9:
                    lists[9].append(bytes(value))
                case 6 | 11:
                    raise self._refused(
                        f"has a graph within its graph ({kind[:40]}), which decides by values or repeats; straight "
                        "graphs alone are read. Export it without branches and loops"
                    )
                case 10 | 14 | 15 | 22:
                    raise self._refused(
                        f"has an attribute of a kind that is not read ({kind[:40]}, {name[:40]})"
                    )
        given = next((values for values in lists.values() if values), None)
        if found is None:
            found = [] if given is None else given
        return name, found

    def _varints(self, message: memoryview) -> Iterator[int]:
        place = 0
        while place < len(message):
            self._fields -= 1
            if self._fields < 0:
                raise self._refused(f"has more than {MOST_FIELDS:,} parts")
            value, place = _varint(message, place)
            yield _signed(value)

    def _value(self, message: memoryview) -> tuple[str, tuple[int | str, ...]]:
        """Return name and sides of an input or output."""
        name, sides = "", []
        for number, value in self._parts(message):
            if number == 1:
                name = _text(value)
            elif number == 2:
                tensor = dict(self._parts(value)).get(1)
                if tensor is None:
                    raise self._refused(f"takes or returns something that is no tensor ({name[:80]!r})")
                shape = dict(self._parts(tensor)).get(2, b"")
                sides = [
                    dict(self._parts(side)) for which, side in self._parts(memoryview(shape)) if which == 1
                ]
        return name, tuple(
            _signed(side[1]) if 1 in side else f"?{index}" if 2 not in side else _text(side[2])
            for index, side in enumerate(sides)
        )

    def _tensor(self, message: memoryview) -> tuple[str, Tensor]:
        sides: list[int] = []
        kind, name, raw, beside = 0, "", None, {}
        lists: list[Any] = []
        for number, value in self._parts(message):
            match number:
                case 1:
                    sides += [_signed(value)] if isinstance(value, int) else list(self._varints(value))
                case 2:
                    kind = value
                case 4:
                    lists += _floats(value)
                case 5 | 7:
                    lists += [_signed(value)] if isinstance(value, int) else list(self._varints(value))
                case 8:
                    name = _text(value)
                case 9:
                    raw = value
                case 10:
                    lists += list(struct.unpack(f"<{len(value) // 8}d", value))
                case 13:
                    entry = dict(self._parts(value))
                    beside[_text(entry.get(1, b""))] = _text(entry.get(2, b""))
                case 3 | 6 | 11:
                    raise self._refused(f"has a tensor of parts, texts or large numbers ({name[:80]!r})")
        return name, self._filled(name, sides, kind, beside, raw, lists)

    def _filled(
        self,
        name: str,
        sides: list[int],
        kind: int,
        beside: dict[str, str],
        raw: memoryview | None,
        lists: list[Any],
    ) -> Tensor:
        dtype = DTYPES.get(kind)
        if dtype is None or len(sides) > MOST_SIDES or any(not 0 <= side < 2**40 for side in sides):
            raise self._refused(f"describes {name[:80]!r} in a way that no plain tensor has")
        count = math.prod(sides)
        wanted = count * dtype.itemsize
        self._left -= wanted
        if self._left < 0:
            raise self._refused(f"has tensors of more than {MOST_BYTES:,} bytes")
        if lists and raw is None and not beside:
            return self._of_list(name, sides, dtype, lists)
        if beside:
            raw = self._beside(name, beside, wanted)
        held = 0 if raw is None else len(raw)
        if held != wanted:
            raise self._refused(
                f"has {held:,} bytes of {name[:80]!r}, and its shape {tuple(sides)} needs {wanted:,}"
            )
        if count == 0:
            return torch.zeros(sides, dtype=dtype)
        if not self._numbers and count > SMALL:
            return torch.empty(sides, dtype=dtype, device="meta")
        return self._checked(name, torch.frombuffer(bytearray(raw or b""), dtype=dtype).reshape(sides))

    def _of_list(self, name: str, sides: list[int], dtype: torch.dtype, numbers: list[Any]) -> Tensor:
        if len(numbers) != math.prod(sides):
            raise self._refused(
                f"has {len(numbers):,} numbers of {name[:80]!r}, and its shape {tuple(sides)} needs others"
            )
        if dtype in (torch.float16, torch.bfloat16):  # their bits stand in whole numbers
            bits = torch.tensor([number & 0xFFFF for number in numbers], dtype=torch.int32).to(torch.uint16)
            return self._checked(name, bits.view(dtype).reshape(sides))
        return self._checked(
            name,
            torch.tensor(numbers, dtype=torch.float64 if dtype.is_floating_point else torch.int64)
            .to(dtype)
            .reshape(sides),
        )

    def _checked(self, name: str, tensor: Tensor) -> Tensor:
        if tensor.is_floating_point() and bool(tensor.isnan().any()):
            raise self._refused(f"has weights that are not numbers (NaN) in {name[:80]!r}")
        return tensor

    def _beside(self, name: str, said: dict[str, str], wanted: int) -> memoryview:
        """Return a tensor's bytes from the file beside this one that it names."""
        place = said.get("location", "")
        file = self._path.parent / place
        if (
            not _BESIDE.fullmatch(place)
            or not place.endswith(DATA_SUFFIX)
            or file.is_symlink()
            or not file.is_file()
        ):
            raise self._refused(
                f"has the numbers of {name[:80]!r} in {place[:80]!r}; they are read from it, or from a file beside it "
                f"whose name ends in {DATA_SUFFIX}. Save it as one file (external_data=False)"
            )
        offset, length = int(said.get("offset", "0")), int(said.get("length", str(wanted)))
        if length != wanted or offset < 0 or offset + length > file.stat().st_size:
            raise self._refused(
                f"says it has {length:,} bytes of {name[:80]!r} in {place}, which has not so many there"
            )
        if not self._numbers and wanted > SMALL * 8:
            return _Length(wanted)  # type: ignore[return-value]
        with file.open("rb") as opened:
            opened.seek(offset)
            return memoryview(opened.read(length))


class _Length:
    """Stands for bytes that are there and not read."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(message):
            raise ValueError("it ends before its end")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), place
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")


def _signed(value: int) -> int:
    if not isinstance(value, int):
        raise ValueError("a number is no number")
    return value - 2**64 if value >= 2**63 else value


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8")


def _floats(value: Any) -> list[float]:
    return list(struct.unpack(f"<{len(value) // 4}f", value))

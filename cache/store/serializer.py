"""Named arrays as plain bytes and back: no pickles, and damage of any kind is noticed.

An entry is, all numbers little-endian: 8 bytes of magic, format version (2 bytes), zeros (2), length of the
header (4), a 16-byte BLAKE2b checksum of everything else, the header (JSON: name, dtype and shape of each
array) and the arrays' bytes in C order, one after the other.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from cachelib.serializers import BaseSerializer

Arrays = dict[str, np.ndarray]

MAGIC = b"FVARRAYS"
FORMAT_VERSION = 1
CHECKSUM_BYTES = 16

_START = struct.Struct("<8sHHI")
_DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
}


class CorruptEntryError(ValueError):
    """Bytes that are not a whole, undamaged entry; the message says in which way."""


def checksum(*parts: bytes | memoryview) -> bytes:
    """Return 16 bytes that differ, for all practical purposes, whenever the parts do."""
    digest = hashlib.blake2b(digest_size=CHECKSUM_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()


def require_storable(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise `TypeError` for anything but named arrays of booleans or numbers."""
    if not isinstance(arrays, Mapping):
        raise TypeError(f"Only named arrays can be stored, not {type(arrays).__name__}")
    for name, array in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"Arrays are named by strings, not by {name!r}")
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} is no array but {type(array).__name__}")
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"{name} has dtype {array.dtype}, which cannot be stored as plain bytes")


def encode_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Turn named arrays into bytes.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of any shape, booleans or numbers of at most 64 bits (complex: 128).

    Raises
    ------
    TypeError
        If a value is anything else.
    """
    require_storable(arrays)
    table = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
    header = json.dumps(table, separators=(",", ":")).encode()
    body = [
        array.astype(_DTYPES[array.dtype.name], copy=False).tobytes(order="C") for array in arrays.values()
    ]
    start = _START.pack(MAGIC, FORMAT_VERSION, 0, len(header))
    return b"".join([start, checksum(start, header, *body), header, *body])


def decode_arrays(content: bytes | bytearray | memoryview) -> Arrays:
    """Turn the bytes of `encode_arrays` back into read-only arrays, in this machine's byte order.

    Raises
    ------
    CorruptEntryError
        If anything is missing, added or changed.
    """
    view = memoryview(content)
    if len(view) < _START.size + CHECKSUM_BYTES:
        raise CorruptEntryError("it is cut off")
    start, rest = view[: _START.size], view[_START.size + CHECKSUM_BYTES :]
    magic, version, _, header_length = _START.unpack(start)
    if magic != MAGIC:
        raise CorruptEntryError("these are not stored arrays")
    if checksum(start, rest) != view[_START.size : _START.size + CHECKSUM_BYTES]:
        raise CorruptEntryError("its checksum is wrong")
    if version != FORMAT_VERSION:
        raise CorruptEntryError(f"it has format version {version}")
    try:
        return _read_table(json.loads(bytes(rest[:header_length])), rest[header_length:])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise CorruptEntryError(f"its table of arrays is wrong: {error!r}") from error


def _read_table(table: Any, body: memoryview) -> Arrays:
    """Cut the arrays out; what a table can ask for is limited by the bytes that are there."""
    arrays: Arrays = {}
    position = 0
    for name, dtype_name, shape in table:
        dtype = _DTYPES[dtype_name]
        if not isinstance(name, str) or any(side < 0 for side in shape):
            raise ValueError("a name or a shape is wrong")
        count = math.prod(shape)
        if position + count * dtype.itemsize > len(body):
            raise ValueError("it asks for more bytes than there are")
        flat = np.frombuffer(body, dtype=dtype, count=count, offset=position) if count else np.empty(0, dtype)
        array = flat.reshape(shape).astype(dtype.newbyteorder("="), copy=True)
        array.setflags(write=False)
        arrays[name] = array
        position += count * dtype.itemsize
    if position != len(body):
        raise ValueError("bytes are left over")
    return arrays


class ArraySerializer(BaseSerializer):
    """`encode_arrays` and `decode_arrays` in cachelib's interface, in the place of its pickles.

    Loading raises `CorruptEntryError`, so that a back end can delete the entry; both of ours do.
    """

    def dumps(self, value: Any, protocol: int = 0) -> bytes:
        """Return the bytes of named arrays; `protocol` is for pickles and has no meaning here."""
        return encode_arrays(value)

    def loads(self, bvalue: bytes | memoryview | None) -> Arrays | None:
        """Return the arrays, or ``None`` for the ``None`` with which Redis says that it has no such entry."""
        return None if bvalue is None else decode_arrays(bvalue)

    def dump(self, value: Any, f: IO[bytes], protocol: int = 0) -> None:
        """Write the bytes of named arrays to a stream."""
        f.write(encode_arrays(value))

    def load(self, f: IO[bytes]) -> Arrays:
        """Read the arrays from the rest of a stream."""
        return decode_arrays(f.read())

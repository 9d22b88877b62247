"""Arrays survive the way to bytes and back; damaged bytes never come back as arrays."""

from __future__ import annotations

import io
import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cache.store import serializer
from cache.store.serializer import (
    FORMAT_VERSION,
    MAGIC,
    Arrays,
    ArraySerializer,
    CorruptEntryError,
    checksum,
    decode_arrays,
    encode_arrays,
)

DTYPES = [np.dtype(name) for name in serializer._DTYPES]
ENTRY: Arrays = {
    "values": np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    "known": np.array([True, False]),
    "n": np.array(7),
}


def assert_same(found: Arrays, expected: Arrays) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype.newbyteorder("=")
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8),
        hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)),
        max_size=3,
    )
)
def test_round_trip(arrays: Arrays) -> None:
    assert_same(decode_arrays(encode_arrays(arrays)), arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(4, 6).T,
        np.arange(24.0).reshape(4, 6)[::2, ::-3],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=">f4"),
        np.arange(6, dtype=">i8").reshape(3, 2),
        np.broadcast_to(np.float32(3), (2, 5)),
        np.array([np.nan, np.inf, -np.inf, -0.0]),
    ],
)
def test_layout_and_byte_order_do_not_matter(array: np.ndarray) -> None:
    assert_same(decode_arrays(encode_arrays({"a": array})), {"a": array})


def test_results_are_read_only_and_own_their_memory() -> None:
    content = bytearray(encode_arrays(ENTRY))
    found = decode_arrays(content)
    content[:] = bytes(len(content))
    assert_same(found, ENTRY)
    with pytest.raises(ValueError, match="read-only"):
        found["values"][0, 0, 0] = 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "text",
        np.zeros(3),
        [np.zeros(3)],
        {"a": [1, 2]},
        {"a": 3.0},
        {1: np.zeros(3)},
        {"a": np.array([object()])},
        {"a": np.array(["text"])},
        {"a": np.array([b"bytes"])},
        {"a": np.zeros(2, dtype="datetime64[s]")},
        {"a": np.zeros(2, dtype=[("x", "f4")])},
        {"a": np.zeros(2, dtype=np.longdouble)},
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode_arrays(value)


def test_every_truncation_is_noticed() -> None:
    content = encode_arrays(ENTRY)
    for length in range(len(content)):
        with pytest.raises(CorruptEntryError):
            decode_arrays(content[:length])


def test_every_flipped_bit_is_noticed() -> None:
    content = encode_arrays(ENTRY)
    for position in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            with pytest.raises(CorruptEntryError):
                decode_arrays(damaged)


@pytest.mark.parametrize("addition", [b"\0", b"more", encode_arrays(ENTRY)])
def test_additions_are_noticed(addition: bytes) -> None:
    content = encode_arrays(ENTRY)
    with pytest.raises(CorruptEntryError):
        decode_arrays(content + addition)
    with pytest.raises(CorruptEntryError):
        decode_arrays(addition + content[1:])


def forged(table: Any, body: bytes = b"", version: int = FORMAT_VERSION) -> bytes:
    """Make an entry whose checksum is right, whatever it says."""
    header = table if isinstance(table, bytes) else json.dumps(table).encode()
    start = serializer._START.pack(MAGIC, version, 0, len(header))
    return start + checksum(start, header + body) + header + body


def test_forging_works() -> None:
    found = decode_arrays(forged([["a", "float32", [2]]], b"\0\0\x80\x3f\0\0\0\x40"))
    assert_same(found, {"a": np.array([1, 2], dtype=np.float32)})


@pytest.mark.parametrize(
    "content",
    [
        forged([], version=FORMAT_VERSION + 1),
        forged(b"no json"),
        forged(b"\xff\xfe"),
        forged(b"[" * 100_000),
        forged(3),
        forged({"a": 1}),
        forged([["a", "float32"]]),
        forged([["a", "object", [1]]], bytes(8)),
        forged([["a", ["float32"], [1]]], bytes(4)),
        forged([["a", "V8", [1]]], bytes(8)),
        forged([[1, "float32", [1]]], bytes(4)),
        forged([["a", "float32", [-1]]], bytes(4)),
        forged([["a", "float32", [1.0]]], bytes(4)),
        forged([["a", "float32", [True]]], bytes(4)),
        forged([["a", "float32", 1]], bytes(4)),
        forged([["a", "float32", [2]]], bytes(4)),
        forged([["a", "float32", [10**12]]], bytes(4)),
        forged([["a", "float32", [10**30, 0]]]),
        forged([["a", "float32", [1] * 100]], bytes(4)),
        forged([["a", "float32", [1]]], bytes(5)),
    ],
)
def test_wrong_tables_are_noticed_even_with_a_right_checksum(content: bytes) -> None:
    with pytest.raises(CorruptEntryError):
        decode_arrays(content)


def test_pickles_are_not_entries() -> None:
    with pytest.raises(CorruptEntryError):
        decode_arrays(pickle.dumps(ENTRY))
    with pytest.raises(CorruptEntryError):
        decode_arrays(b"!" + pickle.dumps(ENTRY))


def test_cachelib_interface() -> None:
    own = ArraySerializer()
    assert_same(own.loads(own.dumps(ENTRY)) or {}, ENTRY)
    assert own.loads(None) is None
    stream = io.BytesIO()
    own.dump(ENTRY, stream)
    stream.seek(0)
    assert_same(own.load(stream), ENTRY)

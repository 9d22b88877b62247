"""Codes of regions: what is written is read back, equal regions have equal codes, and nothing else is a region."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from fusion.errors import RegionError
from fusion.statistics.region_code import decode_mask, encode_mask, require_code

shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
masks = shapes.flatmap(lambda shape: arrays.arrays(np.bool_, shape))


@st.composite
def boxed(draw: st.DrawFn) -> NDArray[np.bool_]:
    height, width = draw(shapes)
    mask = np.zeros((height, width), dtype=np.bool_)
    for _ in range(draw(st.integers(0, 5))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[top : draw(st.integers(top, height)), left : draw(st.integers(left, width))] = True
    return mask


@given(masks | boxed())
def test_a_region_comes_back_from_its_code(mask: NDArray[np.bool_]) -> None:
    code = encode_mask(mask)
    assert code.isascii() and code.replace("-", "").replace("_", "").replace(".", "").isalnum()
    np.testing.assert_array_equal(decode_mask(code, (mask.shape[0], mask.shape[1])), mask)


def test_codes_as_they_are_written_for_ever() -> None:
    mask = np.zeros((4, 6), dtype=np.bool_)
    assert encode_mask(mask) == "b"
    mask[1:3, 2:5] = True
    assert encode_mask(mask) == "b1.2.3.5"
    mask[3, 0] = True
    assert encode_mask(mask) == "b1.2.3.5_3.0.4.1"
    assert encode_mask(np.ones((3, 3), dtype=np.bool_)) == "b0.0.3.3"
    checked = np.indices((5, 5)).sum(0) % 2 == 0
    assert encode_mask(checked) == "rAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
    big = np.zeros((300, 300), dtype=np.bool_)
    big[::17, ::23] = True
    np.testing.assert_array_equal(decode_mask(encode_mask(big), (300, 300)), big)


def test_a_large_lasso_is_short() -> None:
    rows, columns = np.indices((256, 256))
    disc = (rows - 128) ** 2 + (columns - 120) ** 2 < 60**2
    assert len(encode_mask(disc)) < 600


@pytest.mark.parametrize(
    "code",
    ["", "x", "b1.2.3", "b-1.0.2.2", "b0.0.0.5", "b3.0.2.5", "b0.0.11.5", "b0.0.5.13", "b1.2.3.4_", "b1.2.3.4__5.6.7.8",
     "r", "rA", "r!!!!", "rAAAA", "r__________8", "rgICAgICAgAE",
     "s" + "0" * 32, "b" + "0.0.1.1_" * 9, "r" + "A" * 3_000_000,
     "b٣.0.5.5", "rAA\n"],
)  # fmt: skip
def test_what_is_no_region_of_these_images_is_refused(code: str) -> None:
    with pytest.raises(RegionError):
        decode_mask(code, (10, 12))


@given(masks | boxed())
def test_every_region_has_a_code_of_a_region(mask: NDArray[np.bool_]) -> None:
    require_code(encode_mask(mask))


@pytest.mark.parametrize(
    "code",
    ["", "x", "hello", "b1.2.3", "b3.0.2.5", "b0.5.2.5", "r", "rA", "r!!!!", "rAA", "rAAAA", "rAAE\n", "rgA", "röö",
     "r__________8", "rgICAgICAgAE", "s" + "0" * 32, "b" + "0.0.1.1_" * 9, "r" + "A" * 3_000_000, "b٣.0.5.5"],
)  # fmt: skip
def test_what_is_no_region_of_any_images_is_refused(code: str) -> None:
    with pytest.raises(RegionError):
        require_code(code)


def test_the_longest_runs_are_read() -> None:
    most = "r" + base64.urlsafe_b64encode(b"\xff\xff\xff\xff\x7f" * 100).decode().rstrip("=")
    require_code(most)
    with pytest.raises(RegionError, match="another size"):
        decode_mask(most, (10, 12))


@given(st.text(max_size=40).map(lambda text: "r" + text) | st.text(max_size=40))
def test_nothing_else_is_raised(code: str) -> None:
    try:
        mask = decode_mask(code, (10, 12))
    except RegionError:
        return
    assert mask.shape == (10, 12)

"""Strokes of a brush by hand, and as the browser paints them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fusion.errors import ChangeError
from fusion.saliency.strokes import LONGEST_CODE, Operation, Stroke, change_of, read_strokes, stamp_of
from tests.unit.node import said_by_node

SHAPE = (20, 26)
DAMAGED = ("1", "3s1.0.1.1", "1x1.0.1.1", "1s0.0.1.1", "1s65.0.1.1", "1s1.256.1.1", "1a1.-256.1.1", "1e1.0.1.1",
           "1b1.101.1.1", "1s1.0.-1.1", "1s1.0.1", "1s1.0.1.1.A", "1s1.0.1.1.", "~", "1s1.0.1.1~", "1s1.0.1.1.A!",
           "1s1.0.1.1\n", "1s1.0.\u0661.1", "1s1.0.1.1~" * 500 + "1s1.0.1.1")  # fmt: skip


def images(rng: np.random.Generator) -> np.ndarray:
    return rng.random((2, *SHAPE), dtype=np.float32)


def test_a_code_says_its_strokes() -> None:
    first, second = read_strokes("2s8.0.3.4~1a1.-20.100.7.hgAf")
    assert first == Stroke(1, Operation.SET, 8, 0, ((3, 4),))
    assert second == Stroke(0, Operation.ADD, 1, -20, ((100, 7), (101, 7), (69, 6)))
    assert read_strokes("") == ()


@pytest.mark.parametrize("code", DAMAGED)
def test_a_damaged_code_is_one_sentence(code: str) -> None:
    with pytest.raises(ChangeError, match=r"^[A-Z].*\.$"):
        read_strokes(code)


def test_stamps_are_discs_of_their_size() -> None:
    assert stamp_of(1).tolist() == [[True]]
    assert stamp_of(2).all() and stamp_of(3).all()
    assert stamp_of(5).tolist()[0] == [False, True, True, True, False]
    assert stamp_of(8).any(axis=0).all() and not stamp_of(8)[0, 0]


def test_what_operations_do_by_hand(rng: np.random.Generator) -> None:
    x = images(rng)
    double = x.astype(np.float64)
    change = change_of(read_strokes("1s1.51.2.3"), x)
    assert np.argwhere(change).tolist() == [[0, 2, 3]]
    assert change[0, 2, 3] + double[0, 2, 3] == pytest.approx(0.2, abs=1e-15)
    # Stamps that overlap add once.
    change = change_of(read_strokes("2a3.-51.0.0.gh"), x)
    assert np.argwhere(change[1]).tolist() == [[row, column] for row in (0, 1) for column in (0, 1, 2)]
    np.testing.assert_allclose(change[change != 0], -0.2, atol=1e-15)
    half = change_of(read_strokes("1s1.0.2.3~1e1.50.2.3"), x)
    assert half[0, 2, 3] == pytest.approx(-double[0, 2, 3] / 2)
    assert not change_of(read_strokes("1s9.0.2.3~1b9.70.2.3~1e20.100.2.3"), x).any(), "erased is exactly 0"
    blurred = change_of(read_strokes("1b1.100.0.25"), x)
    assert blurred[0, 0, 25] + double[0, 0, 25] == pytest.approx(double[0, :2, 24:].mean())


def test_what_lies_outside_changes_nothing(rng: np.random.Generator) -> None:
    x = images(rng)
    assert not change_of(read_strokes("1s8.0.999999.999999~2s3.0.20.26.AAAA"), x)[0].any()
    edge = change_of(read_strokes("1a5.10.0.25.AA"), x)
    assert set(map(tuple, np.argwhere(edge[0]))) <= {
        (row, column) for row in range(3) for column in range(22, 26)
    }
    assert edge[0, 0, 25] != 0


def random_code(rng: np.random.Generator) -> str:
    letters = np.array(list("fghAabz_-"))
    strokes = []
    for _ in range(6):
        operation = rng.choice(list("saeb"))
        low, high = {"s": (0, 255), "a": (-255, 255)}.get(operation, (1, 100))
        head = f"{rng.integers(1, 3)}{operation}{rng.integers(1, 20)}.{rng.integers(low, high + 1)}"
        moves = "".join(rng.choice(letters, 2 * rng.integers(0, 9)))
        strokes.append(f"{head}.{rng.integers(25)}.{rng.integers(30)}" + (moves and f".{moves}"))
    return "~".join(strokes)


def browser(codes: list[str], x: np.ndarray) -> Any:
    return said_by_node(
        """async (module, [codes, images, height, width]) => {
            const { painted, read, write } = await module("change/strokes");
            const originals = images.map((one) => new Float64Array(one));
            return codes.map((code) => {
                const strokes = read(code);
                const found = strokes && painted(strokes, originals, { height, width });
                return strokes && [write(strokes), found.map((one) => [...one])];
            });
        }""",
        [codes, x.reshape(2, -1).astype(float).tolist(), *SHAPE],
    )


def test_the_browser_paints_the_same(rng: np.random.Generator) -> None:
    x = images(rng)
    codes = [random_code(rng) for _ in range(12)] + ["", "1s8.0.999999.0"]
    for code, (written, painted) in zip(codes, browser(codes, x), strict=True):
        assert written == code
        ours = change_of(read_strokes(code), x) + x
        np.testing.assert_allclose(np.reshape(painted, ours.shape), ours, atol=1e-12, err_msg=code)


def test_the_browser_refuses_the_same() -> None:
    x = np.zeros((2, *SHAPE), dtype=np.float32)
    assert browser(list(DAMAGED), x) == [None] * len(DAMAGED)
    assert len(DAMAGED[-1]) > LONGEST_CODE

"""The baselines, plain mean and maximum: by hand, against autograd, at ties and in the air."""

from __future__ import annotations

import numpy as np
import pytest

import fusion
from app.link.view_state import CompareState, ExploreState
from tests.unit.reference import relative_error, whole_image_jacobian

X1 = np.array([[0, 0, 0.25, 1], [0, 0.5, 0.5, 0.75], [0, 0.5, 0.25, 0]], dtype=np.float32)
X2 = np.array([[0, 0, 0.25, 0], [1, 0.5, 0.25, 0.75], [0, 0.25, 0.5, 0]], dtype=np.float32)
"""With ties of gray (0,2), (1,1), (1,3) and of air (0,0), (0,1), (2,0), (2,3)."""
MAXIMUM_OF_X1 = [[0.5, 0.5, 0.5, 1], [0, 0.5, 1, 0.5], [0.5, 1, 0, 0.5]]


@pytest.fixture(scope="module")
def pair() -> fusion.Pair:
    return fusion.Pair.from_arrays(X1, X2)


def test_fused_images(pair: fusion.Pair) -> None:
    mean, brighter = (fusion.fuse(fusion.load_method(id, "cpu"), pair) for id in ("plain_mean", "maximum"))
    np.testing.assert_array_equal(mean, (X1 + X2) / 2)
    np.testing.assert_array_equal(brighter, np.maximum(X1, X2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_guidance_by_hand(pair: fusion.Pair, dtype: str) -> None:
    mean, brighter = (
        fusion.guidance(fusion.load_method(id, "cpu"), pair, dtype=dtype) for id in ("plain_mean", "maximum")
    )
    assert (mean == 0.5).all()
    np.testing.assert_array_equal(brighter, [MAXIMUM_OF_X1, 1 - np.array(MAXIMUM_OF_X1)])


@pytest.mark.parametrize("id", ["plain_mean", "maximum"])
def test_jacobian_images_are_those_of_autograd_at_ties_too(id: str, pair: fusion.Pair) -> None:
    method = fusion.load_method(id, "cpu")
    assert method.support_radius == (0, 0)
    for pixel in np.ndindex(pair.shape):
        window = fusion.jacobian(method, pair, pixel, "float64")
        assert window.values.shape == (2, 1, 1)
        assert relative_error(window.dense(), whole_image_jacobian(method, pair, pixel)) == 0
        np.testing.assert_array_equal(fusion.jacobian(method, pair, pixel).values, window.values)


def test_they_come_after_the_papers_five_and_first_views_stay() -> None:
    assert fusion.method_ids()[5:7] == ("plain_mean", "maximum")
    for query in ("", "?pixel=1,2", "?pixel=1,2&v=1", "?pixel=1,2&v=2"):
        assert CompareState.from_query(query)[0].methods == fusion.method_ids()[:5]
        assert ExploreState.from_query(query)[0].method == "funfusean"

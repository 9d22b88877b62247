"""Explained regions as the page asks for them, against `fusion.region_jacobian`."""

from __future__ import annotations

import numpy as np
import pytest

import fusion
from cache.errors import UserError
from cache.services import explanations as module
from cache.services.explanations import Question
from cache.services.export_readings import ImageSums
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Method
from fusion.errors import RegionError
from fusion.statistics.region_code import encode_mask
from tests.unit.small_services import SHAPE

MASKS = np.zeros((2, *SHAPE), dtype=bool)
MASKS[0, 7:12, 9:15], MASKS[1, 14:16, 3:20] = True, True
CORE, RIM = map(encode_mask, MASKS)


def address(scene: Scene) -> tuple[str, str, str]:
    return scene.pair_id, scene.method_id, scene.weights_id


@pytest.mark.parametrize(
    ("question", "against"),
    [
        (Question("mean", CORE), None),
        (Question("contrast", CORE, RIM), MASKS[1]),
        (Question("ssim", CORE, "x1"), 0),
        (Question("ssim", CORE, "x2"), 1),
    ],
)
def test_an_explanation_is_what_python_returns(
    services: Services, scene: Scene, small: Method, question: Question, against: np.ndarray | int | None
) -> None:
    pair = services.scenes.pair(scene)
    expected = fusion.region_jacobian(small, pair, MASKS[0], question.of, against)
    found = services.explanations.at(*address(scene), question)
    np.testing.assert_array_equal(found, expected)
    assert expected.any()


def test_an_explanation_is_computed_once_whatever_its_region_is_called(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = services.explanations.at(*address(scene), Question("contrast", CORE, RIM))
    monkeypatch.setattr(module, "region_jacobian", None)
    kept = Question("contrast", f"s{services.regions.keep(CORE)}", f"s{services.regions.keep(RIM)}")
    np.testing.assert_array_equal(services.explanations.at(*address(scene), kept), first)
    with pytest.raises(TypeError):
        services.explanations.at(*address(scene), Question("contrast", RIM, CORE))


def test_what_is_wrong_is_said(services: Services, scene: Scene) -> None:
    for question in (
        Question("median", CORE),
        Question("mean", CORE, RIM),
        Question("contrast", CORE),
        Question("contrast", CORE, "x1"),
        Question("ssim", CORE),
        Question("ssim", CORE, RIM),
        Question("mean", "b90.0.91.1"),
        Question("mean", "b"),
        Question("ssim", "b0.0.2.2", "x1"),
    ):
        with pytest.raises(RegionError, match=r"\.$"):
            services.explanations.at(*address(scene), question)
    with pytest.raises(UserError):
        services.explanations.at("0" * 64, *address(scene)[1:], Question("mean", CORE))


def test_sums_of_an_explanation() -> None:
    found = ImageSums.of(np.array([[1.5, -0.5], [0, -1]], dtype=np.float32))
    assert found == ImageSums(0.0, 3.0, 0.5)
    assert ImageSums.of(np.zeros((2, 2), dtype=np.float32)) == ImageSums(0, 0, None)

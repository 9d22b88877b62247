"""Painted changes as the page asks for them, against `fusion.response`."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import fusion
from cache.errors import TooBusyError
from cache.jobs import threads as thread_module
from cache.services import changes as changes_module
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Method
from fusion.errors import ChangeError, WeightsError
from fusion.saliency.strokes import change_of, read_strokes
from fusion.saliency.window import Box
from tests.unit.small_services import SHAPE

CODE = "1s4.0.10.12.ihih~2a3.60.22.30"


def names(scene: Scene, code: str = CODE) -> tuple[str, str, str, str]:
    return scene.pair_id, scene.method_id, scene.weights_id, code


def test_answers_are_what_python_returns(services: Services, scene: Scene, small: Method) -> None:
    pair = services.scenes.pair(scene)
    change = change_of(read_strokes(CODE), pair.images)
    expected = fusion.response(small, pair, change)
    found, response = services.changes.of(scene, CODE)
    np.testing.assert_array_equal(found, change)
    for name in ("true", "linear", "path"):
        np.testing.assert_allclose(getattr(response, name), getattr(expected, name), atol=2e-6, err_msg=name)
    assert (
        response.linear_error == pytest.approx(expected.linear_error, abs=1e-4)
        and expected.linear_error > 0.01
    )
    assert (response.true == 0).all(where=expected.true == 0), "nothing changes where nothing of it is seen"


def test_a_part_holds_what_the_newest_stamp_changes(services: Services, scene: Scene) -> None:
    whole = services.changes.true(*names(scene), Box(0, 0, *SHAPE)).values
    part = services.changes.true(*names(scene), Box(21, 29, 24, 40))
    assert part.box == Box(19, 27, 24, 31)
    np.testing.assert_allclose(part.values, whole[19:24, 27:31], atol=1e-6)
    assert services.changes.true(*names(scene), Box(100, 100, 104, 104)).values.size == 0
    # After everything was undone nothing is left, to the last digit.
    undone = services.changes.true(*names(scene, "1s4.0.900.900"), Box(8, 8, 20, 20))
    assert undone.values.shape == (16, 16) and not undone.values.any()


def test_predictions_are_computed_once(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = services.changes.predicted(*names(scene), "linear")
    monkeypatch.setattr(changes_module, "predicted", None)
    again = services.changes.predicted(*names(scene), "linear")
    assert again.box == first.box == Box(6, 8, 24, 31)
    np.testing.assert_array_equal(again.values, first.values)
    with pytest.raises(TypeError):
        services.changes.predicted(*names(scene), "path")


def test_what_is_wrong_is_said(services: Services, scene: Scene) -> None:
    with pytest.raises(ChangeError, match="not a change"):
        services.changes.true(*names(scene, "1s4"), Box(0, 0, 2, 2))
    with pytest.raises(ChangeError, match="not a change"):
        services.changes.predicted(*names(scene, "é"), "linear")
    with pytest.raises(WeightsError):
        services.changes.true(scene.pair_id, scene.method_id, "0" * 64, CODE, Box(0, 0, 2, 2))


def test_more_than_a_few_at_once_are_refused(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    real = changes_module.fused_around

    def slow(*args: object) -> object:
        begun.release()
        go_on.wait(60)
        return real(*args)  # type: ignore[arg-type] # the same arguments

    monkeypatch.setattr(changes_module, "fused_around", slow)
    monkeypatch.setattr(thread_module, "LONGEST_WAIT_S", 0.01)
    asked = (*names(scene), Box(0, 0, 2, 2))
    threads = [
        threading.Thread(target=services.changes.true, args=asked) for _ in range(thread_module.SHORT_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=60)
    with pytest.raises(TooBusyError):
        services.changes.true(*asked)
    go_on.set()
    for thread in threads:
        thread.join(60)
    services.changes.true(*asked)

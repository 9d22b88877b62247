"""Guidance images through the services: growing, shared, cancelled, failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import cache.services.guidance
import cache.services.services
import fusion
from cache.services.guidance import COMPLETE_REVISION, GuidanceState
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Method
from fusion.errors import (
    Cancelled,
    NetworkError,
)
from fusion.work.guidance_units import GoOn, GuidanceUnits
from tests.unit.small_services import (
    WAIT_S,
    Maker,
    follow,
    wait_for,
)


class Held:
    """The units of guidance images, held back after each until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.passes = threading.Semaphore(0)
        self.passed = threading.Semaphore(0)
        self.ended = threading.Event()
        real = GuidanceUnits.all

        def held(units: GuidanceUnits, go_on: GoOn) -> Iterator[tuple[int, np.ndarray]]:
            self.calls += 1
            try:
                for found in real(units, go_on):
                    assert self.passes.acquire(timeout=WAIT_S)
                    yield found
                    self.passed.release()
            finally:
                self.ended.set()

        monkeypatch.setattr(GuidanceUnits, "all", held)

    def one_pass(self) -> None:
        self.passes.release()
        assert self.passed.acquire(timeout=WAIT_S)

    def finish(self) -> None:
        self.passes.release(1000)
        assert self.ended.wait(WAIT_S)


def test_guidance_images(services: Services, scene: Scene, small: Method) -> None:
    assert services.guidance.known(scene) is None
    idle = services.guidance.state(scene, "ann", start=False)
    assert idle == GuidanceState(None, 0.0, False, False, False, 0, None, 0.0)
    final = follow(services, scene)
    expected = fusion.guidance(small, services.scenes.pair(scene))
    assert (final.fraction, final.complete, final.running, final.cancelled, final.error) == (
        1,
        True,
        False,
        False,
        None,
    )
    assert final.revision == COMPLETE_REVISION
    assert final.compute_seconds > 0
    for found in (final.values, services.guidance.known(scene), follow(services, scene, "ben").values):
        assert found is not None
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
        assert not found.flags.writeable


def test_guidance_is_memoized_also_for_the_next_process(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    values = follow(first, first.scenes.open("1", "small")).values
    assert values is not None
    held = Held(monkeypatch)
    second = make()
    state = second.guidance.state(second.scenes.open("1", "small"), "ann")
    assert state.complete
    np.testing.assert_array_equal(state.values, values)
    assert held.calls == 0


def test_guidance_appears_and_grows(
    services: Services, scene: Scene, small: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fusion.guidance(small, services.scenes.pair(scene))
    held = Held(monkeypatch)
    # The finer grids would cover this small image.
    monkeypatch.setattr(cache.services.guidance, "GRID_POINTS", (4,))
    services.guidance.state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    preview = services.guidance.state(scene, "ann", start=False)
    assert preview.values is not None
    assert (preview.fraction, preview.complete, preview.running) == (0, False, True)
    states = [preview]
    for done in range(1, 4):
        held.one_pass()
        state = services.guidance.state(scene, "ann", start=False)
        assert state.fraction == done / 9
        states.append(state)
    assert states[1].revision > preview.revision
    for state in states:
        assert state.values is not None
        known = ~np.isnan(state.values)
        assert 0 < known.mean() < 1
        np.testing.assert_allclose(state.values[known], expected[known], rtol=1e-4, atol=1e-6)
    assert services.guidance.known(scene) is None
    held.finish()
    assert follow(services, scene).complete


def test_a_new_viewer_sees_something_while_anothers_guidance_runs(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance.state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    other = services.scenes.open("2", "small")
    services.guidance.state(other, "ben")
    wait_for(lambda: services.guidance.state(other, "ben", start=False).values is not None)
    assert held.calls == 1
    held.finish()
    assert follow(services, other, "ben").complete


def test_two_viewers_share_a_computation(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance.state(scene, "ann")
    services.guidance.state(scene, "ben")
    wait_for(lambda: held.calls == 1)
    services.guidance.cancel(scene, "ann")
    withdrawn = services.guidance.state(scene, "ann", start=False)
    assert (withdrawn.cancelled, withdrawn.running) == (True, True)
    assert not services.guidance.state(scene, "ben", start=False).cancelled
    held.finish()
    assert follow(services, scene, "ben").complete
    assert services.guidance.state(scene, "ann", start=False).complete
    assert held.calls == 1


def test_cancelling_and_starting_again(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance.state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    held.one_pass()
    services.guidance.cancel(scene, "ann")
    held.passes.release()
    wait_for(lambda: not services.guidance.state(scene, "ann", start=False).running)
    cancelled = services.guidance.state(scene, "ann", start=False)
    assert (cancelled.cancelled, cancelled.complete, cancelled.error) == (True, False, None)
    assert cancelled.values is not None, "what is known stays to be seen"
    assert services.guidance.known(scene) is None
    assert held.ended.is_set()
    services.guidance.state(scene, "ann")
    wait_for(lambda: held.calls == 2)
    held.finish()
    assert follow(services, scene).complete


def test_a_page_whose_polls_came_late_has_its_guidance_go_on(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    services.guidance.state(scene, "ann")
    wait_for(lambda: held.calls == 1)
    monkeypatch.setattr(services.guidance.jobs, "_lease_s", -1.0)
    services.guidance.state(scene, "ann", start=False)
    held.passes.release()
    assert held.ended.wait(WAIT_S)
    monkeypatch.undo()
    held = Held(monkeypatch)
    wait_for(lambda: services.guidance.state(scene, "ann", start=False).running and held.calls == 1)
    held.finish()
    assert follow(services, scene).complete


def test_cancelling_what_nobody_computes(services: Services, scene: Scene) -> None:
    services.guidance.cancel(scene, "ann")
    assert not services.guidance.state(scene, "ann", start=False).running


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NetworkError("The network needs even sizes."), "The network needs even sizes."),
        (torch.OutOfMemoryError("CUDA"), "The device has too little free memory"),
        (RuntimeError("secret"), "Something went wrong"),
    ],
)
def test_failed_guidance(
    services: Services, scene: Scene, error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> np.ndarray:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(GuidanceUnits, "compute", fail)
        state = follow(services, scene)
        assert state.error is not None
        assert state.error.startswith(message)
        assert (state.complete, state.cancelled) == (False, False)
    assert follow(services, scene).complete, "asked to start again, it does"


def test_no_guidance_after_closing(services: Services, scene: Scene) -> None:
    services.close()
    with pytest.raises(Cancelled):
        services.guidance.state(scene, "ann")

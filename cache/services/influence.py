"""The influence on regions: memoized by content, computed as jobs in the background."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cache.jobs.manager import JobManager
from cache.jobs.threads import computing
from cache.jobs.types import JobState, JobView, Report, Stage
from cache.services.methods import MethodShelf
from cache.services.services import Scene, Services
from cache.services.statistics_format import influence_from, to_arrays
from cache.store.addresses import InfluenceAddress
from cache.store.store import ArrayStore
from fusion import Method, Pair
from fusion.statistics.influence import DEFAULT_LIMIT, RegionInfluence, region_influence
from fusion.statistics.regions import Region
from fusion.statistics.requirements import CORE

INFLUENCE_LANE = "influence"
LANES = {INFLUENCE_LANE: 1}
"""One worker with one thread of torch for all visitors: the other cores are for hovers and guidance images."""

NAP_S = 0.03
REST_S = 0.3
"""How long a pointer must have been still before the work goes on."""


@dataclass(frozen=True)
class InfluenceProgress:
    """How far the influence on all regions is.

    Attributes
    ----------
    fraction : float
        0 to 1.
    complete : bool
        Whether it is all known.
    errors : tuple of str
        Why some cannot be computed, for the user.
    ended : bool
        Whether nothing more will come: all is known or has failed.
    """

    fraction: float
    complete: bool
    errors: tuple[str, ...]
    ended: bool = False


class InfluenceShelf:
    """Computes the influence on regions and keeps it. Safe to use from several threads.

    Parameters
    ----------
    services : Services
        What has the images.
    methods : MethodShelf
        The methods.
    store : ArrayStore
        Where numbers are kept.
    jobs : JobManager
        With the lanes `LANES`.
    since_window : callable
        Returns how many seconds ago somebody pointed at a pixel: this work rests while pointers move.
    threads : int
        Threads of torch.
    guidance_runs : callable
        Returns whether guidance images are computed, for whomever: this work rests meanwhile.
    """

    def __init__(
        self,
        services: Services,
        methods: MethodShelf,
        store: ArrayStore,
        jobs: JobManager[RegionInfluence],
        since_window: Callable[[], float],
        threads: int = 1,
        guidance_runs: Callable[[], bool] = lambda: False,
    ) -> None:
        self._services = services
        self._methods = methods
        self._store = store
        self._jobs = jobs
        self._since_window = since_window
        self._threads = threads
        self._guidance_runs = guidance_runs

    def known(self, scene: Scene, region: Region) -> RegionInfluence | None:
        """Return the influence on a region, ``None`` where it was not computed yet; starts nothing."""
        arrays = self._store.get(self._address(scene, region))
        return None if arrays is None else influence_from(arrays, region.name)

    def follow(
        self, scenes: Sequence[Scene], regions: Sequence[Region], viewer: str, start: bool = True
    ) -> InfluenceProgress:
        """Return how far the influence on regions is, and keep its computation alive for this viewer.

        Parameters
        ----------
        scenes : sequence of Scene
            The methods, on one pair.
        regions : sequence of Region
            Each is a job of its own for each method. The core comes first: a requirement waits for it.
        viewer : str
            Who asks: one open page.
        start : bool
            Whether to start what is missing, or only to look.
        """
        ordered = sorted(regions, key=lambda region: region.name != CORE)
        fractions: list[float] = []
        errors: list[str] = []
        missing = 0
        for scene in scenes:
            for region in ordered:
                if self.known(scene, region) is not None:
                    fractions.append(1.0)
                    continue
                missing += 1
                view = self._followed(scene, region, viewer, start)
                fractions.append(0.0 if view is None else view.fraction)
                if view is not None and view.error is not None:
                    errors.append(f"{scene.method_title}, {region.name}: {view.error}")
        fraction = sum(fractions) / len(fractions) if fractions else 1.0
        return InfluenceProgress(fraction, not missing, tuple(errors), missing == len(errors))

    def cancel(self, scenes: Sequence[Scene], regions: Sequence[Region], viewer: str) -> None:
        """Take this viewer's interest back; what nobody else waits for stops."""
        for scene in scenes:
            for region in regions:
                self._jobs.cancel(self._address(scene, region).key(), viewer)

    def close(self) -> None:
        """Stop all jobs."""
        self._jobs.close()

    def _followed(
        self, scene: Scene, region: Region, viewer: str, start: bool
    ) -> JobView[RegionInfluence] | None:
        address = self._address(scene, region)
        view = self._jobs.poll(address.key(), viewer)
        # What failed is told, and tried again when the job is forgotten.
        if not start or (view is not None and view.state is JobState.FAILED):
            return view
        method, pair = self._methods.get(scene.method_id), self._services.pair(scene)
        return self._jobs.submit(address.key(), lambda: self._stages(method, pair, region, address), viewer)

    def _stages(
        self, method: Method, pair: Pair, region: Region, address: InfluenceAddress
    ) -> Sequence[Stage[RegionInfluence]]:
        def work(report: Report[RegionInfluence], _cancelled: Callable[[], bool]) -> RegionInfluence:
            def progress(done: int, total: int) -> None:
                report(done / total)
                while self._guidance_runs() or self._since_window() < REST_S:
                    time.sleep(NAP_S)
                    report(done / total)  # which raises where nobody waits any more

            progress(0, 1)
            with computing(self._threads):
                found = region_influence(method, pair, region, address.limit, progress=progress)
            self._store.put(address, to_arrays(found))
            return found

        return (Stage(work, INFLUENCE_LANE),)

    def _address(self, scene: Scene, region: Region) -> InfluenceAddress:
        return InfluenceAddress(*origin(scene), content_id(region), DEFAULT_LIMIT, device=device_kind(scene))


def origin(scene: Scene) -> tuple[str, str, str]:
    """Return the fields with which every address begins: pair, method and weights."""
    return scene.pair_id, scene.method_id, scene.weights_id


def device_kind(scene: Scene) -> str:
    """Return the kind of device that computes, ``cpu`` or ``cuda``."""
    return scene.device.partition(":")[0]


def content_id(region: Region) -> str:
    """Return the content id of a region: of its shape and its pixels."""
    digest = hashlib.sha256(f"{region.shape}".encode())
    digest.update(np.packbits(region.mask).tobytes())
    return digest.hexdigest()

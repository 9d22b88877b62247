"""The numbers beside the pictures, memoized by content, and the influence on regions, computed in the background."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.jobs.manager import JobProgress, Jobs, JobState, Report, Stage
from cache.jobs.threads import computing
from cache.jobs.unit_work import UnitWork
from cache.services.guidance import Guidance
from cache.services.regions import Regions
from cache.services.scenes import Scene, Scenes
from cache.services.windows import Windows
from cache.store.addresses import CoreResponseAddress, GuidanceStatisticsAddress, InfluenceAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore, MemoryTier
from fusion import Method, Pair
from fusion.saliency.window import Pixel
from fusion.statistics.comparison import MethodComparison, pixel_influence, suspicious_pixels
from fusion.statistics.dim_core import core_response
from fusion.statistics.guidance import (
    NAN,
    Dominance,
    Dominant,
    GuidanceStatistics,
    Line,
    ModalityStatistics,
    guidance_statistics,
)
from fusion.statistics.influence import DEFAULT_LIMIT, ModalityInfluence, RegionInfluence
from fusion.statistics.region_code import encode_mask
from fusion.statistics.regions import (
    Region,
    air_mask,
    described_regions,
    inside_head,
    whole_image,
    without_air,
)
from fusion.statistics.requirements import CORE, RIM, Requirement, checklist
from fusion.work.region_units import RegionUnits

TEXT, VALUE = "json", "value"


def to_arrays(found: GuidanceStatistics | RegionInfluence) -> Arrays:
    """Return what is kept: JSON in UTF-8, in which Python writes every float so that it reads the same again."""
    # The region's name is not kept: who asks for the same pixels by another name means the same numbers.
    text = json.dumps(asdict(replace(found, region="")))
    return {TEXT: np.frombuffer(text.encode(), dtype=np.uint8)}


def guidance_from(arrays: Arrays, region: str) -> GuidanceStatistics:
    """Return the statistics of guidance images under a region's present name."""
    kept = _read(arrays)
    return GuidanceStatistics(
        **kept
        | {
            "region": region,
            "x1": ModalityStatistics(**kept["x1"]),
            "x2": ModalityStatistics(**kept["x2"]),
            "dominance": Dominance(
                **kept["dominance"] | {"dominant": Dominant(kept["dominance"]["dominant"])}
            ),
            "line": Line(**kept["line"]),
        }
    )


def influence_from(arrays: Arrays, region: str) -> RegionInfluence:
    """Return the influence on a region under its present name."""
    kept = _read(arrays)
    inputs = {name: ModalityInfluence(**kept[name]) for name in ("x1", "x2")}
    return RegionInfluence(**kept | inputs | {"region": region})


def _read(arrays: Arrays) -> dict[str, Any]:
    kept = json.loads(arrays[TEXT].tobytes())
    if not isinstance(kept, dict):
        raise TypeError("These are no statistics")
    return kept


INFLUENCE_LANE = "influence"
LANES = {INFLUENCE_LANE: 1}
"""One worker with one thread of torch for all visitors: the other cores are for hovers and guidance images."""

NAP_S = 0.03
REST_S = 0.3
"""How long a pointer must have been still before the work goes on."""


@dataclass(frozen=True)
class InfluenceProgress:
    """Progress of the influence on all regions.

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


class InfluenceJobs:
    """Computes the influence on regions and keeps it. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    store : ArrayStore
        Where numbers are kept.
    work : UnitWork
        What computes parts of them, and keeps these meanwhile.
    transient : bool
        Whether these parts go once the numbers are finished, or are there to stay.
    since_window : callable
        Returns how many seconds ago somebody pointed at a pixel: this process rests while pointers move.
    guidance_runs : callable
        Returns whether guidance images are computed, for whomever: this process rests meanwhile.
    """

    def __init__(
        self,
        scenes: Scenes,
        store: ArrayStore,
        work: UnitWork,
        transient: bool,
        since_window: Callable[[], float],
        guidance_runs: Callable[[], bool] = lambda: False,
    ) -> None:
        self._scenes = scenes
        self._store = store
        self._work, self._transient = work, transient
        self.jobs: Jobs[RegionInfluence] = Jobs(LANES)
        self._since_window = since_window
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
                self.jobs.cancel(self._address(scene, region), viewer)

    def under_way(self) -> int:
        """Return how many influences of regions are computed or wait."""
        return self.jobs.under_way()

    def close(self) -> None:
        """Stop all jobs."""
        self.jobs.close()

    def _followed(
        self, scene: Scene, region: Region, viewer: str, start: bool
    ) -> JobProgress[RegionInfluence] | None:
        address = self._address(scene, region)
        view = self.jobs.poll(address, viewer)
        # What failed is told, and tried again when the job is forgotten.
        if not start or (view is not None and view.state is JobState.FAILED):
            return view
        method, pair = self._scenes.method(scene), self._scenes.pair(scene)
        subject = scene.subject(f"Influence on the region {region.name}")
        stages = partial(self._stages, method, pair, region, address)
        return self.jobs.submit(address, stages, viewer, subject)

    def _stages(
        self, method: Method, pair: Pair, region: Region, address: InfluenceAddress
    ) -> Sequence[Stage[RegionInfluence]]:
        def work(report: Report[RegionInfluence], _cancelled: Callable[[], bool]) -> RegionInfluence:
            fraction = 0.0

            def go_on() -> None:
                report(fraction, None)  # which raises where nobody waits any more

            def rest() -> None:
                go_on()
                while self._guidance_runs() or self._since_window() < REST_S:
                    time.sleep(NAP_S)
                    go_on()

            code = encode_mask(region.mask)
            with computing(self._work.threads):
                units = RegionUnits(method, pair, self._work.chunks, code, address.limit)
                table = np.full(units.shape, np.nan)
                with closing(self._work.values(units, method, pair, go_on, rest, code)) as values:
                    for done, (number, numbers) in enumerate(values, start=1):
                        units.put(number, numbers, table)
                        fraction = done / len(units)
                        go_on()
            found = replace(units.influence(table), region=region.name)
            self._store.put(address, to_arrays(found))
            if self._transient:
                units.remove()
            return found

        return (Stage(work, INFLUENCE_LANE),)

    def _address(self, scene: Scene, region: Region) -> InfluenceAddress:
        return InfluenceAddress.of(
            self._scenes.method(scene), scene.pair_id, content_id(region), DEFAULT_LIMIT
        )


def content_id(region: Region) -> str:
    """Return the content id of a region: of its shape and its pixels."""
    digest = hashlib.sha256(f"{region.shape}".encode())
    digest.update(np.packbits(region.mask).tobytes())
    return digest.hexdigest()


HEAD_MEMORY_BYTES = 8 * 2**20
NEEDS_GUIDANCE, NEEDS_INFLUENCE = 3, 4
"""The requirements that are judged by guidance images and by the influence on the core."""


@dataclass(frozen=True)
class MethodNumbers:
    """Numbers that are known of one method.

    Attributes
    ----------
    scene : Scene
        The pair and the method.
    comparison : MethodComparison
        The numbers that are known: nothing of guidance before the guidance images are complete, the regions whose
        influence was computed, the requirements that can be judged.
    checklist : tuple of Requirement
        All four, for their titles and rules.
    waiting : frozenset of int
        Numbers of the requirements that cannot be judged yet.
    complete : bool
        Whether nothing is missing.
    """

    scene: Scene
    comparison: MethodComparison
    checklist: tuple[Requirement, ...]
    waiting: frozenset[int]
    complete: bool


class Statistics:
    """Everything that the tables of numbers can ask for. Safe to use from several threads.

    Numbers are those of `fusion.statistics.comparison.compare_method`, which the command prints: the same functions, of
    images and Jacobian images in float32.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs, methods and fused images.
    windows : Windows
        What has the Jacobian windows.
    guidance : Guidance
        What has the guidance images.
    regions : Regions
        What has the regions that come with a pair.
    store : ArrayStore
        Where numbers are kept.
    influence : InfluenceJobs
        What computes the influence on regions.
    """

    def __init__(
        self,
        scenes: Scenes,
        windows: Windows,
        guidance: Guidance,
        regions: Regions,
        store: ArrayStore,
        influence: InfluenceJobs,
    ) -> None:
        self._scenes = scenes
        self._windows = windows
        self._known_guidance = guidance.known
        self._regions = regions
        self._store = store
        self.influence = influence
        self._heads: MemoryTier[Region] = MemoryTier(HEAD_MEMORY_BYTES, lambda head: head.mask.nbytes)
        self._airs: MemoryTier[NDArray[np.bool_]] = MemoryTier(HEAD_MEMORY_BYTES, lambda air: air.nbytes)

    def air(self, scene: Scene) -> NDArray[np.bool_]:
        """Return where a pair has air, (H, W), as `fusion.air_mask` finds it; remembered."""
        air = self._airs.get(scene.pair_id)
        if air is None:
            air = air_mask(self._scenes.pair(scene))
            self._airs.put(scene.pair_id, air)
        return air

    def regions(self, scene: Scene, own: Sequence[Region] = (), air: bool = True) -> list[Region]:
        """Return the regions that are described: those of the command, and a visitor's own.

        Parameters
        ----------
        scene : Scene
            The pair.
        own : sequence of Region
            One takes the place of another region of its name.
        air : bool
            False to leave the air out of all regions, and the whole image with it.

        Raises
        ------
        UserError
            If a region cannot be used.
        """
        known = [Region(name, mask) for name, mask in self._regions.of_pair(scene.pair_address).items()]
        ready = [whole_image((scene.height, scene.width)), self._head(scene), *known]
        for region in own:
            region.require_shape((scene.height, scene.width))
        found = described_regions(ready, own)
        return found if air else without_air(found, self.air(scene))

    def numbers(self, scene: Scene, regions: Sequence[Region], pixels: Sequence[Pixel] = ()) -> MethodNumbers:
        """Return what can be had at once; starts no job.

        Parameters
        ----------
        scene : Scene
            The pair and the method.
        regions : sequence of Region
            As `regions` returns them.
        pixels : sequence of (row, col)
            Principal pixels, 0-based.

        Raises
        ------
        UserError
            If the method cannot be run on these images, a pixel is outside of them, or too much is asked for at once.
        """
        with self._scenes.slow.place():
            return self._numbers(scene, regions, pixels)

    def _numbers(self, scene: Scene, regions: Sequence[Region], pixels: Sequence[Pixel]) -> MethodNumbers:
        method, pair = self._scenes.method(scene), self._scenes.pair(scene)
        guidance = self._known_guidance(scene)
        influences = [
            found for region in regions if (found := self.influence.known(scene, region)) is not None
        ]
        of_core = next((found for found in influences if found.region == CORE), None)
        fused, response = self._scenes.fused(scene), self._core_response(scene, regions)
        judged = checklist(pair, fused, guidance, regions, of_core, scene.modalities, response)
        has_core = any(region.name == CORE and region.size for region in regions)
        absent = {NEEDS_GUIDANCE: guidance is None, NEEDS_INFLUENCE: of_core is None}
        waiting = frozenset(number for number, missing in absent.items() if missing and has_core)
        comparison = MethodComparison(
            method_id=method.id,
            title=method.title,
            weights_id=method.weights_id,
            guidance=()
            if guidance is None
            else tuple(self._guidance(scene, guidance, region) for region in regions),
            region_influence=tuple(influences),
            pixel_influence=tuple(
                found
                for row, col in dict.fromkeys(pixels)
                for found in pixel_influence(self._windows.of(scene, row, col, exact=True), regions)
            ),
            requirements=tuple(one for one in judged if one.number not in waiting),
            suspicious=0 if guidance is None else suspicious_pixels(guidance),
        )
        complete = guidance is not None and len(influences) == len(regions)
        return MethodNumbers(scene, comparison, judged, waiting, complete)

    def _guidance(self, scene: Scene, guidance: np.ndarray, region: Region) -> GuidanceStatistics:
        address = GuidanceStatisticsAddress.of(self._scenes.method(scene), scene.pair_id, content_id(region))
        arrays = self._store.get_or_compute(address, lambda: to_arrays(guidance_statistics(guidance, region)))
        return guidance_from(arrays, region.name)

    def _core_response(self, scene: Scene, regions: Sequence[Region]) -> float:
        """Return the answer to a dim core: of a crop around the core, so that it can be had at once."""
        judged = {region.name: region for region in regions if region.name in (CORE, RIM) and region.size}
        if len(judged) < 2:
            return NAN
        method, pair = self._scenes.method(scene), self._scenes.pair(scene)
        address = CoreResponseAddress.of(
            method, scene.pair_id, content_id(judged[CORE]), content_id(judged[RIM])
        )

        def compute() -> Arrays:
            with computing(1):
                return {VALUE: np.array(core_response(method, pair, judged.values()))}

        return float(self._store.get_or_compute(address, compute)[VALUE])

    def _head(self, scene: Scene) -> Region:
        head = self._heads.get(scene.pair_id)
        if head is None:
            head = inside_head(self._scenes.pair(scene))
            self._heads.put(scene.pair_id, head)
        return head

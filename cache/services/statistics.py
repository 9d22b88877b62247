"""The numbers beside the pictures, memoized by content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flask
import numpy as np

from cache.services.influence import InfluenceShelf, content_id, device_kind, origin
from cache.services.methods import MethodShelf
from cache.services.results import Results
from cache.services.services import Scene, Services
from cache.services.statistics_format import guidance_from, to_arrays
from cache.store.addresses import GuidanceStatisticsAddress
from cache.store.memory_tier import MemoryTier
from cache.store.store import ArrayStore
from fusion.saliency.window import Pixel
from fusion.statistics.comparison import MethodComparison, pixel_influence, suspicious_pixels
from fusion.statistics.guidance import GuidanceStatistics, guidance_statistics
from fusion.statistics.regions import Region, described_regions, inside_head, whole_image
from fusion.statistics.requirements import CORE, Requirement, checklist

EXTENSION = "fusevis-statistics"

HEAD_MEMORY_BYTES = 8 * 2**20
NEEDS_GUIDANCE, NEEDS_INFLUENCE = 3, 4
"""The requirements that are judged by guidance images and by the influence on the core."""


def statistics_of(server: flask.Flask) -> Statistics:
    """Return the numbers of a server that `cache.services.building.build_services` has set up."""
    statistics = server.extensions[EXTENSION]
    if not isinstance(statistics, Statistics):
        raise TypeError(f"The server's extension {EXTENSION} is another one")
    return statistics


@dataclass(frozen=True)
class MethodNumbers:
    """What is known of one method.

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
    services : Services
        What has the scenes, images and guidance images.
    methods : MethodShelf
        The methods.
    results : Results
        What has the Jacobian windows.
    store : ArrayStore
        Where numbers are kept.
    influence : InfluenceShelf
        What computes the influence on regions.
    """

    def __init__(
        self,
        services: Services,
        methods: MethodShelf,
        results: Results,
        store: ArrayStore,
        influence: InfluenceShelf,
    ) -> None:
        self._services = services
        self._methods = methods
        self._results = results
        self._store = store
        self.influence = influence
        self._heads: MemoryTier[Region] = MemoryTier(HEAD_MEMORY_BYTES)

    def regions(self, scene: Scene, own: Sequence[Region] = ()) -> list[Region]:
        """Return the regions that are described: those of the command, and a visitor's own.

        Parameters
        ----------
        scene : Scene
            The pair.
        own : sequence of Region
            One takes the place of another region of its name.

        Raises
        ------
        UserError
            If a region cannot be used.
        """
        known = [Region(name, mask) for name, mask in self._services.regions(scene).items()]
        ready = [whole_image((scene.height, scene.width)), self._head(scene), *known]
        for region in own:
            region.require_shape((scene.height, scene.width))
        return described_regions(ready, own)

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
            If the method cannot be run on these images, or a pixel is outside of them.
        """
        method, pair = self._methods.get(scene.method_id), self._services.pair(scene)
        guidance = self._services.known_guidance(scene)
        influences = [
            found for region in regions if (found := self.influence.known(scene, region)) is not None
        ]
        of_core = next((found for found in influences if found.region == CORE), None)
        judged = checklist(pair, self._services.fused(scene), guidance, regions, of_core, scene.modalities)
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
                for found in pixel_influence(self._results.exact_window(method, pair, row, col), regions)
            ),
            requirements=tuple(one for one in judged if one.number not in waiting),
            suspicious=0 if guidance is None else suspicious_pixels(guidance),
        )
        complete = guidance is not None and len(influences) == len(regions)
        return MethodNumbers(scene, comparison, judged, waiting, complete)

    def _guidance(self, scene: Scene, guidance: np.ndarray, region: Region) -> GuidanceStatistics:
        address = GuidanceStatisticsAddress(*origin(scene), content_id(region), device=device_kind(scene))
        arrays = self._store.get_or_compute(address, lambda: to_arrays(guidance_statistics(guidance, region)))
        return guidance_from(arrays, region.name)

    def _head(self, scene: Scene) -> Region:
        head = self._heads.get(scene.pair_id)
        if head is None:
            head = inside_head(self._services.pair(scene))
            self._heads.put(scene.pair_id, head, head.mask.nbytes)
        return head

"""Atlases for the page: what one would cost, making it in the background, and its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import flask

from cache.jobs.atlas_work import ATLAS_LANES, AtlasWork
from cache.jobs.manager import JobManager
from cache.jobs.threads import ThreadCounts, computing
from cache.jobs.types import JobState
from cache.services.atlas_shelf import AtlasShelf
from cache.services.methods import MethodShelf
from cache.services.services import Scene, Services
from fusion import Method
from fusion.errors import WeightsError
from fusion.saliency.atlas import StoredWindows, atlas_bytes, atlas_folder
from fusion.saliency.atlas_estimate import AtlasEstimate, check_space, estimate
from fusion.saliency.atlas_store import radius_of, tile_side, tiles_of

EXTENSION = "fusevis-atlases"


def atlases_of(server: flask.Flask) -> Atlases:
    """Return the atlases of a server that `cache.services.building.build_services` has set up."""
    atlases = server.extensions[EXTENSION]
    if not isinstance(atlases, Atlases):
        raise TypeError(f"The server's extension {EXTENSION} is another one")
    return atlases


@dataclass(frozen=True)
class AtlasState:
    """How far the atlas of a scene is.

    Attributes
    ----------
    possible : bool
        Whether there can be one: not where every pixel depends on the whole image.
    fraction : float
        How much of it is there, 0 to 1.
    complete : bool
        Whether all of it is there.
    running : bool
        Whether it is being made.
    error : str or None
        For the user, if making it failed.
    """

    possible: bool
    fraction: float
    complete: bool
    running: bool
    error: str | None


class Atlases:
    """Everything that a page can ask of atlases. Safe to use from several threads.

    All errors that a user can cause are `cache.errors.UserError`.

    Parameters
    ----------
    services : Services
        What has the pairs.
    methods : MethodShelf
        The methods.
    shelf : AtlasShelf
        The atlases that there are.
    root : Path
        Their folder.
    threads : ThreadCounts
        How many threads torch may use.
    """

    def __init__(
        self, services: Services, methods: MethodShelf, shelf: AtlasShelf, root: Path, threads: ThreadCounts
    ) -> None:
        self._services = services
        self._methods = methods
        self._shelf = shelf
        self._root = root
        self._threads = threads
        self._jobs: JobManager[int] = JobManager(ATLAS_LANES)

    def state(self, scene: Scene, viewer: str) -> AtlasState:
        """Return how far the atlas of a scene is, and keep its making alive for this viewer.

        Raises
        ------
        UserError
            If the images are not to be had any more.
        """
        if scene.support_radius is None:
            return AtlasState(False, 0.0, False, False, None)
        method = self._current(scene.method_id, scene.weights_id)
        view = self._jobs.poll(_name(scene), viewer)
        done, tiles = self._tiles_done(method, scene)
        if view is not None and not view.state.ended:
            return AtlasState(True, max(view.fraction, done / tiles), False, True, None)
        # The shelf looks again only now and then; the job knows at once.
        if done == tiles or (view is not None and view.state is JobState.DONE):
            return AtlasState(True, 1.0, True, False, None)
        return AtlasState(True, done / tiles, False, False, None if view is None else view.error)

    def estimate(self, scene: Scene) -> AtlasEstimate:
        """Return what the atlas of a scene would still cost; takes a few seconds.

        Raises
        ------
        UserError
            If there can be none, the disk has no room for it, or the images are not to be had any more.
        """
        method = self._current(scene.method_id, scene.weights_id)
        pair = self._services.pair(scene)
        done, tiles = self._tiles_done(method, scene)
        with computing(self._threads.whole_image):
            needs = estimate(method, pair, (done, tiles), self._root)
        check_space(self._root, atlas_bytes(method, pair.shape) * (tiles - done) // tiles)
        return needs

    def start(self, scene: Scene, viewer: str) -> None:
        """Begin to make the atlas of a scene, or go on with it; it stops when nobody asks any more.

        Raises
        ------
        UserError
            See `estimate`.
        """
        method = self._current(scene.method_id, scene.weights_id)
        pair = self._services.pair(scene)
        check_space(self._root, atlas_bytes(method, pair.shape))
        folder = atlas_folder(self._root, method, pair)
        work = AtlasWork(
            method,
            pair,
            folder,
            self._threads.whole_image,
            lambda: self._shelf.look_again(method, pair),
        )
        self._jobs.submit(_name(scene), work.stages, viewer)

    def cancel(self, scene: Scene, viewer: str) -> None:
        """Take this viewer's interest back; what is computed stays."""
        self._jobs.cancel(_name(scene), viewer)

    def windows_at(
        self, pair: str, method: str, weights: str, pixels: Sequence[tuple[int, int]]
    ) -> StoredWindows | None:
        """Return the windows of some pixels as an atlas stores them; ``None`` where there is no atlas.

        Raises
        ------
        UserError
            If the pair or the method do not exist, or not any more.
        """
        current = self._current(method, weights)
        images = self._services.pairs.by_content(pair)
        atlas = self._shelf.find(current, images)
        return None if atlas is None else atlas.stored(pixels)

    def close(self) -> None:
        """Stop all jobs."""
        self._jobs.close()

    def _tiles_done(self, method: Method, scene: Scene) -> tuple[int, int]:
        atlas = self._shelf.find(method, self._services.pair(scene))
        if atlas is not None:
            return atlas.tiles_done
        shape = (scene.height, scene.width)
        rows, columns = tiles_of(shape, tile_side(radius_of(method, shape)))
        return 0, rows * columns

    def _current(self, method: str, weights: str) -> Method:
        found = self._methods.get(method)
        if found.weights_id != weights:
            raise WeightsError(
                f"{found.title} has other weights now than when this was shown. Reload the page."
            )
        return found


def _name(scene: Scene) -> str:
    return f"atlas/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"

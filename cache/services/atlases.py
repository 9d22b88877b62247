"""Atlases: complete Jacobians computed beforehand, as they lie on disk, the job that makes one, and its progress."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from cache.jobs.manager import Jobs, JobState, Report, Stage
from cache.jobs.threads import computing, yield_to_others
from cache.jobs.workers import Workers
from cache.services.scenes import Scene, Scenes
from cache.services.stored_atlases import LOOK_AGAIN_S, OPEN_ATLASES, StoredAtlases
from cache.store.addresses import AtlasAddress
from cache.store.sealed import bytes_on_disk
from fusion import JacobianWindow, Method, Pair
from fusion.errors import AtlasError, Cancelled
from fusion.saliency.atlas import Atlas, AtlasProgress, StoredWindows, atlas_bytes, atlas_folder
from fusion.saliency.atlas_estimate import AtlasEstimate, check_space, estimate
from fusion.saliency.atlas_store import outdated_atlas, radius_of, tile_side, tiles_of
from fusion.work.addresses import Kind, Work
from fusion.work.engines import WorkersLost
from fusion.work.store import ChunkStore, StoreError
from fusion.work.tasks import Job, WorkError

ATLAS_LANE = "atlas"
ATLAS_LANES = {ATLAS_LANE: 1}
NOT_SHARED = (
    "The cluster's workers do not write where this server reads: "
    "FUSEVIS_ATLAS_DIR has to be a folder that they have as well."
)

logger = logging.getLogger(__name__)


class AtlasFolder:
    """Opens atlases as they are asked for. Safe to use from several threads.

    Parameters
    ----------
    root : Path
        Folder of atlases; need not exist.
    clock : callable
        Seconds, from any moment on.
    most_bytes : float
        What all atlases together may take on the disk.
    stored : StoredAtlases, optional
        Atlases that others have made, which are read where this folder does not have a window.
    """

    def __init__(
        self,
        root: Path,
        clock: Callable[[], float] = time.monotonic,
        most_bytes: float = math.inf,
        stored: StoredAtlases | None = None,
    ) -> None:
        self.root = root
        self._stored = stored
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._told: set[Path] = set()
        self._open: LRUCache[Path, tuple[Atlas | None, float]] = LRUCache(OPEN_ATLASES)

    def window(self, method: Method, pair: Pair, row: int, col: int) -> JacobianWindow | None:
        """Read the window of a pixel of the image; ``None`` where there is no atlas, or it is not that far."""
        atlas = self.find(method, pair)
        if atlas is None or not atlas.has(row, col):
            return None if self._stored is None else self._stored.window(method, pair, row, col)
        try:
            return atlas.window(row, col)
        except AtlasError:
            # Computing it is slower, never wrong; but somebody has to know.
            logger.exception("A window of an atlas cannot be read; it is computed instead")
            return None

    def require_room(self, size: int) -> None:
        """Refuse an atlas that has so many bytes yet to come, where there is no room for it.

        Raises
        ------
        AtlasError
            If the disk has none, or all atlases together would take more than they may.
        """
        check_space(self.root, size)
        if math.isinf(self._most_bytes):
            return
        if bytes_on_disk(self.root, below=True) + size > self._most_bytes:
            raise AtlasError(
                f"This server keeps no more than {self._most_bytes / 2**30:g} GiB of atlases (FUSEVIS_ATLASES_MAX_GB), "
                "and there is no room for another one. Whoever runs it can remove some."
            )

    def furthest(self, method: Method, pair: Pair) -> Atlas | None:
        """Return the atlas of a method and a pair that has most tiles, of this folder and of others; or ``None``."""
        own = self.find(method, pair)
        stored = None if self._stored is None else self._stored.find(method, pair)
        found = [atlas for atlas in (own, stored) if atlas is not None]
        return max(found, key=lambda atlas: atlas.tiles_done[0], default=None)

    def find(self, method: Method, pair: Pair) -> Atlas | None:
        """Return this folder's atlas of a method and a pair, as far as it is computed by now; ``None`` without one."""
        folder = atlas_folder(self.root, method, pair)
        with self._lock:
            atlas, looked = self._open.get(folder, (None, -LOOK_AGAIN_S))
            now = self._clock()
            if now - looked >= LOOK_AGAIN_S:
                atlas = self._looked_up(folder, method, pair, atlas)
                self._open[folder] = (atlas, now)
            return atlas

    def look_again(self, method: Method, pair: Pair) -> None:
        """Look at the disk when this atlas is asked for next: it has changed."""
        folder = atlas_folder(self.root, method, pair)
        with self._lock:
            atlas, _ = self._open.get(folder, (None, 0.0))
            self._open[folder] = (atlas, self._clock() - LOOK_AGAIN_S)

    def _looked_up(self, folder: Path, method: Method, pair: Pair, known: Atlas | None) -> Atlas | None:
        try:
            if not (folder / "zarr.json").exists():
                outdated = outdated_atlas(self.root, method, pair)
                if outdated is not None and folder not in self._told:
                    self._told.add(folder)
                    logger.warning("%s", outdated)
                return None
            if known is None:
                return Atlas(folder, method, pair)
            known.refresh()
        except (AtlasError, OSError, ValueError):
            logger.exception("The atlas in %s cannot be used; its windows are computed instead", folder)
            return None
        return known


class AtlasWork:
    """Fills the atlas of a method and a pair; the job's result is how many tiles it has.

    Parameters
    ----------
    method, pair
        What to differentiate.
    folder : Path
        Of the atlas; what is there already stays.
    threads : int
        Threads of torch.
    ended : callable
        Called when no more will be written, before the job ends.
    workers : Workers or None
        Who compute; None where this process does.
    chunks : ChunkStore or None
        Where workers find the pair.
    """

    def __init__(
        self,
        method: Method,
        pair: Pair,
        folder: Path,
        threads: int,
        ended: Callable[[], None],
        workers: Workers | None = None,
        chunks: ChunkStore | None = None,
    ) -> None:
        self._workers, self._chunks = workers, chunks
        self._method = method
        self._pair = pair
        self._folder = folder
        self._threads = threads
        self._ended = ended

    def stages(self) -> tuple[Stage[int], ...]:
        """Return the job's only stage."""
        return (Stage(self.fill, ATLAS_LANE),)

    def fill(self, report: Report[int], cancelled: Callable[[], bool]) -> int:
        """Compute what is missing, and report after each tile and now and then."""
        # Opened first: the thread that reads and writes for Zarr, hovers too, has the priority of whoever starts it.
        atlas = Atlas(self._folder, self._method, self._pair, mend=True)
        yield_to_others()

        def progress(done: int, total: int) -> None:
            if cancelled():
                raise Cancelled("The atlas is not wanted any more.")
            report(done / total, None)

        try:
            if not self._filled_by_workers(atlas, progress):
                with computing(self._threads):
                    atlas.fill(self._method, self._pair, progress)
        finally:
            self._ended()
        return atlas.tiles_done[1]

    def _filled_by_workers(self, atlas: Atlas, progress: AtlasProgress) -> bool:
        """Have the workers compute what is missing; return whether they have, which they cannot where there are none.

        Raises
        ------
        WorkError
            If a unit cannot be computed, or a cluster writes somewhere else.
        """
        workers, chunks = self._workers, self._chunks
        if workers is None or chunks is None or self._method.elsewhere is not None:
            return False
        missing = atlas.missing_tiles(progress)
        done, total = atlas.tiles_done[1] - len(missing), atlas.tiles_done[1]

        def go_on() -> None:
            progress(done, total)

        try:
            for number in workers.computed(self._job(chunks, workers.local), missing, go_on):
                if not atlas.has_tile(number):
                    raise WorkError(NOT_SHARED)
                done += 1
                go_on()
        except (WorkersLost, StoreError) as error:
            logger.warning("%s The atlas is computed in the server's process.", error)
            return False
        atlas.refresh()
        return atlas.complete

    def _job(self, chunks: ChunkStore, gently: bool) -> Job:
        chunks.put_pair(self._pair)
        work = Work.of(Kind.ATLAS, self._method, self._pair.id)
        root = str(self._folder.parents[1])
        return Job(work, self._pair.shape, chunks.url, self._threads, gently, root)


@dataclass(frozen=True)
class AtlasState:
    """The state of a scene's atlas.

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
    scenes : Scenes
        What has the pairs and methods.
    folder : AtlasFolder
        The atlases that there are.
    threads : int
        Threads of torch.
    workers : Workers or None
        Who compute; None where this process does.
    chunks : ChunkStore or None
        Where workers find the pairs.
    """

    def __init__(
        self,
        scenes: Scenes,
        folder: AtlasFolder,
        threads: int,
        workers: Workers | None = None,
        chunks: ChunkStore | None = None,
    ) -> None:
        self._workers, self._chunks = workers, chunks
        self._scenes = scenes
        self._folder = folder
        self._threads = threads
        self.jobs: Jobs[int] = Jobs(ATLAS_LANES)

    def state(self, scene: Scene, viewer: str) -> AtlasState:
        """Return how far the atlas of a scene is, and keep its making alive for this viewer.

        Raises
        ------
        UserError
            If the images are not to be had any more.
        """
        if scene.support_radius is None:
            return AtlasState(False, 0.0, False, False, None)
        method = self._scenes.method(scene)
        job = self.jobs.follow(AtlasAddress.of(method, scene.pair_id), viewer)
        done, tiles = self._tiles_done(scene, self._folder.furthest(method, self._scenes.pair(scene)))
        if job is not None and not job.state.ended:
            return AtlasState(True, max(job.fraction, done / tiles), False, True, None)
        # The folder is looked at again only now and then; the job knows at once.
        if done == tiles or (job is not None and job.state is JobState.DONE):
            return AtlasState(True, 1.0, True, False, None)
        return AtlasState(True, done / tiles, False, False, None if job is None else job.error)

    def estimate(self, scene: Scene) -> AtlasEstimate:
        """Return what the atlas of a scene would still cost; takes a few seconds.

        Raises
        ------
        UserError
            If there can be none, the disk has no room for it, or the images are not to be had any more.
        """
        method, pair = self._scenes.method(scene), self._scenes.pair(scene)
        done, tiles = self._tiles_done(scene, self._folder.find(method, pair))
        with computing(self._threads):
            needs = estimate(method, pair, (done, tiles), self._folder.root)
        self._folder.require_room(atlas_bytes(method, pair.shape) * (tiles - done) // tiles)
        return needs

    def start(self, scene: Scene, viewer: str) -> None:
        """Begin to make the atlas of a scene, or go on with it; it stops when nobody asks any more.

        Where the store has all of it, there is nothing to do.

        Raises
        ------
        UserError
            See `estimate`.
        """
        method, pair = self._scenes.method(scene), self._scenes.pair(scene)
        furthest = self._folder.furthest(method, pair)
        done, tiles = self._tiles_done(scene, self._folder.find(method, pair))
        if done < tiles and furthest is not None and furthest.complete:
            return
        self._folder.require_room(atlas_bytes(method, pair.shape) * (tiles - done) // tiles)
        folder = atlas_folder(self._folder.root, method, pair)
        work = AtlasWork(
            method,
            pair,
            folder,
            self._threads,
            lambda: self._folder.look_again(method, pair),
            self._workers,
            self._chunks,
        )
        subject = scene.subject("All Jacobian images (atlas)")
        self.jobs.submit(AtlasAddress.of(method, pair.id), work.stages, viewer, subject)

    def cancel(self, scene: Scene, viewer: str) -> None:
        """Take this viewer's interest back; what is computed stays.

        Raises
        ------
        UserError
            If the method has other weights by now.
        """
        self.jobs.cancel(AtlasAddress.of(self._scenes.method(scene), scene.pair_id), viewer)

    def windows_at(
        self, pair: str, method: str, weights: str, pixels: Sequence[tuple[int, int]]
    ) -> StoredWindows | None:
        """Return the windows of some pixels as an atlas keeps them; ``None`` where there is no atlas.

        Raises
        ------
        UserError
            If the pair or the method do not exist, or not any more.
        """
        current = self._scenes.loaded_methods.with_weights(method, weights)
        atlas = self._folder.furthest(current, self._scenes.loaded_pairs.by_content(pair))
        return None if atlas is None else atlas.stored(pixels)

    def under_way(self) -> int:
        """Return how many atlases are made or wait."""
        return self.jobs.under_way()

    def close(self) -> None:
        """Stop all jobs."""
        self.jobs.close()

    def _tiles_done(self, scene: Scene, atlas: Atlas | None) -> tuple[int, int]:
        if atlas is not None:
            return atlas.tiles_done
        method = self._scenes.method(scene)
        shape = (scene.height, scene.width)
        rows, columns = tiles_of(shape, tile_side(radius_of(method, shape)))
        return 0, rows * columns

"""All that pages can ask for, put together: the one door from callbacks and routes to the numerical core."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import flask
import torch

from cache.jobs.threads import ThreadCounts, computing
from cache.jobs.unit_work import UnitWork
from cache.jobs.workers import Workers, workers_of
from cache.services.atlases import Atlases, AtlasFolder
from cache.services.changes import Changes
from cache.services.explanations import Explanations
from cache.services.guidance import Guidance
from cache.services.job_list import JobList
from cache.services.loaded import LoadedMethods
from cache.services.maps import Maps
from cache.services.method_cards import MethodCards
from cache.services.method_uploads import MethodUploads
from cache.services.named_views import NamedViews, ViewFolder
from cache.services.pyramids import Pyramids
from cache.services.reaches import Reaches
from cache.services.regions import RegionFolder, Regions
from cache.services.scenes import Scenes
from cache.services.shifts import Shifts
from cache.services.statistics import InfluenceJobs, Statistics
from cache.services.stored_atlases import StoredAtlases
from cache.services.uploads import Uploads
from cache.services.windows import Windows
from cache.settings import ServiceSettings
from cache.store.backends import connect_cache
from cache.store.store import ArrayStore
from fusion import Method, prepare_method
from fusion.data.catalogue import Catalogue
from fusion.device import keep_little, resolve_device
from fusion.errors import FuseVisError
from fusion.work.store import ChunkStore

logger = logging.getLogger(__name__)

EXTENSION = "fusevis"
"""The name under which a server has its services."""

UNFINISHED = "units"
"""Folder in the cache's, of what is known of results that are not complete."""
UNFINISHED_S = 86_400.0
"""How long that stays after it was last added to, seconds."""

IDLE_S = 2.0

Files = Iterable[Sequence[Path | str]]


@dataclass(frozen=True)
class Readiness:
    """The ability of the services to answer, and what is wrong, in sentences.

    A store that does not work is a problem, but no reason to send nobody here: results are computed anew.
    """

    ready: bool
    problems: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Services:
    """Everything that a page can ask for, safe to use from several threads.

    All errors that a user can cause are `cache.errors.UserError`.

    Attributes
    ----------
    scenes : Scenes
        Pairs, methods and fused images.
    windows : Windows
        Jacobian windows of principal pixels.
    reaches : Reaches
        How far the windows' derivatives hold.
    shifts : Shifts
        Sensitivities to a shift of x2.
    changes : Changes
        Responses to changes of the inputs that somebody paints.
    explanations : Explanations
        Jacobian images of regions.
    guidance : Guidance
        Guidance images.
    maps : Maps
        Reach, response and influence of all pixels.
    atlases : Atlases
        All windows of a scene, computed beforehand.
    regions : Regions
        Regions of interest.
    pyramids : Pyramids
        Images of large pairs, by tiles.
    statistics : Statistics
        The numbers beside the pictures.
    views : NamedViews
        Views that were saved under names.
    uploads : Uploads
        Images that visitors bring.
    method_uploads : MethodUploads
        Networks that visitors bring.
    method_cards : MethodCards
        What is known of methods.
    store : ArrayStore
        Where results are kept.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    workers : Workers or None
        Who do long work; None where this process does.
    """

    scenes: Scenes
    windows: Windows
    reaches: Reaches
    shifts: Shifts
    changes: Changes
    explanations: Explanations
    guidance: Guidance
    maps: Maps
    atlases: Atlases
    regions: Regions
    pyramids: Pyramids
    statistics: Statistics
    views: NamedViews
    uploads: Uploads
    method_uploads: MethodUploads
    method_cards: MethodCards
    store: ArrayStore
    device: str
    workers: Workers | None = None

    def ready(self) -> Readiness:
        """Tell whether the device computes and the methods are loaded.

        A store that fails is only told; so are workers that cannot be had, and a method that cannot be loaded while
        others can.
        """
        methods = self.scenes.loaded_methods
        failed = methods.failed()
        device, pending = device_problems(self.device), methods.pending()
        others = (self.store.problem, self.workers.problem if self.workers else None)
        told = (*device, *failed.values(), *pending, *filter(None, others))
        return Readiness(not (device or pending) and len(failed) < len(methods.titles), told)

    def under_way(self) -> dict[str, int]:
        """Return how many requests and jobs are computed or wait just now, by the name of their queue."""
        return {
            "hovers": self.windows.under_way(),
            "slow": len(self.scenes.slow),
            "guidance": self.guidance.under_way(),
            "maps": self.maps.jobs.under_way(),
            "atlases": self.atlases.under_way(),
            "influence": self.statistics.influence.under_way(),
        }

    @property
    def jobs(self) -> JobList:
        """All long work that is under way or waits."""
        influence = self.statistics.influence
        return JobList((self.guidance.jobs, self.maps.jobs, self.atlases.jobs, influence.jobs))

    def close(self) -> None:
        """Stop all that is computed in the background."""
        self.guidance.close()
        self.maps.close()
        self.atlases.close()
        self.statistics.influence.close()
        self.method_uploads.close()
        self.method_cards.close()
        self.scenes.close()
        if self.workers is not None:
            self.workers.close()


def services_of(server: flask.Flask) -> Services:
    """Return the services of a server that `build_services` has set up."""
    services = server.extensions[EXTENSION]
    if not isinstance(services, Services):
        raise TypeError(f"The server's extension {EXTENSION} is another one")
    return services


def build_services(server: flask.Flask, settings: ServiceSettings, user_pairs: Files = ()) -> Services:
    """Make the services of a server, and begin to load and prepare methods; `services_of` finds them.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    settings : ServiceSettings
        See there.
    user_pairs : iterable of (path, path)
        Files of pairs that stand beside the samples.

    Returns
    -------
    Services
        Usable at once: who needs a method before it is loaded waits for it.

    Raises
    ------
    FuseVisError
        If the device does not exist, or the Redis address is none.
    """
    resolve_device(settings.device)
    keep_little()

    def prepare(method: Method) -> None:
        with computing(settings.interactive_threads):
            prepare_method(method)

    methods = LoadedMethods(settings.device, prepare=prepare, folder=settings.methods_dir)
    store = ArrayStore(connect_cache(server, settings), settings.cache_timeout_s)
    services = server.extensions[EXTENSION] = assembled(settings, store, methods, user_pairs)
    methods.load_all()
    if services.workers is not None and services.workers.local:
        start_when_idle(services.workers, methods)
    return services


def start_when_idle(workers: Workers, methods: LoadedMethods) -> None:
    """Start workers of this machine once the server is ready and has had a moment for who came first."""

    def start() -> None:
        while methods.pending():
            time.sleep(IDLE_S)
        time.sleep(IDLE_S)
        workers.start(lambda: None)

    threading.Thread(target=start, name="workers", daemon=True).start()


def assembled(
    settings: ServiceSettings, store: ArrayStore, methods: LoadedMethods, user_pairs: Files = ()
) -> Services:
    """Put services together that keep their results in a store; nothing is loaded yet."""
    threads = ThreadCounts(settings.interactive_threads, settings.guidance_threads)
    uploads, method_uploads = Uploads(settings), MethodUploads(settings, methods.forget)
    methods.brought_by(method_uploads.packed)
    catalogue = Catalogue(
        user_pairs,
        settings.data_dir,
        settings.pixel_limit,
        modalities=settings.modalities,
        unlisted=uploads.entries,
    )
    most = math.inf if settings.atlases_max_gb is None else settings.atlases_max_gb * 2**30
    region_folder = RegionFolder(settings.region_dir)
    scenes = Scenes(catalogue, methods, store, threads, settings.whole_pixels)
    chunks = ChunkStore(settings.store or settings.cache_dir / UNFINISHED)
    if settings.store is None:
        chunks.prune(UNFINISHED_S)
    stored = None if settings.store is None else StoredAtlases(chunks)
    atlas_folder = AtlasFolder(settings.atlas_dir, most_bytes=most, stored=stored)
    windows = Windows(scenes, store, threads.hover, atlas_folder)
    workers = workers_of(settings)
    whole = threads.whole_image
    transient = settings.store is None
    guidance = Guidance(scenes, store, chunks, transient, whole, workers)
    regions = Regions(catalogue, scenes.pair_shape, region_folder)
    units = UnitWork(chunks, 1, workers)
    influence = InfluenceJobs(scenes, store, units, transient, windows.since_asked, guidance.busy)
    return Services(
        scenes=scenes,
        windows=windows,
        reaches=Reaches(scenes, store, whole),
        shifts=Shifts(scenes, store, whole),
        changes=Changes(scenes, store, whole),
        explanations=Explanations(scenes, regions, store, whole),
        guidance=guidance,
        maps=Maps(scenes, store, chunks, transient, whole, workers),
        atlases=Atlases(scenes, atlas_folder, whole, workers, chunks),
        regions=regions,
        pyramids=Pyramids(scenes, guidance),
        statistics=Statistics(scenes, windows, guidance, regions, store, influence),
        views=NamedViews(ViewFolder(settings.view_dir), region_folder),
        uploads=uploads,
        method_uploads=method_uploads,
        method_cards=MethodCards(methods, whole),
        store=store,
        device=settings.device,
        workers=workers,
    )


def device_problems(name: str) -> tuple[str, ...]:
    """Compute a little on a device, and return a sentence if that went wrong.

    A GPU can be there and still fail: fallen off the bus, out of memory, in an error state after a crash.
    """
    try:
        device = resolve_device(name)
        result = float((torch.ones(8, device=device) * 2).sum())
    except FuseVisError as error:
        return (str(error),)
    except RuntimeError as error:
        logger.warning("The device %s does not work: %s", name, error)
        return (f"The device {name} does not work; the server's log says why.",)
    return () if result == 16 else (f"The device {device} computes wrong results.",)

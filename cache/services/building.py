"""Puts the services together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import flask
import flask_caching
import numpy as np

from cache.jobs.guidance_work import LANES
from cache.jobs.manager import JobManager
from cache.jobs.threads import ThreadCounts, computing
from cache.services import influence, statistics
from cache.services.atlas_shelf import AtlasShelf
from cache.services.atlases import EXTENSION as ATLASES
from cache.services.atlases import Atlases
from cache.services.influence import InfluenceShelf
from cache.services.methods import MethodShelf
from cache.services.named_views import EXTENSION as VIEW_EXTENSION
from cache.services.named_views import NamedViews
from cache.services.region_files import RegionShelf
from cache.services.regions import EXTENSION as REGION_EXTENSION
from cache.services.regions import RegionSource
from cache.services.results import Results
from cache.services.services import EXTENSION, Services
from cache.services.statistics import Statistics
from cache.services.view_files import ViewShelf
from cache.store.store import ArrayStore
from fusion import Method, prepare_method
from fusion.data.catalogue import Catalogue
from fusion.device import resolve_device
from fusion.statistics.influence import RegionInfluence

FILE_BACKEND = "cache.store.file_cache.BoundedFileCache"
REDIS_BACKEND = "cache.store.redis_cache.ArrayRedisCache"
MEGABYTE = 2**20


class ServiceSettings(Protocol):
    """What the services need to be told; `app.settings.Settings` has all of it.

    Attributes
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    interactive_threads, guidance_threads : int
        Threads of torch for one Jacobian window, and for whole images.
    cache_dir : Path
        Folder of results, made if it is missing; not used with Redis.
    cache_limit_mb : int
        The most that it holds, MiB.
    cache_timeout_s : int
        Seconds until a result expires.
    atlas_dir : Path
        Folder of atlases; need not exist.
    region_dir : Path
        Folder of regions that are too large for a link; need not exist.
    view_dir : Path
        Folder of named views; need not exist.
    redis_url : str or None
        ``redis://``, ``rediss://`` or ``unix://``: keep results there.
    data_dir : Path or None
        Folder of the user's pairs.
    pixel_limit : int
        The most pixels that an image may have.
    """

    @property
    def device(self) -> str: ...  # noqa: D102
    @property
    def interactive_threads(self) -> int: ...  # noqa: D102
    @property
    def guidance_threads(self) -> int: ...  # noqa: D102
    @property
    def cache_dir(self) -> Path: ...  # noqa: D102
    @property
    def cache_limit_mb(self) -> int: ...  # noqa: D102
    @property
    def cache_timeout_s(self) -> int: ...  # noqa: D102
    @property
    def atlas_dir(self) -> Path: ...  # noqa: D102
    @property
    def region_dir(self) -> Path: ...  # noqa: D102
    @property
    def view_dir(self) -> Path: ...  # noqa: D102
    @property
    def redis_url(self) -> str | None: ...  # noqa: D102
    @property
    def data_dir(self) -> Path | None: ...  # noqa: D102
    @property
    def pixel_limit(self) -> int: ...  # noqa: D102


def connect_cache(server: flask.Flask, settings: ServiceSettings) -> flask_caching.Cache:
    """Set flask-caching up for a server: in Redis where there is an address, else in a folder.

    Raises
    ------
    RedisAddressError
        If the Redis address is none.
    """
    config: dict[str, Any] = {"CACHE_DEFAULT_TIMEOUT": settings.cache_timeout_s, "CACHE_IGNORE_ERRORS": True}
    if settings.redis_url:
        config |= {"CACHE_TYPE": REDIS_BACKEND, "CACHE_REDIS_URL": settings.redis_url}
    else:
        config |= {
            "CACHE_TYPE": FILE_BACKEND,
            "CACHE_DIR": str(settings.cache_dir),
            "CACHE_OPTIONS": {"limit_bytes": settings.cache_limit_mb * MEGABYTE},
        }
    # The template extension would cache parts of pages, as text, which these back ends do not keep.
    return flask_caching.Cache(server, with_jinja2_ext=False, config=config)


def build_services(
    server: flask.Flask, settings: ServiceSettings, user_pairs: Iterable[Sequence[Path | str]] = ()
) -> Services:
    """Make the services of a server, and begin to load and prepare methods.

    `cache.services.services.services_of` finds them, and `cache.services.statistics.statistics_of` their numbers.

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
    store = ArrayStore(connect_cache(server, settings), settings.cache_timeout_s)
    threads = ThreadCounts(settings.interactive_threads, settings.guidance_threads)

    def prepare(method: Method) -> None:
        with computing(threads.hover):
            prepare_method(method)

    methods = MethodShelf(settings.device, prepare=prepare)
    catalogue = Catalogue(user_pairs, settings.data_dir, settings.pixel_limit)
    shelf = AtlasShelf(settings.atlas_dir)
    results = Results(store, threads, shelf)
    guidance: JobManager[np.ndarray] = JobManager(LANES)
    services = Services(catalogue, methods, results, guidance, settings.device)
    jobs: JobManager[RegionInfluence] = JobManager(influence.LANES)
    region_influence = InfluenceShelf(
        services, methods, store, jobs, results.since_window, guidance_runs=guidance.busy
    )
    server.extensions[EXTENSION] = services
    region_shelf = RegionShelf(settings.region_dir)
    server.extensions[REGION_EXTENSION] = RegionSource(catalogue, services, region_shelf)
    server.extensions[VIEW_EXTENSION] = NamedViews(ViewShelf(settings.view_dir), region_shelf)
    server.extensions[statistics.EXTENSION] = Statistics(services, methods, results, store, region_influence)
    server.extensions[ATLASES] = Atlases(services, methods, shelf, settings.atlas_dir, threads)
    methods.load_all()
    return services

"""Scenes: a pair with a method, found by what links and pages call them, loaded, fused and prepared for hovering."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

import fusion
from cache.jobs.entries import Subject
from cache.jobs.slow import SlowLane
from cache.jobs.threads import ThreadCounts, computing
from cache.services.loaded import LoadedMethods, LoadedPairs
from cache.settings import WHOLE_PIXELS
from cache.store.addresses import FusedAddress, SceneAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import Method, Pair
from fusion.choices import PLAIN, Reading
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry, PairSource, read_as
from fusion.errors import FuseVisError
from fusion.extents import Extent
from fusion.pair import pixel_aspect

logger = logging.getLogger(__name__)

PREPARED_SCENES = 4
"""A scene that was left for so many others is prepared anew: its kept maps may be gone."""


@dataclass(frozen=True)
class Scene:
    """One pair fused by one method.

    Attributes
    ----------
    pair_id : str
        Content id of the pair, 64 hexadecimal digits.
    pair_address, pair_title : str
        How links and people call the pair.
    modalities : tuple of str
        What x1 and x2 are.
    simulated : bool
        Whether the images are simulated, which is to be said wherever they are shown.
    about : str
        One sentence on the pair.
    default_pixel : tuple of int or None
        (row, col) of a principal pixel worth seeing first, 0-based.
    method_id, method_title, method_note : str
        The method, and what to read beside its results.
    weights_id : str
        sha256 of its weights, 64 hexadecimal digits.
    height, width : int
        Of the images, pixels.
    support_radius : tuple of int or None
        (r1, r2), pixels; ``None`` for a method that sees the whole image.
    device : str
        Where it computes.
    large : bool
        Whether pages get these images in tiles (`cache.services.pyramids`) and not as a whole.
    numbers : int
        The numbers through which such a method sees the whole image; 0 where that is not all.
    notes : tuple of str
        What should be known of how the images came to be, one sentence each.
    spacing : tuple of float or None
        Millimetres from one row, and from one column, to the next; ``None`` where nobody knows.
    reading : Reading
        How the files were read, with every choice that they need.
    in_colour : tuple of bool
        True for each of x1 and x2 that is the luma of a colour picture.
    brought : str
        How x2 came onto the pixels of x1, see `fusion.Pair`.
    """

    pair_id: str
    pair_address: str
    pair_title: str
    modalities: tuple[str, str]
    simulated: bool
    about: str
    default_pixel: tuple[int, int] | None
    method_id: str
    method_title: str
    method_note: str
    weights_id: str
    height: int
    width: int
    support_radius: tuple[int, int] | None
    device: str
    large: bool = False
    numbers: int = 0
    notes: tuple[str, ...] = ()
    spacing: tuple[float, float] | None = None
    reading: Reading = PLAIN
    in_colour: tuple[bool, bool] = (False, False)
    brought: str = ""

    @property
    def aspect(self) -> float:
        """Height of a pixel by its width, as pictures show it."""
        return pixel_aspect(self.spacing)

    def subject(self, what: str) -> Subject:
        """Return the words for a job about this scene that computes `what`."""
        return Subject(what, self.pair_address, self.pair_title, self.method_id, self.method_title)


@dataclass(frozen=True)
class PairReading:
    """A pair, how it is read, and what else could be chosen; no image is read for this.

    Attributes
    ----------
    entry : PairEntry
        The pair, with what somebody has chosen.
    settled : Reading
        The same with every choice that its files need.
    extents : tuple of Extent
        What there is to choose of x1 and x2.
    """

    entry: PairEntry
    settled: Reading
    extents: tuple[Extent, Extent]


class _Closed(Exception):
    """Nobody needs any more what is being prepared."""


class Scenes:
    """Pairs, methods, and what comes of one with the other. Safe to use from several threads.

    All errors that a user can cause are `cache.errors.UserError`.

    Parameters
    ----------
    catalogue : Catalogue
        The pairs.
    methods : LoadedMethods
        The methods.
    store : ArrayStore
        Where fused images are kept.
    threads : ThreadCounts
        How many threads torch may use.
    whole_pixels : int
        Pixels of the largest pair that pages get as a whole.

    Attributes
    ----------
    slow : SlowLane
        Places for slow requests of all kinds.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        methods: LoadedMethods,
        store: ArrayStore,
        threads: ThreadCounts,
        whole_pixels: int = WHOLE_PIXELS,
    ) -> None:
        self._catalogue = catalogue
        self._whole_pixels = whole_pixels
        self._store = store
        self._threads = threads
        self.loaded_pairs = LoadedPairs(catalogue)
        self.loaded_methods = methods
        self.slow = SlowLane()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="prepare")
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._prepared: deque[SceneAddress] = deque(maxlen=PREPARED_SCENES)

    def entries(self) -> tuple[PairEntry, ...]:
        """Return all pairs that can be chosen."""
        return self._catalogue.entries()

    def methods(self) -> tuple[tuple[str, str], ...]:
        """Return (id, title) of all methods that can be chosen."""
        return self.loaded_methods.titles

    def method_choices(self) -> tuple[tuple[str, str, str], ...]:
        """Return (id, title, why it cannot be chosen or nothing) of all methods."""
        return self.loaded_methods.choices()

    def seen_with(self, method: str, weights: str | None) -> str:
        """Return the id of the method that a link names, with the weights that it says (`LoadedMethods.seen_with`)."""
        return self.loaded_methods.seen_with(method, weights)

    def has_method(self, method: str) -> bool:
        """Tell whether there is a method of this id, earlier weights among them."""
        return self.loaded_methods.has(method)

    def choices_with(self, ids: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
        """Return `method_choices`, and behind them those of some ids that no list has."""
        more = (choice for id in ids for choice in self.loaded_methods.unlisted(id))
        return *self.method_choices(), *more

    def unusable_methods(self) -> dict[str, str]:
        """Return those of `methods` that cannot be loaded, by id, each with a sentence that says why."""
        titles = dict(self.loaded_methods.titles)
        return {
            id: f"{titles[id]} cannot be used: {why}" for id, why in self.loaded_methods.unusable().items()
        }

    def default_pair(self) -> str:
        """Return the address of the pair of a first visit: the first of a person's own, else the first sample."""
        first = next(iter(self.entries()), None)
        if first is not None and first.source != PairSource.SAMPLE:
            return first.address
        return self.first_sample()

    def first_sample(self) -> str:
        """Return the address of the sample that is shown where nothing else can be."""
        return self._catalogue.default().address

    def find_pair(self, address: str) -> str:
        """Return the address in `entries` of what an address, perhaps part of a content id, leads to.

        Raises
        ------
        UserError
            If it leads nowhere.
        """
        return self._catalogue.find(address).address

    def pair_shape(self, address: str) -> tuple[int, int]:
        """Return (H, W) of a pair, pixels.

        Raises
        ------
        UserError
            If there is no such pair, or its files cannot be used.
        """
        return self.loaded_pairs.by_address(address)[1].shape

    def of_colours(self, address: str) -> tuple[str, str]:
        """Return what became of the colours of both images of a pair, see `fusion.Pair`.

        Raises
        ------
        UserError
            If there is no such pair, or its files cannot be used.
        """
        return self.loaded_pairs.by_address(address)[1].of_colours

    def reading(self, address: str) -> PairReading:
        """Return how a pair is read, and what else could be chosen.

        Raises
        ------
        UserError
            If there is no such pair, or a file of it says nothing of what could be chosen.
        """
        entry = self._catalogue.find(address)
        return PairReading(entry, self._catalogue.reading(entry), self._catalogue.extents(entry))

    def stretched(self, address: str) -> str:
        """Return the address of a pair whose second image is brought onto the pixels of the first.

        Raises
        ------
        UserError
            If there is no such pair.
        """
        entry = self._catalogue.find(address)
        return read_as(entry, replace(entry.reading, resample=True)).address

    def unused_images(self) -> tuple[str, ...]:
        """Return which images of the data folder are in no pair, one sentence for each reason."""
        return self._catalogue.problems()

    def small_picture(self, address: str) -> np.ndarray:
        """Return both images of a pair in small, beside each other.

        Returns
        -------
        ndarray of uint8, shape (h, w)

        Raises
        ------
        UserError
            If there is no such pair, or its files cannot be used.
        """
        return self._catalogue.small_picture(self._catalogue.find(address))

    def open(self, pair_address: str, method_id: str, prepare: bool = True) -> Scene:
        """Return what is known of a pair and a method, both loaded if need be.

        Parameters
        ----------
        pair_address, method_id : str
            What links call them.
        prepare : bool
            Whether to begin to prepare hovering, which takes time and memory in the background.

        Raises
        ------
        UserError
            If either does not exist, or its files cannot be used.
        """
        entry, pair = self.loaded_pairs.by_address(pair_address)
        method = self.loaded_methods.get(method_id)
        if prepare:
            self._begin_to_prepare(method, pair)
        numbers = method.numbers
        return Scene(
            pair_id=pair.id,
            pair_address=entry.address,
            pair_title=entry.title,
            modalities=entry.modalities,
            simulated=entry.simulated,
            about=entry.about,
            default_pixel=entry.default_pixel,
            method_id=method.id,
            method_title=method.title,
            method_note=method.note,
            weights_id=method.weights_id,
            height=pair.shape[0],
            width=pair.shape[1],
            support_radius=method.locality_at(pair.shape).support_radius,
            device=str(method.device),
            large=pair.shape[0] * pair.shape[1] > self._whole_pixels,
            numbers=numbers.count if numbers else 0,
            notes=pair.notes,
            spacing=pair.spacing,
            reading=self._catalogue.reading(entry),
            in_colour=pair.in_colour,
            brought=pair.brought,
        )

    def method(self, scene: Scene) -> Method:
        """Return the method of a scene.

        Raises
        ------
        UserError
            If it has other weights by now.
        """
        return self.loaded_methods.with_weights(scene.method_id, scene.weights_id)

    def pair(self, scene: Scene) -> Pair:
        """Return the images of a scene.

        Raises
        ------
        UserError
            If their files were changed or removed since the scene was made, and memory holds them no more.
        """
        return self.loaded_pairs.by_content(scene.pair_id, scene.pair_address)

    def addressed(self, pair: str, method: str, weights: str) -> tuple[Method, Pair]:
        """Return a method and a pair by what an address says, without the catalogue as long as memory has the pair.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.

        Raises
        ------
        UserError
            If one of them does not exist, or not any more.
        """
        return self.loaded_methods.with_weights(method, weights), self.loaded_pairs.by_content(pair)

    def fused(self, scene: Scene) -> np.ndarray:
        """Return the fused image of a scene, memoized.

        Returns
        -------
        ndarray of float32, shape (H, W)
            Intensity, nominally 0 to 1; read-only.

        Raises
        ------
        UserError
            If the method cannot be run on these images, or too many new ones are asked for at once.
        """
        return self._fused(self.method(scene), scene.pair_id, lambda: self.pair(scene))

    def fused_of(self, method: Method, pair: Pair) -> np.ndarray:
        """Return the fused image of what is loaded already, as `fused` does."""
        return self._fused(method, pair.id, lambda: pair)

    def close(self) -> None:
        """Stop preparing."""
        self._closed.set()
        self._background.shutdown(wait=False, cancel_futures=True)

    def _fused(self, method: Method, pair_id: str, pair: Callable[[], Pair]) -> np.ndarray:
        """Return a fused image; `pair` is called only if it must be computed."""
        known = self._store.get(FusedAddress.of(method, pair_id))
        if known is not None:
            return known["fused"]

        def compute() -> Arrays:
            with computing(self._threads.whole_image):
                return {"fused": fusion.fuse(method, pair())}

        # Those who ask for the same one wait in the lane too.
        with self.slow.place():
            return self._store.get_or_compute(FusedAddress.of(method, pair_id), compute)["fused"]

    def _begin_to_prepare(self, method: Method, pair: Pair) -> None:
        """Begin to compute what all Jacobian windows of a scene have in common, once; does not wait for it."""
        scene = SceneAddress.of(method, pair.id)
        with self._lock:
            if scene in self._prepared:
                return
            self._prepared.append(scene)
        self._background.submit(self._prepare, method, pair)

    def _prepare(self, method: Method, pair: Pair) -> None:
        try:
            # Whoever opens a scene waits for its fused image; both at once would take twice the memory as well.
            self._fused(method, pair.id, lambda: pair)
            self._go_on()
            with computing(self._threads.hover):
                fusion.prepare(method, pair, progress=lambda share: self._go_on())
        except _Closed:
            return
        except FuseVisError:
            # Whoever asks for a window of this pair is told the same.
            logger.info("%s cannot be prepared for this pair", method.id, exc_info=True)

    def _go_on(self) -> None:
        if self._closed.is_set():
            raise _Closed

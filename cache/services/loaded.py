"""The methods, each loaded once, when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from cache.store.store import MemoryTier, SingleFlight
from fusion import Method, Pair, load_method, method_ids
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.errors import FuseVisError, UnknownPairError, WeightsError
from fusion.methods.registry import method_specification

logger = logging.getLogger(__name__)


class LoadedMethods:
    """Loads methods on one device and keeps them.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    load : callable
        load(id, device) returns a method, or raises a `FuseVisError`.
    titles : sequence of (id, title), optional
        The methods that there are; all registered ones unless given.
    prepare : callable, optional
        prepare(method) computes what its first use would wait for; called in `load_all`, and no problem if it fails.
    """

    def __init__(
        self,
        device: str,
        load: Callable[[str, str], Method] = load_method,
        titles: tuple[tuple[str, str], ...] | None = None,
        prepare: Callable[[Method], None] = lambda method: None,
    ) -> None:
        self._device = device
        self._load = load
        self._prepare = prepare
        self.titles = titles or tuple((id, method_specification(id).title) for id in method_ids())
        self._methods: dict[str, Method] = {}
        self._preparing: set[str] = set()
        self._errors: dict[str, str] = {}
        self._without_weights: set[str] = set()
        self._flights: SingleFlight[Method] = SingleFlight()

    def get(self, id: str) -> Method:
        """Return a method; a failure is not kept, so that weights can be put right while the server runs.

        Raises
        ------
        UnknownMethodError, WeightsError, DeviceError, SupportRadiusError
        """
        method = self._methods.get(id)
        return method if method is not None else self._flights.do(id, lambda: self._loaded(id))

    def with_weights(self, id: str, weights_id: str) -> Method:
        """Return a method, but not with other weights than those that somebody refers to.

        Raises
        ------
        UnknownMethodError, WeightsError, DeviceError, SupportRadiusError
        """
        method = self.get(id)
        if method.weights_id != weights_id:
            raise WeightsError(
                f"{method.title} has other weights now than when this was shown. Reload the page."
            )
        return method

    def load_all(self) -> threading.Thread:
        """Begin to load and prepare all methods in the background, and return the thread that does it.

        No daemon thread: one that is inside torch when the interpreter goes away can bring the process down.
        A process that ends waits for the method that is just being loaded or prepared.
        """
        self._preparing = {id for id, _ in self.titles}
        thread = threading.Thread(target=self._load_each, name="load-methods")
        thread.start()
        return thread

    def pending(self) -> tuple[str, ...]:
        """Return a sentence for each method that will be usable in a moment."""
        found = []
        for id, title in self.titles:
            if id in self._methods and id in self._preparing:
                found.append(f"{title} is being prepared.")
            elif id not in self._methods and id not in self._errors:
                found.append(f"{title} is not loaded yet.")
        return tuple(found)

    def failed(self) -> dict[str, str]:
        """Return the methods that could not be loaded when that was tried last, by id, each with why, for the log."""
        return {id: self._errors[id] for id, _ in self.titles if id in self._errors}

    def unusable(self) -> dict[str, str]:
        """Try those again that could not be loaded, and return those that cannot yet, by id, each with a sentence."""
        for id in self.failed():
            with suppress(Exception):  # it was logged when it was met first
                self.get(id)
        titles = dict(self.titles)
        return {
            id: f"{titles[id]} cannot be used: its weights are missing or damaged."
            if id in self._without_weights
            else f"{titles[id]} cannot be used; the server's log says why."
            for id in self.failed()
        }

    def _loaded(self, id: str) -> Method:
        method = self._methods.get(id)
        if method is None:
            try:
                method = self._load(id, self._device)
            except FuseVisError as error:
                if any(id == known for known, _ in self.titles):
                    self._errors[id] = str(error)
                    if isinstance(error, WeightsError):
                        self._without_weights.add(id)
                raise
            self._methods[id] = method
            self._errors.pop(id, None)
            self._without_weights.discard(id)
        return method

    def _load_each(self) -> None:
        for id, title in self.titles:
            if not threading.main_thread().is_alive():
                return
            try:
                method = self.get(id)
            except FuseVisError as error:
                logger.warning("%s cannot be loaded: %s", title, error)
            except Exception:
                logger.exception("%s cannot be loaded", title)
                self._errors[id] = f"{title} cannot be loaded; the server's log says why."
            else:
                self._prepare_one(method, title)
            self._preparing.discard(id)

    def _prepare_one(self, method: Method, title: str) -> None:
        try:
            self._prepare(method)
        except Exception:  # whoever uses it first meets the same, and is told
            logger.exception("%s cannot be prepared", title)


PAIR_MEMORY_BYTES = 256 * 2**20


class LoadedPairs:
    """Finds pairs by address, and again by content.

    What is kept by content cannot be out of date. So a hover, which says the content id, needs no look at
    the files, while an address is looked up in the catalogue each time, which sees when a file has changed.

    Parameters
    ----------
    catalogue : Catalogue
        Where pairs come from.
    limit_bytes : int
        The most bytes of images kept in memory.
    """

    def __init__(self, catalogue: Catalogue, limit_bytes: int = PAIR_MEMORY_BYTES) -> None:
        self._catalogue = catalogue
        self._pairs: MemoryTier[Pair] = MemoryTier(limit_bytes, lambda pair: pair.images.nbytes)

    def by_address(self, address: str) -> tuple[PairEntry, Pair]:
        """Return the pair that an address leads to now, and what the catalogue says of it.

        Raises
        ------
        UnknownPairError, ImageFileError, DifferentSizesError
        """
        entry = self._catalogue.find(address)
        pair = self._catalogue.load(entry)
        self._pairs.put(pair.id, pair)
        return entry, pair

    def by_content(self, pair_id: str, address: str | None = None) -> Pair:
        """Return the pair with this content id.

        Parameters
        ----------
        pair_id : str
            All 64 hexadecimal digits.
        address : str, optional
            Where it was found before; saves the catalogue from looking at all its pairs.

        Raises
        ------
        UnknownPairError
            If there is none (any more).
        ImageFileError, DifferentSizesError
            If it cannot be read again.
        """
        pair = self._pairs.get(pair_id)
        if pair is not None:
            return pair
        entry, pair = self.by_address(address or pair_id)
        if pair.id != pair_id:
            raise UnknownPairError(
                f"The images of the pair “{entry.title}” have changed since they were shown. Reload the page."
            )
        return pair

"""The methods, each loaded once, when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cache.store.store import MemoryTier, SingleFlight
from fusion import Method, Pair, load_method
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.device import resolve_device
from fusion.errors import (
    FuseVisError,
    NetworkError,
    PackedMethodError,
    UnknownMethodError,
    UnknownPairError,
    WeightsError,
)
from fusion.methods.packed.elsewhere import BROUGHT_LIMITS, IsolatedMethod
from fusion.methods.packed.folders import PackedMethod, Signature
from fusion.methods.registered import registered_method, registered_methods
from fusion.methods.registry import built_in_ids, method_specification, users_methods
from fusion.weights import earlier_ids, newest_id

logger = logging.getLogger(__name__)

MOST_BROUGHT = 4
"""Methods that visitors have brought whose processes are kept; those of others start again when they are asked for."""


class LoadedMethods:
    """Loads methods on one device and keeps them.

    Those that users have put into a folder are looked for whenever somebody asks. Each is loaded when it is first
    chosen, and again when its files have changed, and none of them keeps the others from being ready.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    load : callable
        load(id, device) returns a method, or raises a `FuseVisError`.
    titles : sequence of (id, title), optional
        The methods that there are beside those of users; all registered ones unless given.
    prepare : callable, optional
        prepare(method) computes what its first use would wait for; called in `load_all`, and no problem if it fails.
    folder : Path, optional
        Folder of methods of users, a folder each.
    """

    def __init__(
        self,
        device: str,
        load: Callable[[str, str], Method] = load_method,
        titles: tuple[tuple[str, str], ...] | None = None,
        prepare: Callable[[Method], None] = lambda method: None,
        folder: Path | None = None,
    ) -> None:
        self._device = device
        self._load = load
        self._prepare = prepare
        self._built_in = titles or tuple((id, method_specification(id).title) for id in built_in_ids())
        self._folder = folder
        self._refused: dict[str, tuple[Signature, FuseVisError]] = {}
        self._signatures: dict[str, Signature] = {}
        self._methods: dict[str, Method] = {}
        self._preparing: set[str] = set()
        self._errors: dict[str, str] = {}
        self._without_weights: set[str] = set()
        self._flights: SingleFlight[Method] = SingleFlight()
        self._brought: OrderedDict[str, IsolatedMethod] = OrderedDict()
        self._find_brought: Callable[[str], PackedMethod | None] = lambda id: None
        self._lock = threading.Lock()

    def brought_by(self, find: Callable[[str], PackedMethod | None]) -> None:
        """Have methods besides that visitors have brought: find(id) returns one, or ``None``. No list has them."""
        self._find_brought = find

    @property
    def titles(self) -> tuple[tuple[str, str], ...]:
        """The (id, title) of all methods, those of users last."""
        return tuple((id, title) for id, title, _ in self._choices({}))

    def seen_with(self, id: str, weights: str | None) -> str:
        """Return the id of what was seen under a method's name with some weights.

        Parameters
        ----------
        id : str
            A method's id, as a link has it.
        weights : str or None
            The first 8 or more digits of the weights that the link names, if it does.

        Returns
        -------
        str
            That of earlier weights which ship; `id` itself where these are none of them.
        """
        seen = (one for one in self.earlier(id) if weights and weights.startswith(one.removeprefix(f"{id}@")))
        return next(seen, id)

    def _is_built_in(self, id: str) -> bool:
        return any(id == known for known, _ in self._built_in)

    def earlier(self, id: str) -> tuple[str, ...]:
        """Return the ids of a method's earlier weights, which no list has; none for those of users."""
        return earlier_ids(id) if self._is_built_in(id) else ()

    def has(self, id: str) -> bool:
        """Tell whether there is a method of this id, earlier weights among them."""
        known = any(id == known for known, _ in self.titles)
        return known or id in self.earlier(newest_id(id)) or self._find_brought(id) is not None

    def unlisted(self, id: str) -> tuple[tuple[str, str, str], ...]:
        """Return what `choices` would of a method that no list has: earlier weights, or what a visitor has brought."""
        if id in self.earlier(newest_id(id)):
            return ((id, method_specification(id).title, ""),)
        brought = self._find_brought(id)
        return () if brought is None else ((id, f"{brought.title()} (uploaded)", self._refusal(brought)),)

    def choices(self) -> tuple[tuple[str, str, str], ...]:
        """Return (id, title, why it cannot be chosen or nothing) of all methods, those of users last."""
        return self._choices(self.unusable())

    def _choices(self, unusable: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
        users = users_methods(self._folder) if self._folder is not None else []
        taken = {id for id, _ in self._built_in} | {method.id for method in registered_methods()}
        return (
            *((id, title, unusable.get(id, "")) for id, title in self._built_in),
            *((method.id, method.title, "") for method in registered_methods()),
            *(
                (packed.id, packed.title(), problem or self._refusal(packed))
                for packed, problem in users
                if packed.id not in taken
            ),
        )

    def _refusal(self, packed: PackedMethod) -> str:
        """Return why a user's method was refused when it was loaded, unless its files have changed since."""
        signature, error = self._refused.get(packed.id, ((), None))
        return str(error) if error is not None and signature == packed.signature() else ""

    def get(self, id: str) -> Method:
        """Return a method.

        A failure is not kept, so that weights can be put right while the server runs; that of a user's method is kept
        until its files change.

        Raises
        ------
        UnknownMethodError, WeightsError, DeviceError, SupportRadiusError, PackedMethodError, NetworkError
        """
        if (own := registered_method(id)) is not None:
            return own
        packed = self._packed(id)
        if packed is None and (packed := self._find_brought(id)) is not None:
            return self._get_brought(packed)
        method = self._methods.get(id)
        if packed is None and method is None:
            self._require_known(id)
        if packed is not None and method is not None and self._signatures.get(id) != packed.signature():
            method = None
        return method if method is not None else self._flights.do(id, lambda: self._loaded(id, packed))

    def _require_known(self, id: str) -> None:
        """Refuse what no list has: ids come from links, and `load_method` would take any folder of this machine."""
        if not self._is_built_in(id) and id not in self.earlier(newest_id(id)):
            known = ", ".join(id for id, _ in self.titles)
            raise UnknownMethodError(f"There is no method {id!r}. Choose one of: {known}.")

    def packed(self, id: str) -> PackedMethod | None:
        """Return the folder that a method is from; ``None`` where it is from none."""
        return self._packed(id) or self._find_brought(id)

    def forget(self, id: str) -> None:
        """Let a method go that a visitor has brought, with its process."""
        with self._lock:
            gone = self._brought.pop(id, None)
        if gone is not None:
            gone.close()

    def _get_brought(self, packed: PackedMethod) -> Method:
        with self._lock:
            method = self._brought.get(packed.id)
            if method is not None:
                self._brought.move_to_end(packed.id)
        return (
            method if method is not None else self._flights.do(packed.id, lambda: self._load_brought(packed))
        )

    def _load_brought(self, packed: PackedMethod) -> Method:
        """Load what a visitor has brought; of several, those end their processes that were asked for longest ago."""
        self._require_not_refused(packed)
        try:
            method = IsolatedMethod(packed, resolve_device(self._device), BROUGHT_LIMITS)
        except (PackedMethodError, NetworkError) as problem:
            self._refused[packed.id] = packed.signature(), problem.with_traceback(None)
            raise
        with self._lock:
            self._brought[packed.id] = method
            gone = [id for id in self._brought if self._find_brought(id) is None]
            gone += [id for id in self._brought if id not in gone][:-MOST_BROUGHT]
        for id in gone:
            self.forget(id)
        return method

    def _require_not_refused(self, packed: PackedMethod) -> None:
        refused, error = self._refused.get(packed.id, ((), None))
        if error is not None and refused == packed.signature():
            raise type(error)(*error.args)

    def _packed(self, id: str) -> PackedMethod | None:
        if self._folder is None or self._is_built_in(id):
            return None
        packed = PackedMethod(self._folder / id)
        # A name, no way to elsewhere.
        return packed if packed.id == id and packed.has_valid_id() and packed.path.is_dir() else None

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
        self._preparing = {id for id, _ in self._built_in}
        thread = threading.Thread(target=self._load_each, name="load-methods")
        thread.start()
        return thread

    def pending(self) -> tuple[str, ...]:
        """Return a sentence for each method that will be usable in a moment."""
        found = []
        for id, title in self._built_in:
            if id in self._methods and id in self._preparing:
                found.append(f"{title} is being prepared.")
            elif id not in self._methods and id not in self._errors:
                found.append(f"{title} is not loaded yet.")
        return tuple(found)

    def failed(self) -> dict[str, str]:
        """Return the methods that could not be loaded when that was tried last, by id, each with why, for the log.

        Those of users are not among them: each of these stands for itself.
        """
        return {id: self._errors[id] for id, _ in self._built_in if id in self._errors}

    def unusable(self) -> dict[str, str]:
        """Try those again that could not be loaded, and return those that cannot yet, by id, each with a reason."""
        for id in self.failed():
            with suppress(Exception):  # it was logged when it was met first
                self.get(id)
        return {
            id: "its weights are missing or damaged."
            if id in self._without_weights
            else "the server's log says why."
            for id in self.failed()
        }

    def _loaded(self, id: str, packed: PackedMethod | None) -> Method:
        if packed is not None:
            return self._loaded_of_user(packed)
        method = self._methods.get(id)
        if method is None:
            try:
                method = self._load(id, self._device)
            except FuseVisError as error:
                if self._is_built_in(id):
                    self._errors[id] = str(error)
                    if isinstance(error, WeightsError):
                        self._without_weights.add(id)
                raise
            self._methods[id] = method
            self._errors.pop(id, None)
            self._without_weights.discard(id)
        return method

    def _loaded_of_user(self, packed: PackedMethod) -> Method:
        id, signature = packed.id, packed.signature()
        if id in self._methods and self._signatures.get(id) == signature:
            return self._methods[id]
        self._require_not_refused(packed)
        try:
            method = self._load(str(packed.path), self._device)
        except (PackedMethodError, NetworkError) as problem:
            logger.warning("The method in %s cannot be used: %s", packed.path, problem)
            self._refused[id] = signature, problem.with_traceback(None)
            raise
        self._signatures[id] = signature
        self._methods[id] = method
        return method

    def _load_each(self) -> None:
        for id, title in self._built_in:
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
        self._pairs: MemoryTier[Pair] = MemoryTier(limit_bytes, lambda pair: pair.nbytes)

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

    def holds(self, pair_id: str) -> bool:
        """Return whether the pair with this content id is in memory."""
        return self._pairs.get(pair_id) is not None

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

"""Cards of methods: measured in the background when somebody asks for one, and kept while the server runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor

from cache.errors import TooBusyError
from cache.jobs.threads import computing
from cache.services.loaded import LoadedMethods
from fusion.methods.cards import Card, card_of

MOST_KEPT = 64
MOST_WAITING = 16


class MethodCards:
    """Cards of methods as they are on this machine. Safe to use from several threads.

    Parameters
    ----------
    methods : LoadedMethods
        Whose cards these are.
    threads : int
        Threads of torch while one is measured.
    """

    def __init__(self, methods: LoadedMethods, threads: int) -> None:
        self._methods, self._threads = methods, threads
        self._cards: OrderedDict[tuple[str, str], Future[Card]] = OrderedDict()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="method-card")

    def card(self, id: str) -> Card | None:
        """Return a method's card; ``None`` while it is measured, which begins when it is asked for first.

        Raises
        ------
        UserError
            If the method cannot be used.
        TooBusyError
            If many are measured already.
        """
        key = id, self._methods.get(id).weights_id
        with self._lock:
            found = self._cards.get(key)
            if found is None:
                if sum(not card.done() for card in self._cards.values()) >= MOST_WAITING:
                    raise TooBusyError("Many cards are measured just now. Try again in a moment.")
                found = self._cards[key] = self._executor.submit(self._measured, id)
                while len(self._cards) > MOST_KEPT:
                    self._cards.popitem(last=False)
            if not found.done():
                return None
            if found.exception() is not None:
                del self._cards[key]  # whoever asks again tries it again
        return found.result()

    def close(self) -> None:
        """Begin nothing any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _measured(self, id: str) -> Card:
        with computing(self._threads):
            return card_of(self._methods.get(id), self._methods.packed(id))

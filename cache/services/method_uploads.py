"""Networks that visitors bring as ONNX files: taken, read and tried in a process of their own, kept, listed, let go.

Nothing of such a file is read in this process, before or after. It is kept once it has been loaded and probed under
limits.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from cache.errors import TooBusyError, UserError
from cache.services.owned_folder import CARD, DAY_S, ID_DIGITS, OwnedCard, OwnedFolder, owned, size_of
from cache.services.upload_stage import STALE_S, UploadError, UploadStage, UploadTooLargeError
from cache.settings import ServiceSettings
from fusion.device import resolve_device
from fusion.methods.packed.description import Description, description_of
from fusion.methods.packed.elsewhere import BROUGHT_LIMITS, ForeignProcess, IsolatedMethod
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.packing import Wanted, description_text

logger = logging.getLogger(__name__)

FOLDER = "uploads"
"""In the cache's folder."""
BROUGHT = "network-"
"""What ids of methods begin with that visitors have brought."""
ID = re.compile(rf"{BROUGHT}[0-9a-f]{{{ID_DIGITS}}}")
SUFFIX = ".onnx"
LONGEST_TITLE = 60
ENDED = ("kept", "refused")
MOST_UNDER_WAY = 16
"""Files that are sent, read, described and tried at the same time."""
OFF = (
    "This server takes no networks from the page: whoever runs it can switch that on "
    "(FUSEVIS_ALLOW_UPLOADED_METHODS)."
)
CODE = "A file of this kind can hold programs, which this server does not run. Export the network as an ONNX file."
REFUSED: dict[str, str] = {
    **dict.fromkeys(
        (".pt2", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".py", ".ipynb", ".so", ".zip"), CODE
    ),
    ".safetensors": "These are weights without a network. Export both as an ONNX file.",
}
"""By the end of a file's name, why it is not taken."""


class UploadsOffError(UploadError):
    """Whoever runs the server has not allowed this."""


@dataclass(frozen=True)
class Trial:
    """The state of a file that somebody is bringing.

    Attributes
    ----------
    stage : str
        ``sending``, ``reading``, ``read``, ``trying``, ``kept`` or ``refused``.
    since : float
        When this stage began, seconds of `time.monotonic`.
    facts : dict or None
        What the file says of itself (`fusion.methods.packed.onnx_graph.facts_of`).
    problem : str
        Why it cannot be used, or not with this description.
    kept : OwnedCard or None
        What has become of it.
    """

    stage: str
    since: float
    facts: dict[str, Any] | None = None
    problem: str = ""
    kept: OwnedCard | None = None

    @property
    def busy(self) -> bool:
        """True while something is done with it."""
        return self.stage in ("reading", "trying")


class MethodFolder(OwnedFolder[OwnedCard]):
    """The folder of all networks that visitors have brought."""

    def __init__(self, folder: Path, most_bytes: int, keep_days: int) -> None:
        super().__init__(folder, most_bytes, keep_days, "network", lambda values: OwnedCard(**owned(values)))

    def packed(self, id: str) -> PackedMethod | None:
        """Return the method of an id, unless it is not here any more."""
        card = self._read(self._folder / id / CARD) if ID.fullmatch(id) else None
        if card is None or card.brought < time.time() - self.keep_days * DAY_S:
            return None
        return PackedMethod(self._folder / id, foreign=True)

    def keep(self, folder: Path, id: str, owner: str, title: str) -> OwnedCard:
        """Keep a folder's files, which are taken away from where they are."""

        def made(target: Path) -> OwnedCard:
            for path in folder.iterdir():
                path.rename(target / f"{id}{path.suffix}")
            return OwnedCard(id, size_of(target), time.time(), {owner: title})

        return self.kept(id, owner, title, made)


class MethodUploads:
    """Networks that visitors bring. Safe to use from several threads.

    All errors that a user can cause are `cache.errors.UserError`.

    Parameters
    ----------
    settings : ServiceSettings
        Whether any are taken, how large, how many, and for how long.
    forget : callable
        forget(id) lets a method go that is not to be had any more.
    """

    def __init__(self, settings: ServiceSettings, forget: Callable[[str], None] = lambda id: None) -> None:
        folder = settings.cache_dir / FOLDER
        self.on = settings.allow_uploaded_methods
        self.keep_days = settings.uploads_keep_days
        self.most_bytes = settings.uploaded_method_max_mb * 2**20
        self.most_bytes_kept = int(settings.uploaded_methods_max_gb * 2**30)
        self._device, self._forget = settings.device, forget
        self._stage = UploadStage(folder / "methods-under-way", self.most_bytes)
        self._folder = MethodFolder(folder / "methods", self.most_bytes_kept, self.keep_days)
        self._trials: dict[str, Trial] = {}
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="try-network")

    def packed(self, id: str) -> PackedMethod | None:
        """Return what was brought under an id, for those who know it; ``None`` where it is not to be had."""
        return self._folder.packed(id) if self.on else None

    def owned(self, owner: str) -> list[OwnedCard]:
        """Return what somebody has brought, the last first."""
        if not self.on or not owner:
            return []
        return [card for card in self._folder.cards() if owner in card.owners]

    def begin(self, name: Any, size: Any) -> str:
        """Make room for a file, and return the id of the upload.

        Raises
        ------
        UploadTooLargeError
            If it is larger than may be.
        UploadError
            If it is no ONNX file by its name, or nothing.
        TooBusyError
            If so many are brought at once that one more would wait for long.
        """
        self.require_on()
        self._require_fit(name, size)
        self._stage.prune()
        with self._lock:
            oldest = time.monotonic() - STALE_S
            self._trials = {
                id: trial for id, trial in self._trials.items() if trial.busy or trial.since > oldest
            }
            open_ = [trial for trial in self._trials.values() if trial.stage not in ENDED]
            if len(open_) >= MOST_UNDER_WAY:
                raise TooBusyError("Many bring networks just now. Try again in a while.")
            id = self._stage.begin([["network", size]])
            self._trials[id] = Trial("sending", time.monotonic())
        return id

    def require_on(self) -> None:
        """Refuse where whoever runs the server has not allowed this.

        Raises
        ------
        UploadsOffError
        """
        if not self.on:
            raise UploadsOffError(OFF)

    def _require_fit(self, name: Any, size: Any) -> None:
        if not isinstance(name, str) or type(size) is not int or size < 0:
            raise UploadError("An upload begins with the name and the size of a file.")
        suffix = PurePosixPath(name.lower()).suffix
        if suffix != SUFFIX:
            raise UploadError(
                REFUSED.get(suffix, "Networks are taken as ONNX files, whose names end in .onnx.")
            )
        if size == 0:
            raise UploadError("The file is empty.")
        if size > self.most_bytes:
            raise UploadTooLargeError(
                f"This file has {size / 2**20:,.1f} MiB; up to {self.most_bytes / 2**20:,.0f} are taken."
            )

    def add(self, id: str, at: int, content: bytes) -> Trial:
        """Take the next piece of a file; when it was the last one, begin to read it.

        Raises
        ------
        UploadError
            If it is not the next one, or there is no such upload.
        """
        self.require_on()
        self.trial(id)
        self._stage.add(id, 0, at, content)
        if self._stage.is_whole(id):
            self._start(id, ("sending",), "reading", self._read)
        return self.trial(id)

    def trial(self, id: str) -> Trial:
        """Return how far an upload is.

        Raises
        ------
        UploadError
            If there is no such.
        """
        self.require_on()
        with self._lock:
            trial = self._trials.get(id)
        if trial is None:
            raise UploadError(
                "This upload is not here any more: it was used, discarded or left alone for an hour. Begin again."
            )
        return trial

    def use(self, id: str, description: Any, owner: str) -> Trial:
        """Begin to try a file as a description says, and to keep it if it can be used.

        Parameters
        ----------
        id : str
            Of the upload.
        description : dict
            Tables as those of a description's TOML file; may be anything.
        owner : str
            See `cache.services.uploads.bringer_of`.

        Raises
        ------
        UploadError
            If it has not been read, or nobody says who it is.
        PackedMethodError
            With the key of the description that is wrong.
        """
        self.trial(id)
        if not owner:
            raise UploadError("This browser has not said whose network this is. Reload the page.")
        described = description_of(description if isinstance(description, dict) else {}, "Network")
        if len(described.title) > LONGEST_TITLE:
            raise UploadError(f"A title has up to {LONGEST_TITLE} letters.")
        self._start(id, ("read",), "trying", lambda id: self._try(id, described, owner))
        return self.trial(id)

    def discard(self, id: str) -> None:
        """Forget an upload; what is done with it ends by itself."""
        self.require_on()
        with self._lock:
            self._trials.pop(id, None)
        self._stage.discard(id)

    def delete(self, id: str, owner: str) -> None:
        """Delete what somebody has brought.

        Raises
        ------
        UploadError
            If it is not theirs.
        """
        self.require_on()
        if not self._folder.release(id, owner):
            raise UploadError("This network is not here any more, or somebody else has brought it.")
        if self.packed(id) is None:
            self._forget(id)

    def close(self) -> None:
        """Begin nothing any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self, id: str, before: tuple[str, ...], stage: str, work: Callable[[str], Trial]) -> None:
        with self._lock:
            trial = self._trials.get(id)
            if trial is None or trial.stage not in before:
                raise UploadError("This network is read or tried just now. Wait for it.")
            self._trials[id] = replace(trial, stage=stage, since=time.monotonic(), problem="")
        self._executor.submit(self._done, id, work)

    def _done(self, id: str, work: Callable[[str], Trial]) -> None:
        """Do the work on an upload, unless it was discarded, and note what came of it."""
        with self._lock:
            before = self._trials.get(id)
        if before is None:
            return
        try:
            after = work(id)
        except UserError as error:
            # What can be described in another way may be tried again.
            stage = "read" if before.facts is not None else "refused"
            after = replace(before, stage=stage, problem=_plain(error, self._place(id)))
        except Exception:
            logger.exception("A network that was brought could not be tried")
            after = replace(before, stage="refused", problem="This did not work; the server's log says why.")
        if after.stage in ENDED:
            self._stage.discard(id)
        with self._lock:
            if id in self._trials:
                self._trials[id] = replace(after, since=time.monotonic())

    def _place(self, id: str) -> Path:
        return self._stage.place(id) / "network"

    def _read(self, id: str) -> Trial:
        place = self._place(id)
        place.mkdir(exist_ok=True)
        self._stage.whole_file(id).rename(place / f"network{SUFFIX}")
        process = ForeignProcess(PackedMethod(place, foreign=True), resolve_device("cpu"), BROUGHT_LIMITS)
        try:
            return Trial("read", time.monotonic(), process.look())
        finally:
            process.close()

    def _try(self, id: str, described: Description, owner: str) -> Trial:
        place = self._place(id)
        wanted = Wanted(
            described.adaptation, title=described.title, note=described.note, names=described.modalities
        )
        text = description_text(wanted, {})
        (place / "network.toml").write_text(text, encoding="utf-8")
        IsolatedMethod(
            PackedMethod(place, foreign=True), resolve_device(self._device), BROUGHT_LIMITS
        ).close()
        with (place / f"network{SUFFIX}").open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256")
        content.update(text.encode())
        name = f"{BROUGHT}{content.hexdigest()[:ID_DIGITS]}"
        if id not in self._trials:
            raise UploadError("It was discarded.")
        card = self._folder.keep(place, name, owner, described.title)
        self._folder.prune()
        return Trial("kept", time.monotonic(), kept=card)


def _plain(error: UserError, place: Path) -> str:
    """Return what went wrong without the names that files have here."""
    text = str(error)
    for name in (f"{place / 'network.onnx'}: ", f"{place / 'network.toml'}: ", f"{place}: ", "network: "):
        text = text.replace(name, "")
    return text[:1].upper() + text[1:]

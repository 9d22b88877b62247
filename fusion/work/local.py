"""Workers of this machine: a scheduler and a worker in processes of their own, one set for all servers of a folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fusion
from fusion.work import host
from fusion.work.engines import OnDask, Security, WorkersLost
from fusion.work.tasks import GPU_LABEL

LOG = "worker.log"
LOOK_S = 0.05
START_S = host.START_S
DETACH_S = 60.0


class LocalWorkers:
    """Finds the workers of a folder, and starts them where there are none. For one thread at a time.

    They stay as long as any process has such an object that is open, and end by themselves soon after the last one.

    Parameters
    ----------
    folder : Path
        Of their locks and of their log. Programs that compute other numbers, or on another device, need another folder.
    gpu : bool
        Whether the worker takes units for a GPU.
    memory_mb : int or None
        Most memory of a worker, MiB, beyond which it is started anew, 0 for any; half of this machine's unless given.
    nice : int
        Of their processes (Linux).
    workers : int
        How many, each a process that computes one unit at a time.
    preload : str
        The module that they load before they say that they are there.
    """

    def __init__(
        self,
        folder: Path,
        gpu: bool = False,
        memory_mb: int | None = None,
        nice: int = host.BACKGROUND,
        workers: int = 1,
        preload: str = "fusion.work.tasks",
    ) -> None:
        self._folder = folder
        self._options: dict[str, Any] = {
            "nice": nice,
            "memory_mb": memory_mb,
            "resources": {GPU_LABEL: 1} if gpu else {},
            "workers": workers,
            "preload": [preload],
        }
        self._users: int | None = None

    def find(self, go_on: Callable[[], None] = lambda: None) -> OnDask:
        """Return what computes on these workers, not connected yet.

        Parameters
        ----------
        go_on : callable
            Called now and then; what it raises ends the waiting.

        Raises
        ------
        WorkersLost
            If they cannot be started.
        """
        try:
            self._register()
            end = time.monotonic() + START_S
            started = False
            while (found := self._described()) is None:
                if not self.running():
                    if started:
                        raise WorkersLost(f"It ended at once; {self._folder / LOG} says why.")
                    self._start()
                    started = True
                if time.monotonic() > end:
                    raise WorkersLost(f"It is not ready after {START_S:.0f} s.")
                go_on()
                time.sleep(LOOK_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise WorkersLost(f"{type(error).__name__}: {error}") from error
        security = Security(found["authority"], found["certificate"], found["key"])
        return OnDask(found["address"], security)

    def running(self) -> bool:
        """Return whether there is a process that has the workers."""
        free = host.locked(self._folder / host.HOST)
        if free is not None:
            os.close(free)
        return free is None

    def close(self) -> None:
        """Let go of them; they end soon, unless others use them."""
        users, self._users = self._users, None
        if users is not None:
            os.close(users)

    def _register(self) -> None:
        if self._users is None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            users = os.open(self._folder / host.USERS, os.O_RDWR | os.O_CREAT, 0o600)
            # A host that has just found nobody has it for itself, and lets go at once.
            fcntl.flock(users, fcntl.LOCK_SH)
            self._users = users

    def _described(self) -> dict[str, str] | None:
        """Return what a running host says of itself, ``None`` where none does (yet)."""
        found = None
        with contextlib.suppress(FileNotFoundError, ValueError):
            found = json.loads((self._folder / host.HOST).read_text())
        return found if found is not None and self.running() else None

    def _start(self) -> None:
        package = str(Path(fusion.__file__).parents[1])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        with (self._folder / LOG).open("wb") as log:
            # Its first process starts another and ends. `-P`: the files beside it are no modules of its own.
            subprocess.run(
                [sys.executable, "-P", host.__file__, str(self._folder), json.dumps(self._options)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                timeout=DETACH_S,
            )

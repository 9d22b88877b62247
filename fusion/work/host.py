"""A scheduler and workers of dask on this machine, for the servers that share a cache folder, or for one command.

A program of its own, started by `fusion.work.local`: the scheduler's process needs neither torch nor anything else of
this package. It ends when no server is left that holds its lock, however these ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

USERS, HOST = "users.lock", "host.lock"
"""The files of its folder. All who use the workers hold a shared lock on the first; this program an exclusive one on
the second, in which it says where it listens and what lets one in."""
LOOPBACK = "127.0.0.1"
LOOK_S = 0.5
"""How often it looks for users."""
END_S = 2.0
"""How long a worker has to end by itself."""
START_S = 300.0
BACKGROUND = 10
"""Niceness (Linux). What a worker computes is nicer still (`fusion.work.tasks`); the scheduler and the threads that
speak with it must not starve, else dask takes the worker for dead."""

SETTINGS: dict[str, Any] = {
    # It cannot be left out, so dask's web server is confined to this machine and given nothing to serve.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # So that a training beside a GPU may have processes that simulate slices; daemons may have none.
    "distributed.worker.daemon": False,
    # Nothing here is dask's to spill, and a worker that pauses for want of memory would never go on.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.logging": {"distributed": "warning"},
}


def detach() -> None:
    """Go on as nobody's child, so that no server has to wait for this to end, and a terminal's Ctrl-C is not for it."""
    if os.fork():
        os._exit(0)
    os.setsid()


def locked(path: Path) -> int | None:
    """Return a descriptor of a file on which this process has the only lock; ``None`` where others have one."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def memory_limit(megabytes: int | None) -> int:
    """Return how much memory a worker may take, bytes: half of what this machine or container has, unless given."""
    from distributed.system import MEMORY_LIMIT

    return int(MEMORY_LIMIT) // 2 if megabytes is None else megabytes * 2**20


async def serve(folder: Path, own: int, options: dict[str, Any]) -> None:
    """Run all until nobody uses them any more.

    Parameters
    ----------
    folder : Path
        Of the locks; the workers' own files go there too.
    own : int
        Descriptor of `HOST`.
    options : dict
        ``nice``; ``workers``, their number; of each ``memory_mb``, a number or None, ``resources``, its labels, and
        ``preload``, modules it loads.
    """
    from distributed import Nanny, Scheduler, Security

    security = Security.temporary()
    both: dict[str, Any] = {
        "protocol": "tls://",
        "host": LOOPBACK,
        "security": security,
        "dashboard": False,
        "dashboard_address": f"{LOOPBACK}:0",
    }
    async with Scheduler(port=0, **both) as scheduler:
        nannies = [
            Nanny(
                scheduler.address,
                nthreads=1,
                memory_limit=memory_limit(options["memory_mb"]),
                resources=options["resources"],
                preload=options["preload"],
                local_directory=str(folder / "scratch"),
                **both,
            )
            for _ in range(options["workers"])
        ]
        await asyncio.wait_for(asyncio.gather(*nannies), START_S)
        describe(own, scheduler.address, security)
        while not left(folder, own):
            await asyncio.sleep(LOOK_S)
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            closed = (nanny.close(timeout=END_S) for nanny in nannies)
            await asyncio.wait_for(asyncio.gather(*closed), 2 * END_S)


def left(folder: Path, own: int) -> bool:
    """Return whether nobody uses this any more; whoever comes then finds nothing here, and waits for its end."""
    try:
        users = locked(folder / USERS)
    except OSError:  # the cache's folder is gone
        return True
    if users is None:
        return False
    os.ftruncate(own, 0)
    os.close(users)
    return True


def describe(own: int, address: str, security: Any) -> None:
    """Write where the scheduler is, and the certificate and key that let one in; the file is this user's alone."""
    found = {
        "address": address,
        "authority": security.tls_ca_file,
        "certificate": security.tls_client_cert,
        "key": security.tls_client_key,
    }
    os.pwrite(own, json.dumps(found).encode(), 0)


def main() -> None:
    """Start, unless another one of this folder is there: ``host.py FOLDER OPTIONS``."""
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    end = time.monotonic() + LOOK_S
    # Others who look whether it is taken have it for a moment.
    while (own := locked(folder / HOST)) is None:
        if time.monotonic() > end:
            return
        time.sleep(LOOK_S / 20)
    os.ftruncate(own, 0)
    detach()
    os.nice(max(0, options["nice"] - os.nice(0)))
    with contextlib.suppress(OSError):
        # Where Linux shares processors out by sessions, a priority within one says nothing to others.
        Path("/proc/self/autogroup").write_text(str(options["nice"]))
    import dask

    dask.config.set(SETTINGS)
    asyncio.run(serve(folder, own, options))
    shutil.rmtree(folder / "scratch", ignore_errors=True)


if __name__ == "__main__":
    main()

"""Engines that compute units: in this process, or on the workers of a dask scheduler."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from fusion.errors import FuseVisError
from fusion.work.tasks import Job, WorkError, missing_units

if TYPE_CHECKING:
    import distributed
    from distributed import Client, Future, as_completed

CONNECT_SECONDS = 10
UNITS_A_WORKER = 2
"""Handed over at once for each thread of a worker: one is computed, one waits. Dask takes a task's priority when it is
handed over, and the rest has to be free to be put in another order."""
LOST = (
    "The connection to the cluster was lost. What is finished is kept: the same command goes on from there."
)
LOOK_S = 0.02
"""How often it is looked whether a unit has ended, and whether anybody still waits for it."""
LOOPBACK = re.compile(r"tcp://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?/?")


class WorkersLost(WorkError):
    """There is no scheduler, or none any more; what is finished is kept."""


class Unit(Protocol):
    """A part of long work, as it travels to whoever computes it."""

    @property
    def name(self) -> str:
        """A text that no other unit has: two clients of a scheduler that ask for the same get one result."""

    @property
    def resources(self) -> dict[str, float] | None:
        """Labels that a worker must have been started with."""

    def run(self) -> Any:
        """Compute it where this is called; what is returned travels back, so let it be little.

        Raises
        ------
        FuseVisError
            If it cannot be computed.
        """


One = TypeVar("One", bound=Unit)


@dataclass(frozen=True)
class Outcome(Generic[One]):
    """A unit that has ended.

    Attributes
    ----------
    task : Unit
        Which.
    problem : str or None
        Why it could not be computed, for the user; None where it is.
    value : object
        What it returned.
    """

    task: One
    problem: str | None = None
    value: Any = None


def run_unit(unit: Unit) -> Any:
    """Compute a unit where this is called."""
    return unit.run()


class Engine(Protocol):
    """Computes units."""

    def missing(self, job: Job) -> list[int]:
        """Return the units of a job that are not kept by now, in the order in which they are to be computed.

        Raises
        ------
        FuseVisError
            If the job cannot be done.
        """

    def run(self, tasks: Iterable[One], go_on: Callable[[], None] = lambda: None) -> Iterator[Outcome[One]]:
        """Compute units in their order, several at once where there are workers; yields each when it has ended.

        Tasks are taken from the iterable as late as possible, so that whoever gives them can choose. `go_on` is
        called now and then; what it raises ends the work.

        Raises
        ------
        WorkersLost
            If the workers are lost. What was yielded before is kept.
        """


class Here:
    """Computes units in this process, one after another."""

    def missing(self, job: Job) -> list[int]:
        """Return what is to be done, see `Engine.missing`."""
        return missing_units(job)

    def run(self, tasks: Iterable[One], go_on: Callable[[], None] = lambda: None) -> Iterator[Outcome[One]]:
        """Compute units, see `Engine.run`."""
        for task in tasks:
            go_on()
            try:
                value = run_unit(task)
            except FuseVisError as error:
                yield Outcome(task, str(error))
            else:
                yield Outcome(task, value=value)


@dataclass(frozen=True)
class Security:
    """Files in PEM format with which scheduler, workers and clients prove to each other who they are.

    Attributes
    ----------
    authority : str
        Certificate that has signed all others.
    certificate, key : str
        Of this client. All three are paths, or what stands in such files.
    """

    authority: str
    certificate: str
    key: str = field(repr=False)


@dataclass
class OnDask:
    """Computes units on the workers of a dask scheduler. Use it in a ``with``.

    Attributes
    ----------
    address : str
        Of the scheduler: ``tls://host:8786``, or ``tcp://…``. Both sides run code that the other sends.
    security : Security or None
        For ``tls``.
    trusted : bool
        Whether ``tcp`` to another machine is wanted, on which anybody on the way can read and change everything.
    notify : callable
        Told in words what the user should know of the cluster.
    patience_s : float or None
        How long it is tried to connect, seconds; `CONNECT_SECONDS` unless given.

    Raises
    ------
    WorkError
        At the ``with``, if there is no such scheduler, or the address is one that needs more.
    """

    address: str
    security: Security | None = None
    trusted: bool = False
    notify: Callable[[str], None] = lambda words: None
    patience_s: float | None = None
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _client: Client | None = field(default=None, repr=False)

    def __enter__(self) -> OnDask:
        require_allowed(self.address, self.security, self.trusted)
        from distributed import Client

        try:
            client = Client(
                self.address,
                timeout=self.patience_s or CONNECT_SECONDS,
                set_as_default=False,
                security=_security(self.security),
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise WorkersLost(
                f"There is no dask scheduler at {self.address} ({error or 'no answer'}). Start one with "
                "`dask scheduler` and workers with `dask worker ADDRESS --nthreads 1`, see docs/scale.md."
            ) from error
        self._stack.enter_context(quiet_client())
        self._client = self._stack.enter_context(client)
        return self

    def __exit__(self, *_: object) -> None:
        self._client = None
        self._stack.close()

    def missing(self, job: Job) -> list[int]:
        """Return what is to be done, see `Engine.missing`; a worker finds out, which may have another device."""
        with told_if_lost():
            future = self._connected().submit(
                missing_units, job, pure=False, priority=1, resources=job.resources
            )
        try:
            found: list[int] = future.result()
        except FuseVisError:
            raise
        except CancelledError as error:
            raise WorkersLost(LOST) from error
        except Exception as error:
            raise WorkError(f"{type(error).__name__}: {error}") from error
        return found

    def run(self, tasks: Iterable[One], go_on: Callable[[], None] = lambda: None) -> Iterator[Outcome[One]]:
        """Compute units, see `Engine.run`."""
        from distributed import as_completed

        client = self._connected()
        if not self.workers():
            self.notify(f"The scheduler at {self.address} has no workers yet; waiting for one.")
        waiting = iter(tasks)
        under_way: dict[Future[Any], One] = {}
        ended = as_completed(loop=client.loop, raise_errors=False)
        try:
            while self._hand_over(client, waiting, under_way, ended) or under_way:
                while not ended.has_ready():
                    go_on()
                    time.sleep(LOOK_S)
                with told_if_lost():
                    future = next(ended)
                    outcome = _outcome(under_way.pop(future), future)
                yield outcome
        finally:
            # Those that nobody waits for any more: after Ctrl-C, or an error of the one who asked.
            if under_way and client.status == "running":
                client.cancel(list(under_way))

    def workers(self) -> tuple[str, ...]:
        """Return the addresses of the workers that the scheduler has now."""
        with told_if_lost():
            return tuple(self._connected().nthreads())

    def _connected(self) -> Client:
        assert self._client is not None, "use it in a `with`"
        return self._client

    def _hand_over(
        self, client: Client, waiting: Iterator[One], under_way: dict[Future[Any], One], ended: as_completed
    ) -> bool:
        """Hand as many units over as there is room for; return whether any was."""
        with told_if_lost():
            threads = sum(client.nthreads().values())
        room = UNITS_A_WORKER * max(threads, 1) - len(under_way)
        found = [task for _, task in zip(range(max(room, 0)), waiting, strict=False)]
        for task in found:
            with told_if_lost():
                future = client.submit(run_unit, task, key=task.name, pure=True, resources=task.resources)
            under_way[future] = task
            ended.add(future)
        return bool(found)


def require_allowed(address: str, security: Security | None, trusted: bool) -> None:
    """Refuse an address of a scheduler where it would not be protected as it should be.

    Raises
    ------
    WorkError
        If ``tls`` comes without certificates, ``tcp`` leads to another machine and is not wanted, or it is neither.
    """
    scheme = address.partition("://")[0]
    if scheme == "tls":
        if security is None:
            raise WorkError(
                f"{address}: encryption needs three files, the certificate of your authority, and certificate and key "
                "of this client; see docs/scale.md."
            )
    elif scheme != "tcp":
        raise WorkError(
            f"{address}: the address of a scheduler begins with tls:// or tcp://, as tls://HOST:8786."
        )
    elif not trusted and not LOOPBACK.fullmatch(address):
        raise WorkError(
            f"{address}: on tcp:// everybody on the way could run programs on both sides. Use tls:// with "
            "certificates, or say that this network is trusted; see docs/scale.md."
        )


def _security(files: Security | None) -> distributed.Security | None:
    if files is None:
        return None
    import distributed

    return distributed.Security(
        require_encryption=True,
        tls_ca_file=files.authority,
        tls_client_cert=files.certificate,
        tls_client_key=files.key,
    )


def _outcome(task: One, future: Future[Any]) -> Outcome[One]:
    from distributed.scheduler import KilledWorker

    if future.status in ("cancelled", "lost"):
        raise CancelledError
    try:
        value = future.result()
    except CancelledError:
        raise
    except KilledWorker:
        return Outcome(task, "its worker's process died several times; it may have been short of memory")
    except FuseVisError as error:
        return Outcome(task, str(error))
    except Exception as error:  # noqa: BLE001 - whatever a worker meets ends this unit, not the others
        return Outcome(task, f"{type(error).__name__}: {error}")
    return Outcome(task, value=value)


@contextmanager
def told_if_lost() -> Iterator[None]:
    """Say in one sentence that the cluster cannot be reached any more, whatever dask raises for it.

    Raises
    ------
    WorkersLost
        In its place.
    """
    try:
        yield
    except (OSError, CancelledError, RuntimeError) as error:
        raise WorkersLost(LOST) from error


@contextmanager
def quiet_client() -> Iterator[None]:
    """Keep dask's tracebacks about a lost scheduler off the screen: the error that is raised says it in words."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)

"""The command that computes guidance images and atlases of many pairs beforehand, here or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

import fusion
from fusion.cli.options import progress_bar, say
from fusion.cli.train import INTERRUPTED
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.device import resolve_device
from fusion.errors import FuseVisError
from fusion.methods.base import Method
from fusion.work.addresses import Kind, Work, numerics_id
from fusion.work.engines import Engine, Here, OnDask, Security
from fusion.work.store import ChunkStore
from fusion.work.tasks import Job, Task

ALL = "all"
STEPS = 1000
"""Of the progress bar, for each job: units are counted only when a job begins."""

PairsOption = Annotated[
    list[str],
    typer.Option(
        "--pairs",
        "-p",
        metavar="ADDRESS",
        help="A sample's slug, a pair of --data-dir, or all; repeat it for several.",
    ),
]
MethodsOption = Annotated[
    list[str], typer.Option("--methods", "-m", metavar="ID", help="Id of a method, or all; repeatable.")
]
StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        "-o",
        metavar="FOLDER|URL",
        help="Where results are kept: a folder, or an address of fsspec as s3://bucket/folder.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="FOLDER", help="Folder with pairs of your own.", show_default=False, exists=True
    ),
]
GuidanceOption = Annotated[bool, typer.Option("--guidance/--no-guidance", help="Guidance images.")]
AtlasOption = Annotated[bool, typer.Option("--atlas/--no-atlas", help="Atlases: all Jacobian images.")]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        "-d",
        metavar="NAME",
        help="auto, cpu, cuda or cuda:n. On a cluster cuda takes workers with a GPU, anything else their CPUs.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Compute on the cluster of a dask scheduler, tls://HOST:8786 or tcp://…, instead of here.",
        show_default=False,
    ),
]
TlsOption = Annotated[
    tuple[Path, Path, Path] | None,
    typer.Option(
        "--tls",
        metavar="AUTHORITY CERTIFICATE KEY",
        help="For tls://: the authority's certificate, and certificate and key of this side (PEM).",
        show_default=False,
        exists=True,
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-network", help="Allow tcp:// to another machine: whoever is on the way can run programs."
    ),
]


def precompute_command(
    store: StoreOption,
    pairs: PairsOption = [ALL],  # noqa: B006 - typer reads it, nobody writes to it
    methods: MethodsOption = [ALL],  # noqa: B006
    data_dir: DataOption = None,
    guidance: GuidanceOption = True,
    atlas: AtlasOption = True,
    device: DeviceOption = "auto",
    scheduler: SchedulerOption = None,
    tls: TlsOption = None,
    trust_network: TrustOption = False,
) -> None:
    """Compute guidance images and atlases of many pairs, and keep them in a store.

    What is there is not computed again, so that the same command goes on where it was stopped, and several may run at
    once. A server reads what it finds: set FUSEVIS_STORE to the store.
    """
    kinds = [kind for kind, wanted in ((Kind.GUIDANCE, guidance), (Kind.ATLAS, atlas)) if wanted]
    if not kinds:
        raise typer.BadParameter("There is nothing left to compute: leave --no-guidance or --no-atlas out.")
    place = ChunkStore(store)
    catalogue = Catalogue(data_dir=data_dir)
    entries = chosen_pairs(catalogue, pairs)
    # On a cluster the networks are needed here for the ids of their weights alone.
    kind_of_device = resolve_device(device).type if scheduler is None else device.partition(":")[0]
    chosen = [fusion.load_method(id, "cpu") for id in chosen_methods(methods)]
    plan = Plan(catalogue, entries, chosen, kinds, place, "cuda" if kind_of_device == "cuda" else "cpu")
    engine: AbstractContextManager[Engine] = nullcontext(Here())
    if scheduler is not None:
        engine = OnDask(scheduler, security_of(tls), trust_network, say)
    try:
        with engine as ready:
            computed = carry_out(plan, ready)
    except KeyboardInterrupt:
        say("Stopped. What is computed is kept: the same command goes on.")
        raise typer.Exit(INTERRUPTED) from None
    for problem in plan.problems:
        say(problem, warning=True)
    say(f"{plan.jobs} results of {len(entries)} pairs are asked for; {computed} units were computed.")
    typer.echo(place.url)
    raise typer.Exit(int(bool(plan.problems)))


def security_of(tls: tuple[Path, Path, Path] | None) -> Security | None:
    """Return the files with which this side shows a scheduler who it is."""
    return None if tls is None else Security(*(str(path.absolute()) for path in tls))


def chosen_pairs(catalogue: Catalogue, addresses: list[str]) -> list[PairEntry]:
    """Return the pairs that are named, each once.

    Raises
    ------
    UnknownPairError
        If there is none of a name.
    """
    entries = catalogue.entries() if ALL in addresses else [catalogue.find(address) for address in addresses]
    return list({entry.address: entry for entry in entries}.values())


def chosen_methods(ids: list[str]) -> list[str]:
    """Return the ids of the methods that are named, each once."""
    return list(dict.fromkeys(fusion.method_ids() if ALL in ids else ids))


@dataclass
class Plan:
    """The results that are asked for, one after another, and what becomes of them.

    Attributes
    ----------
    problems : list of str
        A sentence for each result, at most, that could not be computed.
    """

    catalogue: Catalogue
    entries: list[PairEntry]
    methods: list[Method]
    kinds: list[Kind]
    store: ChunkStore
    device: str
    problems: list[str] = field(default_factory=list)

    @property
    def jobs(self) -> int:
        """Number of results."""
        return len(self.entries) * len(self.methods) * len(self.kinds)

    def __iter__(self) -> Iterator[tuple[str, Job | None]]:
        """Yield what each result is called, and its job; None where the images cannot be read."""
        for entry in self.entries:
            try:
                pair = self.catalogue.load(entry)
                self.store.put_pair(pair)
            except FuseVisError as error:
                self.problems.append(f"{entry.title}: {error}")
                pair = None
            for method in self.methods:
                for kind in self.kinds:
                    name = f"{entry.title}, {method.title}, {kind}"
                    if pair is None:
                        yield name, None
                        continue
                    work = Work(kind, pair.id, method.id, method.weights_id, self.device, numerics_id())
                    yield name, Job(work, pair.shape, self.store.url)


def carry_out(plan: Plan, engine: Engine) -> int:
    """Compute what is missing of a plan, with a progress bar; return how many units were computed."""
    names: dict[Job, str] = {}
    failed: set[Job] = set()
    shares: dict[Job, float] = {}
    done = 0.0
    computed = 0
    with progress_bar("Precomputing") as show:

        def tasks() -> Iterator[Task]:
            nonlocal done
            for name, job in plan:
                try:
                    missing = [] if job is None else engine.missing(job)
                except FuseVisError as error:
                    plan.problems.append(f"{name}: {error}")
                    missing = []
                if job is None or not missing:
                    done += 1
                    continue
                names[job], shares[job] = name, 1 / len(missing)
                yield from (Task(job, number) for number in missing if job not in failed)

        show(0, plan.jobs * STEPS)
        for outcome in engine.run(tasks()):
            job = outcome.task.job
            done += shares[job]
            computed += outcome.problem is None
            if outcome.problem is not None and job not in failed:
                failed.add(job)
                plan.problems.append(f"{names[job]}: {outcome.problem}")
            show(round(done * STEPS), plan.jobs * STEPS)
    return computed

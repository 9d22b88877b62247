"""A group that leans on one server: ``python -m benchmarks.group``, ten minutes unless it is told otherwise (Linux).

Each of its people opens ``/``, reads inputs and fused image, asks for guidance images at half of the visits, hovers,
and sometimes looks at the compare page, the views, or exports. Told is how long they wait and what the server takes.
"""

from __future__ import annotations

import http.client
import random
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
import typer

import fusion
from benchmarks import limits
from benchmarks.inputs import METHODS, sample
from benchmarks.long_work import OtherPage
from benchmarks.server import BenchmarkServer, memory_of, server_in
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish

PAIRS = 11
THOUGHT_S = 0.08
"""From an answer to the next move."""
HOVERS = (20, 60)
"""Pixels of a visit."""
STEP = 6
POLL_S = 0.7
PAGE_SHARE, EXPORT_SHARE, VIEWS_SHARE, GUIDANCE_SHARE = 0.2, 0.1, 0.1, 0.5
"""Parts of the visits that look at the compare page, export, list the views, ask for guidance images."""
COMPARED = 5
"""Pixels on the compare page."""
PATIENCE_S = 300
SAMPLE_GAP_S = 5.0
IMAGES, HOVER, OTHER = "scene and images", "hover", "others"


@dataclass
class Diary:
    """Everything that all users met.

    Attributes
    ----------
    seconds : dict of str to list of float
        How long was waited, by kind, with all times that the server asked to come again.
    errors : list of str
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: {IMAGES: [], HOVER: [], OTHER: []})
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def noting(self, kind: str) -> Iterator[None]:
        """Note how long something takes, or that it fails."""
        began = time.monotonic()
        try:
            yield
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            self.errors.append(f"{kind}: {type(error).__name__}: {error}")
        else:
            self.seconds[kind].append(time.monotonic() - began)

    def quantile(self, kind: str, part: float) -> float:
        """Return a quantile of what was waited, milliseconds."""
        return float(np.quantile(self.seconds[kind], part)) * 1e3 if self.seconds[kind] else float("nan")


@dataclass(frozen=True)
class Taken:
    """The needs of a server at a moment: seconds since the beginning, bytes, descriptors and threads."""

    second: float
    resident: int
    descriptors: int
    threads: int


@dataclass(frozen=True)
class Scene:
    """A pair and a method: their addresses and content ids, and the pair's size."""

    pair: str
    method: str
    weights: str
    shape: tuple[int, int]

    @property
    def path(self) -> str:
        """The end of its addresses."""
        return f"{self.pair}/{self.method}/{self.weights}"


def main(
    users: Annotated[int, typer.Option(min=1)] = limits.GROUP,
    minutes: Annotated[float, typer.Option(min=0.05)] = limits.GROUP_MINUTES,
    seed: Annotated[int, typer.Option(help="Of what the users do.")] = 0,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Let a group use a server and measure what both get."""
    with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_", ignore_cleanup_errors=True) as name:
        diary, taken = leaned_on(Path(name), users, minutes * 60, seed)
    for one in taken:
        held = f"{one.resident / 1e6:6.0f} MB, {one.descriptors} descriptors, {one.threads} threads"
        console.print(f"{one.second:6.0f} s: {held}")
    found = group_figures(diary, taken, (users, minutes) == (limits.GROUP, limits.GROUP_MINUTES))
    console.print(figures_table(f"{users} users for {minutes:g} minutes", found))
    for error in diary.errors[:5]:
        console.print(error, style="bold red")
    finish("group", found, strict and not diary.errors, record)
    if diary.errors:
        raise typer.Exit(1)


def leaned_on(folder: Path, users: int, seconds: float, seed: int) -> tuple[Diary, list[Taken]]:
    """Start a server with `PAIRS` pairs and let users visit it for some seconds."""
    scenes = written_scenes(folder / "data")
    with server_in(
        folder, None, {"FUSEVIS_DATA_DIR": str(folder / "data"), "FUSEVIS_DEVICE": "cpu"}
    ) as server:
        diary, taken = Diary(), []
        began = time.monotonic()
        threads = [
            threading.Thread(
                target=visits, args=(server.url, scenes, diary, f"{seed}-{number}", began + seconds)
            )
            for number in range(users)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            taken.append(taken_by(server, time.monotonic() - began))
            time.sleep(min(SAMPLE_GAP_S, seconds / 20))
        taken.append(taken_by(server, time.monotonic() - began))
    return diary, taken


def written_scenes(folder: Path) -> list[Scene]:
    """Write pairs, each the sample of a first visit moved by another way, and return them with all methods."""
    folder.mkdir()
    weights = {id: fusion.load_method(id, "cpu").weights_id for id in METHODS}
    scenes = []
    for number in range(PAIRS):
        images = np.roll(sample().images, (17 * number, 11 * number), axis=(1, 2))
        pair = fusion.Pair.from_arrays(*images)
        for modality, image in zip(("mri", "pet"), pair.images, strict=True):
            np.save(folder / f"{modality}_{number}.npy", image)
        scenes += [Scene(pair.id, id, weights[id], pair.shape) for id in METHODS]
    return scenes


def taken_by(server: BenchmarkServer, second: float) -> Taken:
    """Look what the server's web processes take now."""
    # The first process only watches over the one that serves.
    (worker,) = Path(f"/proc/{server.process_id}/task/{server.process_id}/children").read_text().split()[:1]
    return Taken(
        second,
        memory_of(worker, "VmRSS"),
        len(list(Path(f"/proc/{worker}/fd").iterdir())),
        len(list(Path(f"/proc/{worker}/task").iterdir())),
    )


def visits(url: str, scenes: list[Scene], diary: Diary, seed: str, end: float) -> None:
    """Visit one scene after another until it is time to end."""
    chance = random.Random(seed)
    while time.monotonic() < end:
        _visit(url, chance.choice(scenes), diary, chance, seed, end)


def _visit(url: str, scene: Scene, diary: Diary, chance: random.Random, viewer: str, end: float) -> None:
    with diary.noting(IMAGES):
        fetched(f"{url}?pair={scene.pair}&method={scene.method}")
        for kind in ("inputs", "fused"):
            fetched(f"{url}images/{scene.path}/{kind}?viewer={viewer}")
    page = None
    if chance.random() < GUIDANCE_SHARE:
        with diary.noting(OTHER):
            page = OtherPage(url, scene.pair, scene.method, viewer)
            page.begin_guidance()
    _hover(url, scene, diary, chance, page, end)
    if chance.random() < PAGE_SHARE:
        with diary.noting(OTHER):
            _compare(url, scene, chance)
    for share, address in (
        (EXPORT_SHARE, f"export/explore.png?pair={scene.pair}&method={scene.method}"),
        (VIEWS_SHARE, "views"),
    ):
        if chance.random() < share:
            with diary.noting(OTHER):
                fetched(url + address, also=(202, 409))


def _hover(
    url: str, scene: Scene, diary: Diary, chance: random.Random, page: OtherPage | None, end: float
) -> None:
    """Walk over the fused image, and follow the guidance images meanwhile as the page does."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_S)
    place = [chance.randrange(side) for side in scene.shape]
    polled = time.monotonic()
    for _ in range(chance.randint(*HOVERS)):
        if time.monotonic() > end:
            break
        with diary.noting(HOVER):
            connection.request("GET", f"/jacobian/{scene.path}/{place[0]}/{place[1]}")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
        time.sleep(THOUGHT_S)
        place = [
            min(max(at + chance.randint(-STEP, STEP), 0), side - 1)
            for at, side in zip(place, scene.shape, strict=True)
        ]
        if page is not None and time.monotonic() - polled > POLL_S:
            polled = time.monotonic()
            with diary.noting(OTHER):
                page.follow_guidance()
    connection.close()


def _compare(url: str, scene: Scene, chance: random.Random) -> None:
    weights = {id: fusion.load_method(id, "cpu").weights_id for id in METHODS}
    fetched(f"{url}compare?pair={scene.pair}")
    methods = ",".join(f"{id}:{weight}" for id, weight in weights.items())
    for _ in range(COMPARED):
        row, column = (chance.randrange(side) for side in scene.shape)
        fetched(f"{url}jacobians/{scene.pair}/{row}/{column}?methods={methods}")
        time.sleep(THOUGHT_S)


def fetched(address: str, also: tuple[int, ...] = ()) -> None:
    """Get an answer, and come again as often as the server asks for it; ``also``: statuses that are answers too."""
    while True:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
                answer.read()
            return
        except urllib.error.HTTPError as error:
            with error:
                if error.code in also:
                    return
                if error.code != 503:
                    raise
                time.sleep(float(error.headers["Retry-After"]))


def growth_of(taken: list[Taken]) -> float:
    """Return the memory at the end ÷ the most of the first half."""
    middle = taken[-1].second / 2
    return taken[-1].resident / max(one.resident for one in taken if one.second <= middle)


def group_figures(diary: Diary, taken: list[Taken], is_standard: bool) -> list[Figure]:
    """Return what was measured; times and memory have limits only where `is_standard`."""
    hover, images, memory, growth = (
        limit if is_standard else None
        for limit in (limits.GROUP_HOVER, limits.GROUP_IMAGES, limits.GROUP_MEMORY, limits.GROUP_GROWTH)
    )
    return [
        Figure("visits", len(diary.seconds[IMAGES]), ""),
        Figure("hovers", len(diary.seconds[HOVER]), ""),
        Figure("hover, p50", diary.quantile(HOVER, 0.5), "ms"),
        Figure.beside("hover, p95", diary.quantile(HOVER, 0.95), "ms", hover),
        Figure.beside("scene and images, p95", diary.quantile(IMAGES, 0.95), "ms", images),
        Figure("other requests, p95", diary.quantile(OTHER, 0.95), "ms"),
        Figure.beside("errors", len(diary.errors), "", limits.USERS_ERRORS),
        Figure.beside("resident memory at the end", taken[-1].resident / 1e6, "MB", memory),
        Figure.beside("memory at the end ÷ most of the first half", growth_of(taken), "×", growth),
        Figure("most descriptors", max(one.descriptors for one in taken), ""),
        Figure("most threads", max(one.threads for one in taken), ""),
    ]


if __name__ == "__main__":
    typer.run(main)

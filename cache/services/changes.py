"""Changes of the inputs that somebody paints: what they do to the fused image, and what the derivative predicts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from cache.jobs.threads import Places
from cache.services.scenes import Scene, Scenes
from cache.store.addresses import ChangeAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import Method, Response
from fusion.fusing import fused_around
from fusion.saliency.response import predicted, touched_box
from fusion.saliency.strokes import change_of, read_strokes
from fusion.saliency.tiles import grown
from fusion.saliency.window import Box

BUSY = "The server computes too many painted changes; ask again in a second."
PREDICTIONS = ("linear", "path")


@dataclass(frozen=True, eq=False)
class ImagePart:
    """A part of an image.

    Attributes
    ----------
    box : Box
        The pixels that it has.
    values : ndarray of float32, shape (h, w)
        Changes of the fused intensity, dimensionless.
    """

    box: Box
    values: np.ndarray


NOTHING = ImagePart(Box(0, 0, 0, 0), np.zeros((0, 0), dtype=np.float32))


class Changes:
    """Responses to painted changes. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs, the methods and the fused images.
    store : ArrayStore
        Where predictions are kept. What really happens is computed faster than it is looked for, and asked for at every
        move of a brush.
    threads : int
        Threads of torch.
    """

    def __init__(self, scenes: Scenes, store: ArrayStore, threads: int) -> None:
        self._scenes, self._store = scenes, store
        self._places = Places(threads, BUSY)

    def true(self, pair: str, method: str, weights: str, code: str, box: Box) -> ImagePart:
        """Compute how the fused image has changed, as far as it depends on a part of the inputs.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.
        code : str
            The change, see `fusion.saliency.strokes`.
        box : Box
            The part; what lies outside the image is left out of it.

        Returns
        -------
        ImagePart
            y(x + Δ) − y(x), exactly 0 where no pixel of Δ is in the support.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more, or too much is asked for at once.
        """
        chosen, images = self._scenes.addressed(pair, method, weights)
        part = Box(0, 0, *images.shape).common(box)
        if part is None:
            return NOTHING
        change = change_of(read_strokes(code), images.images)
        before = self._scenes.fused_of(chosen, images)
        with self._places.place():
            seen, after = fused_around(chosen, images, change, part)
        values = after - before[seen.rows(), seen.columns()]
        touched = touched_box(change)
        reached = _reached(chosen, touched, images.shape).common(seen) if touched else None
        found = np.zeros_like(values)
        if reached is not None:
            inside = reached.within(seen)
            found[inside] = values[inside]
        return ImagePart(seen, found)

    def predicted(self, pair: str, method: str, weights: str, code: str, kind: str) -> ImagePart:
        """Compute what the derivative predicts, once, and keep it.

        Parameters
        ----------
        pair, method, weights, code
            See `true`.
        kind : str
            One of `PREDICTIONS`.

        Returns
        -------
        ImagePart
            `fusion.Response.linear` or its `path`, of all pixels that the change can reach; it is 0 elsewhere.

        Raises
        ------
        UserError
            See `true`; also where the network's derivative cannot be had this way.
        """
        chosen, images = self._scenes.addressed(pair, method, weights)
        strokes = read_strokes(code)

        def compute() -> Arrays:
            with self._places.place():
                box, values = predicted(chosen, images, change_of(strokes, images.images), kind == "path")
            edges = (0, 0, 0, 0) if box is None else (box.top, box.left, box.bottom, box.right)
            return {"box": np.array(edges), "values": values}

        digest = hashlib.sha256(code.encode("ascii")).hexdigest()
        found = self._store.get_or_compute(ChangeAddress.of(chosen, images.id, kind, digest), compute)
        return ImagePart(Box(*map(int, found["box"])), found["values"])

    def of(self, scene: Scene, code: str) -> tuple[np.ndarray, Response]:
        """Return a change and everything that comes of it, for files.

        Parameters
        ----------
        scene : Scene
            Pair and method.
        code : str
            The change.

        Returns
        -------
        ndarray of float64, shape (2, H, W)
            Δ.
        Response
            Of float32.

        Raises
        ------
        UserError
            See `true`.
        """
        images = self._scenes.pair(scene)
        names = scene.pair_id, scene.method_id, scene.weights_id, code
        parts = [
            self.true(*names, Box(0, 0, *images.shape)),
            *(self.predicted(*names, kind) for kind in PREDICTIONS),
        ]
        whole = np.zeros((len(parts), *images.shape), dtype=np.float32)
        for image, part in zip(whole, parts, strict=True):
            image[part.box.rows(), part.box.columns()] = part.values
        return change_of(read_strokes(code), images.images), Response(*whole)


def _reached(method: Method, box: Box, shape: tuple[int, int]) -> Box:
    radius = method.locality_at(shape).radius
    return Box(0, 0, *shape) if radius is None else grown(box, radius, shape)

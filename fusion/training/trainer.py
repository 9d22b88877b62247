"""Trains a fusion network without ground truth (paper, sections 4.3 to 4.6)."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

import torch

from fusion.data.tissue import Head, load_head
from fusion.device import resolve_device
from fusion.methods.registry import method_specification
from fusion.training.batches import ImageSource
from fusion.training.card import earlier_card, training_card
from fusion.training.checkpoint import (
    check_fingerprint,
    checkpoint_path,
    fingerprint,
    read_checkpoint,
    write_checkpoint,
)
from fusion.training.curve import curve_file, curve_text
from fusion.training.folders import FolderSource
from fusion.training.mixed import MixedSource
from fusion.training.options import TrainingError, TrainingOptions, TrainingProgress, TrainingResult
from fusion.training.run import Run
from fusion.training.simulated import SimulatedSource
from fusion.weights import load_weights, save_weights

CHECKPOINT_SECONDS = 60.0
"""A crash costs this long at most."""

INVERTED = -0.3
"""Mean of y − (x1 + x2) / 2 inside the head from which on a fused image is taken for a negative."""

logger = logging.getLogger(__name__)


def train(
    options: TrainingOptions,
    progress: Callable[[TrainingProgress], None] | None = None,
    head: Head | None = None,
) -> TrainingResult:
    """Train a network and write its weights, its model card and its loss curve.

    Half-way, the statistics of batch norm are taken anew from whole images and kept from then on: patches show
    less air than whole images do. Of the checks on validation images after that, the best one's weights are kept.
    The state is written down every minute. Ctrl-C ends the run after the step at work; the best weights so far
    are written, and the state remains, so that `resume` can go on.

    Parameters
    ----------
    options : TrainingOptions
        What to train and how.
    progress : callable, optional
        Called after each step.
    head : Head, optional
        Another head than the template's.

    Returns
    -------
    TrainingResult

    Raises
    ------
    UnknownMethodError
        If there is no such method.
    WeightsError
        If the weights to start from cannot be used.
    TrainingError
        If the method has nothing to train, the unfinished training to go on with is another one, the user's
        pairs cannot be used, or the loss is not a number; no weights are written then.
    MissingTemplateError
        If the template's package is not installed.
    """
    specification = method_specification(options.method_id)
    if not specification.trained:
        raise TrainingError(f"{specification.title} has no parameters: there is nothing to train.")
    device = resolve_device(options.device)
    source = _source(options, device, head)
    unfinished = checkpoint_path(options.output, options.method_id)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        network = specification.build()
        started_from = load_weights(network, options.method_id, options.start) if options.start else None
        # Read before training, for the output may replace it.
        earlier = earlier_card(options.start) if options.start else {}
        radius = max(specification.support_radius or (0,))
        run = Run(options, network.to(device), radius, device, source, progress)
        marks = fingerprint(options, source, started_from)
        if options.resume and unfinished.exists():
            checkpoint = read_checkpoint(unfinished)
            check_fingerprint(unfinished, checkpoint.state, marks)
            run.restore(checkpoint)
        interrupted = _go(run, options, marks)
    return _written(
        options, run, source, interrupted, None if started_from is None else (started_from, earlier)
    )


def _written(
    options: TrainingOptions,
    run: Run,
    source: ImageSource,
    interrupted: bool,
    origin: tuple[str, dict[str, Any]] | None,
) -> TrainingResult:
    """Judge a network that is trained, write weights, card and curve, and drop the unfinished state if it is done.

    `origin` is the sha256 of the weights that it started from, and what their card says.
    """
    losses, brightness = run.finish()
    if brightness.shift < INVERTED:
        logger.warning(
            "%s draws the negative of a fused image: its structural similarity is as high, for that is blind to the "
            "sign. Train it with another --seed, or with a smaller --lambda.",
            method_specification(options.method_id).title,
        )
    card = training_card(options, run, source.description, losses, brightness)
    card["interrupted"] = interrupted
    if origin is not None:
        card["started_from"] = {"sha256": origin[0], **origin[1]}
    digest = save_weights(run.network, options.method_id, card, options.output)
    curve = curve_file(options.output, options.method_id)
    curve.write_text(curve_text(run.curve), encoding="utf-8")
    if not interrupted:
        checkpoint_path(options.output, options.method_id).unlink(missing_ok=True)
    return TrainingResult(
        weights_path=options.output / f"{options.method_id}.safetensors",
        card_path=options.output / f"{options.method_id}.json",
        weights_id=digest,
        steps=run.step,
        seconds=run.seconds,
        losses=losses,
        interrupted=interrupted,
        history=tuple(run.checks),
        brightness={name: value for name, value in brightness.values().items() if value is not None},
        curve_path=curve,
    )


def _go(run: Run, options: TrainingOptions, marks: dict[str, object]) -> bool:
    """Take all steps, writing the state down now and then; return whether somebody stopped it."""

    def write_down() -> None:
        checkpoint = run.checkpoint()
        checkpoint.state["fingerprint"] = marks
        write_checkpoint(checkpoint_path(options.output, options.method_id), checkpoint)

    written = time.monotonic()
    try:
        with Interruption() as interruption:
            while run.fraction < 1:
                run.advance()
                if interruption.wanted:
                    raise KeyboardInterrupt
                if time.monotonic() - written >= CHECKPOINT_SECONDS:
                    write_down()
                    written = time.monotonic()
    except KeyboardInterrupt:
        if run.step == 0:
            raise
        if run.between_steps:
            write_down()
        logger.warning(
            "Training of %s was stopped after %d steps; writing its weights.", options.method_id, run.step
        )
        return True
    return False


def _source(options: TrainingOptions, device: torch.device, head: Head | None) -> ImageSource:
    if options.pairs is not None:
        pairs = FolderSource(*options.pairs, seed=options.seed)
        if not options.simulated:
            return pairs
        return MixedSource(pairs, _simulated(options, device, head), options.simulated)
    return _simulated(options, device, head)


def _simulated(options: TrainingOptions, device: torch.device, head: Head | None) -> SimulatedSource:
    workers = options.workers
    if workers is None:
        workers = min(8, (torch.get_num_threads() or 1)) if device.type == "cuda" else 0
    return SimulatedSource(
        head or load_head(),
        options.seed,
        options.chosen_recipe.batches_a_slice,
        options.validation_slices,
        workers,
    )


class Interruption:
    """While entered, a first Ctrl-C only raises a flag; a second one interrupts at once.

    Signals reach the main thread alone; in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._before: signal._HANDLER = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._flag)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)

    def _flag(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True

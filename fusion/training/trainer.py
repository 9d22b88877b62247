"""Trains a fusion network on simulated slices (paper, sections 4.3 to 4.6)."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fusion.data.simulate import simulate_pairs
from fusion.data.tissue import Head, load_head
from fusion.device import resolve_device
from fusion.methods.registry import method_specification
from fusion.training.card import earlier_card, training_card
from fusion.training.evaluation import freeze_batch_norm, validate
from fusion.training.loss import LOSS_NAMES, PAPER_BALANCE, WINDOW, LossBalance, fusion_loss
from fusion.training.options import SLICE, TrainingError, TrainingOptions, TrainingProgress, TrainingResult
from fusion.training.patches import PatchSource
from fusion.training.schedule import largest_learning_rate, learning_rate_at
from fusion.weights import load_weights, save_weights

__all__ = ["TrainingError", "TrainingOptions", "TrainingProgress", "TrainingResult", "train"]

logger = logging.getLogger(__name__)

VALIDATION_SEED = 20_200_201
"""The validation slices are always the same, whatever the training's seed."""

CHECK_SLICES = 8
CALIBRATION_SEED = 51
CALIBRATION_SLICES = 32
WHOLE_SLICES_FROM = 0.8
"""From this share of the run on, whole slices are shown, one a step. Patches end inside the head, where the
convolutions' zero padding is wrong; slices end in air, where it is right."""

GRADIENT_NORM = 1.0
CHECKS = 8
"""How often, over a whole run, the network is judged on the validation slices."""


def train(
    options: TrainingOptions,
    progress: Callable[[TrainingProgress], None] | None = None,
    head: Head | None = None,
) -> TrainingResult:
    """Train a network and write its weights and model card.

    Patches are cut from simulated slices that are drawn all along. Half-way, the statistics of batch norm
    are taken anew from whole slices and kept from then on: patches show less air than slices do. The last
    fifth of the run is trained on whole slices. Of the checks on validation slices, the best one's weights
    are kept.
    Ctrl-C ends the run early; the weights are written all the same.

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
        If the method has nothing to train, or the loss is not a number; nothing is written then.
    MissingTemplateError
        If the template's package is not installed.
    """
    specification = method_specification(options.method_id)
    if not specification.trained:
        raise TrainingError(f"{specification.title} has no parameters: there is nothing to train.")
    device = resolve_device(options.device)
    head = head or load_head()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        network = specification.build()
    started_from = load_weights(network, options.method_id, options.start) if options.start else None
    # Read before training, for the output may replace it.
    earlier = earlier_card(options.start) if options.start else {}
    network = network.to(device)
    run = _Run(options, network, device, head, progress)
    interrupted = False
    try:
        run.go()
    except KeyboardInterrupt:
        if run.step == 0:
            raise
        interrupted = True
        logger.warning(
            "Training of %s was stopped after %d steps; writing its weights.", options.method_id, run.step
        )
    losses = run.finish()
    card = training_card(options, run.learning_rate, run.balance, run.step, run.seconds, device, losses)
    card["interrupted"] = interrupted
    if started_from is not None:
        card["started_from"] = {"sha256": started_from, **earlier}
    digest = save_weights(network, options.method_id, card, options.output)
    return TrainingResult(
        weights_path=options.output / f"{options.method_id}.safetensors",
        card_path=options.output / f"{options.method_id}.json",
        weights_id=digest,
        steps=run.step,
        seconds=run.seconds,
        losses=losses,
        interrupted=interrupted,
        history=tuple(run.checks),
    )


class _Run:
    """One training from the first step to the last."""

    def __init__(
        self,
        options: TrainingOptions,
        network: nn.Module,
        device: torch.device,
        head: Head,
        progress: Callable[[TrainingProgress], None] | None,
    ) -> None:
        self.options = options
        self.network = network
        self.device = device
        self.progress = progress
        self.balance = options.balance or PAPER_BALANCE.get(options.method_id, LossBalance())
        self.learning_rate = options.learning_rate or largest_learning_rate(
            options.method_id, options.start is not None
        )
        self.optimizer = torch.optim.Adam(network.parameters(), lr=self.learning_rate)
        self.source = PatchSource(head, np.random.default_rng(options.seed))
        self.validation = _to(simulate_pairs(head, VALIDATION_SEED, options.validation_slices), device)
        self.calibration = _to(simulate_pairs(head, CALIBRATION_SEED, CALIBRATION_SLICES), device)
        self.step = 0
        self.frozen = options.start is not None
        self.best: tuple[float, dict[str, Tensor]] | None = None
        self.checks: list[TrainingProgress] = []
        self.recent = dict.fromkeys(LOSS_NAMES, 0.0)
        self.started = time.monotonic()
        self.ended: float | None = None

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.started

    @property
    def fraction(self) -> float:
        if self.options.steps is not None:
            return self.step / self.options.steps
        assert self.options.minutes is not None
        return min(1.0, self.seconds / (60 * self.options.minutes))

    def go(self) -> None:
        self.network.train(not self.frozen)
        next_check = 0.5 + 1 / CHECKS
        while self.fraction < 1:
            if not self.frozen and self.fraction >= 0.5:
                self._freeze()
            self._learn()
            validation = None
            if self.fraction >= next_check:
                next_check += 1 / CHECKS
                validation = self._check()
            self._report(validation)

    def finish(self) -> dict[str, float]:
        """Put the best weights into the network and return their losses on all validation slices."""
        self.ended = time.monotonic()
        if not self.frozen:
            self._freeze()
        if not self.checks or self.checks[-1].step != self.step:
            self._check()
        assert self.best is not None
        self.network.load_state_dict(self.best[1])
        losses = validate(self.network, self.validation, self.balance)
        if not all(math.isfinite(value) for value in losses.values()):
            raise TrainingError(
                f"The trained {self.options.method_id} gives values that are not numbers; not kept."
            )
        return losses

    def _freeze(self) -> None:
        freeze_batch_norm(self.network, self.calibration)
        self.frozen = True

    def _learn(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.fraction, self.learning_rate)
        inputs = _to(self._batch(), self.device)
        fused = self.network(inputs[:, :1], inputs[:, 1:])
        parts = fusion_loss(_mirrored(inputs), _mirrored(fused), self.balance)
        self.optimizer.zero_grad()
        parts.total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        if not (torch.isfinite(parts.total) and torch.isfinite(norm)):
            raise TrainingError(
                f"The loss or its gradient is not a number at step {self.step + 1}; nothing was written. "
                "Try a smaller learning rate or another seed."
            )
        self.optimizer.step()
        self.step += 1
        keep = 1 - 1 / min(self.step, 50)
        for name, value in parts.values().items():
            self.recent[name] = keep * self.recent[name] + (1 - keep) * value

    def _batch(self) -> np.ndarray:
        if self.options.start is not None or self.fraction >= WHOLE_SLICES_FROM:
            return self.source.draw(1, SLICE)
        return self.source.draw(self.options.batch, self.options.patch)

    def _check(self) -> dict[str, float]:
        losses = validate(self.network, self.validation[:CHECK_SLICES], self.balance)
        if self.best is None or losses["total"] < self.best[0]:
            self.best = (losses["total"], copy.deepcopy(self.network.state_dict()))
        return losses

    def _report(self, validation: dict[str, float] | None) -> None:
        now = TrainingProgress(self.step, self.fraction, self.seconds, dict(self.recent), validation)
        if validation is not None:
            self.checks.append(now)
        if self.progress is not None:
            self.progress(now)


def _mirrored(images: Tensor) -> Tensor:
    """Add the images' mirror around them, as wide as half a similarity window.

    The similarity counts windows that lie wholly inside, which hardly see the outermost pixels: without this a
    network is free to draw a bright frame.
    """
    return functional.pad(images, (WINDOW // 2,) * 4, mode="reflect")


def _to(array: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device)

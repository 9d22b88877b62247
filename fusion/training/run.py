"""One training from the first step to the last, as a state that can be written down between any two steps."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor, nn

from fusion.data.tissue import FloatArray
from fusion.training import checkpoint as checkpoints
from fusion.training import evaluation
from fusion.training.batches import Batch, ImageSource, judged
from fusion.training.checkpoint import Checkpoint
from fusion.training.curve import POINTS, CurvePoint
from fusion.training.evaluation import Brightness, mean_brightness
from fusion.training.loss import LOSS_NAMES, LossBalance, fusion_loss, larger_loss, rebalanced
from fusion.training.options import TrainingError, TrainingOptions, TrainingProgress, learning_rate_at
from fusion.training.penalties import gate_penalty, reversal_penalty, shortfall

CHECK_IMAGES = 8
FREEZE_AT = 0.2
"""From this share of the run on, batch norm keeps statistics of whole images. Before, networks hardly learn:
patches differ too much from each other and from whole images."""
GRADIENT_NORM = 1.0
AVERAGED_STEPS = 50
LARGEST_HALO = 8
"""Pixels. Half the support radius is cut off patches, this at most: what lies farther has hardly any influence."""


class Run:
    """A training at work.

    Parameters
    ----------
    options : TrainingOptions
        What to train and how.
    network : torch.nn.Module
        Trained in place.
    radius : int
        Its support radius, pixels; 0 where that is the whole image.
    device : torch.device
        Where the network is.
    source : ImageSource
        What it is shown.
    progress : callable or None
        Called after each step.
    """

    def __init__(
        self,
        options: TrainingOptions,
        network: nn.Module,
        radius: int,
        device: torch.device,
        source: ImageSource,
        progress: Callable[[TrainingProgress], None] | None,
    ) -> None:
        self.options = options
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device
        self.source = source
        self.progress = progress
        self.halo = min(radius // 2, LARGEST_HALO)
        self.recipe = options.chosen_recipe
        self.balance = options.loss_balance
        self.optimizer = torch.optim.Adam(network.parameters(), lr=options.peak_learning_rate)
        self.mixed = options.mixed_precision if options.mixed_precision is not None else device.type == "cuda"
        self.validation = self._to_device(source.validation())
        self.calibration = self._to_device(source.calibration())
        self.fixed = self._to_device(source.fixed()[:CHECK_IMAGES]) if options.gates else []
        counted = options.steps or self.recipe.length(
            options.method_id, source.training_pairs, options.batch_size
        )
        self.length = counted if options.minutes is None else None
        self.step = 0
        self.between_steps = True
        self.frozen = options.start is not None
        self.network.train(not self.frozen)
        self.next_check = 1
        self.best: tuple[float, dict[str, Tensor]] | None = None
        self.checks: list[TrainingProgress] = []
        self.curve: list[CurvePoint] = []
        self.recent = dict.fromkeys(LOSS_NAMES, 0.0)
        self.earlier_seconds = 0.0
        self.started = time.monotonic()
        self.ended: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds at work, those of earlier sessions included."""
        return self.earlier_seconds + (self.ended or time.monotonic()) - self.started

    @property
    def fraction(self) -> float:
        """Finished share of the run, 0 to 1."""
        if self.length is not None:
            return self.step / self.length
        assert self.options.minutes is not None
        return min(1.0, self.seconds / (60 * self.options.minutes))

    def advance(self) -> None:
        """Take one step, with what falls due around it."""
        self.between_steps = False
        if not self.frozen and self.fraction >= FREEZE_AT:
            self._freeze()
        self._learn()
        validation = None
        while self.fraction >= self.next_check / self.options.checks:
            self.next_check += 1
            validation = validation or self._check()
        self.between_steps = True
        self._report(validation)

    def finish(self) -> tuple[dict[str, float], Brightness]:
        """Put the best weights into the network; return its losses and brightness on all validation images."""
        self.ended = time.monotonic()
        if not self.frozen:
            self._freeze()
        if not self.checks or self.checks[-1].step != self.step or self.best is None:
            validation = self._check()
            self._note("validation", validation)
        assert self.best is not None
        self.network.load_state_dict(self.best[1])
        fusions = evaluation.fusions_of(self.network, self.validation)
        losses = evaluation.mean_losses(fusions, self.balance)
        if not all(math.isfinite(value) for value in losses.values()):
            raise TrainingError(
                f"The trained {self.options.method_id} gives values that are not numbers; not kept."
            )
        return losses, mean_brightness(fusions)

    def checkpoint(self) -> Checkpoint:
        """Return the whole state between two steps."""
        tensors = checkpoints.network_tensors("network", self.network) | checkpoints.optimizer_tensors(
            self.optimizer
        )
        tensors["random.torch"] = torch.random.get_rng_state()
        if self.best is not None:
            tensors |= {f"best.{name}": tensor for name, tensor in self.best[1].items()}
        state: dict[str, Any] = {
            "step": self.step,
            "frozen": self.frozen,
            "next_check": self.next_check,
            "best": None if self.best is None else self.best[0],
            "checks": [asdict(check) for check in self.checks],
            "curve": [asdict(point) for point in self.curve],
            "recent": self.recent,
            "gamma_ssim": self.balance.gamma_ssim,
            "seconds": self.seconds,
        }
        return Checkpoint(tensors, state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become the training that a checkpoint was taken of.

        Raises
        ------
        TrainingError
            If it was another network's.
        """
        tensors, state = checkpoint.tensors, checkpoint.state
        try:
            self.network.load_state_dict(checkpoints.with_prefix("network", tensors))
            checkpoints.restore_optimizer(self.optimizer, tensors)
            if state["best"] is not None:
                self.best = (state["best"], checkpoints.with_prefix("best", tensors))
            torch.random.set_rng_state(tensors["random.torch"])
            self.step, self.next_check = state["step"], state["next_check"]
            self.checks = [TrainingProgress(**check) for check in state["checks"]]
            self.curve = [CurvePoint(**point) for point in state["curve"]]
            self.recent = state["recent"]
            self.balance = replace(self.balance, gamma_ssim=state["gamma_ssim"])
            self.earlier_seconds = state["seconds"]
            self.frozen = state["frozen"]
        except (KeyError, TypeError, RuntimeError, IndexError) as error:
            raise TrainingError(f"The unfinished training is of another network: {error}") from error
        self.network.train(not self.frozen)

    def _freeze(self) -> None:
        evaluation.freeze_batch_norm(self.network, self.calibration)
        self.network.eval()
        self.frozen = True

    def _learn(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.fraction, self.options.peak_learning_rate)
        batch = self._batch()
        inputs = torch.from_numpy(batch.images).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed):
            fused = self.network(inputs[:, :1], inputs[:, 1:])
        shown, made = (judged(images, batch.sides, self.halo) for images in (inputs, fused.float()))
        parts = fusion_loss(shown, made, self._balance_of(batch))
        total = parts.total + self._penalties(inputs, fused.float(), shown, made)
        self.optimizer.zero_grad()
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        if not (torch.isfinite(total) and torch.isfinite(norm)):
            raise TrainingError(
                f"The loss or its gradient is not a number at step {self.step + 1}; nothing was written. "
                "Try a smaller learning rate or another seed."
            )
        self.optimizer.step()
        self.step, values = self.step + 1, parts.values()
        if self.options.balanced and (batch.simulated or not self.options.simulated):
            self.balance = rebalanced(self.balance, values["ssim_mri"], values["ssim_pet"])
        keep = 1 - 1 / min(self.step, AVERAGED_STEPS)
        for name, value in values.items():
            self.recent[name] = keep * self.recent[name] + (1 - keep) * value

    def _balance_of(self, batch: Batch) -> LossBalance:
        """Return the balance of a batch: a user's pairs have half of what γ_ssim moved for the simulated slices."""
        if batch.simulated or not self.options.simulated:
            return self.balance
        first = self.options.loss_balance.gamma_ssim
        return replace(self.balance, gamma_ssim=(first + self.balance.gamma_ssim) / 2)

    def _penalties(self, inputs: Tensor, fused: Tensor, shown: Tensor, made: Tensor) -> Tensor:
        total = fused.new_zeros(())
        if self.options.gates:
            total = total + self.options.gates * gate_penalty(shown, made)
        if self.options.reversal:
            # Either input in turn.
            found = reversal_penalty(self.network, inputs, fused, self.step % 2)
            total = total + self.options.reversal * found
        return total

    def _batch(self) -> Batch:
        patch, count = self.options.patch_side, self.options.batch_size
        if patch is None:
            # Weights are continued one image at a time; a recipe of whole images says how many itself.
            return self.source.batch(self.step, 1 if self.options.start else count, None)
        if self.fraction >= self.recipe.whole_images_from:
            return self.source.batch(self.step, 1, None)
        return self.source.batch(self.step, count, patch)

    def _check(self) -> dict[str, float]:
        images = self.validation[:CHECK_IMAGES]
        if not self.frozen:
            calibration = self.calibration[:CHECK_IMAGES]
            return evaluation.validate_as_if_frozen(self.network, calibration, images, self.balance)
        fusions = evaluation.fusions_of(self.network, images)
        losses = evaluation.mean_losses(fusions, self.balance)
        score = losses["total"]
        if self.options.gates:
            fixed = evaluation.validate(self.network, self.fixed, self.balance)
            score += shortfall(fusions, abs(fixed["ssim_mri"] - fixed["ssim_pet"]))
        elif self.options.balanced:
            score = larger_loss(losses, self.balance)
        if self.best is None or score < self.best[0]:
            self.best = (score, copy.deepcopy(self.network.state_dict()))
        return losses

    def _report(self, validation: dict[str, float] | None) -> None:
        now = TrainingProgress(self.step, self.fraction, self.seconds, dict(self.recent), validation)
        if self.fraction * POINTS >= sum(point.set == "training" for point in self.curve) + 1:
            self._note("training", now.losses)
        if validation is not None:
            self.checks.append(now)
            self._note("validation", validation)
        if self.progress is not None:
            self.progress(now)

    def _note(self, kind: str, losses: dict[str, float]) -> None:
        self.curve.append(CurvePoint(self.step, self.fraction, round(self.seconds, 3), kind, dict(losses)))

    def _to_device(self, pairs: Sequence[FloatArray]) -> list[Tensor]:
        return [torch.from_numpy(pair).to(self.device) for pair in pairs]

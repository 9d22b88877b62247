"""Penalties beside equation 4, the choice of checkpoints by them, and simulated slices among a user's pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fusion.data.tissue import FloatArray
from fusion.training import run as running
from fusion.training.batches import WHOLE, Batch
from fusion.training.mixed import MixedSource
from fusion.training.options import TrainingError, TrainingOptions
from fusion.training.penalties import gate_penalty, reversal_penalty, shortfall
from fusion.training.run import Run
from fusion.training.trainer import train
from tests.unit.phantom import ball_head
from tests.unit.small_trainings import make_small, small_options


def alone(first: float, second: float) -> Tensor:
    """Return a pair of 8×8 pixels: left half x1 = `first` alone, right half x2 = `second` alone."""
    images = torch.zeros(1, 2, 8, 8)
    images[:, 0, :, :4], images[:, 1, :, 4:] = first, second
    return images


def test_what_lacks_is_penalised_by_hand() -> None:
    images = alone(0.8, 0.5)
    fused = torch.zeros(1, 1, 8, 8)
    fused[..., :4], fused[..., 4:] = 0.8 * 0.25, 0.5 * 0.4
    assert float(gate_penalty(images, fused)) == pytest.approx((0.65 - 0.25) + (0.45 - 0.4))
    fused[..., :4] = 0.8
    assert float(gate_penalty(images, fused)) == pytest.approx(0.05)
    both = torch.cat([images, torch.zeros_like(images)]), torch.cat([fused, torch.zeros_like(fused)])
    assert float(gate_penalty(*both)) == pytest.approx(0.025), "nothing is dark or bright in the second pair"
    few = images.clone()
    few[..., 1:] = 0
    assert float(gate_penalty(few, torch.zeros(1, 1, 8, 8))) == 0, "eight pixels are too few"


def test_a_penalty_shows_an_and_gate_the_way_out() -> None:
    images = alone(0.8, 0.5)
    exponent = torch.tensor(1.0, requires_grad=True)
    fused = images.amax(1, keepdim=True) * exponent / 4
    gate_penalty(images, fused).backward()
    assert exponent.grad is not None and float(exponent.grad) < 0, "a descent lets more of both through"


class Falling(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 - 0.5 * x2


def test_falling_where_an_input_rises() -> None:
    images = alone(0.8, 0.5)
    fused = Falling()(images[:, :1], images[:, 1:])
    assert float(reversal_penalty(Falling(), images, fused, 0)) == 0
    assert float(reversal_penalty(Falling(), images, fused, 1)) == pytest.approx(0.5, abs=1e-5)
    nothing = torch.zeros(1, 2, 8, 8)
    assert float(reversal_penalty(Falling(), nothing, nothing[:, :1], 1)) == 0, "no head"


def test_what_a_checkpoint_lacks() -> None:
    images = alone(0.8, 0.5)
    enough = torch.zeros(1, 1, 8, 8)
    enough[..., :4], enough[..., 4:] = 0.8 * 0.6, 0.5 * 0.4
    assert shortfall([(images, enough)], 0.06) == 0
    assert shortfall([(images, enough)], 0.1) == pytest.approx(0.04)
    nothing = images, torch.zeros(1, 1, 8, 8)
    assert shortfall([nothing], 0) == pytest.approx(0.8)
    assert shortfall([nothing, (images, enough)], 0) == pytest.approx((0.5 - 0.3) + (0.3 - 0.2))
    assert shortfall([(torch.zeros(1, 2, 8, 8), enough)], 0) == 0, "what is defined nowhere lacks nothing"


class Numbered:
    """A source whose batches are their numbers."""

    training_pairs: int | None = None

    def __init__(self, about: str) -> None:
        self.description = {"kind": about, "about": f"{about}."}

    def batch(self, number: int, count: int, patch: int | None) -> Batch:
        return Batch(np.full((count, 2, 1, 1), number, dtype=np.float32), WHOLE)

    def calibration(self) -> list[FloatArray]:
        return [np.zeros(1, dtype=np.float32)]

    def validation(self) -> list[FloatArray]:
        return [np.full(1, len(self.description["kind"]), dtype=np.float32)]

    def fixed(self) -> list[FloatArray]:
        return []


def test_simulated_slices_are_spread_evenly_and_none_is_skipped() -> None:
    source = MixedSource(Numbered("pairs"), Numbered("simulated"), 0.3)
    batches = [source.batch(number, 2, None) for number in range(100)]
    for simulated, share in ((True, 30), (False, 70)):
        numbers = [int(batch.images[0, 0, 0, 0]) for batch in batches if batch.simulated is simulated]
        assert numbers == list(range(share))
    assert [int(image[0]) for image in (*source.validation(), *source.fixed())] == [5, 9]
    assert "pairs." in source.description["about"] and "30%" in source.description["about"]


@pytest.fixture
def folders(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    for kind in ("a", "b"):
        for patient in ("one", "two", "three"):
            folder = tmp_path / kind / patient
            folder.mkdir(parents=True)
            for name in range(2):
                np.save(folder / f"{name}.npy", rng.random((32, 40)).astype(np.float32))
    return tmp_path / "a", tmp_path / "b"


def test_weights_are_continued_on_folders_of_patients(
    tmp_path: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch)
    head = ball_head()
    first = train(small_options(tmp_path / "first"), head=head)
    balances: list[tuple[bool, float]] = []
    own = Run._balance_of

    def seen(run: Run, batch: Batch) -> object:
        balance = own(run, batch)
        balances.append((batch.simulated, balance.gamma_ssim))
        return balance

    monkeypatch.setattr(Run, "_balance_of", seen)
    # A patch of a slice may be air alone, which has nothing to balance.
    monkeypatch.setattr(running, "rebalanced", lambda balance, mri, pet: replace(balance, gamma_ssim=0.3))
    wanted = small_options(
        tmp_path / "second", start=first.weights_path, steps=6, pairs=folders, patches=True, simulated=0.5,
        gates=0.2, reversal=0.05, balanced=True, checks=2,
    )  # fmt: skip
    result = train(wanted, head=head)
    card = json.loads(result.card_path.read_text(encoding="utf-8"))
    assert [simulated for simulated, _ in balances] == [False, True] * 3
    start = wanted.loss_balance.gamma_ssim
    (_, one), (_, two), (_, three), (_, four), *_ = balances
    assert (one, two, four) == (start, start, 0.3), "it follows the simulated slices"
    assert three == pytest.approx((start + 0.3) / 2), "of which the pairs have half"
    assert "gates" in card["recipe"] and "0.05 times" in card["recipe"]["reversal"]
    assert card["recipe"]["patch"] == 32 and card["recipe"]["batch_norm"] == "kept as it was"
    for option in ("--patches", "--simulated 0.5", "--gates 0.2", "--reversal 0.05", "--pairs a b"):
        assert option in card["recipe"]["command"]
    assert card["started_from"]["sha256"] == first.weights_id


@pytest.mark.parametrize(
    "changes",
    [
        {"simulated": 0.5},
        {"simulated": 1.0, "pairs": (Path(), Path())},
        {"gates": -1.0},
        {"reversal": float("nan")},
    ],
)
def test_shares_and_weights_that_mean_nothing_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TrainingError):
        TrainingOptions("deepfuse", **changes)  # type: ignore[arg-type]

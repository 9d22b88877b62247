from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fusion.data.simulate import simulate_pairs
from fusion.data.tissue import Head
from fusion.errors import UnknownMethodError, WeightsError
from fusion.training.curve import read_curve
from fusion.training.evaluation import freeze_batch_norm, fusions_of, mean_brightness, validate
from fusion.training.loss import LossBalance, fusion_loss
from fusion.training.options import (
    TrainingError,
    TrainingOptions,
    TrainingProgress,
    learning_rate_at,
    recipe_named,
)
from fusion.training.simulated import VALIDATION_SEED, SimulatedSource
from fusion.training.trainer import train
from fusion.weights import load_weights
from tests.unit.phantom import ball_head
from tests.unit.small_trainings import Tiny, make_small
from tests.unit.small_trainings import small_options as options


@pytest.fixture(scope="module")
def head() -> Head:
    return ball_head()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


class Mixer(nn.Module):
    """y = a·x1 + b·x2 + c, gray at first."""

    def __init__(self) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.tensor([0.3, 0.3, 0.2]))

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return self.shares[0] * x1 + self.shares[1] * x2 + self.shares[2]


def test_ten_steps_lower_the_loss_on_slices_never_seen(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch, Mixer)
    result = train(options(tmp_path, steps=10, patch=64, learning_rate=0.1), head=head)
    slices = torch.from_numpy(simulate_pairs(head, VALIDATION_SEED, 2))
    before = validate(Mixer(), slices, LossBalance(0.99, 0.497, 0.5))
    assert result.losses["total"] < 0.8 * before["total"]
    network = Mixer()
    load_weights(network, "deepfuse", result.weights_path)
    assert network.shares[2].abs().item() < 0.1


def test_it_leaves_loadable_weights_with_a_true_card(tmp_path: Path, head: Head) -> None:
    seen: list[TrainingProgress] = []
    result = train(options(tmp_path, steps=5), seen.append, head)
    assert [one.step for one in seen] == [1, 2, 3, 4, 5]
    assert seen[-1].fraction == 1
    network = Tiny()
    assert load_weights(network, "deepfuse", result.weights_path) == result.weights_id
    card = json.loads(result.card_path.read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(result.weights_path.read_bytes()).hexdigest() == result.weights_id
    assert (card["method"], card["steps"], card["seed"], card["interrupted"]) == ("deepfuse", 5, 0, False)
    assert card["recipe"]["gamma_ssim"] == 0.497
    assert card["recipe"]["largest_learning_rate"] == 2e-3
    slices = torch.from_numpy(simulate_pairs(head, VALIDATION_SEED, 2))
    again = validate(network.eval(), slices, LossBalance(0.99, 0.497, 0.5))
    assert card["validation"]["losses"] == pytest.approx(again, abs=1e-4)
    assert result.losses == pytest.approx(again, abs=1e-5)


def test_it_leaves_the_curve_of_its_losses(tmp_path: Path, head: Head) -> None:
    result = train(options(tmp_path, steps=4), head=head)
    assert result.curve_path == tmp_path / "deepfuse.curve.csv"
    points = read_curve(result.curve_path)
    assert [point.step for point in points if point.set == "training"] == [1, 2, 3, 4]
    validated = [point for point in points if point.set == "validation"]
    assert [point.losses["total"] for point in validated] == pytest.approx(
        [check.validation["total"] for check in result.history if check.validation], rel=1e-5
    )


def test_the_card_tells_brightness_artefacts_and_the_command(tmp_path: Path, head: Head) -> None:
    result = train(options(tmp_path, balance=LossBalance(0.9, 0.4, 0.3)), head=head)
    card = json.loads(result.card_path.read_text(encoding="utf-8"))
    network = Tiny()
    load_weights(network, "deepfuse", result.weights_path)
    slices = torch.from_numpy(simulate_pairs(head, VALIDATION_SEED, 2))
    expected = mean_brightness(fusions_of(network, slices)).values()
    assert card["validation"]["brightness"] == pytest.approx(expected, abs=1e-4)
    assert result.brightness == pytest.approx(expected, abs=1e-5)
    assert card["recipe"]["name"] == "cpu"
    for words in (
        "train deepfuse",
        "--lambda 0.9",
        "--gamma-ssim 0.4",
        "--gamma-l2 0.3",
        "--steps 3",
        "--seed 0",
    ):
        assert words in card["recipe"]["command"]


def test_a_network_learns_on_the_user_s_own_pairs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ("mri", "pet"):
        (tmp_path / folder).mkdir()
        for number in range(6):
            np.save(tmp_path / folder / f"{folder}_{number}.npy", rng.random((40 + 3 * (number % 2), 48)))
    pairs = (tmp_path / "mri", tmp_path / "pet")
    for recipe in ("cpu", "paper"):
        result = train(options(tmp_path / recipe, pairs=pairs, recipe=recipe, patch=None, steps=6))
        card = json.loads(result.card_path.read_text(encoding="utf-8"))
        assert "6 registered pairs" in card["data"]
        assert card["validation"]["slices"] == 1
        assert "--pairs mri pet" in card["recipe"]["command"]
        load_weights(Tiny(), "deepfuse", result.weights_path)


def test_the_paper_s_recipe_counts_epochs() -> None:
    recipe = recipe_named("paper")
    assert recipe.length("masknet", None, 2) == 200 * 250
    assert recipe.length("masknet", 31, 2) == 200 * 16
    assert TrainingOptions("masknet", recipe="paper").patch_side is None


def test_the_best_check_after_the_freezing_is_kept(tmp_path: Path, head: Head) -> None:
    result = train(options(tmp_path, steps=8), head=head)
    assert [check.step for check in result.history] == list(range(1, 9))
    network = Tiny()
    load_weights(network, "deepfuse", result.weights_path)
    slices = torch.from_numpy(simulate_pairs(head, VALIDATION_SEED, 1))
    kept = validate(network.eval(), slices, LossBalance(0.99, 0.497, 0.5))["total"]
    best = min(check.validation["total"] for check in result.history[2:] if check.validation)
    assert kept == pytest.approx(best, rel=1e-5)


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_s_generator_alone(
    tmp_path: Path, head: Head
) -> None:
    state = torch.random.get_rng_state()
    first, second, other = (
        train(options(tmp_path / str(run), seed=seed), head=head).weights_id
        for run, seed in enumerate((0, 0, 1))
    )
    assert first == second != other
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_training_continues_from_weights_with_batch_norm_as_it_was(tmp_path: Path, head: Head) -> None:
    first = train(options(tmp_path / "first"), head=head)
    second = train(options(tmp_path / "second", start=first.weights_path, steps=2), head=head)
    before, after = Tiny(), Tiny()
    load_weights(before, "deepfuse", first.weights_path)
    load_weights(after, "deepfuse", second.weights_path)
    changed = {
        name
        for name, value in before.state_dict().items()
        if not torch.equal(value, after.state_dict()[name])
    }
    assert "layers.0.weight" in changed
    assert not {"layers.1.running_mean", "layers.1.running_var", "layers.1.num_batches_tracked"} & changed
    card = json.loads(second.card_path.read_text(encoding="utf-8"))
    assert card["started_from"]["sha256"] == first.weights_id
    assert card["started_from"]["steps"] == 3
    assert card["recipe"]["largest_learning_rate"] == 5e-4
    with pytest.raises(WeightsError):
        train(options(tmp_path, start=tmp_path / "missing.safetensors"), head=head)


def test_ctrl_c_keeps_what_was_learned(tmp_path: Path, head: Head) -> None:
    def stop(now: TrainingProgress) -> None:
        if now.step == 2:
            raise KeyboardInterrupt

    result = train(options(tmp_path, steps=1000), stop, head)
    assert result.interrupted
    assert result.steps == 2
    card = json.loads(result.card_path.read_text(encoding="utf-8"))
    assert card["interrupted"] is True
    load_weights(Tiny(), "deepfuse", result.weights_path)


def test_ctrl_c_before_anything_was_learned_writes_nothing(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: SimulatedSource, number: int, count: int, patch: int | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SimulatedSource, "batch", stop)
    with pytest.raises(KeyboardInterrupt):
        train(options(tmp_path), head=head)
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_not_a_number_is_refused(tmp_path: Path, head: Head) -> None:
    with pytest.raises(TrainingError, match="not a number at step"):
        train(options(tmp_path, steps=50, learning_rate=1e30), head=head)
    assert not list(tmp_path.iterdir())


def test_minutes_end_a_run(tmp_path: Path, head: Head) -> None:
    result = train(options(tmp_path, steps=None, minutes=0.02), head=head)
    assert result.steps >= 1
    assert not result.interrupted


def test_deep_pedestrian_starts_slower(tmp_path: Path, head: Head) -> None:
    result = train(options(tmp_path, method_id="deep_pedestrian", steps=1), head=head)
    card = json.loads(result.card_path.read_text(encoding="utf-8"))
    assert card["recipe"]["largest_learning_rate"] == 5e-4
    assert card["recipe"]["gamma_ssim"] == 0.52


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 1.0}, "either"),
        ({"workers": -1}, "worker"),
        ({"recipe": "secret"}, "Choose one of: cpu, paper"),
        ({"steps": 0}, "greater than 0"),
        ({"steps": None, "minutes": float("nan")}, "greater than 0"),
        ({"batch": 0}, "at least 1"),
        ({"patch": 16}, "32 to 256"),
        ({"patch": 300}, "32 to 256"),
        ({"learning_rate": -1.0}, "learning rate"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        options(tmp_path, **changes)


def test_only_networks_are_trained(tmp_path: Path, head: Head) -> None:
    with pytest.raises(TrainingError, match="nothing to train"):
        train(options(tmp_path, method_id="weighted_averaging"), head=head)
    with pytest.raises(UnknownMethodError):
        train(options(tmp_path, method_id="no_such_method"), head=head)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = np.array([learning_rate_at(fraction, 1.0) for fraction in np.linspace(0, 1, 1001)])
    top = int(rates.argmax())
    assert top == 20
    assert rates[top] == 1
    assert 0 < rates[0] < 0.1
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert (np.diff(rates[:top]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()


class Shift(nn.Module):
    """Batch norm of the mean of both inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        normal: torch.Tensor = self.norm((x1 + x2) / 2)
        return normal


def test_batch_norm_is_fitted_to_whole_slices_and_frozen() -> None:
    network = Shift().train()
    network(torch.full((2, 1, 8, 8), 9.0), torch.full((2, 1, 8, 8), 9.0))
    slices = torch.rand(8, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    freeze_batch_norm(network, slices)
    running = network.norm.running_mean
    assert running is not None
    assert float(running) == pytest.approx(float(slices.mean()), rel=1e-5)
    before = running.clone()
    network(torch.ones(2, 1, 8, 8), torch.ones(2, 1, 8, 8))
    assert torch.equal(before, running)


def test_validation_is_the_mean_over_slices_in_evaluation_mode() -> None:
    network = Shift().train()
    slices = torch.rand(3, 2, 16, 16, generator=torch.Generator().manual_seed(1))
    losses = validate(network, slices, LossBalance())
    assert network.training
    assert network.norm.training
    assert network.norm.num_batches_tracked == 0
    network.eval()
    expected = np.mean(
        [
            fusion_loss(one, network(one[:, :1], one[:, 1:]), LossBalance()).values()["total"]
            for one in slices.split(1)
        ]
    )
    assert losses["total"] == pytest.approx(float(expected), rel=1e-6)


class Negative(nn.Module):
    """y = −a·(x1 + x2) / 2."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return -self.scale * (x1 + x2) / 2


def test_a_negative_image_is_warned_of(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for network in (Mixer, Negative):
        assert "negative" not in caplog.text
        make_small(monkeypatch, network)
        train(options(tmp_path, steps=1), head=head)
    assert "draws the negative of a fused image" in caplog.text

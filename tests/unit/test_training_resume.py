"""A training that was stopped goes on as if it had never been: the same weights, to the last bit."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fusion.data.tissue import Head
from fusion.methods.registry import method_specification
from fusion.training import trainer
from fusion.training.checkpoint import Checkpoint, checkpoint_path, read_checkpoint, write_checkpoint
from fusion.training.curve import CurvePoint, read_curve
from fusion.training.loss import LossBalance
from fusion.training.options import TrainingError, TrainingOptions, TrainingProgress, TrainingResult
from fusion.training.trainer import train
from tests.unit.phantom import ball_head
from tests.unit.small_trainings import Tiny, make_small, small_options


@pytest.fixture(scope="module")
def head() -> Head:
    return ball_head()


def drawing() -> Tiny:
    """Build a network that draws from torch's generator in each step, whose state has to be kept too."""
    return Tiny(dropout=0.1)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch, drawing)


def options(folder: Path, **changes: object) -> TrainingOptions:
    return small_options(folder, **{"steps": 8, "validation_slices": 1, **changes})


def train_until(step: int, wanted: TrainingOptions, head: Head) -> TrainingResult:
    def stop(now: TrainingProgress) -> None:
        if now.step == step:
            raise KeyboardInterrupt

    return train(wanted, stop, head)


def timeless(points: list[CurvePoint]) -> list[CurvePoint]:
    return [replace(point, seconds=0.0) for point in points]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, head: Head) -> TrainingResult:
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch, drawing)
        return train(options(tmp_path_factory.mktemp("whole")), head=head)


@pytest.mark.parametrize("stops", [(1,), (4,), (7,), (2, 6)])
def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(
    tmp_path: Path, head: Head, uninterrupted: TrainingResult, stops: tuple[int, ...]
) -> None:
    wanted = options(tmp_path, resume=True)
    for step in stops:
        stopped = train_until(step, wanted, head)
        assert stopped.interrupted
        assert stopped.steps == step
        assert stopped.weights_path.exists()
    result = train(wanted, head=head)
    assert not result.interrupted
    assert result.weights_id == uninterrupted.weights_id
    assert result.losses == uninterrupted.losses
    assert uninterrupted.curve_path is not None
    assert result.curve_path is not None
    assert timeless(read_curve(result.curve_path)) == timeless(read_curve(uninterrupted.curve_path))
    assert not checkpoint_path(tmp_path, "deepfuse").exists()


def test_the_networks_of_the_paper_resume_too(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "method_specification", method_specification)
    wanted = options(tmp_path / "parts", method_id="funfusean", steps=2, resume=True)
    whole = train(replace(wanted, output=tmp_path / "whole"), head=head)
    train_until(1, wanted, head)
    assert train(wanted, head=head).weights_id == whole.weights_id


def test_a_balanced_training_resumes_with_its_balance(tmp_path: Path, head: Head) -> None:
    wanted = options(tmp_path / "parts", balanced=True, resume=True, balance=LossBalance(0.9, 0.3))
    whole = train(replace(wanted, output=tmp_path / "whole"), head=head)
    train_until(6, wanted, head)
    assert train(wanted, head=head).weights_id == whole.weights_id


def test_without_resume_a_training_begins_anew(
    tmp_path: Path, head: Head, uninterrupted: TrainingResult
) -> None:
    train_until(3, options(tmp_path), head)
    steps: list[int] = []
    result = train(options(tmp_path), lambda now: steps.append(now.step), head)
    assert steps[0] == 1
    assert result.weights_id == uninterrupted.weights_id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"steps": 9}, "steps 8, not 9"),
        ({"balance": LossBalance(0.9)}, "balance"),
        ({"patch": 48}, "patch 32, not 48"),
        ({"recipe": "paper"}, "recipe 'cpu', not 'paper'"),
    ],
)
def test_another_training_is_not_gone_on_with(
    tmp_path: Path, head: Head, changes: dict[str, object], words: str
) -> None:
    train_until(2, options(tmp_path), head)
    with pytest.raises(TrainingError, match=words):
        train(options(tmp_path, resume=True, **changes), head=head)


def test_a_damaged_state_is_told(tmp_path: Path, head: Head) -> None:
    train_until(2, options(tmp_path), head)
    path = checkpoint_path(tmp_path, "deepfuse")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TrainingError, match="cannot be read"):
        train(options(tmp_path, resume=True), head=head)


def test_the_state_is_written_down_while_training_goes_on(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    seen: list[int] = []

    def look(now: TrainingProgress) -> None:
        path = checkpoint_path(tmp_path, "deepfuse")
        seen.append(read_checkpoint(path).state["step"] if path.exists() else 0)

    train(options(tmp_path, steps=3), look, head)
    assert seen == [0, 1, 2]


def test_ctrl_c_lets_the_step_at_work_finish(tmp_path: Path, head: Head) -> None:
    def press(now: TrainingProgress) -> None:
        if now.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    before = signal.getsignal(signal.SIGINT)
    result = train(options(tmp_path), press, head)
    assert (result.interrupted, result.steps) == (True, 2)
    assert read_checkpoint(checkpoint_path(tmp_path, "deepfuse")).state["step"] == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_outside_the_main_thread(
    tmp_path: Path, head: Head, uninterrupted: TrainingResult
) -> None:
    results: list[TrainingResult] = []
    thread = threading.Thread(target=lambda: results.append(train(options(tmp_path), head=head)))
    thread.start()
    thread.join()
    assert results[0].weights_id == uninterrupted.weights_id


def test_a_checkpoint_keeps_numbers_and_leaves_no_draft(tmp_path: Path) -> None:
    values = {"a": torch.rand(3, 4), "bits": torch.arange(5, dtype=torch.uint8)}
    path = tmp_path / "new" / "state.safetensors"
    write_checkpoint(path, Checkpoint(values, {"step": 3, "loss": 0.1 + 0.2}))
    found = read_checkpoint(path)
    assert found.state == {"step": 3, "loss": 0.1 + 0.2}
    assert all(torch.equal(found.tensors[name], value) for name, value in values.items())
    assert [file.name for file in path.parent.iterdir()] == [path.name]

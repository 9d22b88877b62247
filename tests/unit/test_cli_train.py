from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fusion.cli.train
from fusion.cli.main import app
from fusion.training.checkpoint import checkpoint_path
from fusion.training.loss import LossBalance
from fusion.training.options import TrainingOptions, TrainingProgress, TrainingResult

LOSSES = {"total": 0.25, "ssim_mri": 0.2, "ssim_pet": 0.3, "l2_mri": 0.01, "l2_pet": 0.02}


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[TrainingOptions]:
    """Replace training by writing down what would be trained."""
    asked: list[TrainingOptions] = []

    def train(options: TrainingOptions, progress: Any) -> TrainingResult:
        asked.append(options)
        progress(TrainingProgress(1, 0.5, 1.0, LOSSES))
        progress(TrainingProgress(2, 1.0, 2.0, LOSSES, LOSSES | {"total": 0.125}))
        base = options.output / options.method_id
        return TrainingResult(
            base.with_suffix(".safetensors"), base.with_suffix(".json"), "0" * 64, 2, 2.0, LOSSES,
            interrupted=options.seed == 99,
        )  # fmt: skip

    monkeypatch.setattr(fusion.cli.train, "train_one", train)
    return asked


def run(*arguments: str, expect: int = 0) -> Any:
    result = CliRunner().invoke(app, ["train", *arguments])
    assert result.exit_code == expect, result.output
    assert "Traceback" not in result.output
    return result


def test_named_methods_and_options(trainings: list[TrainingOptions], tmp_path: Path) -> None:
    output = tmp_path / "new" / "weights"
    result = run(
        "masknet", "deepfuse", "masknet", "--steps", "7", "--seed", "3", "--patch", "64", "--batch", "4",
        "--learning-rate", "0.01", "-o", str(output), "--device", "cpu",
    )  # fmt: skip
    common = {
        "steps": 7,
        "seed": 3,
        "patch": 64,
        "batch": 4,
        "learning_rate": 0.01,
        "output": output,
        "device": "cpu",
    }
    assert trainings == [TrainingOptions(id, **common) for id in ("masknet", "deepfuse")]  # type: ignore[arg-type]
    assert output.is_dir()
    assert result.stdout.split() == [
        f"{output}/{id}.{suffix}" for id in ("masknet", "deepfuse") for suffix in ("safetensors", "json")
    ]
    assert "masknet, step 2: loss 0.1250 (1 − SSIM 0.200 and 0.300" in result.stderr
    assert "masknet: 2 steps in 2 s, loss 0.2500" in result.stderr


def test_all_networks_by_the_cpu_recipe_by_default(trainings: list[TrainingOptions], tmp_path: Path) -> None:
    run("-o", str(tmp_path))
    assert [options.method_id for options in trainings][:4] == [
        "funfusean",
        "masknet",
        "deepfuse",
        "deep_pedestrian",
    ]
    assert {(options.recipe, options.steps, options.minutes) for options in trainings} == {
        ("cpu", None, None)
    }
    assert trainings[-1].method_id == "funfusean_sum"
    assert not any(options.method_id.startswith("weighted") for options in trainings)


def test_weights_are_replaced_only_on_request(trainings: list[TrainingOptions], tmp_path: Path) -> None:
    (tmp_path / "deepfuse.safetensors").write_bytes(b"precious")
    result = run("masknet", "deepfuse", "-o", str(tmp_path), expect=2)
    assert "deepfuse.safetensors exists" in result.stderr
    assert trainings == []
    run("masknet", "deepfuse", "-o", str(tmp_path), "--replace")
    assert len(trainings) == 2


def test_recipe_pairs_balance_and_start(trainings: list[TrainingOptions], tmp_path: Path) -> None:
    run(
        "masknet", "--recipe", "paper", "--pairs", "mine/a", "mine/b", "--gamma-ssim", "0.4", "--lambda", "0.9",
        "--start", "old.safetensors", "--full-precision", "--workers", "3", "-o", str(tmp_path),
    )  # fmt: skip
    options = trainings[0]
    assert options.recipe == "paper"
    assert options.pairs == (Path("mine/a"), Path("mine/b"))
    assert options.balance == LossBalance(0.9, 0.4, 0.494)
    assert options.start == Path("old.safetensors")
    assert (options.mixed_precision, options.workers) == (False, 3)
    assert not options.patches
    assert options.simulated == options.gates == options.reversal == 0


def test_going_on_with_weights_on_pairs_with_penalties(
    trainings: list[TrainingOptions], tmp_path: Path
) -> None:
    run(
        "masknet", "--start", "old.safetensors", "--pairs", "a", "b", "--patches", "--simulated", "0.3",
        "--gates", "0.2", "--reversal", "0.05", "-o", str(tmp_path),
    )  # fmt: skip
    options = trainings[0]
    assert options.patches
    assert (options.simulated, options.gates, options.reversal) == (0.3, 0.2, 0.05)
    assert "goes with pairs" in run("masknet", "--simulated", "0.3", "-o", str(tmp_path), expect=2).stderr


def test_stopped_trainings_are_gone_on_with_and_finished_ones_left(
    trainings: list[TrainingOptions], tmp_path: Path
) -> None:
    (tmp_path / "masknet.safetensors").write_bytes(b"finished")
    (tmp_path / "deepfuse.safetensors").write_bytes(b"stopped")
    checkpoint_path(tmp_path, "deepfuse").write_bytes(b"state")
    assert "was stopped" in run("deepfuse", "-o", str(tmp_path), expect=2).stderr
    result = run("masknet", "deepfuse", "funfusean", "--resume", "-o", str(tmp_path))
    assert [options.method_id for options in trainings] == ["deepfuse", "funfusean"]
    assert all(options.resume for options in trainings)
    assert "masknet" in result.stderr
    assert "finished" in result.stderr
    run("deepfuse", "--replace", "-o", str(tmp_path))
    assert not checkpoint_path(tmp_path, "deepfuse").exists()


def test_an_interruption_ends_all(trainings: list[TrainingOptions], tmp_path: Path) -> None:
    run("masknet", "deepfuse", "--seed", "99", "-o", str(tmp_path), expect=130)
    assert [options.method_id for options in trainings] == ["masknet"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "There is no method 'nothing'"),
        (["masknet", "weighted_averaging"], "weighted_averaging has no parameters"),
        (["masknet", "--steps", "0"], "greater than 0"),
        (["masknet", "--steps", "5", "--minutes", "5"], "either"),
        (["masknet", "--minutes", "nan"], "greater than 0"),
        (["masknet", "--patch", "8"], "32 to 256"),
        (["masknet", "-o", "/proc/x"], "cannot be made"),
        (["masknet", "deepfuse", "--start", "x"], "name exactly one"),
        (["masknet", "--resume", "--replace"], "give one of them"),
    ],
)
def test_mistakes_are_found_before_any_training(
    trainings: list[TrainingOptions], tmp_path: Path, arguments: list[str], words: str
) -> None:
    output = [] if "-o" in arguments else ["-o", str(tmp_path)]
    assert words in run(*arguments, *output, expect=2).stderr
    assert trainings == []

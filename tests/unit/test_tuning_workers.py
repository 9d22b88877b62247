"""Instances as units: trained on a cluster or on processes of this machine, and what the trainer is told of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fusion.errors import DeviceError
from fusion.training.loss import LOSS_NAMES
from fusion.training.options import TrainingError, TrainingOptions, TrainingResult
from fusion.training.tuning import instance as instances
from fusion.training.tuning.instance import (
    CHECKS,
    JUDGED_SLICES,
    Instance,
    InstanceTask,
    Trained,
    TuningError,
    train_instance,
)
from fusion.training.tuning.workers import TuningWorkers, trainer
from fusion.work import engines
from fusion.work.engines import WorkersLost
from fusion.work.tasks import WorkError
from tests.unit.job_tasks import WAIT_S
from tests.unit.made_up_tuning import TRAINING, train_made_up, trained
from tests.unit.threads_cluster import threads_cluster

GOOD, BAD = Instance(0.99, 0.5, 0.5), Instance(0.99, 0.1, 0.5)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster without processes."""
    with threads_cluster() as address:
        yield address


@pytest.fixture
def training_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[InstanceTask], Trained]], None]:
    """Have workers, which are threads of this process, do something else in place of a training."""
    return lambda function: monkeypatch.setattr(instances, "train_instance", function)


Training = Callable[[Callable[[InstanceTask], Trained]], None]


def test_on_the_cluster_of_a_scheduler(scheduler: str, training_is: Training, tmp_path: Path) -> None:
    training_is(train_made_up)
    told: list[str] = []
    with trainer(tmp_path, TRAINING, TuningWorkers(scheduler), notify=told.append) as run:
        assert dict(run([BAD, GOOD])) == {BAD: "RuntimeError: made to fail", GOOD: trained(GOOD)}
        assert dict(run([])) == {}
        assert dict(run([GOOD])) == {GOOD: trained(GOOD)}
    assert told == []


def refuse(task: InstanceTask) -> Trained:
    raise TrainingError("The loss is not a number.")


def test_a_plain_error_of_a_worker_is_told_as_it_is(
    scheduler: str, training_is: Training, tmp_path: Path
) -> None:
    training_is(refuse)
    with trainer(tmp_path, TRAINING, TuningWorkers(scheduler)) as run:
        assert dict(run([GOOD])) == {GOOD: "The loss is not a number."}


BEGUN: list[Instance] = []
LET_GO = threading.Event()


def wait_unless_first(task: InstanceTask) -> Trained:
    BEGUN.append(task.instance)
    assert task.instance == GOOD or LET_GO.wait(WAIT_S)
    return trained(task.instance)


def test_who_stops_waiting_takes_the_rest_back(scheduler: str, training_is: Training, tmp_path: Path) -> None:
    others = [Instance(0.5, gamma / 100, 0.5) for gamma in range(2, 60)]
    training_is(wait_unless_first)
    with trainer(tmp_path, TRAINING, TuningWorkers(scheduler)) as run:
        for one, _ in run([GOOD, *others]):
            assert one == GOOD
            break
    LET_GO.set()
    training_is(train_made_up)
    with trainer(tmp_path, TRAINING, TuningWorkers(scheduler)) as run:
        assert dict(run([GOOD])) == {GOOD: trained(GOOD)}
    assert BEGUN[0] == GOOD
    assert len(BEGUN) <= 3, "of 58 instances that nobody waits for, the one at work is finished"


def test_a_unit_has_a_name_of_its_own() -> None:
    task = InstanceTask(GOOD, TRAINING)
    others = [
        InstanceTask(BAD, TRAINING),
        InstanceTask(GOOD, replace(TRAINING, steps=8)),
        InstanceTask(GOOD, TRAINING, keep_weights=True),
    ]
    assert task.name == InstanceTask(GOOD, TRAINING).name
    assert len({one.name for one in [task, *others]}) == 4


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tcp://127.0.0.1"])
def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, address: str, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "CONNECT_SECONDS", 0.5)
    with (
        trainer(tmp_path, TRAINING, TuningWorkers(address)) as run,
        pytest.raises(WorkersLost, match=r"no dask scheduler at .*dask scheduler"),
    ):
        list(run([GOOD]))


def test_nothing_is_started_for_nothing(tmp_path: Path) -> None:
    for where in (TuningWorkers("tcp://127.0.0.1:9"), TuningWorkers(workers=1)):
        with trainer(tmp_path, TRAINING, where) as run:
            assert list(run([])) == []
    assert list(tmp_path.iterdir()) == []


def test_impossible_places() -> None:
    with pytest.raises(TuningError, match="1 or more"):
        TuningWorkers(workers=0)
    with pytest.raises(TuningError, match="--scheduler"):
        TuningWorkers("tcp://127.0.0.1:9", workers=2)
    with pytest.raises(DeviceError):
        TuningWorkers(device="abacus")
    for address in ("nonsense://x", "tcp://10.0.0.7:8786"):
        with pytest.raises(WorkError, match=r"tls://"):
            TuningWorkers(address)
    TuningWorkers("tcp://127.0.0.1:9", device="cuda:7")  # this machine need not have what the cluster has


class Trainings:
    """Stands in for the trainer."""

    def __init__(self) -> None:
        self.asked: list[TrainingOptions] = []
        self.loss = 0.25
        self.interrupted = False
        self.threads = 0

    def __call__(self, options: TrainingOptions) -> TrainingResult:
        self.asked.append(options)
        self.threads = torch.get_num_threads()
        base = options.output / options.method_id
        paths = [base.with_suffix(".safetensors"), base.with_suffix(".json")]
        for path in paths:
            path.write_bytes(path.suffix.encode())
        return TrainingResult(
            paths[0], paths[1], "0" * 64, 7, 3.5, dict.fromkeys(LOSS_NAMES, self.loss), self.interrupted,
            brightness={"background": 0.01, "shift": 0.02, "frame": 0.03},
        )  # fmt: skip


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trainings]:
    made_up = Trainings()
    monkeypatch.setattr(instances, "train", made_up)
    before = torch.get_num_threads()
    yield made_up
    torch.set_num_threads(before)


def test_what_the_trainer_is_told(trainings: Trainings) -> None:
    training = replace(TRAINING, seed=3, patch=64, batch=4, learning_rate=0.01, pairs=("/a", "/b"))
    found = train_instance(InstanceTask(Instance(0.8, 0.3, 0.7), training, "cpu", threads=1))
    (asked,) = trainings.asked
    assert asked == TrainingOptions(
        "funfusean", steps=7, seed=3, patch=64, batch=4, learning_rate=0.01, device="cpu",
        balance=Instance(0.8, 0.3, 0.7).balance, output=asked.output, pairs=(Path("/a"), Path("/b")),
        validation_slices=JUDGED_SLICES, checks=CHECKS,
    )  # fmt: skip
    assert not asked.output.exists(), "the folder was temporary"
    assert trainings.threads == 1
    assert (found.losses["ssim_mri"], found.brightness["shift"], found.seconds) == (0.25, 0.02, 3.5)
    assert found.files == {}


def test_weights_come_back_where_they_are_kept(trainings: Trainings) -> None:
    found = train_instance(InstanceTask(GOOD, TRAINING, keep_weights=True))
    assert found.files == {".safetensors": b".safetensors", ".json": b".json"}


def test_trainings_without_a_result(trainings: Trainings) -> None:
    trainings.loss = float("nan")
    with pytest.raises(TuningError, match="not numbers"):
        train_instance(InstanceTask(GOOD, TRAINING))
    trainings.loss, trainings.interrupted = 0.25, True
    with pytest.raises(TuningError, match="stopped"):
        train_instance(InstanceTask(GOOD, TRAINING))

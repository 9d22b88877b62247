from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from fusion.errors import DeviceError
from fusion.training.loss import LOSS_NAMES
from fusion.training.options import TrainingError, TrainingOptions, TrainingResult
from fusion.training.tuning import instance as instances
from fusion.training.tuning import runner as runners
from fusion.training.tuning.instance import (
    CHECKS,
    JUDGED_SLICES,
    Instance,
    InstanceTask,
    Trained,
    TuningError,
    train_instance,
)
from fusion.training.tuning.runner import ClusterOptions, Runner, local_cluster
from tests.unit.job_tasks import WAIT_S
from tests.unit.made_up_tuning import TRAINING, train_made_up, trained

GOOD, BAD = Instance(0.99, 0.5, 0.5), Instance(0.99, 0.1, 0.5)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster without processes."""
    with local_cluster(1, processes=False) as cluster:
        yield cluster.scheduler_address


def test_on_the_cluster_of_a_scheduler(scheduler: str) -> None:
    told: list[str] = []
    with Runner(TRAINING, ClusterOptions(scheduler), notify=told.append, function=train_made_up) as run:
        assert dict(run([BAD, GOOD])) == {BAD: "RuntimeError: made to fail", GOOD: trained(GOOD)}
        assert dict(run([])) == {}
        assert dict(run([GOOD])) == {GOOD: trained(GOOD)}
    assert told == []


def refuse(task: InstanceTask) -> Trained:
    raise TrainingError("The loss is not a number.")


def test_a_plain_error_of_a_worker_is_told_as_it_is(scheduler: str) -> None:
    with Runner(TRAINING, ClusterOptions(scheduler), function=refuse) as run:
        assert dict(run([GOOD])) == {GOOD: "The loss is not a number."}


BEGUN: list[Instance] = []
LET_GO = threading.Event()


def wait_unless_first(task: InstanceTask) -> Trained:
    BEGUN.append(task.instance)
    assert task.instance == GOOD or LET_GO.wait(WAIT_S)
    return trained(task.instance)


def test_who_stops_waiting_takes_the_rest_back(scheduler: str) -> None:
    others = [Instance(0.5, gamma / 100, 0.5) for gamma in range(2, 60)]
    with Runner(TRAINING, ClusterOptions(scheduler), function=wait_unless_first) as run:
        for one, _ in run([GOOD, *others]):
            assert one == GOOD
            break
    LET_GO.set()
    with Runner(TRAINING, ClusterOptions(scheduler), function=train_made_up) as run:
        assert dict(run([GOOD])) == {GOOD: trained(GOOD)}
    assert BEGUN[0] == GOOD
    assert len(BEGUN) <= 3, "of 58 instances that nobody waits for, the one at work is finished"


def where_it_ran(task: InstanceTask) -> Trained:
    loopback = {
        address.laddr.ip for address in psutil.Process().net_connections("inet") if address.status == "LISTEN"
    }
    numbers = {"pid": os.getpid(), "threads": task.threads or 0, "elsewhere": len(loopback - {"127.0.0.1"})}
    return Trained({name: float(value) for name, value in numbers.items()}, {}, 0.0)


def test_on_processes_of_its_own_that_nobody_else_can_reach() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with Runner(TRAINING, ClusterOptions(workers=1, device="cpu"), function=where_it_ran) as run:
        (one,) = (outcome for _, outcome in run([GOOD]))
        listening = [
            address.laddr
            for address in psutil.Process().net_connections("inet")
            if address.status == "LISTEN"
        ]
    assert isinstance(one, Trained)
    assert one.losses["pid"] not in {os.getpid(), *before}
    assert one.losses["threads"] >= 1
    assert one.losses["elsewhere"] == 0
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert 8787 not in {address.port for address in listening}
    assert not psutil.pid_exists(int(one.losses["pid"]))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x", "tcp://127.0.0.1"])
def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(runners, "CONNECT_SECONDS", 0.5)
    with (
        Runner(TRAINING, ClusterOptions(address), function=train_made_up) as run,
        pytest.raises(TuningError, match=r"no dask scheduler at .*dask scheduler"),
    ):
        list(run([GOOD]))


def test_nothing_is_started_for_nothing() -> None:
    with Runner(TRAINING, ClusterOptions("tcp://127.0.0.1:9"), function=train_made_up) as run:
        assert list(run([])) == []


def test_impossible_places() -> None:
    with pytest.raises(TuningError, match="1 or more"):
        ClusterOptions(workers=0)
    with pytest.raises(TuningError, match="--scheduler"):
        ClusterOptions("tcp://127.0.0.1:9", workers=2)
    with pytest.raises(DeviceError):
        ClusterOptions(device="abacus")
    ClusterOptions("tcp://127.0.0.1:9", device="cuda:7")  # this machine need not have what the cluster has


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

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

import fusion.cli.tune
from fusion.cli.main import app
from fusion.training.tuning.instance import Instance, InstanceTraining, Trained
from fusion.training.tuning.workers import TuningWorkers
from fusion.work import engines
from fusion.work.engines import Security
from tests.unit.made_up_tuning import trained

REDUCED = (
    "--lambda",
    "0.8",
    "--lambda",
    "0.99",
    "--gamma-ssim",
    "0.3",
    "--gamma-ssim",
    "0.5",
    "--gamma-l2",
    "0.5",
)
PICTURES = ["results.png", "results.svg"]
FILES = ["results.csv", "choice.json", *PICTURES]


class MadeUpTrainer:
    """Stands in for the cluster; what it was asked for is kept in the class."""

    made: ClassVar[list[MadeUpTrainer]]
    stop_after: ClassVar[int | None]
    failing: ClassVar[bool]

    def __init__(
        self, folder: Path, training: InstanceTraining, where: TuningWorkers, keep_weights: bool, notify: Any
    ) -> None:
        self.training = training
        self.where = where
        self.keep_weights = keep_weights
        self.asked: list[Instance] = []
        self.made.append(self)

    def __enter__(self) -> MadeUpTrainer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, instances: Sequence[Instance]) -> Iterator[tuple[Instance, Trained | str]]:
        for one in instances:
            if len(self.asked) == self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(one)
            yield one, "[it] failed" if self.failing and one.gamma_ssim != 0.5 else trained(one)


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch) -> type[MadeUpTrainer]:
    """Replace the cluster by writing down what would be trained on it, and the picture, which takes a second."""

    class Fresh(MadeUpTrainer):
        made: ClassVar[list[MadeUpTrainer]] = []
        stop_after = None
        failing = False

    monkeypatch.setattr(fusion.cli.tune, "trainer", Fresh)
    monkeypatch.setattr(
        fusion.cli.tune, "write_picture", lambda folder, *_: [folder / name for name in PICTURES]
    )
    return Fresh


def run(*arguments: str, expect: int = 0) -> Any:
    result = CliRunner().invoke(app, ["tune", *arguments], terminal_width=200, env={"COLUMNS": "200"})
    assert result.exit_code == expect, result.output
    assert "Traceback" not in result.output
    return result


def test_help_says_what_it_does() -> None:
    text = run("--help").stdout
    for option in (
        "--lambda",
        "--gamma-ssim",
        "--gamma-l2",
        "--refinements",
        "--scheduler",
        "--keep-weights",
    ):
        assert option in text
    assert "0.01, 0.2, 0.5, 0.8, 0.99" in text


def test_the_papers_search_by_default(
    clusters: type[MadeUpTrainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run()
    (cluster,) = clusters.made
    assert len(cluster.asked) == 125 + 5 * 8 + 6
    assert cluster.training == InstanceTraining("funfusean", steps=400)
    assert (cluster.where, cluster.keep_weights) == (TuningWorkers(), False)
    assert sorted(path.name for path in (tmp_path / "tune_funfusean").iterdir()) == sorted(
        ["results.csv", "choice.json", "plan.json", "instances.jsonl"]
    )


def test_a_reduced_search(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    result = run(
        "masknet", *REDUCED, "--last-lambda", "1.0", "--steps", "7", "--seed", "3", "--patch", "64",
        "--batch", "4", "--learning-rate", "0.01", "--workers", "2", "--device", "cpu", "--keep-weights",
        "-o", str(tmp_path),
    )  # fmt: skip
    (cluster,) = clusters.made
    assert cluster.training == InstanceTraining("masknet", 7, 3, 64, 4, 0.01)
    assert (cluster.where, cluster.keep_weights) == (TuningWorkers(None, 2, "cpu"), True)
    # Four of the grid, 0.4 and 0.6 beside 0.5 for both λ, and λ = 1 with the best γ.
    assert len(cluster.asked) == 4 + 4 + 1
    assert result.stdout.split() == [str(tmp_path / name) for name in FILES]
    assert "λ 0.8, γ_ssim 0.3, γ_l2 0.5: dissimilarity 0.2223, imbalance 0.0960" in result.stderr
    assert "Chosen: λ 0.99, γ_ssim 0.4, γ_l2 0.5, by the lowest dissimilarity of those" in result.stderr
    command = "python -m fusion train masknet --lambda 0.99 --gamma-ssim 0.4 --gamma-l2 0.5"
    assert f"Train with it: {command}\n" in result.stderr
    assert json.loads((tmp_path / "choice.json").read_text())["command"] == command


def test_one_stage_alone(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    run(*REDUCED, "--refinements", "0", "--no-last-stage", "-o", str(tmp_path))
    assert len(clusters.made[0].asked) == 4


def test_a_search_that_was_stopped_goes_on(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    clusters.stop_after = 3
    result = run(*REDUCED, "-o", str(tmp_path), expect=130)
    # In one line, however long the folder's name is.
    assert f"Stopped. 3 instances are kept in {tmp_path}: the same command goes on.\n" in result.stderr
    assert not (tmp_path / "choice.json").exists()
    clusters.stop_after = None
    with (tmp_path / "instances.jsonl").open("a") as file:
        file.write('{"lambda"')
    result = run(*REDUCED, "-o", str(tmp_path))
    assert f"{tmp_path} has 3 instances; going on.\n" in result.stderr
    assert "The last line" in result.stderr
    first, second = clusters.made
    assert not set(first.asked) & set(second.asked)
    result = run(*REDUCED, "-o", str(tmp_path))
    assert clusters.made[-1].asked == []
    assert result.stdout.split() == [str(tmp_path / name) for name in FILES]


def test_failures_are_shown(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    clusters.failing = True
    arguments = (*REDUCED, "--refinements", "0", "--no-last-stage", "-o", str(tmp_path))
    result = run(*arguments)
    assert "λ 0.8, γ_ssim 0.3, γ_l2 0.5 failed: [it] failed" in result.stderr
    assert "2 of 4 instances failed; --retry-failed" in result.stderr
    clusters.failing = False
    run(*arguments, "--retry-failed")
    assert [one.gamma_ssim for one in clusters.made[-1].asked] == [0.3, 0.3]


def test_the_table_fits_a_narrow_terminal(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    arguments = ["tune", *REDUCED, "--last-lambda", "0.999999", "-o", str(tmp_path)]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert "…" not in result.stderr
    rows = [line.split() for line in result.stderr.splitlines() if line.rstrip().endswith("chosen")]
    assert [" ".join(row) for row in rows] == [
        "0.99 0.4 0.5 0.209 0.193 0.0150 0.0150 0.016 +0.001 +0.050 2 chosen"
    ]


def test_long_tables_are_cut(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    result = run("--refinements", "0", "--no-last-stage", "-o", str(tmp_path))
    assert "95 more are in results.csv" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "There is no method 'nothing'"),
        (["weighted_averaging"], "nothing to tune"),
        (["--lambda", "1.5"], "λ is a share from 0 to 1"),
        (["--gamma-l2", "nan"], "γ_l2 is a share"),
        (["--steps", "0"], "--steps"),
        (["--patch", "8"], "32 to 256"),
        (["--batch", "0"], "at least 1"),
        (["--recipe", "soup"], "'soup' is not one of 'cpu', 'paper'"),
        (["--workers", "0"], "1 or more"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "--workers starts processes here"),
        (["--scheduler", "tcp://10.0.0.7:8786"], "everybody on the way could run programs"),
        (["--scheduler", "tls://10.0.0.7:8786"], "encryption needs three files"),
        (["--device", "abacus"], "Unknown device"),
        (["-o", "/proc/x"], "cannot be kept in /proc/x"),
    ],
)
def test_mistakes_are_found_before_any_training(
    clusters: type[MadeUpTrainer], tmp_path: Path, arguments: list[str], words: str
) -> None:
    output = [] if "-o" in arguments else ["-o", str(tmp_path / "new")]
    assert words in run(*arguments, *output, expect=2).stderr
    assert clusters.made == []
    assert not (tmp_path / "new").exists()


def test_another_search_in_the_folder_is_refused(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    run(*REDUCED, "-o", str(tmp_path))
    assert "steps 400 there, 8 here" in run(*REDUCED, "--steps", "8", "-o", str(tmp_path), expect=2).stderr
    assert len(clusters.made) == 1


def test_what_proves_to_a_cluster_who_one_is(clusters: type[MadeUpTrainer], tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")]
    for file in files:
        file.write_text("")
    tls = ("--scheduler", "tls://10.0.0.7:8786", "--tls", *map(str, files))
    run(*REDUCED, *tls, "-o", str(tmp_path / "search"))
    assert clusters.made[-1].where == TuningWorkers(tls[1], security=Security(*map(str, files)))
    open_network = ("--scheduler", "tcp://10.0.0.7:8786", "--trust-network")
    run(*REDUCED, *open_network, "-o", str(tmp_path / "search"))
    assert clusters.made[-1].where == TuningWorkers(open_network[1], trusted=True)


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "CONNECT_SECONDS", 0.5)
    result = run(*REDUCED, "--scheduler", "tcp://127.0.0.1:9", "-o", str(tmp_path), expect=2)
    assert "There is no dask scheduler at tcp://127.0.0.1:9" in result.stderr
    assert "dask worker ADDRESS" in result.stderr

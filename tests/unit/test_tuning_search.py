"""A search in its stages, and the folder that keeps its results."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fusion.errors import OutputError
from fusion.training.tuning.instance import Instance, InstanceResult, Trained, TuningError
from fusion.training.tuning.outcome import write_outcome, write_picture
from fusion.training.tuning.plan import SearchPlan, choose
from fusion.training.tuning.search import Search, SearchProgress
from fusion.training.tuning.store import open_store
from tests.unit.made_up_tuning import TRAINING, made_up_result, trained

SMALL = SearchPlan((0.8, 0.99), (0.3, 0.5, 0.7), (0.5,), refinements=1, last_lambdas=(0.99, 0.999, 1.0))
"""6 of the grid, 2 neighbours for each λ, 2 last λ: 0.99 is in the grid already."""


class Trainer:
    """Trains made-up networks, writes down which, and stops after some."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.asked: list[Instance] = []
        self.stop_after = stop_after

    def __call__(self, instances: Sequence[Instance]) -> Iterator[tuple[Instance, Trained | str]]:
        for one in reversed(instances):  # the first to be asked for need not be the first to be finished
            if len(self.asked) == self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(one)
            yield one, self.outcome(one)

    def outcome(self, instance: Instance) -> Trained | str:
        return trained(instance)


def search(
    folder: Path,
    trainer: Trainer,
    plan: SearchPlan = SMALL,
    seen: list[SearchProgress] | None = None,
    retry_failed: bool = False,
) -> list[InstanceResult]:
    report = (lambda now: None) if seen is None else seen.append
    with open_store(folder, plan, TRAINING) as store:
        return Search(plan, store, trainer, report, retry_failed).go()


def test_the_stages(tmp_path: Path) -> None:
    trainer, seen = Trainer(), list[SearchProgress]()
    results = search(tmp_path, trainer, seen=seen)
    stages = [(one.stage, one.instance) for one in results]
    assert len(stages) == len(trainer.asked) == len(set(trainer.asked)) == 6 + 4 + 2
    # Balanced is γ_ssim 0.42: of the grid 0.5 comes closest, of its neighbours 0.4.
    refined = [instance for stage, instance in stages if stage == "refinement"]
    assert sorted(refined) == [
        Instance(lambda_, gamma, 0.5) for lambda_ in (0.8, 0.99) for gamma in (0.4, 0.6)
    ]
    assert sorted(instance for stage, instance in stages if stage == "lambda") == [
        Instance(0.999, 0.4, 0.5),
        Instance(1.0, 0.4, 0.5),
    ]
    choice = choose(results)
    assert choice is not None and choice.result.instance.lambda_ == 0.999
    assert [now.finished for now in seen if now.result is not None] == list(range(1, 13))
    assert seen[-1].best == choice.result
    assert {now.total for now in seen if now.stage != "lambda"} == {SMALL.largest_size} == {6 + 4 + 3}
    assert seen[-1].total == 12


def test_the_papers_search(tmp_path: Path) -> None:
    trainer = Trainer()
    results = search(tmp_path, trainer, SearchPlan())
    assert len(results) == len(trainer.asked) == 125 + 5 * 8 + 6


@pytest.mark.parametrize("stop_after", [0, 3, 7, 9, 11])
def test_a_search_that_was_stopped_goes_on_where_it_was(tmp_path: Path, stop_after: int) -> None:
    whole = search(tmp_path / "whole", Trainer())
    first, second = Trainer(stop_after), Trainer()
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "parts", first)
    results = search(tmp_path / "parts", second)
    assert sorted(results, key=lambda one: one.instance) == sorted(whole, key=lambda one: one.instance)
    assert len(first.asked) == stop_after
    assert len(first.asked + second.asked) == len({*first.asked, *second.asked}) == len(whole)


def test_a_finished_search_trains_nothing(tmp_path: Path) -> None:
    search(tmp_path, Trainer())
    again = Trainer()
    assert len(search(tmp_path, again)) == 12
    assert again.asked == []


def test_a_larger_plan_trains_what_is_new(tmp_path: Path) -> None:
    search(tmp_path, Trainer())
    again = Trainer()
    larger = replace(SMALL, lambdas=(0.5, 0.8, 0.99))
    search(tmp_path, again, larger)
    assert {one.lambda_ for one in again.asked} == {0.5}


class Unlucky(Trainer):
    """Fails at λ = 0.8, in several ways."""

    def outcome(self, instance: Instance) -> Trained | str:
        good = trained(instance)
        if instance.lambda_ != 0.8:
            return good
        if instance.gamma_ssim == 0.3:
            return "out of memory"
        return replace(good, losses={**good.losses, "l2_pet": float("nan")})


def test_failures_do_not_end_a_search(tmp_path: Path) -> None:
    results = search(tmp_path, Unlucky())
    errors = {one.instance.gamma_ssim: one.error for one in results if one.failed}
    assert errors == {
        0.3: "out of memory",
        0.5: "its losses are not numbers",
        0.7: "its losses are not numbers",
    }
    assert not any(one.stage == "refinement" and one.instance.lambda_ == 0.8 for one in results)

    kept, mended = Trainer(), Trainer()
    search(tmp_path, kept)
    assert kept.asked == []
    results = search(tmp_path, mended, retry_failed=True)
    assert len(results) == 12 and not any(one.failed for one in results)
    assert {one.lambda_ for one in mended.asked} == {0.8}


def test_a_grid_of_failures_ends_the_search(tmp_path: Path) -> None:
    plan = replace(SMALL, lambdas=(0.8,))
    with pytest.raises(TuningError, match=r"All 3 instances of the grid failed.*: out of memory"):
        search(tmp_path, Unlucky(), plan)


def test_a_brightness_that_is_not_defined_is_left_out(tmp_path: Path) -> None:
    class NoAir(Trainer):
        def outcome(self, instance: Instance) -> Trained | str:
            return replace(trained(instance), brightness={"background": float("nan"), "shift": 0.01})

    results = search(tmp_path, NoAir())
    assert all(one.brightness == {"background": None, "shift": 0.01} and one.clean for one in results)


def test_table_choice_and_picture(tmp_path: Path) -> None:
    results = [*search(tmp_path, Unlucky()), made_up_result(0.2, background=None, shift=None)]
    choice = choose(results)
    assert choice is not None
    table, chosen = write_outcome(tmp_path, results, choice, TRAINING)
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert len(rows) == len(results)
    assert [row["chosen"] for row in rows].index("yes") == 0
    assert float(rows[0]["lambda"]) == choice.result.instance.lambda_
    assert float(rows[0]["imbalance"]) == pytest.approx(choice.result.imbalance, abs=1e-6)
    assert rows[-1]["error"] and rows[-1]["ssim_mri"] == ""

    content = json.loads(chosen.read_text(encoding="utf-8"))
    instance = choice.result.instance
    assert content["command"] == f"python -m fusion train funfusean {instance.options}"
    assert (content["rule"], content["failed"]) == (choice.rule, 3)
    assert content["lambda"] == instance.lambda_

    png, svg = write_picture(tmp_path, results, choice, SMALL)
    assert png.read_bytes().startswith(b"\x89PNG") and png.stat().st_size > 10_000
    assert "<svg" in svg.read_text(encoding="utf-8")


def test_a_picture_of_a_single_instance(tmp_path: Path) -> None:
    one = made_up_result()
    choice = choose([one])
    assert choice is not None
    paths = write_picture(tmp_path, [one], choice, SearchPlan((0.99,), (0.5,), (0.5,), 0, ()))
    assert all(path.stat().st_size > 5_000 for path in paths)


PLAN = SearchPlan((0.2, 0.8), (0.3, 0.5), (0.5,), refinements=1, last_lambdas=(1.0,))
FIRST, SECOND = made_up_result(0.2, 0.3), made_up_result(0.8, 0.3, error="it failed")


def fill(folder: Path, *results: InstanceResult) -> Path:
    with open_store(folder, PLAN, TRAINING) as store:
        for one in results:
            store.add(one)
    return folder / "instances.jsonl"


def found(folder: Path) -> tuple[list[InstanceResult], list[str]]:
    with open_store(folder, PLAN, TRAINING) as store:
        return list(store.results.values()), store.notices


def test_results_are_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert len(fill(folder, FIRST).read_text().splitlines()) == 1
    fill(folder, SECOND)
    assert found(folder) == ([FIRST, SECOND], [])


def test_of_one_instance_the_last_result_counts(tmp_path: Path) -> None:
    again = made_up_result(0.8, 0.3)
    fill(tmp_path, FIRST, SECOND, again)
    assert found(tmp_path) == ([FIRST, again], [])


@pytest.mark.parametrize("torn", ['{"lambda": 0.8, "gam', '{"lambda": 0.8}\n', "\0\0\0\n"])
def test_a_damaged_last_line_is_taken_out_with_a_notice(tmp_path: Path, torn: str) -> None:
    path = fill(tmp_path, FIRST)
    whole = path.read_text()
    path.write_text(whole + torn)
    results, notices = found(tmp_path)
    assert results == [FIRST]
    assert len(notices) == 1 and "last line" in notices[0]
    assert path.read_text() == whole
    fill(tmp_path, SECOND)
    assert found(tmp_path) == ([FIRST, SECOND], [])


def test_a_last_line_without_its_end_is_not_trusted(tmp_path: Path) -> None:
    path = fill(tmp_path, FIRST, SECOND)
    path.write_text(path.read_text().rstrip("\n"))
    assert found(tmp_path)[0] == [FIRST]


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = fill(tmp_path, FIRST, SECOND)
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(TuningError, match="line 1 is damaged"):
        found(tmp_path)


def test_a_plan_that_only_adds_goes_on(tmp_path: Path) -> None:
    fill(tmp_path, FIRST)
    larger = SearchPlan((0.2, 0.5, 0.8), (0.3, 0.5), (0.5,), refinements=2, last_lambdas=(0.999, 1.0))
    with open_store(tmp_path, larger, TRAINING) as store:
        assert list(store.results.values()) == [FIRST]
    assert json.loads((tmp_path / "plan.json").read_text())["search"]["refinements"] == 2
    with pytest.raises(TuningError, match=r"λ 0\.5; λ of the last stage 0\.999; 2 rounds"):
        found(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 8}, "steps 7 there, 8 here"),
        ({"seed": 1}, "seed 0 there, 1 here"),
        ({"method_id": "masknet"}, "method id funfusean there, masknet here"),
        ({"pairs": ("/a", "/b")}, "pairs None there"),
    ],
)
def test_another_training_is_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    fill(tmp_path, FIRST)
    with (
        pytest.raises(TuningError, match=words),
        open_store(tmp_path, PLAN, replace(TRAINING, **change)),  # type: ignore[arg-type]
    ):
        pass


def test_the_same_pairs_are_the_same(tmp_path: Path) -> None:
    training = replace(TRAINING, pairs=("/a", "/b"))
    for _ in range(2):
        with open_store(tmp_path, PLAN, training):
            pass


def test_two_searches_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        open_store(tmp_path, PLAN, TRAINING),
        pytest.raises(TuningError, match="Another search is running"),
        open_store(tmp_path, PLAN, TRAINING),
    ):
        pass


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": 99}'])
def test_a_damaged_plan_is_refused(tmp_path: Path, content: str) -> None:
    fill(tmp_path, FIRST)
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(TuningError, match=r"plan\.json: this is not the plan"):
        found(tmp_path)


def test_results_without_a_plan_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, FIRST)
    (tmp_path / "plan.json").unlink()
    with pytest.raises(TuningError, match=r"no plan\.json"):
        found(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Choose another --output"):
        fill(tmp_path / "file")


def test_weights_are_kept_beside(tmp_path: Path) -> None:
    with open_store(tmp_path, PLAN, TRAINING) as store:
        store.add(FIRST, {".safetensors": b"weights", ".json": b"{}"})
    assert (tmp_path / "weights" / "lambda-0.2_ssim-0.3_l2-0.5.safetensors").read_bytes() == b"weights"
    assert len(list((tmp_path / "weights").iterdir())) == 2

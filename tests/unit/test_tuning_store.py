from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fusion.errors import OutputError
from fusion.training.tuning.plan import SearchPlan, TuningError
from fusion.training.tuning.result import InstanceResult
from fusion.training.tuning.store import open_store
from tests.unit.made_up_tuning import TRAINING, made_up_result

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

"""Images that networks are trained on: patches, and pairs of folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fusion.data.simulate import simulate_pairs
from fusion.training.batches import WHOLE, Sides, cut_patches, judged
from fusion.training.folders import FolderSource, group_files, match_files
from fusion.training.options import TrainingError
from fusion.training.simulated import POOL, VALIDATION_SEED, SimulatedSource
from tests.unit.phantom import ball_head

HEAD = ball_head()


def source(seed: int = 2, batches_a_slice: int = 2, workers: int = 0) -> SimulatedSource:
    return SimulatedSource(HEAD, seed, batches_a_slice, 3, workers, size=64)


def numbered(height: int, width: int) -> np.ndarray:
    """Return a pair whose pixels tell where they are."""
    return np.arange(2 * height * width, dtype=np.float32).reshape(2, height, width)


def test_a_patch_lies_where_its_sides_say(rng: np.random.Generator) -> None:
    pairs = [numbered(50, 70), numbered(50, 70)]
    seen = set()
    for _ in range(200):
        batch = cut_patches(pairs, 32, rng)
        assert batch.images.shape == (2, 2, 32, 32)
        seen.add(batch.sides)
        for image in batch.images:
            row, column = divmod(int(image[0, 0, 0]), 70)
            np.testing.assert_array_equal(image, pairs[0][:, row : row + 32, column : column + 32])
            if batch.sides.top:
                assert row == 0
            if batch.sides.bottom:
                assert row == 50 - 32
            if batch.sides.left:
                assert column == 0
            if batch.sides.right:
                assert column == 70 - 32
    assert len(seen) == 9


def test_images_of_different_sizes_share_a_patch_that_fits_all(rng: np.random.Generator) -> None:
    for _ in range(20):
        batch = cut_patches([numbered(40, 64), numbered(64, 36)], 48, rng)
        assert batch.images.shape == (2, 2, 40, 36)
        assert not (batch.sides.top and batch.sides.bottom)


def test_an_image_as_large_as_the_patch_is_whole_on_all_sides(rng: np.random.Generator) -> None:
    for patch in (40, 64, None):
        batch = cut_patches([numbered(40, 40)], patch, rng)
        assert batch.sides == WHOLE
        np.testing.assert_array_equal(batch.images[0], numbered(40, 40))


def test_inner_sides_are_cut_and_own_sides_mirrored() -> None:
    image = torch.from_numpy(numbered(20, 20))[None]
    inner = Sides(top=False, bottom=False, left=False, right=False)
    assert torch.equal(judged(image, inner, 3), image[..., 3:-3, 3:-3])
    assert torch.equal(judged(image, inner, 0), image)
    whole = judged(image, WHOLE, 3)
    assert whole.shape == (1, 2, 30, 30)
    assert torch.equal(whole[..., 5:-5, 5:-5], image)
    assert torch.equal(whole[..., 4, 5:-5], image[..., 1, :])
    corner = judged(image, Sides(top=True, bottom=False, left=False, right=True), 4)
    assert corner.shape == (1, 2, 5 + 16, 16 + 5)
    assert torch.equal(corner[..., 5:, :-5], image[..., :16, 4:])


def test_a_batch_depends_on_the_seed_and_its_number_alone() -> None:
    first = source()
    batches = [first.batch(number, 2, 32) for number in range(6)]
    late = source()
    for number in (5, 0, 3):
        np.testing.assert_array_equal(late.batch(number, 2, 32).images, batches[number].images)
        assert late.batch(number, 2, 32).sides == batches[number].sides
    assert not np.array_equal(source(seed=3).batch(0, 2, 32).images, batches[0].images)


def test_the_pool_is_renewed_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.training.simulated.POOL", 3)
    slices = source(batches_a_slice=1)
    sizes = []
    for number in range(6):
        slices.batch(number, 1, None)
        sizes.append(sorted(slices._pool))
    assert sizes == [[0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert POOL == 48


def test_new_slices_for_every_batch() -> None:
    slices = source(batches_a_slice=0)
    shown = [image for number in range(3) for image in slices.batch(number, 2, None).images]
    assert len({image.tobytes() for image in shown}) == 6
    assert slices.batch(1, 2, None).images.shape == (2, 2, 64, 64)


def test_worker_processes_give_the_same_slices() -> None:
    beside, inside = source(workers=2, batches_a_slice=0), source(batches_a_slice=0)
    for number in range(3):
        np.testing.assert_array_equal(beside.batch(number, 2, 32).images, inside.batch(number, 2, 32).images)


def test_validation_slices_do_not_follow_the_seed() -> None:
    expected = simulate_pairs(HEAD, VALIDATION_SEED, 3, 64)
    for seed in (0, 1):
        np.testing.assert_array_equal(np.stack(source(seed).validation()), expected)
    shown = {image.tobytes() for number in range(4) for image in source().batch(number, 1, None).images}
    assert not shown & {pair.tobytes() for pair in expected}


Names = list[str]


def write(folder: Path, names: Names, seed: int = 0, shape: tuple[int, int] = (40, 48)) -> Path:
    rng = np.random.default_rng([seed, len(folder.name)])
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return folder


def folders(root: Path, first: Names, second: Names | None = None) -> tuple[Path, Path]:
    return write(root / "mri", first), write(root / "second", second or first)


def numbered_names(count: int, form: str = "{}.png") -> Names:
    return [form.format(number) for number in range(count)]


def test_files_of_the_same_name_match_whatever_their_format(tmp_path: Path) -> None:
    first, second = folders(tmp_path, ["a.png", "b/c.png"], ["a.gif", "b/c.tif"])
    assert [(pair.first.name, pair.second.name, pair.folder) for pair in match_files(first, second)] == [
        ("a.png", "a.gif", ""),
        ("c.png", "c.tif", "b"),
    ]


def test_what_all_names_of_a_folder_share_does_not_count(tmp_path: Path) -> None:
    first, second = folders(tmp_path, numbered_names(12, "mri_{}_t2.png"), numbered_names(12, "pet_{}.gif"))
    for pair in match_files(first, second):
        assert pair.first.stem.split("_")[1] == pair.second.stem.split("_")[1]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (["a.png", "b.png"], ["a.png"], "No partner.*b.png"),
        (["a.png", "a.gif"], ["a.png"], "same name"),
        (["x1.png", "x2.png"], ["yA.png", "yB.png"], "No partner"),
    ],
)
def test_files_without_a_partner_are_named(tmp_path: Path, first: Names, second: Names, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        match_files(*folders(tmp_path, first, second))


def test_missing_and_empty_folders_are_told(tmp_path: Path) -> None:
    here = write(tmp_path / "here", ["a.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="no such folder"):
        match_files(here, tmp_path / "missing")
    with pytest.raises(TrainingError, match="no pictures"):
        match_files(tmp_path / "empty", here)


def test_pairs_that_share_a_patient_or_a_picture_stay_together(tmp_path: Path) -> None:
    names = ["p1/a.png", "p1/b.png", "p2/c.png", "d.png", "e.png", "f.png"]
    pairs = match_files(*folders(tmp_path, names))
    digests = {path: str(path) for pair in pairs for path in (pair.first, pair.second)}
    digests[tmp_path / "mri" / "d.png"] = digests[tmp_path / "mri" / "p2/c.png"]
    digests[tmp_path / "second" / "e.png"] = digests[tmp_path / "second" / "d.png"]
    groups = [{pair.first.name for pair in group} for group in group_files(pairs, digests)]
    assert sorted(map(sorted, groups)) == [["a.png", "b.png"], ["c.png", "d.png", "e.png"], ["f.png"]]


@pytest.mark.parametrize("seed", range(5))
def test_no_file_and_no_patient_is_on_both_sides(tmp_path: Path, seed: int) -> None:
    names = [f"patient{patient}/{slice}.png" for patient in range(6) for slice in range(4)]
    source = FolderSource(*folders(tmp_path, names), seed=seed)
    assert not {pair.folder for pair in source.training} & {pair.folder for pair in source.held_out}
    assert len(source.training) + len(source.held_out) == 24
    assert len(source.held_out) == 4
    assert source.training_pairs == 20


def test_every_pair_is_shown_once_an_epoch_and_held_out_ones_never(tmp_path: Path) -> None:
    source = FolderSource(*folders(tmp_path, numbered_names(10)), seed=1)
    for epoch in range(2):
        shown = [source._at(epoch * 8 + place) for place in range(8)]
        assert sorted(pair.first.name for pair in shown) == sorted(
            pair.first.name for pair in source.training
        )
    assert not set(source.training) & set(source.held_out)


def test_batches_depend_on_seed_and_number_alone(tmp_path: Path) -> None:
    pair = folders(tmp_path, numbered_names(6))
    first, second = FolderSource(*pair, seed=3), FolderSource(*pair, seed=3)
    for number in (4, 0, 2):
        one, other = first.batch(number, 2, 32), second.batch(number, 2, 32)
        np.testing.assert_array_equal(one.images, other.images)
        assert one.sides == other.sides
        assert one.images.shape == (2, 2, 32, 32)
        assert one.images.min() >= 0
        assert one.images.max() <= 1


def test_whole_images_of_a_batch_have_one_size_and_large_ones_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.training.folders.LARGEST_SIDE", 64)
    for name, shape in (("a", (40, 48)), ("b", (70, 90)), ("c", (40, 48)), ("d", (90, 40))):
        for folder in ("mri", "second"):
            write(tmp_path / folder, [f"{name}.png"], ord(name), shape)
    source = FolderSource(tmp_path / "mri", tmp_path / "second", seed=0)
    shapes = {source.batch(number, 2, None).images.shape for number in range(12)}
    assert len(shapes) >= 2
    assert all(max(shape[2:]) <= 64 for shape in shapes)
    assert all(max(pair.shape[1:]) <= 64 for pair in source.validation())


def test_what_cannot_be_trained_on_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be split"):
        FolderSource(*folders(tmp_path / "one", ["a.png"]), seed=0)
    with pytest.raises(TrainingError, match="cannot be split"):
        FolderSource(*folders(tmp_path / "patient", ["p/a.png", "p/b.png"]), seed=0)
    small = tmp_path / "small"
    write(small / "mri", ["a.png", "b.png"], shape=(20, 20))
    write(small / "second", ["a.png", "b.png"], shape=(20, 20))
    with pytest.raises(TrainingError, match="too few to train on"):
        FolderSource(small / "mri", small / "second", seed=0)
    broken = folders(tmp_path / "broken", numbered_names(3))
    (broken[0] / "1.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match=r"1\.png.*Mend or remove"):
        FolderSource(*broken, seed=0)

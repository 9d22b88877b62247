from __future__ import annotations

import numpy as np
import pytest
import torch

from fusion.data.simulate import simulate_pairs
from fusion.training.batches import WHOLE, Sides, cut_patches, judged
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

"""Air: where it is, and what leaves it out: regions, scales, figures for the screen and for print; all by hand."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import fusion
from app.export.content import FigureContent, method_picture
from app.figures.images import air_hatching, cut_out, gradient_figure, gradient_zoom, rgb_figure
from app.figures.parts import colour_scale
from app.ids import CompareColumn
from app.link.view_state import CompareState
from cache.services.exports import ExportArrays, MethodArrays
from cache.services.scenes import Scene
from fusion.colours import Grays, Limits, Ranges, Scale, counted, gray_range, guidance_rgb, hatched
from fusion.pair import Pair
from fusion.saliency.window import Box
from fusion.statistics.guidance import guidance_statistics
from fusion.statistics.regions import Region, air_mask, described_air, inside_head, whole_image, without_air

STRIPE, GROUND = [112, 116, 122], [52, 55, 60]
AIR = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
"""Around a head of 2 by 3 pixels."""
HATCHES = [
    [STRIPE, STRIPE, GROUND, GROUND, GROUND],
    [STRIPE, GROUND, GROUND, GROUND, GROUND],
    [GROUND, GROUND, GROUND, GROUND, STRIPE],
    [GROUND, GROUND, GROUND, STRIPE, STRIPE],
]


def head() -> Pair:
    """Return a head with a dark pixel in it, which no dark ones connect with the border."""
    first = np.zeros((7, 9), dtype=np.float32)
    first[2:5, 3:7] = 1
    first[3, 4] = 0
    second = np.zeros_like(first)
    second[4, 6] = 1
    second[0, 0] = 0.05  # noise of the air
    return Pair(np.stack([first, second]))


def photograph() -> Pair:
    """Return a pair that is no head in air; in three pixels neither image has anything, in one only the first."""
    images = np.full((2, 4, 5), 0.5, dtype=np.float32)
    images[:, 0, 0] = images[:, 2, 2] = images[:, 2, 3] = 0
    images[0, 3, 4] = 0
    images[:, 1, 1] = 1
    return Pair(images)


def test_air_is_what_is_outside_of_the_head() -> None:
    air = fusion.air_mask(head())
    inside = np.zeros((7, 9), dtype=bool)
    inside[2:5, 3:7] = True
    assert (~air == inside).all() and np.count_nonzero(air) == 63 - 12


def test_where_there_is_no_head_air_is_where_both_images_are_0() -> None:
    pair = photograph()
    assert inside_head(pair).mask.all()
    assert np.argwhere(air_mask(pair)).tolist() == [[0, 0], [2, 2], [2, 3]]


def test_regions_lose_their_air_and_the_whole_image_goes() -> None:
    mine = np.zeros((7, 9), dtype=bool)
    mine[:3, :5] = True
    regions = [whole_image((7, 9)), inside_head(head()), Region("mine", mine, replaces=True)]
    found = without_air(regions, air_mask(head()))
    assert [(one.name, one.size, one.replaces) for one in found] == [("head", 12, False), ("mine", 2, True)]
    assert np.argwhere(found[1].mask).tolist() == [[2, 3], [2, 4]]
    assert without_air(regions, np.zeros((7, 9), dtype=bool)) == regions, (
        "where there is none, nothing changes"
    )


def test_numbers_are_of_what_is_left() -> None:
    guidance = np.full((2, 4, 5), 0.5)
    guidance[0, 1, 1:4], guidance[1, 2, 1:4] = (1, 2, 3), (-1, 0, 1)
    (found,) = without_air([Region("mine", np.ones((4, 5), dtype=bool))], AIR)
    numbers = guidance_statistics(guidance, found)
    assert numbers.n == 6
    assert numbers.x1.mean == pytest.approx((6 + 1.5) / 6) and numbers.x2.mean == pytest.approx(1.5 / 6)


def test_a_file_says_how_much_is_air_and_whether_it_counts() -> None:
    said = described_air(AIR, (4, 5), counts=False)["air"]
    assert (said["pixels"], said["of"], said["left_out"]) == (14, 20, True)
    assert described_air(None, (4, 5), counts=True)["air"]["pixels"] == 0


def values() -> NDArray[np.float32]:
    """Return guidance images of which the largest and smallest values are in the air."""
    guidance = np.full((2, 4, 5), 9.0, dtype=np.float32)
    guidance[:, 0, 0] = -9
    guidance[0, 1:3, 1:4], guidance[1, 1:3, 1:4] = [[0, 1, 2], [2, 1, 0]], [[4, 3, 4], [3, 4, 3]]
    return guidance


def test_scales_and_ranges_end_where_the_head_ends() -> None:
    shown = counted(values(), AIR)
    assert Limits.of(shown) == Limits(4.0, 4.0, 4.0)
    rgb = guidance_rgb(shown, np.arange(20.0).reshape(4, 5))
    assert rgb[1, 1:4, 0].tolist() == [0, 0.5, 1] and rgb[1, 1:4, 1].tolist() == [1, 0, 1]
    assert rgb[0, :, :2].tolist() == [[0, 0]] * 5 and rgb[3, 4, 2] == 1, "blue is the whole fused image"
    common = guidance_rgb(shown, np.arange(20.0).reshape(4, 5), Ranges.COMMON)
    assert common[1, 1:4, 0].tolist() == [0, 0.25, 0.5] and common[1, 1:4, 1].tolist() == [1, 0.75, 1]
    assert counted(values(), None).tolist() == values().tolist()


def test_fused_images_have_one_gray_scale_unless_asked() -> None:
    image = np.array([-0.5, 0.25, 2.0])
    assert gray_range(image, Grays.UNIT) == (0.0, 1.0) and gray_range(image, Grays.OWN) == (-0.5, 2.0)


def decoded(source: str) -> NDArray[np.uint8]:
    """Return the bytes of a picture in a figure."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_plotly_has_nothing_over_the_hatching_of_air() -> None:
    meta, colours = {"pair": "content"}, colour_scale(Scale.PAPER, 1.0, Limits(4.0, 4.0, 4.0))
    shown = counted(values(), AIR)
    heatmap, picture = gradient_figure(shown[0], "Guidance", colours, meta, "MRI", AIR)["data"]
    numbers = np.frombuffer(base64.b64decode(heatmap["z"]["bdata"]), dtype="<f4").reshape(4, 5)
    assert (np.isnan(numbers) == AIR).all() and (numbers[~AIR] == values()[0][~AIR]).all()
    found = decoded(picture["source"])
    assert found[..., :3].tolist() == HATCHES and (found[..., 3] == np.where(AIR, 255, 0)).all()
    whole = decoded(rgb_figure(np.zeros((4, 5, 3)), "RGB", meta, AIR)["data"][0]["source"])
    assert whole[AIR].tolist() == np.array(HATCHES)[AIR].tolist() and not whole[~AIR].any()


def test_a_zoom_has_the_hatching_of_its_place() -> None:
    colours = colour_scale(Scale.PAPER, 1.0, Limits(4.0, 4.0, 4.0))
    part = cut_out(counted(values(), AIR)[0], (3, 3), 1)
    zoom = gradient_zoom(part, "Zoom", colours, {}, "MRI", cut_out(air_hatching(AIR), (3, 3), 1))
    picture = zoom["data"][1]
    assert (picture["x0"], picture["y0"], picture["dx"], picture["dy"]) == (-1, -1, 1, 1)
    found = decoded(picture["source"])
    assert found[..., 3].tolist() == [[0, 0, 255], [255, 255, 255], [0, 0, 0]], (
        "and nothing outside of the image"
    )
    assert found[0, 2, :3].tolist() == STRIPE and found[1, :, :3].tolist() == [GROUND, STRIPE, STRIPE]


def exported(without: NDArray[np.bool_] | None) -> ExportArrays:
    """Return a view of one method with the guidance images of `values`."""
    scene = Scene(
        pair_id="fedcba9876543210", pair_address="pair", pair_title="Pair", modalities=("MRI", "PET"), simulated=True,
        about="", default_pixel=None, method_id="one", method_title="One", method_note="", weights_id="0" * 16,
        height=4, width=5, support_radius=(1, 1), device="cpu",
    )  # fmt: skip
    fused = np.linspace(-0.5, 1.5, 20).reshape(4, 5)
    jacobians = {"a": np.zeros((2, 4, 5))}
    one = MethodArrays(scene, fused, values(), np.zeros((4, 5, 3)), jacobians, {"a": Box(0, 0, 4, 5)})
    return ExportArrays(np.zeros((2, 4, 5)), (one,), {"a": (1, 1)}, {}, air=AIR, without=without)


def test_print_is_hatched_too_and_its_scale_ends_where_the_head_ends() -> None:
    state = CompareState(methods=("one",), scale=Scale.PAPER, gamma2=1.0)
    content = FigureContent.of(exported(AIR), state)
    assert content.ends.gradients == (4.0,) and content.ends.grays == ((0.0, 1.0),)
    low, high = content.ends.axes[0]
    assert (low, high) == pytest.approx((-0.08, 2.08)), "axes of scatterplots have a margin of 4 %"
    for column in (CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET, CompareColumn.GUIDANCE_RGB):
        found = method_picture(content.view, state, content.ends, 0, column, "a")
        assert found[AIR].tolist() == np.array(HATCHES)[AIR].tolist(), column
    pet = method_picture(content.view, state, content.ends, 0, CompareColumn.GUIDANCE_PET, "a")
    assert pet[1, 1].tolist() == [253, 231, 37], "the largest value of the head is the end of the palette"
    own = FigureContent.of(exported(None), replace_state(state))
    assert own.ends.gradients == (9.0,) and own.ends.grays == ((-0.5, 1.5),)
    assert method_picture(own.view, state, own.ends, 0, CompareColumn.GUIDANCE_PET, "a")[0, 1].tolist() == [
        253,
        231,
        37,
    ]


def replace_state(state: CompareState) -> CompareState:
    """Return the same with the air, and with the gray scale of the image."""
    return state.model_copy(update={"air": True, "gray": Grays.OWN})


def test_a_picture_that_leaves_nothing_out_is_the_same() -> None:
    picture = np.zeros((4, 5, 3), dtype=np.uint8)
    assert hatched(picture, None) is picture
    assert replace(exported(AIR), without=None).air is AIR

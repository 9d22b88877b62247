"""Regions of interest: drawn on pictures or scatterplots, shown everywhere, kept in links and PNG masks."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

import fusion
from fusion.statistics.region_code import decode_mask, encode_mask
from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import at_rest, choose_mode, wait_until
from tests.browser.pictures import place as place_of
from tests.browser.test_compare_page import open_compare, place
from tests.running_server import SHAPE

GREEN = "#00c853"
REGIONS = (
    """() => fusevis.regions.all().map(({ name, colour, code, count }) => ({ name, colour, code, count }))"""
)
COLOURED = """([selector, colour]) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  let count = 0;
  const like = (at) => parts.every((part, i) => Math.abs(data[at + i] - part) < 3);
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200 && like(at)) count += 1;
  return count;
}"""
PLOT = """([method, x, y]) => {
  const { table, scatter, state } = fusevis.compare;
  const picture = table.shown().pictures.find((one) => one.kind === "scatter" && one.scene.method_id === method);
  const area = scatter.plot(picture.box);
  const [[x0, x1], [y0, y1]] = scatter.ranges();
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  return [left + area.left + (x - x0) / (x1 - x0) * area.width, top + area.top + (y1 - y) / (y1 - y0) * area.height];
}"""


SCATTERPLOT = """([across, down]) => {
  const box = fusevis.graphs.graph("panel-scatter").getBoundingClientRect();
  const { left, top, width, height } = fusevis.graphs.area("panel-scatter");
  return [box.left + left + across * width, box.top + top + down * height];
}"""


def corners(rows: tuple[int, int], columns: tuple[int, int]) -> list[tuple[float, float]]:
    """Return where a box begins and ends that holds the middles of these pixels, and of no others."""
    return [(rows[0] - 0.3, columns[0] - 0.3), (rows[1] + 0.3, columns[1] + 0.3)]


def masks(page: Page) -> dict[str, NDArray[np.bool_]]:
    return {region["name"]: decode_mask(region["code"], SHAPE) for region in page.evaluate(REGIONS)}


def drag(page: Page, points: list[tuple[float, float]], key: str | None = None) -> None:
    page.mouse.move(*points[0])
    if key:
        page.keyboard.down(key)
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def box(rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = True
    return mask


def test_a_box_on_any_picture_is_a_region_of_all(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    assert "Choose Box or Lasso" in page.inner_text("#region-panel")
    page.click("[data-tool=box]")
    drag(page, [place(page, *corner) for corner in corners((10, 20), (8, 30))])
    np.testing.assert_array_equal(masks(page)["region"], box((10, 20), (8, 30)))
    drag(page, [place(page, *corner, "guidance") for corner in corners((15, 30), (25, 40))], "Shift")
    joined = box((10, 20), (8, 30)) | box((15, 30), (25, 40))
    np.testing.assert_array_equal(masks(page)["region"], joined)
    drag(page, [place(page, *corner, "inputs") for corner in corners((0, 12), (0, 12))], "Alt")
    joined &= ~box((0, 12), (0, 12))
    np.testing.assert_array_equal(masks(page)["region"], joined)
    chosen = page.evaluate("fusevis.compare.state.a.pixel")
    assert chosen == {"row": 0, "col": 0}, "where the pointer began to draw, and nowhere on its way"
    (region,) = page.evaluate(REGIONS)
    page.wait_for_function("() => location.search.includes('regions=')")
    wait_until(page, lambda: page.evaluate(COLOURED, [".compare-canvas", region["colour"]]) > 500)
    page.click("#region-invert")
    np.testing.assert_array_equal(masks(page)["region"], ~joined)
    page.click("#region-clear")
    assert not masks(page)["region"].any()
    page.wait_for_function("() => !location.search.includes('regions=')")


@pytest.fixture(scope="module")
def guidance(server: Server) -> NDArray[np.floating]:
    """Return DeepFuse's guidance images of the server's pair."""
    return fusion.guidance(fusion.load_method("deepfuse", "cpu"), fusion.load_pair(*server.pair_paths))


@pytest.mark.parametrize("tool", ["box", "lasso"])
def test_points_of_a_scatterplot_are_pixels_of_all_pictures(
    share_page: Opener, server: Server, guidance: NDArray[np.floating], tool: str
) -> None:
    page = open_compare(share_page, server)
    low, high = np.quantile(guidance.reshape(2, -1), [0.3, 0.7], axis=1)
    page.click("#region-open")
    page.click(f"[data-tool={tool}]")
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    where = [at_rest(page, PLOT, ["deepfuse", float(x), float(y)]) for x, y in corners]
    drag(page, [where[0], where[2]] if tool == "box" else [*where, where[0]])
    found = masks(page)["region"]
    expected = ((guidance >= low[:, None, None]) & (guidance <= high[:, None, None])).all(axis=0)
    assert expected.sum() > 20
    # A pixel of the screen is some hundredths of a gradient: what lies on the border may fall to either side.
    assert (found != expected).mean() < 0.03
    assert (found & expected).sum() > 0.8 * expected.sum()


def test_brushing_on_the_explore_page_goes_both_ways(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=deepfuse")
    choose_mode(page, "Box")
    drag(page, [place_of(page, "panel-pet", *corner) for corner in corners((5, 25), (6, 36))])
    np.testing.assert_array_equal(masks(page)["region"], box((5, 25), (6, 36)))
    (region,) = page.evaluate(REGIONS)
    panels = ("panel-mri", "panel-fused", "panel-guidance-rgb", "panel-jacobian-pet", "panel-scatter")
    canvases = [f"section[data-panel={panel}] .region-canvas" for panel in panels]
    wait_until(page, lambda: all(page.evaluate(COLOURED, [one, region["colour"]]) > 30 for one in canvases))
    assert page.evaluate("fusevis.state.pinned") is False
    choose_mode(page, "Lasso")
    (left, top), (right, bottom) = (
        at_rest(page, SCATTERPLOT, [across, down]) for across, down in ((0, 0), (1, 1))
    )
    around = [(left + 2, top + 2), (right - 2, top + 2), (right - 2, bottom - 2), (left + 2, bottom - 2)]
    drag(page, [*around, around[0]])
    assert masks(page)["region"].mean() > 0.99, "around all points"


def seen(page: Page, panel: str, colour: str) -> int:
    """Return how many of a panel's pixels have this colour for the eye, whatever lies over what."""
    picture = page.locator(f"section[data-panel={panel}]").screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(pixels - parts).max(axis=2) < 12).sum())


def test_a_region_is_seen_at_rest_and_while_the_pointer_moves(open_page: Opener, server: Server) -> None:
    colour = "#1060ff"
    page = open_page(f"?pair={server.pair}&method=deepfuse&regions=box~{colour[1:]}~b4.4.30.40")
    outlined = ["panel-fused", "panel-jacobian-mri", "panel-jacobian-pet", "panel-jacobian-pet-zoom"]

    def check() -> None:
        for panel in outlined:
            assert seen(page, panel, colour) > 60, panel
        assert seen(page, "panel-scatter", colour) > 20
        assert seen(page, "panel-scatter", GREEN) > 20, "the neighbourhood's points are on top"

    page.wait_for_function("() => fusevis.regions.all().length === 1")
    page.mouse.move(*place_of(page, "panel-mri", 20, 16))
    page.mouse.move(*place_of(page, "panel-mri", 21, 15))
    page.wait_for_function("() => fusevis.state.window.row === 21 && fusevis.state.window.col === 15")
    check()
    wait_until_settled(page)
    check()


def test_masks_come_from_the_pair_and_from_files_and_go_back_to_files(
    share_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    page.wait_for_function("() => document.querySelector('#region-known').title.includes('No masks')")
    assert page.is_disabled("#region-known")
    mask = np.random.default_rng().random(SHAPE) > 0.5
    Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "my lesion.png")
    Image.fromarray(np.full((5, 5), 255, dtype=np.uint8)).save(tmp_path / "small.png")
    choose_files(page, [tmp_path / "my lesion.png"])
    page.wait_for_function("() => fusevis.regions.all().length === 1")
    np.testing.assert_array_equal(masks(page)["my lesion"], mask)
    with page.expect_download() as download:
        page.click("#region-export")
    assert download.value.suggested_filename == "my lesion.png"
    saved = np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())).convert("L"))
    np.testing.assert_array_equal(saved > 127, mask)
    choose_files(page, [tmp_path / "small.png"])
    page.wait_for_function("() => document.querySelector('.region-message').textContent.includes('5×5')")
    assert list(masks(page)) == ["my lesion"]


def test_regions_are_part_of_a_link(open_page: Opener, server: Server) -> None:
    few, many = box((3, 9), (4, 20)), np.random.default_rng().random(SHAPE) > 0.5
    assert len(encode_mask(many)) > 600
    page = open_compare(open_page, server)
    page.evaluate(
        """([few, many]) => {
            const { decode } = fusevis.regionCode;
            fusevis.regions.add("core, or so?", decode(few, 48, 60));
            fusevis.regions.add("noise", decode(many, 48, 60));
        }""",
        [encode_mask(few), encode_mask(many)],
    )
    page.wait_for_function("() => location.search.includes('~s')")
    search = page.evaluate("location.search")
    assert len(search) < 2000
    other = open_page(f"compare{search}", settled=False,
                      ready="() => window.fusevis?.regions && fusevis.regions.all().length === 2")  # fmt: skip
    assert other.evaluate(REGIONS) == page.evaluate(REGIONS)
    np.testing.assert_array_equal(masks(other)["noise"], many)
    other.wait_for_function("(search) => location.search === search", arg=search)
    wrong = search.replace("noise~", "gone~").split("~s")[0] + "~s" + "0" * 32
    third = open_page(f"compare{wrong}", settled=False, ready="() => document.querySelector('.toast')")
    assert "does not keep that region" in third.inner_text(".notices")
    third.wait_for_function("() => fusevis.regions.all().length === 1")


def choose_files(page: Page, paths: list[Path]) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#region-import")
    chooser.value.set_files(paths)
